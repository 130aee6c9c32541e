"""What can stand in a file of orders: the columns, what each reads, and the ready-made layouts. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.decide.reasons import CATALOGUE
from orders.models import ExportFormat, ExportGrain
from orders.models.order import (
    AllocationState,
    Carrier,
    ChannelSync,
    FulfillmentState,
    PaymentMethod,
    PaymentState,
    Priority,
    Stage,
)

Facts = Mapping[str, Any]
Words = Mapping[str, Mapping[Any, str]]  # column → value → what people read
NOTHING: Facts = {}


class Kind(Enum):
    """How a value is written. A code is a text that a spreadsheet would take for a number or a day."""

    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    MOMENT = "moment"
    DAY = "day"


class Group(Enum):
    ORDER = _("受注")
    MONEY = _("金額")
    PAYMENT = _("支払・入金")
    DELIVERY = _("配送・出荷")
    GOODS = _("商品")
    LINE = _("明細（明細ごとの行だけ）")
    BUYER = _("注文者")
    RECIPIENT = _("届け先")
    NOTES = _("備考・メモ・ギフト")


@dataclass(frozen=True, slots=True)
class Source:
    """What one line of the file is made of. `first`: the order's first line, where its own amounts stand.
    `lines` are those that stand; of the recipient alone where the line of the file is a recipient."""

    order: Facts
    recipient: Facts
    line: Facts
    lines: Sequence[Facts]
    first: bool
    words: Words


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """`reads` are columns of the order; `needs` names what else is fetched: recipients, lines, reasons."""

    code: str
    label: str | Promise
    group: Group
    kind: Kind
    value: Callable[[Source], Any]
    reads: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    personal: bool = False
    only: ExportGrain | None = None
    choices: Sequence[tuple[Any, Any]] = ()


def _order(
    code: str, label: Any, group: Group, kind: Kind = Kind.TEXT, *, reads: str = "", personal: bool = False
) -> ExportColumn:
    """A column of the order as it stands."""
    name = reads or code
    return ExportColumn(code, label, group, kind, lambda of: of.order[name], (name,), personal=personal)


def _amount(code: str, label: Any) -> ExportColumn:
    """The order's own amount: once an order, so that the column can be added up."""
    return ExportColumn(
        code, label, Group.MONEY, Kind.NUMBER, lambda of: of.order[code] if of.first else None, (code,)
    )  # fmt: skip


def _taxed(rate: int, place: int, label: Any) -> ExportColumn:
    """What the channel tells of one tax rate: the amount (1) or the tax inside (2)."""

    def told(of: Source) -> int | None:
        found = [one[place] for one in of.order["tax_by_rate"] if one[0] == rate]
        return sum(found) if of.first and found else None

    code = f"{'tax' if place == 2 else 'amount'}_{rate}"
    return ExportColumn(code, label, Group.MONEY, Kind.NUMBER, told, ("tax_by_rate",))


def _choice(
    code: str, label: Any, group: Group, choices: Sequence[tuple[Any, Any]], *, reads: str = ""
) -> ExportColumn:
    name = reads or code
    return ExportColumn(
        code,
        label,
        group,
        Kind.TEXT,
        lambda of: of.words[code].get(of.order[name], of.order[name]),
        (name,),
        choices=choices,
    )


def _buyer(code: str, label: Any, kind: Kind = Kind.TEXT) -> ExportColumn:
    return _order(f"buyer_{code}", label, Group.BUYER, kind, personal=True)


def _recipient(code: str, label: Any, kind: Kind = Kind.TEXT) -> ExportColumn:
    return ExportColumn(
        f"to_{code}",
        label,
        Group.RECIPIENT,
        kind,
        lambda of: of.recipient.get(code, ""),
        needs=frozenset({"recipients"}),
        personal=True,
    )


def _own_or_order(
    code: str, label: Any, group: Group, kind: Kind, *, own: str, order: str, personal: bool = False
) -> ExportColumn:
    """What is wished for this recipient; where nothing is, as the order says."""
    return ExportColumn(
        code,
        label,
        group,
        kind,
        lambda of: of.recipient.get(own) or of.order[order],
        (order,),
        frozenset({"recipients"}),
        personal,
    )


def _line(code: str, label: Any, kind: Kind = Kind.NUMBER, *, reads: str, personal: bool = False) -> ExportColumn:
    return ExportColumn(
        code,
        label,
        Group.LINE,
        kind,
        lambda of: of.line.get(reads),
        needs=frozenset({"lines"}),
        personal=personal,
        only=ExportGrain.LINE,
    )


def _address(of: Facts, prefix: str) -> str:
    return "".join(of.get(f"{prefix}{part}", "") for part in ("prefecture", "city", "address"))


def _goods(of: Source) -> str:
    return " / ".join(f"{line['sku__code'] or line['channel_sku']}×{line['quantity']}" for line in of.lines)


def _reasons(of: Source) -> str:
    return "、".join(of.words["reasons"].get(code, code) for code in of.order["open_reasons"] or ())


def _person(of: Source) -> str:
    return of.order["assignee__display_name"] or of.order["assignee__username"] or ""


R, N, C, M, D = Kind.TEXT, Kind.NUMBER, Kind.CODE, Kind.MOMENT, Kind.DAY
BUYER_ADDRESS = ("buyer_prefecture", "buyer_city", "buyer_address")

ALL = (
    _order("no", _("受注番号"), Group.ORDER, C, reads="channel_order_no"),
    _order("channel", _("モール"), Group.ORDER, reads="shop__channel_label"),
    _order("shop", _("店舗"), Group.ORDER, reads="shop__name"),
    _order("shop_code", _("店舗コード"), Group.ORDER, C, reads="shop__code"),
    _order("ordered_at", _("注文日時"), Group.ORDER, M),
    _order("imported_at", _("取込日時"), Group.ORDER, M),
    _order("confirmed_at", _("モール確定日時"), Group.ORDER, M),
    _choice("stage", _("ステータス"), Group.ORDER, Stage.choices),
    _order("stage_since", _("ステータス変更日時"), Group.ORDER, M),
    _order("channel_state", _("モールの状態"), Group.ORDER),
    ExportColumn(
        "reasons",
        _("確認理由"),
        Group.ORDER,
        R,
        _reasons,
        needs=frozenset({"reasons"}),
        choices=[(code, reason.label) for code, reason in CATALOGUE.items()],
    ),
    ExportColumn("tags", _("タグ"), Group.ORDER, R, lambda of: "、".join(of.order["tags"]), ("tags",)),
    _choice("priority", _("優先度"), Group.ORDER, Priority.choices),
    ExportColumn("assignee", _("担当"), Group.ORDER, R, _person, ("assignee__display_name", "assignee__username")),
    _order("hold_reason", _("保留理由"), Group.ORDER),
    _order("cancelled_at", _("キャンセル日時"), Group.ORDER, M),
    _order("cancel_reason", _("キャンセル理由"), Group.ORDER),
    _amount("goods", _("商品合計")),
    _amount("shipping_fee", _("送料")),
    _amount("fees", _("手数料")),
    _amount("gift_fees", _("ラッピング料")),
    _amount("discount", _("値引")),
    _amount("coupons_shop", _("店舗クーポン")),
    _amount("coupons_channel", _("モールクーポン")),
    _amount("points", _("ポイント利用")),
    _amount("tax_excluded", _("外税")),
    _amount("tax", _("うち消費税")),
    _taxed(10, 1, _("10%対象の金額")),
    _taxed(10, 2, _("10%の消費税")),
    _taxed(8, 1, _("8%対象の金額")),
    _taxed(8, 2, _("8%の消費税")),
    _amount("total", _("合計金額")),
    _amount("paid_amount", _("入金額")),
    _choice("payment_method", _("支払方法"), Group.PAYMENT, PaymentMethod.choices),
    _order("payment_name", _("モールの支払名"), Group.PAYMENT),
    _choice("payment_state", _("入金状況"), Group.PAYMENT, PaymentState.choices),
    _order("paid_at", _("入金日時"), Group.PAYMENT, M),
    _order("pay_by", _("支払期限"), Group.PAYMENT, M),
    _choice("carrier", _("配送会社"), Group.DELIVERY, Carrier.choices),
    _own_or_order("delivery_method", _("配送方法"), Group.DELIVERY, R, own="method", order="delivery_method"),
    _own_or_order("wish_date", _("配達希望日"), Group.DELIVERY, D, own="wish_date", order="wish_date"),
    _own_or_order("wish_slot", _("希望時間帯"), Group.DELIVERY, R, own="wish_slot", order="wish_slot"),
    _order("ship_by", _("出荷期限"), Group.DELIVERY, M),
    _order("planned_ship_date", _("出荷予定日"), Group.DELIVERY, D),
    _order("location", _("出荷元"), Group.DELIVERY, reads="location_label"),
    _choice("allocation", _("引当状況"), Group.DELIVERY, AllocationState.choices, reads="allocation_state"),
    _choice("fulfillment", _("出荷状況"), Group.DELIVERY, FulfillmentState.choices, reads="fulfillment_state"),
    _order("instructed_at", _("出荷指示日時"), Group.DELIVERY, M),
    _order("shipped_at", _("出荷日時"), Group.DELIVERY, M),
    _order("tracking", _("送り状番号"), Group.DELIVERY, C, reads="tracking_label"),
    _choice("sync", _("モール反映"), Group.DELIVERY, ChannelSync.choices, reads="channel_sync"),
    _order("recipient_prefecture", _("届け先の都道府県"), Group.DELIVERY),
    _order("item_summary", _("商品"), Group.GOODS),
    ExportColumn("goods_list", _("商品の一覧（SKU×数量）"), Group.GOODS, R, _goods, needs=frozenset({"lines"})),
    ExportColumn(
        "pieces", _("点数"), Group.GOODS, N, lambda of: sum(line["quantity"] for line in of.lines),
        needs=frozenset({"lines"}),
    ),
    ExportColumn(
        "line_no", _("明細番号"), Group.LINE, N, lambda of: of.line["position"] + 1 if of.line else None,
        needs=frozenset({"lines"}), only=ExportGrain.LINE,
    ),
    _line("channel_sku", _("モール商品コード"), C, reads="channel_sku"),
    _line("sku", _("SKU"), C, reads="sku__code"),
    _line("jan", _("JANコード"), C, reads="sku__jan"),
    ExportColumn(
        "set_sku", _("セットのSKU"), Group.LINE, C,
        lambda of: of.line.get("set_line__sku__code") or (of.line.get("parts") and of.line.get("sku__code")) or "",
        needs=frozenset({"lines"}), only=ExportGrain.LINE,
    ),
    _line("set_parts", _("セットの構成品（SKU×数量）"), R, reads="parts"),
    _line("line_name", _("商品名"), R, reads="name"),
    _line("quantity", _("数量"), reads="quantity"),
    _line("units", _("入数"), reads="units"),
    _line("unit_price", _("単価"), reads="unit_price"),
    _line("line_amount", _("金額"), reads="amount"),
    _line("tax_rate", _("税率"), reads="tax_rate"),
    _line("line_discount", _("値引の按分"), reads="discount"),
    _line("allocated", _("引当数"), reads="allocated_quantity"),
    _line("shipped", _("出荷数"), reads="shipped_quantity"),
    _line("release_date", _("発売日"), D, reads="release_date"),
    _line("options", _("選択肢"), R, reads="options", personal=True),
    _line("line_gift", _("商品ごとのギフト指定"), R, reads="gift", personal=True),
    _buyer("name", _("注文者")),
    _buyer("kana", _("注文者カナ")),
    _buyer("company", _("注文者の会社名")),
    _buyer("phone", _("注文者の電話番号"), C),
    _buyer("email", _("注文者のメール")),
    _buyer("postal_code", _("注文者の郵便番号"), C),
    ExportColumn(
        "buyer_place", _("注文者の住所"), Group.BUYER, R, lambda of: _address(of.order, "buyer_"), BUYER_ADDRESS,
        personal=True,
    ),
    _buyer("prefecture", _("注文者の都道府県")),
    _buyer("city", _("注文者の市区町村")),
    _buyer("address", _("注文者の番地・建物")),
    _recipient("name", _("届け先")),
    _recipient("kana", _("届け先カナ")),
    _recipient("company", _("届け先の会社名")),
    _recipient("phone", _("届け先の電話番号"), C),
    _recipient("postal_code", _("届け先の郵便番号"), C),
    ExportColumn(
        "to_place", _("届け先の住所"), Group.RECIPIENT, R, lambda of: _address(of.recipient, ""),
        needs=frozenset({"recipients"}), personal=True,
    ),
    _recipient("prefecture", _("届け先の県")),
    _recipient("city", _("届け先の市区町村")),
    _recipient("address", _("届け先の番地・建物")),
    _recipient("sender", _("送り主")),
    _order("remarks", _("備考"), Group.NOTES, personal=True),
    _order("shop_memo", _("モールの店舗メモ"), Group.NOTES, personal=True),
    _order("internal_note", _("社内メモ"), Group.NOTES, personal=True),
    _order("packing_note", _("出荷メモ"), Group.NOTES, personal=True),
    _own_or_order("gift", _("ラッピング"), Group.NOTES, R, own="gift", order="gift", personal=True),
    _own_or_order("noshi", _("のし"), Group.NOTES, R, own="noshi", order="noshi", personal=True),
    _own_or_order(
        "message_card", _("メッセージカード"), Group.NOTES, R, own="message_card", order="message_card", personal=True
    ),
)  # fmt: skip
COLUMNS: Mapping[str, ExportColumn] = {column.code: column for column in ALL}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file looks like. `code` names it in forms: `ready:…`, or the number of a saved one."""

    code: str
    name: str | Promise
    grain: ExportGrain
    columns: Sequence[str]
    format: ExportFormat = ExportFormat.CSV
    keep_zeros: bool = True
    note: str | Promise = field(default="")

    @property
    def personal(self) -> bool:
        return is_personal(self.columns)


_HEAD = ("no", "channel", "shop", "ordered_at", "stage")
READY_MADE = (
    Layout(
        "ready:orders",
        _("受注一覧"),
        ExportGrain.ORDER,
        (*_HEAD, "reasons", "item_summary", "pieces", "goods", "shipping_fee", "fees", "discount", "coupons_shop",
         "coupons_channel", "points", "tax", "total", "payment_method", "payment_state", "paid_at", "carrier",
         "delivery_method", "wish_date", "wish_slot", "ship_by", "shipped_at", "tracking", "tags"),
        note=_("受注番号・金額・支払・配送。個人情報は入りません。"),
    ),
    Layout(
        "ready:lines",
        _("明細一覧"),
        ExportGrain.LINE,
        (*_HEAD, "line_no", "sku", "channel_sku", "jan", "line_name", "quantity", "unit_price", "line_amount",
         "tax_rate", "line_discount", "allocated", "shipped", "shipping_fee", "total"),
        note=_("商品ごとの数量・単価・税率。個人情報は入りません。"),
    ),
    Layout(
        "ready:recipients",
        _("送り先"),
        ExportGrain.RECIPIENT,
        ("no", "shop", "to_name", "to_kana", "to_company", "to_postal_code", "to_place", "to_phone", "to_sender",
         "goods_list", "pieces", "carrier", "delivery_method", "wish_date", "wish_slot", "ship_by", "tracking",
         "noshi", "gift", "packing_note"),
        note=_("届け先の氏名・住所・電話番号と、送るもの。"),
    ),
    Layout(
        "ready:money",
        _("売上・入金"),
        ExportGrain.ORDER,
        ("no", "channel", "shop", "ordered_at", "shipped_at", "cancelled_at", "goods", "shipping_fee", "fees",
         "gift_fees", "discount", "coupons_shop", "coupons_channel", "points", "tax_excluded", "amount_10", "tax_10",
         "amount_8", "tax_8", "total", "payment_method", "payment_name", "payment_state", "paid_amount", "paid_at"),
        ExportFormat.XLSX,
        note=_("税率ごとの金額と入金。経理に渡すときに。"),
    ),
)  # fmt: skip


def is_personal(codes: Iterable[str]) -> bool:
    return any(COLUMNS[code].personal for code in codes if code in COLUMNS)


def chosen(codes: Iterable[str]) -> list[ExportColumn]:
    """The columns named, each once, in that order; what no longer exists is left out."""
    return [COLUMNS[code] for code in dict.fromkeys(codes) if code in COLUMNS]


def misplaced(codes: Iterable[str], grain: str) -> list[ExportColumn]:
    """Columns that have no meaning where a line of the file is something else."""
    return [column for column in chosen(codes) if column.only and column.only != grain]


def needs_of(columns: Iterable[ExportColumn], grain: str) -> frozenset[str]:
    """What is fetched beside the orders."""
    own = {ExportGrain.LINE: {"lines"}, ExportGrain.RECIPIENT: {"recipients"}}.get(ExportGrain(grain), set())
    return frozenset(own).union(*(column.needs for column in columns))


def words_of(columns: Iterable[ExportColumn]) -> Words:
    """The words of choices in the language in force, looked up once instead of once a line."""
    return {column.code: {value: str(label) for value, label in column.choices} for column in columns}
