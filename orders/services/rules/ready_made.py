"""Ready-made rules: examples to install as drafts and adapt, and the standard set that a new company starts with.

An example is offered only when this product has the data and the actions for it (`docs/rules.md` names the others).
Amounts, days and words in them are the company's to change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inventory.models import Location
from oms.kernel import clock
from oms.kernel.models import User
from orders.decide.rules.document import blank
from orders.models import OrderTag, Rule, RuleList, RuleVersion
from orders.services.rules import active, publish

Params = Mapping[str, Any]
OKINAWA = "沖縄県"


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """`code` marks the installed rule; `asks` are words that stand for the company's own and must be replaced:
    the draft cannot be published before. `lists` are made empty when they are missing."""

    code: str
    title: str | Promise
    about: str | Promise
    document: Params
    lists: Sequence[str] = ()
    sku: bool = False  # needs a SKU of the company: asked when it is installed
    location: bool = False
    gift: bool = False  # asks for a SKU that is put in besides; `without` is the rule for who has none
    rank: bool = False  # asks for a 会員ランク; `without` is the rule for who has none
    shop: bool = False  # may be for one shop alone
    since: bool = False  # asks from when until when
    until: bool = False  # asks until when
    without: Params | None = None


def cond(field_: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    found = {"field": field_, "op": op, **more}
    return found if value is None else found | {"value": value}


def group(match: str, *items: Any, **more: Any) -> dict[str, Any]:
    return {"match": match, "items": list(items), **more}


def do(code: str, /, **params: Any) -> dict[str, Any]:
    return {"do": code, **params}


def rule(*conditions: Any, then: Sequence[Any], otherwise: Sequence[Any] = (), **more: Any) -> dict[str, Any]:
    return blank() | {"if": group("all", *conditions), "then": list(then), "else": list(otherwise), **more}


SKU, PLACE, GIFT, RANK = "{sku}", "{location}", "{gift}", "{rank}"
SHOP, SINCE, UNTIL = "{shop}", "{since}", "{until}"
# Filled in by themselves: the prefecture of the chosen place, and the first warehouse.
ITS_PREFECTURE, WAREHOUSE = "{prefecture}", "{warehouse}"

EXAMPLES: tuple[ReadyMade, ...] = (
    ReadyMade(
        "slip-text",
        _("備考が配達希望や定型文だけ"),
        _("備考を読み取り、人が読む文が残らなければ「備考読取済」の印を付けます。"),
        rule(cond("remarks", "filled"), cond("remarks_rest", "empty"), then=[do("add_tag", tag="備考読取済")]),
    ),
    ReadyMade(
        "high-first",
        _("高額で初めての注文"),
        _("上位会員でない人の5万円以上の初回注文を、確かめるまで止めます。"),
        rule(
            cond("total", "ge", 50_000),
            cond("first_order", "yes"),
            cond("vip_rank", "no"),
            cond("tags", "contains_none", ["VIP"]),
            then=[do("hold", text="高額・初回")],
        ),
    ),
    ReadyMade(
        "cod-island",
        _("離島への代金引換"),
        _("お支払い方法の変更をお願いするメールを送り、返事まで保留にします。"),
        rule(
            cond("payment_method", "is", "cod"),
            cond("island", "yes"),
            then=[
                do("send_mail", event="payment_change_request", when="now"),
                do("hold", text="離島・代引: 支払方法の変更待ち"),
            ],
        ),
    ),
    ReadyMade(
        "mailbox",
        _("小さい荷物はネコポス"),
        _("サイズ係数の合計が1以下で希望日がなければネコポス、ほかは宅急便にします。"),
        rule(
            cond("size_total", "le", 1),
            cond("wish_date", "empty"),
            then=[do("set_method", method="ネコポス", carrier="yamato")],
            otherwise=[do("set_method", method="宅急便", carrier="yamato")],
        ),
    ),
    ReadyMade(
        "campaign-gift",
        _("キャンペーンの景品（一人一回）"),
        _("期間中に8,000円以上買った会員へ、在庫があれば景品を一度だけ足します。"),
        rule(
            cond("ordered_on", "between", [SINCE, UNTIL]),
            cond("goods", "ge", 8000),
            cond("stock", "gt", 0, sku=SKU),
            cond("has_member", "yes"),
            cond("rule_count_member", "lt", 1),
            then=[do("add_line", sku=SKU, quantity=1), do("add_text", reader="pick_list", text="景品あり")],
        ),
        sku=True,
        since=True,
        until=True,
    ),
    ReadyMade(
        "first-twenty",
        _("先着20件にステッカー"),
        _(
            "ある商品の注文の先着20件に、ステッカーを0円の行で足します（在庫があるときだけ）。"
            "ステッカーにSKUがなければ、ピッキングリストに書きます。"
        ),
        rule(
            group("lines_any", cond("line.sku", "is", SKU)),
            cond("rule_count", "lt", 20),
            cond("stock", "gt", 0, sku=GIFT),
            then=[do("add_line", sku=GIFT, quantity=1)],
            shops=[SHOP],
        ),
        sku=True,
        gift=True,
        shop=True,
        without=rule(
            group("lines_any", cond("line.sku", "is", SKU)),
            cond("rule_count", "lt", 20),
            then=[do("add_tag", tag="先着ステッカー"), do("add_text", reader="pick_list", text="ステッカーを入れる")],
            shops=[SHOP],
        ),
    ),
    ReadyMade(
        "repeat-leaflet",
        _("3回以上の人にチラシB"),
        _("これまでの注文が3回以上なら、ピッキングリストに「チラシB」と書き、あとのルールを判定しません。"),
        rule(
            cond("member_orders", "ge", 3),
            then=[do("add_text", reader="pick_list", text="チラシBを入れる")],
            priority=110,
            stop=True,
        ),
    ),
    ReadyMade(
        "first-leaflet",
        _("初めての人にチラシA"),
        _("初めての注文なら、ピッキングリストに「チラシA」と書きます。"),
        rule(
            cond("first_order", "yes"),
            then=[do("add_text", reader="pick_list", text="チラシAを入れる")],
            priority=120,
        ),
    ),
    ReadyMade(
        "far-wish",
        _("先の日付の配達希望"),
        _("14日より先の希望日に「先日付」の印を付けます。出荷予定日は配送日数から決まっています。"),
        rule(cond("days_until_wish", "gt", 14), then=[do("add_tag", tag="先日付")]),
    ),
    ReadyMade(
        "disaster",
        _("災害で配送が止まった地域"),
        _("郵便番号がリスト「災害地域」にあれば、決めた日まで保留にし、遅延のメールを送ります。"),
        rule(
            cond("postal_code", "prefix_in_list", "災害地域"),
            then=[
                do("hold", text="災害による配送停止", until=UNTIL),
                do("send_mail", event="delay_notice", when="now"),
            ],
        ),
        lists=("災害地域",),
        until=True,
    ),
    ReadyMade(
        "noshi-name",
        _("のしの名入れがない"),
        _("名入れのないのしを保留にし、問い合わせのメールを下書きします。"),
        rule(
            cond("noshi_name_missing", "yes"),
            then=[do("hold", text="のしの名入れ確認中"), do("send_mail", event="inquiry", when="draft")],
        ),
    ),
    ReadyMade(
        "transfer-3",
        _("振込3日待ち: お願い"),
        _("銀行振込の入金を3日待ったら、お支払いのお願いを送ります。"),
        rule(
            cond("payment_method", "is", "bank_transfer"),
            then=[do("send_mail", event="payment_reminder", when="now")],
            when={"event": "stage_waited", "stage": "awaiting_payment", "hours": 72},
        ),
    ),
    ReadyMade(
        "transfer-7",
        _("振込7日待ち: 最終のお願い"),
        _("銀行振込の入金を7日待ったら、もう一度お願いを送り、印を付けます。"),
        rule(
            cond("payment_method", "is", "bank_transfer"),
            then=[do("send_mail", event="payment_final", when="now"), do("add_tag", tag="最終督促")],
            when={"event": "stage_waited", "stage": "awaiting_payment", "hours": 168},
        ),
    ),
    ReadyMade(
        "transfer-10",
        _("振込10日待ち: キャンセル候補"),
        _("銀行振込の入金を10日待ったら、キャンセル候補の印を付けます。キャンセルは人が決めます。"),
        rule(
            cond("payment_method", "is", "bank_transfer"),
            then=[do("add_tag", tag="キャンセル候補")],
            when={"event": "stage_waited", "stage": "awaiting_payment", "hours": 240},
        ),
    ),
    ReadyMade(
        "express",
        _("お急ぎ便はすぐ出荷指示"),
        _(
            "配送方法に「お急ぎ」「速達」「あす楽」を含むか、あす楽・Prime の印のある注文を、"
            "その日の締め時刻の前に引き当てたら、優先度を至急にしてすぐ倉庫へ渡します。"
        ),
        rule(
            group(
                "any",
                cond("delivery_method", "contains_any", ["お急ぎ", "速達", "あす楽"]),
                cond("channel_marks", "contains_any", ["asuraku", "prime"]),
            ),
            cond("before_cutoff", "yes"),
            then=[do("set_priority", priority="2"), do("release")],
            when={"event": "allocated"},
        ),
    ),
    ReadyMade(
        "okinawa",
        _("沖縄への電池入り商品"),
        _(
            "商品タグ「リチウム電池」の付いた商品か、リスト「電池入り」の商品を沖縄へ送るときは船便にし、"
            "出荷予定を3日遅らせて、遅延のメールを送ります。"
        ),
        rule(
            cond("prefecture", "is", OKINAWA),
            group(
                "lines_any",
                group(
                    "any",
                    cond("line.tags", "contains_any", ["リチウム電池"]),
                    cond("line.sku", "in_list", "電池入り"),
                ),
            ),
            then=[
                do("set_method", method="船便", carrier="japanpost"),
                do("set_planned_date", mode="shift", days=3),
                do("send_mail", event="delay_notice", when="now"),
            ],
        ),
        lists=("電池入り",),
    ),
    ReadyMade(
        "nearby-store",
        _("近くの店から送る"),
        _("選んだ店と同じ都道府県へ送る注文で、店に10個より多く、倉庫に3個未満しかなければ、その店から出荷します。"),
        rule(
            cond("prefecture", "is", ITS_PREFECTURE),
            cond("least_stock", "gt", 10, location=PLACE),
            cond("least_stock", "lt", 3, location=WAREHOUSE),
            then=[do("set_location", location=PLACE)],
        ),
        location=True,
    ),
    ReadyMade(
        "flagship",
        _("お得意様は旗艦店から"),
        _(
            "選んだ会員ランクの人の注文を、在庫があれば選んだ店から出し、包装を店に頼みます。"
            "会員ランクを使わないときは、一年に10万円以上買った人か「VIP」の印のある注文です。"
        ),
        rule(
            cond("member_rank", "is", RANK),
            cond("least_stock", "ge", 1, location=PLACE),
            then=[do("set_location", location=PLACE), do("add_text", reader="pick_list", text="お得意様: 店で包装")],
        ),
        location=True,
        rank=True,
        without=rule(
            group("any", cond("member_amount", "ge", 100_000, days=365), cond("tags", "contains_any", ["VIP"])),
            cond("least_stock", "ge", 1, location=PLACE),
            then=[do("set_location", location=PLACE), do("add_text", reader="pick_list", text="お得意様: 店で包装")],
        ),
    ),
    ReadyMade(
        "split-cold",
        _("温度帯ごとに分けて送る"),
        _("冷凍・冷蔵・常温の商品が一緒の注文を、温度帯ごとの荷物に分けます。送料は変えず、人の確認も求めません。"),
        rule(
            cond("temperatures", "contains_any", ["frozen", "chilled"]),
            then=[do("split_temperature")],
        ),
    ),
    ReadyMade(
        "merge-3h",
        _("3時間以内の二つの注文を同梱"),
        _("同じ届け先の注文が3時間以内にあり、どちらも後払いでなければ、確かめずに同梱します。"),
        rule(
            cond("near_hours", "le", 3),
            cond("payment_method", "is_not", "deferred"),
            cond("near_payments", "contains_none", ["deferred"]),
            then=[do("merge")],
        ),
    ),
    ReadyMade(
        "parcel-back",
        _("荷物が戻ってきた"),
        _("持ち戻りを受け付けたら、24時間以内にお客様へ電話する作業を受注担当に出します。"),
        rule(
            then=[do("create_task", text="荷物が戻りました。お客様に電話する", team="operator", hours=24)],
            when={"event": "parcel_returned"},
        ),
    ),
    ReadyMade(
        "stock-late",
        _("引当待ちが3日"),
        _("引当を3日待った注文に、遅延のメールを下書きし、受注責任者の手の空いた人を担当にします。"),
        rule(
            then=[
                do("send_mail", event="delay_notice", when="draft"),
                do("assign_team", team="shift_lead"),
                do("create_task", text="入荷の見込みを確かめる", team="shift_lead", hours=24),
            ],
            when={"event": "stage_waited", "stage": "awaiting_stock", "hours": 72},
        ),
    ),
    ReadyMade(
        "cod-refused",
        _("受取拒否のあった人の代引"),
        _("電話番号がリスト「受取拒否」にある人の代引を保留にします。"),
        rule(
            cond("payment_method", "is", "cod"),
            cond("buyer_phone", "in_list", "受取拒否"),
            then=[do("hold", text="代引の受取拒否あり")],
        ),
        lists=("受取拒否",),
    ),
    ReadyMade(
        "survey",
        _("初回の5%にアンケート"),
        _("初めての注文から5%を選び、アンケートを入れて「survey」の印を付けます。"),
        rule(
            cond("first_order", "yes"),
            cond("random_percent", "lt", 5),
            then=[do("add_text", reader="pick_list", text="アンケートを入れる"), do("add_tag", tag="survey")],
        ),
    ),
    ReadyMade(
        "own-shop-note",
        _("本店の納品書に一言"),
        _("本店の注文の納品書では、通信欄をこの文に替えます。"),
        rule(
            then=[do("set_delivery_note", text="またのご来店をお待ちしております。")],
            channels=["futureshop"],
        ),
    ),
    ReadyMade(
        "gift-note",
        _("ギフトの納品書に金額を載せない"),
        _("ラッピング・のし・カードのある注文の納品書から、届け先が本人でも金額を消します。"),
        rule(
            group("any", cond("gift", "filled"), cond("noshi", "filled"), cond("message_card", "filled")),
            then=[do("set_delivery_note", prices="hide")],
        ),
    ),
)

TAGS = {
    "離島": OrderTag.Tone.ATTENTION,
    "ギフト": OrderTag.Tone.INFO,
    "先日付": OrderTag.Tone.READY,
    "備考読取済": OrderTag.Tone.NEUTRAL,
    "大口": OrderTag.Tone.ATTENTION,
}
# What needs no decision is settled by the checks themselves; these say it to desk and packers, and stop nothing.
STANDARD: tuple[ReadyMade, ...] = (
    EXAMPLES[0],
    ReadyMade(
        "std-gift",
        _("ギフトを梱包の人に伝える"),
        _("ラッピング・のし・カードのある注文に印を付け、梱包の注意を書きます。"),
        rule(
            group("any", cond("gift", "filled"), cond("noshi", "filled"), cond("message_card", "filled")),
            cond("noshi_name_missing", "no"),
            then=[do("add_tag", tag="ギフト"), do("add_text", reader="pick_list", text="ギフト: 値札を外す")],
        ),
    ),
    ReadyMade(
        "std-cod",
        _("代引を送り状で確かめる"),
        _("代金引換の注文の送り状に、金額を確かめるよう書きます。"),
        rule(
            cond("payment_method", "is", "cod"),
            then=[do("add_text", reader="label", text="代引: 金額を確かめる")],
        ),
    ),
    ReadyMade(
        "std-island",
        _("離島へのお届け"),
        _("離島の注文に印を付け、納品書に日数の断りを添えます。"),
        rule(
            cond("island", "yes"),
            then=[
                do("add_tag", tag="離島"),
                do("add_text", reader="delivery_note", text="お届け先の地域には、通常より日数がかかります。"),
            ],
        ),
    ),
    next(one for one in EXAMPLES if one.code == "far-wish"),
    ReadyMade(
        "std-bulk",
        _("大口の注文"),
        _("20点以上の注文に印を付けます。"),
        rule(cond("quantity", "ge", 20), then=[do("add_tag", tag="大口")]),
    ),
)
CAMPAIGN, PAUSE = timedelta(days=9), timedelta(days=7)  # how long, where nobody says
BY_CODE: dict[str, ReadyMade] = {one.code: one for one in (*EXAMPLES, *STANDARD)}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of the company's own an example stands for: SKU codes, a place's code, a rank's, a shop's (empty: all
    shops), days (empty: the ten days from today, or a week from now)."""

    sku: str = ""
    location: str = ""
    gift: str = ""
    rank: str = ""
    shop: str = ""
    since: date | None = None
    until: date | None = None


def install(code: str, *, by: User | None, own: Chosen = Chosen()) -> RuleVersion:
    """One click makes the example a draft; again leads to the same rule. Raises KeyError, publish.Faulty."""
    example = BY_CODE[code]
    lacks = (example.gift and not own.gift) or (example.rank and not own.rank)
    wanted = example.without if lacks and example.without is not None else example.document
    for name in example.lists:
        if not RuleList.objects.filter(name=name).exists():
            publish.save_list(name, [])
    words = {SKU: own.sku, PLACE: own.location, GIFT: own.gift, RANK: own.rank, SHOP: own.shop}
    document = filled(wanted, words | _days(own, CAMPAIGN if example.since else PAUSE) | _of_place(own.location))
    document["shops"] = [shop for shop in document["shops"] if shop]
    channels = active.known().channels
    document["channels"] = [channel for channel in document["channels"] if channel in channels]
    return publish.create(str(example.title), document, by=by, template=code)


def _days(own: Chosen, length: timedelta) -> dict[str, str]:
    since = own.since or clock.today()
    return {SINCE: since.isoformat(), UNTIL: (own.until or since + length).isoformat()}


def _of_place(code: str) -> dict[str, str]:
    """What examples about places need beside the chosen one."""
    place = Location.objects.filter(code=code).first()
    warehouses = Location.objects.filter(active=True, kind=Location.Kind.WAREHOUSE).exclude(code=code)
    first = warehouses.order_by("priority", "pk").values_list("code", flat=True).first()
    return {ITS_PREFECTURE: (place.prefecture if place else "") or "東京都", WAREHOUSE: first or code}


def filled(value: Any, words: Mapping[str, str]) -> Any:
    """The document with the company's own names in place of the marks."""
    if isinstance(value, Mapping):
        return {name: filled(one, words) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, words) for one in value]
    return words.get(value, value) if isinstance(value, str) else value


def install_standard(*, by: User | None = None) -> int:
    """The standard set, in force; rules that are there already stay as the company has them. Returns how many came."""
    for name, tone in TAGS.items():
        OrderTag.objects.get_or_create(name=name, defaults={"tone": tone})
    known = set(Rule.objects.exclude(template="").values_list("template", flat=True))
    fresh = [one for one in STANDARD if one.code not in known]
    for one in fresh:
        publish.publish(install(one.code, by=by).pk, by=by)
    return len(fresh)


__all__ = ["BY_CODE", "EXAMPLES", "STANDARD", "Chosen", "ReadyMade", "install", "install_standard"]
