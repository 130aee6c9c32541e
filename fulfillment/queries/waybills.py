"""Shipments as their labels say them: read for thousands by a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from fulfillment import picking
from fulfillment.decide import cod
from fulfillment.decide.splitting import coldest
from fulfillment.documents import is_gift, shares_of
from fulfillment.models import Shipment, ShipmentLine, WaybillEvent, WaybillExport, WaybillSetting
from fulfillment.waybills.cells import Cause, Held, Made
from fulfillment.waybills.layouts import USUAL, Layout, layout_for
from fulfillment.waybills.parcel import Contract, Parcel, Party
from inventory.models import Location
from oms.kernel import clock
from oms.kernel.address import tidy_address
from oms.kernel.models import User
from orders.decide.ship_plan import Destination
from orders.models import Order, OrderLine, Shop
from orders.models.order import Carrier, PaymentMethod
from orders.queries.papers import papers_of, rate_known
from orders.services import ship_plans
from orders.services.ship_plans import Plans


@dataclass(frozen=True, slots=True)
class Ready:
    """A parcel with the line it makes; `again`: it stood in a file before."""

    shipment: Shipment
    contract: Contract
    layout: Layout
    made: Made
    again: bool


@dataclass(frozen=True, slots=True)
class HeldBack:
    shipment: Shipment
    causes: Sequence[Cause]


@dataclass(frozen=True, slots=True)
class Prepared:
    """`ready` in printing order; `gone` are shipments that are not (or no longer) under way."""

    ready: list[Ready] = field(default_factory=list)
    held: list[HeldBack] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


def prepared(shipment_ids: Sequence[int], *, sort: str = "due") -> Prepared:
    """The lines of these shipments for the carriers' software, or why there is none. A fixed number of queries."""
    found = _facts(shipment_ids)
    contracts, result = contracts_of(), Prepared()
    for shipment in _sorted(found, sort):
        try:
            result.ready.append(_ready(shipment, found, contracts))
        except Held as held:
            result.held.append(HeldBack(shipment, held.causes))
    result.gone.extend(pk for pk in shipment_ids if pk not in found.shipments)
    return result


def _ready(shipment: Shipment, found: "_Facts", contracts: "Contracts") -> Ready:
    if shipment.carrier not in USUAL:
        text = _("配送会社「%(carrier)s」の送り状データはありません。配送会社を変えるか、番号を手で入れてください。")
        raise Held([Cause(text % {"carrier": shipment.get_carrier_display()})])
    contract = contracts.of(shipment.location_id, shipment.carrier)
    if contract is None:
        text = _("%(place)s・%(carrier)sの送り状の設定がありません。")
        words = {"place": shipment.location.name, "carrier": shipment.get_carrier_display()}
        raise Held([Cause(text % words, setting=True)])
    parcel = _parcel(shipment, found)
    layout = layout_for(shipment.carrier, parcel.method, contract)
    return Ready(shipment, contract, layout, layout.make(parcel, contract), again=shipment.waybill_at is not None)


# ---- contracts


@dataclass(frozen=True, slots=True)
class Contracts:
    """(place or None, carrier) → the contract that was set."""

    stored: Mapping[tuple[int | None, str], Contract]

    def of(self, location_id: int, carrier: str) -> Contract | None:
        return self.stored.get((location_id, carrier)) or self.stored.get((None, carrier))


def contracts_of() -> Contracts:
    """One query."""
    rows = WaybillSetting.objects.values_list("location", "carrier", "values")
    return Contracts({(place, carrier): Contract.of(values) for place, carrier, values in rows})


# ---- facts


@dataclass(frozen=True, slots=True)
class _Facts:
    shipments: Mapping[int, Shipment]
    orders: Mapping[int, list[Order]]  # shipment → its orders, the first speaks for all
    cold: Mapping[int, frozenset[str]]
    goods: Mapping[int, list[tuple[str, str, int]]]
    cash: Mapping[int, tuple[int, int]]  # shipment → (yen, tax inside)
    plans: Plans
    today: date


def _facts(shipment_ids: Sequence[int]) -> _Facts:
    rows = Shipment.objects.filter(pk__in=shipment_ids, state=Shipment.State.INSTRUCTED)
    shipments = {one.pk: one for one in rows.select_related("location", "recipient")}
    of_shipment: dict[int, dict[int, None]] = defaultdict(dict)
    cold, goods = defaultdict[int, set[str]](set), defaultdict[int, list[tuple[str, str, int]]](list)
    lines = ShipmentLine.objects.filter(shipment__in=shipments).order_by("pk")
    for pk, order, temperature, shelf, code, n in lines.values_list(
        "shipment", "order_line__order", "sku__temperature", "sku__shelf", "sku__code", "quantity"
    ):
        of_shipment[pk][order] = None
        cold[pk].add(temperature)
        goods[pk].append((shelf, code, n))
    wanted = {order for own in of_shipment.values() for order in own}
    orders = Order.objects.select_related("shop").defer("search", "channel_parts", "channel_extra").in_bulk(wanted)
    return _Facts(
        shipments=shipments,
        orders={pk: [orders[order] for order in own] for pk, own in of_shipment.items()},
        cold={pk: frozenset(own) for pk, own in cold.items()},
        goods=goods,
        cash=_cash(orders.values()),
        plans=ship_plans.read(),
        today=clock.today(),
    )


def _sorted(found: _Facts, sort: str) -> list[Shipment]:
    """As the pick list and the delivery notes are printed, so that labels meet their parcels."""
    places = []
    for pk, shipment in found.shipments.items():
        orders = found.orders.get(pk, [])
        deadlines = [order.ship_by for order in orders if order.ship_by]
        places.append(
            picking.Parcel(
                pk=pk,
                place=(shipment.location.priority, shipment.location_id),
                ship_by=min(deadlines) if deadlines else None,
                carrier=shipment.carrier,
                is_gift=any(is_gift(order) for order in orders),
                goods=found.goods.get(pk, ()),
            )
        )
    return [found.shipments[one.pk] for one in picking.in_order(places, sort)]


def _cash(orders: Iterable[Order]) -> dict[int, tuple[int, int]]:
    """No query where no order is paid at the door."""
    paying = {one.pk: one for one in orders if one.payment_method == PaymentMethod.COD and one.cancelled_at is None}
    if not paying:
        return {}
    shares, _unpayable = shares_of(paying, papers_of(order.shop_id for order in paying.values()))
    told = OrderLine.objects.filter(order__in=paying).values_list("pk", "tax_rate", "sku__tax_rate")
    rates = {pk: rate_known(rate, usual).percent for pk, rate, usual in told}
    found: dict[int, tuple[int, int]] = {}
    for (order, shipment), cash in cod.collected(paying, shares).items():
        share, by_rate = shares[order, shipment], defaultdict[int, int](int)
        for line, amount in share.amounts.items():
            by_rate[rates[line]] += amount
        for fee in share.fees:
            by_rate[fee.rate.percent] += fee.amount
        before, tax = found.get(shipment, (0, 0))
        found[shipment] = before + cash, tax + cod.tax_within(cash, by_rate)
    return found


def _parcel(shipment: Shipment, found: _Facts) -> Parcel:
    orders, to = found.orders.get(shipment.pk, []), shipment.recipient
    if not orders:
        raise Held([Cause(_("商品のない出荷伝票です。"))])
    first = orders[0]
    planned = [order.planned_ship_date for order in orders if order.planned_ship_date]
    cash, tax = found.cash.get(shipment.pk, (0, 0))
    plan = found.plans.of(shipment.location_id)
    return Parcel(
        number=shipment.number,
        order_numbers=tuple(order.channel_order_no for order in orders),
        to=Party(
            name=to.name, kana=to.kana, company=to.company, phone=to.phone, postal_code=to.postal_code,
            prefecture=to.prefecture, city=to.city, street=to.address,
        ),
        sender=_sender(first.shop, shipment.location),
        gift_sender=to.sender,
        ship_on=max([found.today, *([min(planned)] if planned else [])]),
        method=to.method or first.delivery_method,
        cash=cash,
        cash_tax=tax,
        temperature=shipment.temperature or coldest(found.cold[shipment.pk]),
        pieces=shipment.package_count,
        wish_on=to.wish_date or first.wish_date,
        wish_slot=to.wish_slot or first.wish_slot,
        transit_days=plan.transit_days(Destination(to.prefecture, to.postal_code, shipment.carrier)),
        abroad=to.country != "JP",
    )  # fmt: skip


def _sender(shop: Shop, place: Location) -> Party:
    """The shop's name at the place's address."""
    address = tidy_address(place.postal_code, place.prefecture, "", place.address)
    return Party(
        name=shop.letterhead_name or shop.name,
        phone=place.phone or shop.letterhead_phone,
        postal_code=address.postal_code,
        prefecture=address.prefecture,
        city=address.city,
        street=address.rest,
    )


def carrier_names() -> dict[str, str]:
    return {code: str(label) for code, label in Carrier.choices if code in USUAL}


# ---- the exports there were


def exports(*, mine: bool, by: User) -> "QuerySet[WaybillExport, WaybillExport]":
    rows = WaybillExport.objects.filter(state=WaybillExport.State.DONE).defer("shipment_ids").select_related("by")
    taken = Count("events", filter=Q(events__kind=WaybillEvent.Kind.TAKEN))
    return (rows.filter(by=by) if mine else rows).annotate(taken=taken)
