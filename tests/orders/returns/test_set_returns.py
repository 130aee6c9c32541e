"""Single components of a set come back: stock, money and papers are true for just these, and nothing twice."""

import pytest
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import BundleComponent, Sku
from orders.documents.credit import TooMuch
from orders.documents.credit import Wish as CreditWish
from orders.models import IssuedDocument, LineComponent, Order, PaperSettings, Refund, RefundPart
from orders.services import documents, exchange, returns
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.refunds import Wish, open_refund
from orders.services.return_papers import credit_note_of
from orders.services.returns import Refused, Settlement
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.returns.test_returns import again, all_is_true, on_hand, received

pytestmark = pytest.mark.django_db
ACTOR = Actor()


@pytest.fixture
def shop():
    return make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True})


def priced(code: str, price: int, *, stock_units: int = 9, **fields) -> Sku:
    sku = make_sku(code, stock_units=stock_units)
    Sku.objects.filter(pk=sku.pk).update(price=price, **fields)
    return sku


@pytest.fixture
def tea_set(shop):
    """A set at 999 yen: two cups of 250 and a pot of 500 in it; list value 1,000."""
    cup, pot = priced("CUP", 250, tax_rate=10), priced("POT", 500, tax_rate=10)
    tea = make_sku("TEASET", is_bundle=True)
    BundleComponent.objects.create(bundle=tea, component=cup, quantity=2)
    BundleComponent.objects.create(bundle=tea, component=pot, quantity=1)
    return tea


def shipped_sets(shop, bundle, pieces=1, price=999, **fields) -> Order:
    told = make_channel_order(make_line(bundle.code, pieces, price), **fields)
    take_in(shop, [told], sku_of=mapped(bundle))
    allocate_waiting()
    order = Order.objects.get(channel_order_no=told.channel_order_no)
    parcels = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(parcel, "yamato", "471203984414") for parcel in parcels], actor=ACTOR)
    return again(order)


def component(order, code) -> LineComponent:
    return LineComponent.objects.get(line__order=order, sku__code=code)


def test_the_sale_is_remembered_whatever_becomes_of_the_set(shop, tea_set):
    order = shipped_sets(shop, tea_set)
    Sku.objects.filter(code="CUP").update(price=9_000, name="別の名前")
    BundleComponent.objects.filter(bundle=tea_set, component__code="POT").delete()
    kept = list(LineComponent.objects.filter(line__order=order).values_list("sku__code", "units", "list_value"))
    assert kept == [("CUP", 2, 500), ("POT", 1, 500)]
    case = received(returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="customer", key="k", actor=ACTOR))
    assert len(returns.received_units(case)) == 2, "what left comes back, not what the set is today"
    all_is_true()


def test_one_component_comes_back_with_its_share_and_its_stock_alone(shop, tea_set):
    order = shipped_sets(shop, tea_set)
    cup = component(order, "CUP")
    PaperSettings.objects.create(shop=shop, credit_notes="always")
    case = returns.open_case(order.pk, {}, units={cup.pk: 1}, reason="customer", key="k", actor=ACTOR)
    case = received(case)
    assert returns.received_units(case) == {cup.sku_id: 1} and on_hand(cup.sku, "inspection") == 1
    returns.inspect(case.pk, {(cup.sku_id, "good"): 1}, location_id=on_place(cup), actor=ACTOR)
    returns.settle(case.pk, Settlement({}, units={cup.pk: 1}), actor=ACTOR)
    refund = Refund.objects.get()
    assert refund.amount == 250 and refund.tax_by_rate == [[10, 250, 22]], "of 500 for two cups, the odd yen among them"
    part = RefundPart.objects.get()
    assert (part.component, part.units, part.alone, part.price) == (cup, 1, 1, 250)
    assert refund.lines.get().quantity == 0, "no whole set went back"
    [line] = documents.bill_in(credit_note_of(again(case))).lines
    assert (line.code, line.quantity, line.amount) == ("CUP", 1, 250)
    assert line.name == f"{order.lines.get().name}（{cup.name}）"
    all_is_true()


def on_place(part: LineComponent) -> int:
    return part.sku.balances.filter(location__kind="warehouse").values_list("location", flat=True)[0]


def test_sets_and_components_together_never_exceed_what_was_sold(shop, tea_set):
    order = shipped_sets(shop, tea_set, pieces=2)
    line, cup, pot = order.lines.get(), component(order, "CUP"), component(order, "POT")

    def ask(pieces, units, key):
        return returns.open_case(order.pk, pieces, units=units, reason="customer", key=key, actor=ACTOR)

    with pytest.raises(Refused, match="セットと構成品を合わせた"):
        ask({line.pk: 1}, {cup.pk: 3}, "a")
    ask({}, {cup.pk: 1}, "b")
    assert returns.returnable(order.pk) == {line.pk: 1}, "the other cup no longer makes a whole set"
    with pytest.raises(Refused):
        ask({line.pk: 2}, {}, "c")
    case = ask({line.pk: 1}, {cup.pk: 1, pot.pk: 1}, "d")
    assert set(returns.returnable_goods(order.pk).units.values()) == {0}
    with pytest.raises(Refused):
        ask({}, {pot.pk: 1}, "e")
    returns.approve(case.pk, actor=ACTOR)
    returns.withdraw(case.pk, actor=ACTOR)
    assert returns.returnable_goods(order.pk).units == {cup.pk: 3, pot.pk: 2}
    all_is_true()


@pytest.mark.parametrize("in_parts", [True, False])
def test_all_components_one_by_one_give_back_the_set_to_the_yen(shop, tea_set, in_parts):
    order = shipped_sets(shop, tea_set, pieces=2, price=1_001)
    line, cup, pot = order.lines.get(), component(order, "CUP"), component(order, "POT")
    steps = [{cup.pk: 1}, {pot.pk: 1}, {cup.pk: 1}] if in_parts else [None]
    for at, units in enumerate(steps):
        wish = Wish({}, units=units) if units else Wish({line.pk: 1})
        open_refund(order.pk, key=f"k{at}", wish=wish, reason="返品", actor=ACTOR)
    first = sum(Refund.objects.values_list("amount", flat=True))
    open_refund(order.pk, key="rest", wish=Wish({line.pk: 1}), reason="返品", actor=ACTOR)
    assert first == 1_000 and sum(Refund.objects.values_list("amount", flat=True)) == 2_002, "the odd yen comes last"
    all_is_true()


def test_a_credit_note_takes_back_no_component_twice(shop, tea_set):
    order = shipped_sets(shop, tea_set, pieces=2)
    line, cup, pot = order.lines.get(), component(order, "CUP"), component(order, "POT")

    def note(pieces, units):
        wish = CreditWish(
            {str(line.pk): pieces} if pieces else {}, units={f"{line.pk}/{part.pk}": n for part, n in units.items()}
        )
        pk = documents.issue_credit_note(
            order.pk, wish, day=order.shipped_at.date(), reason="返品", even_if_exempt=True, actor=ACTOR
        )
        return sum(one.amount for one in documents.bill_in(IssuedDocument.objects.get(pk=pk)).lines)

    amounts = [note(0, {cup: 1}), note(1, {}), note(0, {pot: 1})]
    with pytest.raises(TooMuch):
        note(1, {})
    with pytest.raises(TooMuch):
        note(0, {pot: 1})
    amounts.append(note(0, {cup: 1}))
    assert sum(amounts) == 1_998


@pytest.mark.parametrize(("by_component", "told", "rates"), [
    (True, None, {8: 600, 10: 400}),
    (False, None, {10: 1000}),
    (True, 8, {8: 1000}),
])  # fmt: skip
def test_tax_follows_the_component_only_where_the_set_says_so(shop, by_component, told, rates):
    tea, cup = priced("TEA", 600, tax_rate=8), priced("CUP", 400, tax_rate=10)
    box = make_sku("BOX", is_bundle=True)
    Sku.objects.filter(pk=box.pk).update(tax_by_component=by_component)
    for part in (tea, cup):
        BundleComponent.objects.create(bundle=box, component=part, quantity=1)
    order = shipped_set_told(shop, box, told)
    sold = documents.invoiced(documents.billable([order.pk])[order.pk])
    assert {line.rate.percent: line.amount for line in sold.lines} == rates
    wish = Wish({}, units={component(order, "TEA").pk: 1})
    refund = open_refund(order.pk, key="k", wish=wish, reason="返品", actor=ACTOR)
    rate = 8 if by_component or told == 8 else 10
    assert [row[:2] for row in refund.tax_by_rate] == [[rate, 600]]
    part = component(order, "TEA")
    pk = documents.issue_credit_note(
        order.pk, CreditWish({}, units={f"{part.line_id}/{part.pk}": 1}), day=order.shipped_at.date(), reason="返品",
        even_if_exempt=True, actor=ACTOR,
    )  # fmt: skip
    [line] = documents.bill_in(IssuedDocument.objects.get(pk=pk)).lines
    assert (line.rate.percent, line.amount) == (rate, 600)


def shipped_set_told(shop, bundle, rate) -> Order:
    told = make_channel_order(make_line(bundle.code, 1, 1000, tax_rate=rate))
    take_in(shop, [told], sku_of=mapped(bundle))
    allocate_waiting()
    order = Order.objects.get()
    parcels = instruct_orders([order.pk], actor=ACTOR).shipments
    confirm_shipments([Departure(parcel, "yamato", "471203984414") for parcel in parcels], actor=ACTOR)
    return again(order)


def test_a_component_is_exchanged_for_the_same_at_no_cost(shop, tea_set):
    order = shipped_sets(shop, tea_set)
    cup = component(order, "CUP")
    case = returns.open_case(order.pk, {}, units={cup.pk: 1}, reason="damaged", key="k", actor=ACTOR)
    assert exchange.same_goods(case) == [exchange.Item(cup.sku_id, 1, 250)]
    case = exchange.approve(case.pk, exchange.same_goods(case), ship_first=True, actor=ACTOR)
    assert case.exchange_order.total == 0 and case.exchange_order.lines.get().sku_id == cup.sku_id
    all_is_true()


def test_the_form_offers_the_set_and_its_components(client_of, aoi, shop, tea_set):
    order = shipped_sets(shop, tea_set)
    line, cup = order.lines.get(), component(order, "CUP")
    url = reverse("orders:return-open", args=[order.pk])
    page = client_of(aoi).get(url).content.decode()
    for words in (f'name="piece-{line.pk}"', f'name="part-{cup.pk}"', "1セットに2点", "¥250", "モールに送られません"):
        assert words in page, words
    data = {"reason": "customer", "kind": "return", "key": "k", f"part-{cup.pk}": "3"}
    assert "2 以下" in client_of(aoi).post(url, data).content.decode()
    both = {**data, f"part-{cup.pk}": "1", f"piece-{line.pk}": "1"}
    assert "セットと構成品を合わせた数" in client_of(aoi).post(url, both).content.decode()
    client_of(aoi).post(url, {**data, f"part-{cup.pk}": "1"})
    [own] = order.return_cases.get().lines.all()
    assert (own.component, own.quantity) == (cup, 1)
    shown = client_of(aoi).get(reverse("orders:return", args=[own.case_id])).content.decode()
    assert cup.name in shown and line.name in shown
