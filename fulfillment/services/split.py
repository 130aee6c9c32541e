"""分割: the goods of one order in several parcels, and back in one. Stock stays where it is allocated."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet

from fulfillment.decide.splitting import Held, by_line, by_pieces, by_temperature, fault
from fulfillment.models import Shipment, ShipmentLine
from fulfillment.services import facts, kept_together
from oms.kernel import clock
from oms.kernel.said import said, together
from orders.models import LineComponent, Order, OrderLine
from orders.models.order import FulfillmentState
from orders.services import journal, review, take_apart
from orders.services.journal import Actor, Entry

Rows = Mapping[int, Sequence[ShipmentLine]]  # order line → its rows in a parcel


class CannotSplit(Exception):
    """The parcels may not be changed so; `cause` says why and what to do."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@transaction.atomic
def split_off(
    shipment_id: int, pieces: Mapping[int, int], *, seen: Mapping[int, int] | None = None, actor: Actor
) -> Shipment:
    """Take so many pieces of these order lines into a planned parcel of their own, from the same place to the same
    recipient. `seen`: what of them the parcel held when they were chosen, so that a form sent twice splits once.
    Raises CannotSplit with nothing changed. Locks the order, then the shipment."""
    order = _locked_owner(shipment_id)
    shipment = _locked(shipment_id)
    _owner(shipment_id)  # others' goods may have come in before the lock
    rows = rows_of(shipment)
    held = held_of(rows)
    if seen is not None and any(seen.get(one.order_line, one.pieces) != one.pieces for one in held):
        raise CannotSplit(said("画面を開いたあとに、この荷物の中身が変わりました。いまの内容を確かめてください。"))
    _refuse(fault(held, pieces))
    _refuse_parting(rows, pieces)
    fresh = move(order, shipment, rows, pieces)
    text = together(f"{rows[line][0].order_line.name} ×{n}" for line, n in pieces.items() if n)
    finish([order.pk], "split", text, actor)
    return fresh


@transaction.atomic
def split_by_temperature(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """One planned parcel per temperature. Returns the orders that were split; the others need none, or share a parcel
    with another order."""
    return _split(order_ids, lambda rows: by_temperature(held_of(rows)), said("温度帯ごと"), actor)


@transaction.atomic
def split_by_tag(order_ids: Sequence[int], tag: str, *, actor: Actor) -> list[int]:
    """Goods with this tag (商品タグ) travel in planned parcels of their own. Returns the orders that were split."""

    def tagged(rows: Rows) -> list[dict[int, int]]:
        bearing = [bond for bond in bonds_of(rows) if any(_bears(rows[line], tag) for line in bond)]
        own = {line: rows[line][0].line_quantity for bond in bearing for line in bond}
        return [own] if own and len(own) < len(rows) else []

    return _split(order_ids, tagged, said("商品タグ「%(tag)s」", tag=tag), actor)


@transaction.atomic
def split_by_line(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """One planned parcel per order line. Returns the orders that were split."""
    return _split(order_ids, lambda rows: by_line(held_of(rows)), said("明細ごと"), actor)


@transaction.atomic
def split_by_pieces(order_ids: Sequence[int], most: int, *, actor: Actor) -> list[int]:
    """No planned parcel holds more than `most` pieces. Returns the orders that were split."""
    return _split(order_ids, lambda rows: by_pieces(held_of(rows), most), said("1箱に%(n)s点まで", n=most), actor)


def _bears(rows: Sequence[ShipmentLine], tag: str) -> bool:
    """The line's own SKU has the tag, or one of the goods that are sent for it."""
    skus = [row.sku for row in rows] + ([rows[0].order_line.sku] if rows[0].order_line.sku else [])
    return any(tag in sku.tags for sku in skus)


def _split(
    order_ids: Sequence[int], pieces_of: Callable[[Rows], Sequence[dict[int, int]]], text: str, actor: Actor
) -> list[int]:
    """Take out of each order's own planned parcels the pieces (line → how many) that want a parcel of their own."""
    done = []
    for order in Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk"):
        further = 0
        for shipment in own_planned(order.pk):
            for pieces in pieces_of(rows_of(shipment)):
                move(order, shipment, rows_of(shipment), pieces)
                further += 1
        if further:
            finish([order.pk], "split", text, actor)
            done.append(order.pk)
    return done


@transaction.atomic
def send_rest_later(order_id: int, *, actor: Actor) -> list[int]:
    """What has a place need not wait for what has none (no stock yet, or not released): that follows in a parcel of its
    own. A set that may be sent in parts is taken apart, so that its components that are there can leave. Returns the
    lines that follow. Raises CannotSplit where nothing could leave, or nothing waits. Stock is locked last."""
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    if order.cancelled_at or order.fulfilled_by_channel:
        raise CannotSplit(said("キャンセル済み、またはモールが出荷する受注です。"))
    standing = OrderLine.objects.filter(order=order, quantity__gt=F("shipped_quantity"))
    without = standing.filter(allocated_quantity__lt=F("quantity"), apart=False)
    waiting = list(without.order_by("pk").values_list("pk", flat=True))
    stay = kept_together.with_mates_placed(waiting)
    waiting = [line for line in waiting if line not in stay]
    if not waiting and stay:
        raise CannotSplit(_parting())
    if not waiting:
        raise CannotSplit(said("引当を待っている明細がありません。"))
    there = standing.filter(allocated_quantity=F("quantity")).exists()
    sets = standing.filter(pk__in=waiting, sku__is_bundle=True, sku__ships_apart=True, components__isnull=False)
    if pieces := {line.pk: line.quantity - line.allocated_quantity for line in sets.distinct()}:
        waiting = [*(line for line in waiting if line not in pieces), *_take_sets_apart(order, pieces, actor)]
        there = there or due_of(standing.filter(set_line__in=pieces, reserved=True)).exists()
    if not there:
        raise CannotSplit(said("引当済みの明細がないため、先に出荷できるものがありません。"))
    let_follow({order_id: waiting}, said("引当済みの分を先に出荷"), actor)
    return waiting


@transaction.atomic
def send_preorders_later(order_id: int, *, actor: Actor) -> list[int]:
    """What is not out yet follows in a later parcel: the rest need not wait for its day. Works before there is stock,
    and while the order is in review; a set that may be sent in parts is taken apart. Returns the lines that follow.
    Raises CannotSplit where nothing is left to leave before them. Stock is locked last."""
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    if order.cancelled_at or order.fulfilled_by_channel or order.fulfillment_state != FulfillmentState.NONE:
        raise CannotSplit(said("出荷指示前の受注ではないため、分けられません。"))
    standing = OrderLine.objects.filter(order=order, quantity__gt=F("shipped_quantity"), apart=False)
    later = standing.filter(release_date__gt=clock.today())
    mixed = later.filter(sku__is_bundle=True, sku__ships_apart=True, pk__in=_with_parts_out(order_id))
    if pieces := {line.pk: line.quantity - line.allocated_quantity for line in mixed}:
        _take_sets_apart(order, pieces, actor)
    follow = list(later.order_by("pk").values_list("pk", flat=True))
    if not follow:
        raise CannotSplit(said("発売前の商品がありません。"))
    if not due_of(standing).exists():
        raise CannotSplit(said("発売前の商品のほかに、先に出荷する商品がありません。"))
    let_follow({order_id: follow}, said("発売前の商品は後から出荷"), actor)
    review.reevaluate([order_id], actor=actor)
    return follow


def _with_parts_out(order_id: int) -> QuerySet[LineComponent, int]:
    """The order's sets of which a component is out."""
    out = Q(release_date__isnull=True) | Q(release_date__lte=clock.today())
    return LineComponent.objects.filter(out, line__order=order_id).values_list("line", flat=True)


@transaction.atomic
def send_due_first(order_ids: Sequence[int], *, unreleased: bool, actor: Actor) -> dict[int, list[int]]:
    """`send_rest_later` for a batch, with sets left whole: lines without a place (`unreleased`: only those whose day of
    release is still to come) follow those that have one. Returns order → lines that follow; orders in which nothing
    waits, or nothing could leave, are left as they are."""
    open_ = Order.objects.select_for_update(no_key=True).filter(cancelled_at=None, fulfilled_by_channel=False)
    ids = list(open_.filter(pk__in=order_ids).order_by("pk").values_list("pk", flat=True))
    standing = OrderLine.objects.filter(order__in=ids, quantity__gt=F("shipped_quantity"))
    waiting = standing.filter(allocated_quantity__lt=F("quantity"), apart=False)
    if unreleased:
        waiting = waiting.filter(release_date__gt=clock.today())
    there = set(standing.filter(allocated_quantity=F("quantity")).values_list("order", flat=True))
    found: dict[int, list[int]] = defaultdict(list)
    for order_id, line in waiting.filter(order__in=there).order_by("pk").values_list("order", "pk"):
        found[order_id].append(line)
    let_follow(found, said("発売日ごと") if unreleased else said("引当済みの分を先に出荷"), actor)
    return dict(found)


@transaction.atomic
def send_together_again(follows: Mapping[int, Sequence[int]], *, actor: Actor) -> list[int]:
    """Undo `send_due_first` (order → lines) where the lines still wait to follow. Returns the orders concerned."""
    locked = list(Order.objects.select_for_update(no_key=True).filter(pk__in=follows).order_by("pk"))
    wanted = {line for lines in follows.values() for line in lines}
    still = OrderLine.objects.filter(pk__in=wanted, apart=True, allocated_quantity=0, quantity__gt=0)
    rows = set(still.values_list("pk", flat=True))
    done = [order.pk for order in locked if rows.issuperset(follows[order.pk])]
    OrderLine.objects.filter(pk__in=[line for pk in done for line in follows[pk]]).update(apart=False)
    finish(done, "split_undone", "", actor)
    return done


def let_follow(lines: Mapping[int, Sequence[int]], text: str, actor: Actor) -> None:
    OrderLine.objects.filter(pk__in=[line for own in lines.values() for line in own]).update(apart=True)
    Order.objects.filter(pk__in=lines).update(version=F("version") + 1)
    finish(sorted(lines), "split", text, actor)


def _take_sets_apart(order: Order, pieces: Mapping[int, int], actor: Actor) -> list[int]:
    """Returns the components that have no stock or are not released; the others get their place with the next
    allocation."""
    try:
        lines = take_apart.take_apart_locked(order, pieces, actor=actor)
    except take_apart.CannotTakeApart as refused:
        raise CannotSplit(refused.cause) from refused
    made = OrderLine.objects.filter(pk__in=lines)
    return list(made.exclude(pk__in=due_of(made.filter(reserved=True))).order_by("pk").values_list("pk", flat=True))


def due_of(lines: QuerySet[OrderLine]) -> QuerySet[OrderLine]:
    return lines.filter(Q(release_date__isnull=True) | Q(release_date__lte=clock.today()))


@transaction.atomic
def join(order_id: int, *, actor: Actor) -> bool:
    """Undo the splitting of what is not instructed yet: one planned parcel per place and recipient again, and nothing
    follows later. False when there is nothing to undo."""
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    groups: dict[tuple[int, int], list[Shipment]] = defaultdict(list)
    for shipment in own_planned(order.pk):
        groups[shipment.location_id, shipment.recipient_id].append(shipment)
    joined = 0
    for shipments in groups.values():
        first, *others = sorted(shipments, key=lambda s: (s.reference, s.pk))
        for other in others:
            _pour(other, first)
            joined += 1
    follows = OrderLine.objects.filter(order=order, apart=True).update(apart=False)
    if not joined and not follows:
        return False
    finish([order.pk], "split_undone", "", actor)
    return True


def joinable(order_ids: Sequence[int]) -> set[int]:
    """Those of these orders in which `join` would find something: several planned parcels of their own from one place
    to one recipient, or lines that follow later. Three queries."""
    planned = ShipmentLine.objects.filter(order_line__order__in=order_ids, shipment__state=Shipment.State.PLANNED)
    rows = set(planned.values_list("order_line__order", "shipment__location", "shipment__recipient", "shipment"))
    parcels = [parcel for *_of, parcel in rows]
    shared = ShipmentLine.objects.filter(shipment__in=parcels).order_by().values("shipment")
    merged = shared.annotate(n=Count("order_line__order", distinct=True)).filter(n__gt=1)
    others = set(merged.values_list("shipment", flat=True))
    counted = Counter((order, place, to) for order, place, to, parcel in rows if parcel not in others)
    later = OrderLine.objects.filter(order__in=order_ids, apart=True, quantity__gt=F("shipped_quantity"))
    return {order for (order, _place, _to), n in counted.items() if n > 1} | set(later.values_list("order", flat=True))


# ---- parts


def _locked_owner(shipment_id: int) -> Order:
    """The one order whose goods the shipment carries, locked."""
    return Order.objects.select_for_update(no_key=True).get(pk=_owner(shipment_id))


def _owner(shipment_id: int) -> int:
    carried = ShipmentLine.objects.filter(shipment=shipment_id).values_list("order_line__order", flat=True)
    ids = sorted(set(carried))
    if len(ids) != 1:
        raise CannotSplit(said("同梱されている出荷伝票は分割できません。先に同梱を解除してください。"))
    return ids[0]


def _locked(shipment_id: int) -> Shipment:
    found = Shipment.objects.select_for_update(no_key=True).filter(pk=shipment_id).order_by("pk").first()
    if found is None or found.state != Shipment.State.PLANNED:
        raise CannotSplit(said("出荷指示を出したあとのため、分割できません。"))
    return found


def own_planned(order_id: int) -> list[Shipment]:
    """The order's planned parcels, locked, without those it shares with other orders."""
    own = ShipmentLine.objects.filter(order_line__order=order_id, shipment__state=Shipment.State.PLANNED)
    ids = set(own.values_list("shipment", flat=True))
    others = ShipmentLine.objects.filter(~Q(order_line__order=order_id), shipment__in=ids)
    ids -= set(others.values_list("shipment", flat=True))
    return list(Shipment.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


def rows_of(shipment: Shipment) -> dict[int, list[ShipmentLine]]:
    """Order line → its rows in the parcel (a set has one per component)."""
    found: dict[int, list[ShipmentLine]] = defaultdict(list)
    own = ShipmentLine.objects.filter(shipment=shipment)
    for row in own.select_related("sku", "order_line__sku", "order_line__set_line__sku").order_by("pk"):
        found[row.order_line_id].append(row)
    return dict(found)


def held_of(rows: Mapping[int, Sequence[ShipmentLine]]) -> list[Held]:
    """What leaves together has the temperatures of all of it."""
    return [
        Held(line, rows[line][0].line_quantity, frozenset(row.sku.temperature for one in bond for row in rows[one]))
        for bond in bonds_of(rows)
        for line in bond
    ]


def bonds_of(rows: Rows) -> list[list[int]]:
    return kept_together.bonds_of({line: own[0].order_line for line, own in rows.items()})


def _refuse_parting(rows: Rows, pieces: Mapping[int, int]) -> None:
    for bond in bonds_of(rows):
        taken = [pieces.get(line, 0) for line in bond]
        if len(bond) > 1 and any(taken) and taken != [rows[line][0].line_quantity for line in bond]:
            raise CannotSplit(_parting())


def _parting() -> str:
    return said("構成品を別々に出荷できないセットです。残りの構成品は、すべて同じ荷物にしてください。")


def _refuse(problem: str) -> None:
    causes = {
        "unknown": said("この出荷伝票にない明細が選ばれています。画面を開き直してください。"),
        "too_many": said("数量がこの出荷伝票の数量を超えています。"),
        "nothing": said("分ける数量を入力してください。"),
        "everything": said("すべての商品を分けることはできません。1点以上を残してください。"),
    }
    if problem:
        raise CannotSplit(causes[problem])


def move(
    order: Order, shipment: Shipment, rows: Rows, pieces: Mapping[int, int], *, place: int | None = None
) -> Shipment:
    """A new parcel with these pieces, numbered after the order's others; `place` is another location than theirs, where
    the ledger has them by then."""
    numbers = Shipment.objects.filter(Q(lines__order_line__order=order) | Q(recipient__order=order))
    last = numbers.aggregate(last=Max("reference"))["last"] or 0
    fresh = Shipment.objects.create(
        location_id=place or shipment.location_id,
        recipient_id=shipment.recipient_id,
        carrier=shipment.carrier,
        temperature=shipment.temperature,
        reference=last + 1,
        created_at=clock.now(),
    )
    for line, count in pieces.items():
        for row in rows[line] if count else ():
            units = row.quantity // row.line_quantity * count
            if count == row.line_quantity:
                ShipmentLine.objects.filter(pk=row.pk).update(shipment=fresh)
                continue
            ShipmentLine.objects.create(
                shipment=fresh, order_line_id=line, sku_id=row.sku_id, quantity=units, line_quantity=count
            )
            ShipmentLine.objects.filter(pk=row.pk).update(
                quantity=row.quantity - units, line_quantity=row.line_quantity - count
            )
    return fresh


def _pour(source: Shipment, into: Shipment) -> None:
    """Everything of one parcel into another; the empty one goes."""
    for line in ShipmentLine.objects.filter(shipment=source).values_list("order_line", flat=True).distinct():
        pour_line(source.pk, line, into.pk)
    source.delete()


def pour_line(source: int, line: int, into: int) -> None:
    """All pieces of an order line in one planned parcel into another one, which the caller has locked."""
    there = {row.sku_id: row for row in ShipmentLine.objects.filter(shipment=into, order_line=line)}
    for row in ShipmentLine.objects.filter(shipment=source, order_line=line):
        known = there.get(row.sku_id)
        if known is None:
            ShipmentLine.objects.filter(pk=row.pk).update(shipment=into)
            continue
        ShipmentLine.objects.filter(pk=known.pk).update(
            quantity=known.quantity + row.quantity, line_quantity=known.line_quantity + row.line_quantity
        )
        row.delete()


def finish(order_ids: Sequence[int], kind: str, text: str, actor: Actor) -> None:
    journal.write([Entry(order_id, kind, text) for order_id in order_ids], actor=actor)
    facts.refresh(order_ids, actor=actor)
