"""引当待ち: the orders that wait for goods, in the order in which goods would be given, each with why not yet."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fulfillment.decide.waiting import Need, Why, decisive
from fulfillment.queries.shortage import Queued, queue
from fulfillment.services import kept_together
from fulfillment.services.allocate import waiting_orders
from inventory.models import Entry, Sku
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.templatetags.desk import number
from orders.models import Order, OrderLine
from orders.models.order import Stage
from orders.queries.tones import STAGE_TONES
from orders.services import set_parts

# How `orders.services.reservation.rank_of` serves: priority, deadline, time of the order.
SERVICE = ("-priority", "ship_by", "ordered_at", "id")
COLUMNS = (
    "id", "channel_order_no", "shop__name", "ordered_at", "ship_by", "priority", "stage", "stage_since", "tags",
)  # fmt: skip
TONES: Mapping[Why, str] = {
    Why.UNMAPPED: "danger",
    Why.EMPTY_SET: "danger",
    Why.SHORT: "attention",
    Why.BEHIND: "waiting",
    Why.NEXT: "info",
    Why.PLACING: "info",
    Why.NO_PLACE: "attention",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """`sku_id` is what is waited for; 0 where no SKU is to blame."""

    why: Why
    text: str
    sku_id: int = 0
    sku_code: str = ""

    @property
    def tone(self) -> str:
        return TONES[self.why]


@dataclass(frozen=True, slots=True)
class WaitingLine:
    id: int
    name: str
    pieces: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """One order; `placed` when some of its lines could leave already."""

    values: Mapping[str, Any]
    lines: list[WaitingLine] = field(default_factory=list)
    placed: bool = False

    @property
    def elsewhere(self) -> str:
        """The stage in words, where it is not simply that it waits for stock."""
        return "" if self.values["stage"] == Stage.AWAITING_STOCK else str(Stage(self.values["stage"]).label)

    @property
    def tone(self) -> str:
        return STAGE_TONES[self.values["stage"]]


def waiting_rows() -> Any:
    """The orders as plain values, for a keyset page in `SERVICE` order."""
    return waiting_orders().values(*COLUMNS)


def described(rows: Sequence[Mapping[str, Any]]) -> list[WaitingOrder]:
    """What each order of a page waits for. A fixed number of queries."""
    ids = [row["id"] for row in rows]
    lines = _lines(ids)
    needs = set_parts.needs_of([(line["id"], line["sku"], line["units"]) for line in lines if line["sku"]])
    bond = kept_together.bound(line["id"] for line in lines)
    parts = {part for own in needs.values() for part in own}
    asked: dict[int, list[Queued]] = defaultdict(list)
    unpromised = {part for line in lines if not line["reserved"] for part in needs.get(line["id"], ())}
    for one in queue(unpromised, order_ids=ids):
        asked[one.line_id].append(one)
    places = stock.free_by_location(parts)
    codes = dict(Sku.objects.filter(pk__in=parts).values_list("pk", "code"))
    found: dict[int, list[WaitingLine]] = defaultdict(list)
    for line in lines:
        own = _of_bond(line, lines, needs, bond) if line["id"] in bond and line["reserved"] else (line, needs)
        reason = _reason(own[0], own[1].get(line["id"], {}), asked[line["id"]], places, codes)
        pieces = line["quantity"] - line["allocated_quantity"]
        found[line["order"]].append(WaitingLine(line["id"], line["name"], pieces, reason))
    placed = _placed(ids)
    return [WaitingOrder(row, found[row["id"]], row["id"] in placed) for row in rows]


def _lines(order_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Lines due now that have no place."""
    due = Q(release_date__isnull=True) | Q(release_date__lte=clock.today())
    rows = OrderLine.objects.filter(due, order__in=order_ids, allocated_quantity__lt=F("quantity"))
    columns = (
        "id", "order", "sku", "sku__ships_apart", "name", "units", "quantity", "allocated_quantity", "reserved",
    )  # fmt: skip
    return list(rows.order_by("order", "position").values(*columns))


Needs = Mapping[int, Mapping[int, int]]  # line → stocked SKU → units in one piece


def _of_bond(
    line: dict[str, Any], lines: Sequence[dict[str, Any]], needs: Needs, bond: Mapping[int, int]
) -> tuple[dict[str, Any], Needs]:
    """The line as one piece that needs all that leaves with it, in units."""
    total: dict[int, int] = defaultdict(int)
    for mate in lines:
        if bond.get(mate["id"]) == bond[line["id"]]:
            for sku, each in needs.get(mate["id"], {}).items():
                total[sku] += each * (mate["quantity"] - mate["allocated_quantity"])
    one = {**line, "quantity": 1, "allocated_quantity": 0}
    return one, {line["id"]: total}


def _placed(order_ids: Sequence[int]) -> set[int]:
    there = OrderLine.objects.filter(order__in=order_ids, quantity__gt=0, allocated_quantity=F("quantity"))
    return set(there.filter(shipped_quantity__lt=F("quantity")).values_list("order", flat=True))


def _reason(
    line: Mapping[str, Any],
    needs: Mapping[int, int],
    asked: Sequence[Queued],
    places: Mapping[int, Sequence[stock.FreePlace]],
    codes: Mapping[int, str],
) -> Reason:
    if line["sku"] is None:
        return Reason(Why.UNMAPPED, _("商品マスタと結び付いていません。商品対応表に登録してください。"))
    if not needs:
        return Reason(Why.EMPTY_SET, _("セットの構成品が登録されていません。構成品を登録してください。"), line["sku"])
    if line["reserved"]:
        return _without_place(line, needs, places)
    waits = decisive([Need(one.sku_id, one.units, one.ahead, one.ahead_lines, one.free) for one in asked])
    if waits is None:
        return Reason(Why.NEXT, _("在庫があります。次の引当（数秒ごと）で確保されます。"))
    return Reason(waits.why, _queue_text(waits), waits.sku_id, codes.get(waits.sku_id, ""))


def _without_place(
    line: Mapping[str, Any], needs: Mapping[int, int], places: Mapping[int, Sequence[stock.FreePlace]]
) -> Reason:
    pieces = line["quantity"] - line["allocated_quantity"]
    free = {part: {place.location_id: place.free for place in places.get(part, ())} for part in needs}
    if line["sku__ships_apart"]:
        enough = all(sum(free[part].values()) >= each * pieces for part, each in needs.items())
    else:  # each piece leaves whole, from one place
        anywhere = {place for own in free.values() for place in own}
        whole = (min(free[part].get(place, 0) // each for part, each in needs.items()) for place in anywhere)
        enough = sum(whole) >= pieces
    if enough:
        return Reason(Why.PLACING, _("在庫は確保済みです。次の引当（数秒ごと）で出荷元が決まります。"))
    return Reason(
        Why.NO_PLACE,
        _("在庫は確保済みですが、出荷できる拠点にまとまった空きがありません。在庫の移動を検討してください。"),
    )


def _queue_text(need: Need) -> str:
    if not need.ahead_orders:
        return _("在庫が足りません。あと %(n)s個の入荷で届きます。") % {"n": number(need.missing)}
    text = ngettext(
        "先に待つ明細が%(before)s件（%(units)s個）あります。あと %(n)s個の入荷で届きます。",
        "先に待つ明細が%(before)s件（%(units)s個）あります。あと %(n)s個の入荷で届きます。",
        need.ahead_orders,
    )
    return text % {"before": number(need.ahead_orders), "units": number(need.ahead), "n": number(need.missing)}


# ---- one SKU's queue


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue for a SKU, with its order's columns. `sold` names the set it is a part of, if it is."""

    queued: Queued
    order: Mapping[str, Any]
    sold: str
    since: datetime
    missing: int
    placed: bool

    @property
    def stage(self) -> str:
        return str(Stage(self.order["stage"]).label)

    @property
    def tone(self) -> str:
        return STAGE_TONES[self.order["stage"]]


def queue_rows(sku_id: int, *, page: int, size: int) -> tuple[list[QueueRow], bool]:
    """One page of who waits for a SKU, in order of service, and whether there are more."""
    found = queue([sku_id], limit=size + 1, offset=(page - 1) * size)
    shown, more = found[:size], len(found) > size
    ids = [one.order_id for one in shown]
    orders = {row["id"]: row for row in Order.objects.filter(pk__in=ids).values(*COLUMNS, "imported_at")}
    names = dict(Sku.objects.filter(pk__in={one.sold_id for one in shown} - {sku_id}).values_list("pk", "name"))
    lost = _lost_at([one.line_id for one in shown])
    placed = _placed(ids)
    rows = []
    for one in shown:
        need = Need(one.sku_id, one.units, one.ahead, one.ahead_lines, one.free)
        since = lost.get(one.line_id) or orders[one.order_id]["imported_at"]
        rows.append(
            QueueRow(one, orders[one.order_id], names.get(one.sold_id, ""), since, need.missing, one.order_id in placed)
        )
    return rows, more


def _lost_at(line_ids: Sequence[int]) -> dict[int, datetime]:
    """When these lines last lost a promise, of those that did."""
    refs = {f"line:{id_}": id_ for id_ in line_ids}
    rows = Entry.objects.filter(ref__in=refs, reserved__lt=0).values_list("ref").annotate(at=Max("at"))
    return {refs[ref]: at for ref, at in rows}
