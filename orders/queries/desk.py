"""The rows of 受注一覧, flat and ready to print, and the digest that says whether they have changed."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from inventory.models import Sku
from oms.kernel import clock, own_words
from oms.kernel.privacy import mask_name
from oms.kernel.said import told
from oms.kernel.templatetags.desk import countdown_tone
from orders.decide.reasons import CATALOGUE
from orders.models import Order
from orders.models.order import ChannelSync, PaymentMethod, PaymentState, Priority, Stage
from orders.models.reason import Level
from orders.queries import desk_columns, visible
from orders.queries import next_step as steps
from orders.queries.desk_columns import STANDING, Column
from orders.queries.goods_words import goods_words
from orders.queries.tiles import board_figures
from orders.queries.tones import LEVEL_TONES, STAGE_TONES
from orders.services import take_back
from orders.services.presence import Present

COLUMNS = (
    "id",
    "channel_order_no",
    "ordered_at",
    "ship_by",
    "buyer_name",
    "recipient_name",
    "recipient_prefecture",
    "item_summary",
    "quantity",
    "total",
    "payment_method",
    "payment_state",
    "remarks",
    "internal_note",
    "gift",
    "noshi",
    "cancel_requested",
    "tags",
    "important",
    "priority",
    "shipped_at",
    "cancelled_at",
    *(name for name in steps.FIELDS if name not in {"payment_method", "payment_state"}),
)

PAYMENT_TONES: dict[str, str] = {
    PaymentState.UNPAID: "waiting",
    PaymentState.PARTIALLY_PAID: "attention",
    PaymentState.OVERPAID: "attention",
    PaymentState.REFUND_DUE: "attention",
    PaymentState.FAILED: "danger",
    PaymentState.REFUNDED: "neutral",
}
LEVEL_RANK: dict[str, int] = {Level.BLOCK: 0, Level.WARN: 1, Level.INFO: 2}


Reason = tuple[str, str, str]  # code, level, evidence


@dataclass(frozen=True, slots=True)
class Mark:
    """`beside`: said of the buyer, so that it may change without the order."""

    text: str
    tone: str
    title: str = ""
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """One order as the table prints it. `ship_by_tone` is empty for an order that has left or never will;
    `recipient` when goods go to the buyer."""

    id: int
    url: str
    no: str
    shop: str
    channel: Channel
    ordered_at: datetime
    ship_by: datetime | None
    ship_by_tone: str
    buyer: str
    recipient: str
    recipient_prefecture: str
    items: str
    quantity: int
    total: int | None
    payment: str
    payment_state: str
    payment_tone: str
    marks: list[Mark]
    step: str
    step_urgent: bool
    step_action: str  # of the desk, where the reader may take it
    step_reason: str  # what the step decides, where it is a review
    stage: str
    stage_tone: str
    added: Mapping[str, str]  # words of the columns one added
    others: str = ""  # who else has it open


# PostgreSQL asks these only for the rows that are shown, after sorting; queries of their own would cost as much as the
# page's whole table.
BESIDE = {
    "xmin": RawSQL("orders_order.xmin::text::bigint", ()),
    "shop_told": RawSQL(
        "(SELECT json_build_array(s.name, s.channel, s.channel_label) FROM orders_shop s"
        " WHERE s.id = orders_order.shop_id)",
        (),
    ),
    "bought_by": RawSQL(
        "(SELECT json_build_array(m.order_count, r.name) FROM customers_member m"
        " LEFT JOIN customers_rank r ON r.id = m.rank_id AND r.is_vip WHERE m.id = orders_order.member_id)",
        (),
    ),
    "cold": RawSQL(
        "(SELECT json_agg(DISTINCT k.temperature) FROM orders_orderline l JOIN inventory_sku k ON k.id = l.sku_id"
        " WHERE l.order_id = orders_order.id AND l.quantity > 0 AND k.temperature <> 'ambient')",
        (),
    ),
    "open_reasons": RawSQL(
        "(SELECT json_agg(json_build_array(r.code, r.level, r.evidence) ORDER BY r.id) FROM orders_reviewreason r"
        " WHERE r.order_id = orders_order.id AND r.state = 'open')",
        (),
    ),
}


def table_rows(
    orders: "QuerySet[Order, Any]", columns: Sequence[Column] = STANDING
) -> "QuerySet[Order, dict[str, Any]]":
    """The plain values that `rows` and `digest` read. `xmin` changes whenever a row is written; `open_reasons` is a
    list of (code, level, evidence) or None."""
    more = [name for name in desk_columns.reads(columns) if name not in COLUMNS]
    return orders.annotate(**BESIDE).values(*COLUMNS, *more, *BESIDE)


def rows(
    found: Sequence[Mapping[str, Any]],
    *,
    personal: bool,
    columns: Sequence[Column] = STANDING,
    looked: desk_columns.Looked | None = None,
    doable: Collection[str] = (),
) -> list[Row]:
    """No query, but for people's names where a column asks. `looked` are the words of columns that look up. Without
    `personal` names are masked. `doable`: the actions that the reader may take, by their codes."""
    place = reverse("orders:detail", args=[0]).rsplit("0", 1)
    page = _Page(
        place,
        _labels(get_language() or "", own_words.edition()),
        clock.now(),
        personal,
        {},
        desk_columns.tag_tones(found),
        doable,
    )
    added = desk_columns.texts(found, columns, looked or {}, personal=personal)
    return [
        _row(order, _by_level(order["open_reasons"] or ()), page, words)
        for order, words in zip(found, added, strict=True)
    ]


def with_others(shown: Sequence[Row], here: Mapping[int, Sequence[Present]]) -> list[Row]:
    """The rows with the names of those who have them open."""
    if not here:
        return list(shown)
    return [replace(row, others=_names(here[row.id])) if row.id in here else row for row in shown]


def _names(people: Sequence[Present]) -> str:
    said = (_("%(name)sさんが編集中") if one.editing else _("%(name)sさんが見ています") for one in people)
    return _("、").join(text % {"name": one.name} for text, one in zip(said, people, strict=True))


def _by_level(reasons: Iterable[Sequence[str]]) -> list[Reason]:
    """What stops first."""
    found = [(code, level, told(evidence)) for code, level, evidence in reasons]
    return sorted(found, key=lambda reason: LEVEL_RANK[reason[1]]) if len(found) > 1 else found


class _Labels:
    """The words of choices in one language, translated once instead of once per row."""

    def __init__(self) -> None:
        self.stage = {code: str(label) for code, label in Stage.choices}
        self.method = {code: str(label) for code, label in PaymentMethod.choices}
        self.paid = {code: str(label) for code, label in PaymentState.choices}
        self.reason = {code: str(reason.label) for code, reason in CATALOGUE.items()}
        self.cod, self.by_channel = _("代引"), _("モール出荷")
        self.remarks, self.memo, self.gift = _("備考"), _("メモ"), _("ギフト")
        self.important = _("重要")
        self.priority = {value: _("優先度 %(level)s") % {"level": label} for value, label in Priority.choices}
        self.cold = {code: str(label) for code, label in Sku.Temperature.choices}
        self.repeat, self.repeats = _("×%(n)s"), _("この会員の注文回数")
        self.cancel, self.failed = _("キャンセル申請"), _("反映失敗")


@lru_cache(maxsize=4)
def _labels(_language: str, _edition: int) -> _Labels:
    return _Labels()


@dataclass(frozen=True, slots=True)
class _Page:
    """What all rows of one page share. `said` remembers what was said of orders that stand alike."""

    place: Sequence[str]
    labels: _Labels
    now: datetime
    personal: bool
    said: dict[tuple[object, ...], steps.Step]
    tones: Mapping[str, str]
    doable: Collection[str]

    def step_of(self, order: Mapping[str, Any], reasons: Sequence[Reason]) -> steps.Step:
        open_now = [(code, level) for code, level, _evidence in reasons]
        alike = (*(order[name] for name in steps.FIELDS), *open_now)
        if alike not in self.said:
            self.said[alike] = steps.next_step(order, open_now)
        return self.said[alike]


def _row(order: Mapping[str, Any], reasons: Sequence[Reason], page: _Page, added: Mapping[str, str]) -> Row:
    labels, personal, step = page.labels, page.personal, page.step_of(order, reasons)
    buyer, recipient = order["buyer_name"], order["recipient_name"]
    shop, channel, channel_label = order["shop_told"]
    waiting = order["shipped_at"] is None and order["cancelled_at"] is None
    marks = _marks(order, reasons, labels, page.tones)
    return Row(
        id=order["id"],
        url=f"{page.place[0]}{order['id']}{page.place[1]}",
        no=order["channel_order_no"],
        shop=shop,
        channel=Channel(channel, channel_label),
        ordered_at=order["ordered_at"],
        ship_by=order["ship_by"],
        ship_by_tone=countdown_tone(order["ship_by"], page.now) if waiting else "",
        buyer=buyer if personal else mask_name(buyer),
        recipient="" if recipient == buyer else recipient if personal else mask_name(recipient),
        recipient_prefecture=order["recipient_prefecture"],
        items=goods_words(order["item_summary"]),
        quantity=order["quantity"],
        total=order["total"],
        payment=labels.method[order["payment_method"]],
        payment_state=labels.paid[order["payment_state"]],
        payment_tone=PAYMENT_TONES.get(order["payment_state"], ""),
        marks=marks if personal else _untold(marks),
        step=step.text,
        step_urgent=step.urgent,
        step_action=step.action if step.action in page.doable else "",
        step_reason=step.reason,
        stage=labels.stage[order["stage"]],
        stage_tone=STAGE_TONES[order["stage"]],
        added=added,
    )


def _marks(
    order: Mapping[str, Any], reasons: Sequence[Reason], labels: _Labels, tones: Mapping[str, str]
) -> list[Mark]:
    """Open reasons first, then what is worth a glance and no reason says already."""
    marks = [Mark(labels.reason.get(code, code), LEVEL_TONES[level], str(text)) for code, level, text in reasons]
    if order["important"]:
        marks.insert(0, Mark(labels.important, "danger"))
    if order["priority"]:
        marks.append(Mark(labels.priority[order["priority"]], "attention" if order["priority"] > 0 else "neutral"))
    marks += [Mark(tag, tones.get(tag, "neutral")) for tag in order["tags"]]
    codes = {code for code, _level, _text in reasons}
    if order["channel_sync"] == ChannelSync.FAILED:
        marks.insert(0, Mark(labels.failed, "danger"))
    if order["cancel_requested"] and "channel_cancel_request" not in codes:
        marks.append(Mark(labels.cancel, "danger"))
    if order["payment_method"] == PaymentMethod.COD:
        marks.append(Mark(labels.cod, "neutral"))
    if order["fulfilled_by_channel"]:
        marks.append(Mark(labels.by_channel, "neutral"))
    if (order["gift"] or order["noshi"]) and not codes & {"gift_wrap", "noshi"}:
        marks.append(Mark(labels.gift, "info", order["gift"] or order["noshi"]))
    if order["remarks"] and "buyer_note" not in codes:
        marks.append(Mark(labels.remarks, "neutral", order["remarks"]))
    marks += [Mark(labels.cold[kind], "info") for kind in order["cold"] or ()]
    times, rank = order["bought_by"] or (0, None)
    if rank and "vip" not in codes:
        marks.append(Mark(rank, "ready"))
    if times > 1:
        marks.append(Mark(labels.repeat % {"n": f"{times:,}"}, "neutral", labels.repeats, beside=True))
    if order["internal_note"]:
        marks.append(Mark(labels.memo, "neutral", order["internal_note"]))
    return _each_once(marks)


def _each_once(marks: Sequence[Mark]) -> list[Mark]:
    """A tag that says the word of another mark stands once."""
    found: dict[str, Mark] = {}
    for mark in marks:
        if mark.text not in found or mark.beside or (mark.title and not found[mark.text].title):
            found[mark.text] = mark
    return list(found.values())


def _untold(marks: Sequence[Mark]) -> list[Mark]:
    """Evidence and remarks name people and addresses."""
    return [Mark(mark.text, mark.tone, beside=mark.beside) for mark in marks]


def left_for(
    matching: "QuerySet[Order]", shown: Sequence[int], found: Sequence[Mapping[str, Any]], *, by_id: int
) -> str:
    """Those of the orders `shown` that `matching` no longer holds, as JSON of id, stage and where the person `by_id`
    can take back what made it leave ("" otherwise); empty when none left.

    What only moved to another page has not left. At most four queries.
    """
    missing = set(shown) - {row["id"] for row in found}
    if not missing:
        return ""
    gone = missing - set(matching.filter(pk__in=missing).values_list("pk", flat=True))
    if not gone:
        return ""
    stages = visible.orders().filter(pk__in=gone).order_by("pk").values_list("pk", "stage")
    words = _labels(get_language() or "", own_words.edition()).stage
    back = take_back.offered(sorted(gone), by_id=by_id)
    told = [(pk, words[stage], reverse("orders:take-back", args=[pk]) if pk in back else "") for pk, stage in stages]
    return json.dumps(told, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Tile:
    """`query` leads to exactly the rows it counts; `late_query` to those of the red number."""

    code: str
    label: str
    query: str
    count: int
    late: int
    late_query: str


def tiles() -> list[Tile]:
    """Every stage in the order of work, then 例外: what the channel refused to take."""
    figures = board_figures()
    words = _labels(get_language() or "", own_words.edition()).stage
    board = [
        Tile(
            code,
            words[code],
            f"?stage={code}",
            figures.count.get(code, 0),
            figures.late.get(code, 0),
            f"?stage={code}&due=today",
        )
        for code in Stage.values
    ]
    return [*board, Tile("failed", _("例外（反映失敗）"), "?sync=failed", figures.failed, 0, "")]


def digest(
    found: Iterable[Mapping[str, Any]],
    board: Sequence[Tile],
    here: Mapping[int, Sequence[Present]],
    looked: desk_columns.Looked | None = None,
) -> str:
    """Equal as long as the screen would look the same: row versions, reasons, deadlines' colours, the tiles' figures,
    who else is at which order, the words of columns that look up.

    Every change of an order writes its row, so `xmin` says it all, whoever commits first; reasons have their own rows.
    """
    now = clock.now()
    shown = [
        (order["id"], order["xmin"], order["open_reasons"], countdown_tone(order["ship_by"], now)) for order in found
    ]
    figures = [(tile.count, tile.late) for tile in board]
    people = [(id_, [(one.user_id, one.editing) for one in others]) for id_, others in sorted(here.items())]
    return hashlib.blake2b(
        repr((shown, figures, people, sorted((looked or {}).items()))).encode(), digest_size=10
    ).hexdigest()
