"""What conditions may ask: every field with its kind, and the operators of each kind. Pure words, no data.

Where the values come from is `orders.services.rules.facts`; a test holds the two together. Upper apps add fields of
their own with `register`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models.order import Carrier, PaymentMethod, PaymentState, Priority, Stage

Choices = Sequence[tuple[object, str | Promise]]

TEXT, NUMBER, DATE, TIME, FLAG, CHOICE, SET = "text", "number", "date", "time", "flag", "choice", "set"
MOMENT = "moment"  # a day and a time of day, in Tokyo: "2026-06-01T20:00"


@dataclass(frozen=True, slots=True)
class Field:
    """`source` names who loads it; `arg` what else the condition must say (`sku`, `days`, `location`, `of`: the name
    of one of the company's own fields), `also` what it may say besides (`location`). `line`: asked of each line,
    inside a group over lines. `digits`: only the digits are compared. `choices` empty for a choice
    means: known only from the database."""

    code: str
    label: str | Promise
    kind: str
    group: str | Promise
    source: str = "order"
    choices: Choices = ()
    arg: str = ""
    also: str = ""
    line: bool = False
    digits: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """`phrase` says the condition with its field and value. `takes`: what its value is: one, list, pair, number,
    nothing, list_name, pattern."""

    code: str
    phrase: str | Promise
    kinds: Sequence[str]
    takes: str = "one"

    @property
    def label(self) -> str:
        """The phrase without its parts, for choosing."""
        return (str(self.phrase) % {"field": "", "value": "○"}).strip()


ALL_KINDS = (TEXT, NUMBER, DATE, TIME, MOMENT, FLAG, CHOICE, SET)
OPERATORS: dict[str, Operator] = {
    one.code: one
    for one in (
        Operator("is", _("%(field)sが%(value)s"), (TEXT, NUMBER, DATE, TIME, CHOICE)),
        Operator("is_not", _("%(field)sが%(value)sでない"), (TEXT, NUMBER, DATE, TIME, CHOICE)),
        Operator("in", _("%(field)sが%(value)sのいずれか"), (TEXT, NUMBER, CHOICE), "list"),
        Operator("not_in", _("%(field)sが%(value)sのいずれでもない"), (TEXT, NUMBER, CHOICE), "list"),
        Operator("contains_any", _("%(field)sが%(value)sのいずれかを含む"), (TEXT, SET), "list"),
        Operator("contains_all", _("%(field)sが%(value)sをすべて含む"), (TEXT, SET), "list"),
        Operator("contains_none", _("%(field)sが%(value)sをどれも含まない"), (TEXT, SET), "list"),
        Operator("starts", _("%(field)sが%(value)sで始まる"), (TEXT,), "list"),
        Operator("ends", _("%(field)sが%(value)sで終わる"), (TEXT,), "list"),
        Operator("in_list", _("%(field)sがリスト%(value)sにある"), (TEXT, SET), "list_name"),
        Operator("not_in_list", _("%(field)sがリスト%(value)sにない"), (TEXT, SET), "list_name"),
        Operator("prefix_in_list", _("%(field)sがリスト%(value)sのどれかで始まる"), (TEXT,), "list_name"),
        Operator("matches", _("%(field)sがパターン%(value)sに合う"), (TEXT,), "pattern"),
        Operator("empty", _("%(field)sが空"), (TEXT, NUMBER, DATE, SET, CHOICE), "nothing"),
        Operator("filled", _("%(field)sが空でない"), (TEXT, NUMBER, DATE, SET, CHOICE), "nothing"),
        Operator("gt", _("%(field)sが%(value)sより大きい"), (NUMBER, TIME)),
        Operator("ge", _("%(field)sが%(value)s以上"), (NUMBER, TIME)),
        Operator("lt", _("%(field)sが%(value)s未満"), (NUMBER, TIME)),
        Operator("le", _("%(field)sが%(value)s以下"), (NUMBER, TIME)),
        Operator("between", _("%(field)sが%(value)sの範囲内"), (NUMBER, DATE, TIME, MOMENT), "pair"),
        Operator("longer", _("%(field)sが%(value)s字より長い"), (TEXT,), "number"),
        Operator("shorter", _("%(field)sが%(value)s字より短い"), (TEXT,), "number"),
        Operator("before", _("%(field)sが%(value)sより前"), (DATE, MOMENT)),
        Operator("after", _("%(field)sが%(value)sより後"), (DATE, MOMENT)),
        Operator("since", _("%(field)sが%(value)s以降"), (DATE, MOMENT)),
        Operator("until", _("%(field)sが%(value)s以前"), (DATE, MOMENT)),
        Operator("within_days", _("%(field)sが今日から%(value)s日以内"), (DATE,), "number"),
        Operator("beyond_days", _("%(field)sが今日から%(value)s日より先"), (DATE,), "number"),
        Operator("past_days", _("%(field)sが今日までの%(value)s日以内"), (DATE,), "number"),
        Operator("older_days", _("%(field)sが今日の%(value)s日前より前"), (DATE,), "number"),
        Operator("yes", _("%(field)sに当てはまる"), (FLAG,), "nothing"),
        Operator("no", _("%(field)sに当てはまらない"), (FLAG,), "nothing"),
        Operator("changed", _("%(field)sが前回の判定から変わった"), ALL_KINDS, "nothing"),
    )
}


def operators_of(kind: str) -> list[Operator]:
    return [one for one in OPERATORS.values() if kind in one.kinds]


WEEKDAYS: Choices = (
    ("0", _("月曜")), ("1", _("火曜")), ("2", _("水曜")), ("3", _("木曜")), ("4", _("金曜")), ("5", _("土曜")),
    ("6", _("日曜")),
)  # fmt: skip
MONTHS: Choices = tuple(
    (str(number), label)
    for number, label in enumerate(
        (
            _("1月"), _("2月"), _("3月"), _("4月"), _("5月"), _("6月"), _("7月"), _("8月"), _("9月"), _("10月"),
            _("11月"), _("12月"),
        ),
        start=1,
    )
)  # fmt: skip
TEMPERATURES: Choices = (("ambient", _("常温")), ("chilled", _("冷蔵")), ("frozen", _("冷凍")))
PRIORITIES: Choices = tuple((str(value), label) for value, label in Priority.choices)

_ORDER, _BUYER, _RECIPIENT, _MONEY = _("受注"), _("注文者"), _("届け先"), _("金額・支払")
_DELIVERY, _LINES, _GIFT, _MEMBER = _("配送"), _("商品"), _("ギフト・備考"), _("会員・在庫")
_STATE, _LINE = _("処理の状態"), _("明細行")

_FIELDS = (
    Field("channel", _("モール"), CHOICE, _ORDER),
    Field("shop", _("店舗"), CHOICE, _ORDER),
    Field("ordered_on", _("注文日"), DATE, _ORDER),
    Field("ordered_weekday", _("注文の曜日"), CHOICE, _ORDER, choices=WEEKDAYS),
    Field("ordered_time", _("注文の時刻"), TIME, _ORDER),
    Field("ordered_at", _("注文日時（キャンペーンの期間など）"), MOMENT, _ORDER),
    Field("provisional", _("仮注文"), FLAG, _ORDER),
    Field("fulfilled_by_channel", _("モール出荷"), FLAG, _ORDER),
    Field("channel_state", _("モールの状態"), TEXT, _ORDER),
    Field("channel_marks", _("モールの印"), SET, _ORDER),
    Field("buyer_name", _("注文者の氏名"), TEXT, _BUYER),
    Field("buyer_company", _("注文者の会社名"), TEXT, _BUYER),
    Field("buyer_phone", _("注文者の電話番号"), TEXT, _BUYER, digits=True),
    Field("buyer_mail_domain", _("メールのドメイン"), TEXT, _BUYER),
    Field("buyer_postal_code", _("注文者の郵便番号"), TEXT, _BUYER, digits=True),
    Field("buyer_prefecture", _("注文者の都道府県"), TEXT, _BUYER),
    Field("buyer_city", _("注文者の市区町村"), TEXT, _BUYER),
    Field("buyer_address", _("注文者の番地・建物"), TEXT, _BUYER),
    Field("recipient_name", _("届け先の氏名"), TEXT, _RECIPIENT, "recipient"),
    Field("recipient_company", _("届け先の会社名"), TEXT, _RECIPIENT, "recipient"),
    Field("recipient_phone", _("届け先の電話番号"), TEXT, _RECIPIENT, "recipient", digits=True),
    Field("postal_code", _("届け先の郵便番号"), TEXT, _RECIPIENT, "recipient", digits=True),
    Field("prefecture", _("届け先の都道府県"), TEXT, _RECIPIENT, "recipient"),
    Field("city", _("届け先の市区町村"), TEXT, _RECIPIENT, "recipient"),
    Field("address", _("届け先の番地・建物"), TEXT, _RECIPIENT, "recipient"),
    Field("address_length", _("届け先住所の文字数"), NUMBER, _RECIPIENT, "recipient"),
    Field("address_valid", _("住所に問題がない"), FLAG, _RECIPIENT, "recipient"),
    Field("island", _("離島・中継地域"), FLAG, _RECIPIENT, "recipient"),
    Field("country", _("国"), TEXT, _RECIPIENT, "recipient"),
    Field("same_person", _("注文者と届け先が同じ"), FLAG, _RECIPIENT, "recipient"),
    Field("recipients", _("届け先の数"), NUMBER, _RECIPIENT, "recipient"),
    Field("total", _("合計金額"), NUMBER, _MONEY),
    Field("goods", _("商品合計"), NUMBER, _MONEY),
    Field("shipping_fee", _("送料"), NUMBER, _MONEY),
    Field("fees", _("手数料"), NUMBER, _MONEY),
    Field("gift_fees", _("ラッピング料"), NUMBER, _MONEY),
    Field("discount", _("値引"), NUMBER, _MONEY),
    Field("coupons", _("クーポン額"), NUMBER, _MONEY),
    Field("coupon_names", _("使われたクーポンの名前"), SET, _MONEY),
    Field("points", _("ポイント利用"), NUMBER, _MONEY),
    Field("cod_amount", _("代金引換で受け取る金額"), NUMBER, _MONEY),
    Field("payment_method", _("支払方法"), CHOICE, _MONEY, choices=PaymentMethod.choices),
    Field("payment_name", _("モールの支払名"), TEXT, _MONEY),
    Field("payment_state", _("入金状況"), CHOICE, _MONEY, choices=PaymentState.choices),
    Field("authorized_until", _("与信の期限"), DATE, _MONEY),
    Field("pay_by", _("支払期限"), DATE, _MONEY),
    Field("delivery_method", _("配送方法"), TEXT, _DELIVERY),
    Field("carrier", _("配送会社"), CHOICE, _DELIVERY, choices=Carrier.choices),
    Field("wish_date", _("配達希望日"), DATE, _DELIVERY),
    Field("days_until_wish", _("配達希望日までの日数"), NUMBER, _DELIVERY),
    Field("wish_slot", _("希望時間帯"), TEXT, _DELIVERY),
    Field("ship_by", _("出荷期限"), DATE, _DELIVERY),
    Field("planned_ship_date", _("出荷予定日"), DATE, _DELIVERY),
    Field("location", _("出荷元"), TEXT, _DELIVERY),
    Field("temperatures", _("温度帯"), SET, _DELIVERY, "lines", TEMPERATURES),
    Field("size_total", _("サイズ係数の合計"), NUMBER, _DELIVERY, "lines"),
    Field("size_max", _("サイズ係数の最大"), NUMBER, _DELIVERY, "lines"),
    Field("weight_total", _("重さの合計（g）"), NUMBER, _DELIVERY, "lines"),
    Field("item_count", _("明細の行数"), NUMBER, _LINES, "lines"),
    Field("quantity", _("点数"), NUMBER, _LINES),
    Field("gift", _("ラッピング"), TEXT, _GIFT),
    Field("noshi", _("のし"), TEXT, _GIFT),
    Field("noshi_name_missing", _("のしの名入れがない"), FLAG, _GIFT),
    Field("message_card", _("メッセージカード"), TEXT, _GIFT),
    Field("remarks", _("備考"), TEXT, _GIFT),
    Field("remarks_rest", _("備考のうち人が読む部分"), TEXT, _GIFT),
    Field("remarks_wish", _("備考に配達希望がある"), FLAG, _GIFT),
    Field("remarks_date", _("備考に日付がある"), FLAG, _GIFT),
    Field("has_member", _("会員が分かる"), FLAG, _MEMBER),
    Field("member_rank", _("会員ランク"), CHOICE, _MEMBER, "profile"),
    Field("member_rank_level", _("会員ランクの順位"), NUMBER, _MEMBER, "profile"),
    Field("vip_rank", _("上位会員（会員ランクによる）"), FLAG, _MEMBER, "profile"),
    Field("birth_month", _("誕生月"), CHOICE, _MEMBER, "profile", MONTHS),
    Field("in_birth_month", _("誕生月の注文"), FLAG, _MEMBER, "profile"),
    Field("store_member", _("店舗会員"), FLAG, _MEMBER, "profile"),
    Field("open_promise", _("未完了の約束がある"), FLAG, _MEMBER, "profile"),
    Field("member_orders", _("これまでの注文回数"), NUMBER, _MEMBER, "member", arg="days"),
    Field("member_amount", _("これまでの注文金額"), NUMBER, _MEMBER, "member", arg="days"),
    Field("first_order", _("初めての注文"), FLAG, _MEMBER, "member"),
    Field("last_order_days", _("前回の注文からの日数"), NUMBER, _MEMBER, "member"),
    Field("member_tags", _("会員のタグ"), SET, _MEMBER, "member_skus"),
    Field("member_skus", _("以前に受け取った SKU"), SET, _MEMBER, "member_skus"),
    Field("member_gifts", _("以前に受け取ったおまけ（0円の SKU）"), SET, _MEMBER, "member_skus"),
    Field("member_channels", _("以前に買ったモール"), SET, _MEMBER, "member_skus"),
    Field("member_returns", _("これまでの返品の数"), NUMBER, _MEMBER, "returns", arg="days"),
    Field("member_return_percent", _("これまでの返品率（％）"), NUMBER, _MEMBER, "returns", arg="days"),
    Field("member_refusals", _("受取拒否・長期不在で戻った荷物の数"), NUMBER, _MEMBER, "returns", arg="days"),
    Field("blacklisted", _("要注意の人に一致"), FLAG, _MEMBER, "blacklist"),
    Field("stock", _("在庫（引当可能数）"), NUMBER, _MEMBER, "stock", arg="sku", also="location"),
    Field("least_stock", _("拠点の在庫（受注の商品のうち最少）"), NUMBER, _MEMBER, "places", arg="location"),
    Field("today", _("判定する日"), DATE, _STATE),
    Field("today_weekday", _("判定する日の曜日"), CHOICE, _STATE, choices=WEEKDAYS),
    Field("today_workday", _("判定する日が営業日（土日祝でない）"), FLAG, _STATE),
    Field("now_time", _("判定する時刻"), TIME, _STATE),
    Field("rule_count", _("このルールが働いた件数"), NUMBER, _STATE, "counter"),
    Field("rule_count_member", _("このルールが同じ会員に働いた件数"), NUMBER, _STATE, "counter"),
    Field("rules_matched", _("この判定で先に当てはまったルール"), SET, _STATE),
    Field("random_percent", _("抽選（0〜100）"), NUMBER, _STATE),
    Field("reasons", _("開いている確認理由"), SET, _STATE, "reasons"),
    Field("tags", _("タグ"), SET, _STATE),
    Field("important", _("重要"), FLAG, _STATE),
    Field("priority", _("優先度"), CHOICE, _STATE, choices=PRIORITIES),
    Field("assignee", _("担当"), TEXT, _STATE),
    Field("held", _("保留中"), FLAG, _STATE),
    Field("stage", _("ステータス"), CHOICE, _STATE, choices=Stage.choices),
    Field("waited_hours", _("今のステータスでの経過時間（時間）"), NUMBER, _STATE),
    Field("line.sku", _("SKU"), TEXT, _LINE, "lines", line=True),
    Field("line.channel_sku", _("モール商品コード"), TEXT, _LINE, "lines", line=True),
    Field("line.jan", _("JANコード"), TEXT, _LINE, "lines", line=True),
    Field("line.name", _("商品名"), TEXT, _LINE, "lines", line=True),
    Field("line.brand", _("ブランド"), TEXT, _LINE, "lines", line=True),
    Field("line.category", _("カテゴリ"), TEXT, _LINE, "lines", line=True),
    Field("line.supplier", _("仕入先"), TEXT, _LINE, "lines", line=True),
    Field("line.tags", _("商品タグ"), SET, _LINE, "lines", line=True),
    Field("line.custom", _("自由項目"), TEXT, _LINE, "lines", arg="of", line=True),
    Field("line.options", _("選択肢"), TEXT, _LINE, "lines", line=True),
    Field("line.quantity", _("数量"), NUMBER, _LINE, "lines", line=True),
    Field("line.price", _("単価"), NUMBER, _LINE, "lines", line=True),
    Field("line.amount", _("金額"), NUMBER, _LINE, "lines", line=True),
    Field("line.temperature", _("温度帯"), CHOICE, _LINE, "lines", TEMPERATURES, line=True),
    Field("line.size", _("サイズ係数"), NUMBER, _LINE, "lines", line=True),
    Field("line.weight", _("重さ（g）"), NUMBER, _LINE, "lines", line=True),
    Field("line.preorder", _("予約商品"), FLAG, _LINE, "lines", line=True),
    Field("line.bundle", _("セット商品"), FLAG, _LINE, "lines", line=True),
    Field("line.made_to_order", _("取寄せ商品"), FLAG, _LINE, "lines", line=True),
)

FIELDS: dict[str, Field] = {}
SUMMABLE = {"line.quantity": "quantity", "line.amount": "amount", "line.size": "size"}

Loader = Callable[[Sequence[int]], dict[int, object]]
LOADERS: dict[str, Loader] = {}  # field code → how an upper app's field is loaded, for a batch, in one query


def register(field: Field, load: Loader | None = None) -> None:
    """Add a field. Upper apps pass `load`: order ids → value per order; an order left out has None."""
    if field.code in FIELDS:
        raise ValueError(f"field {field.code} is registered twice")
    FIELDS[field.code] = field
    if load is not None:
        LOADERS[field.code] = load


for _field in _FIELDS:
    register(_field)
