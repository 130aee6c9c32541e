"""代金引換: what the driver takes with each parcel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.decide.cod import amounts
from fulfillment.documents import cash_of, delivery_notes
from fulfillment.models import Shipment
from fulfillment.services import split
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel.money import yen
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.models import Mail
from orders.services import mail_texts
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_line, make_shop, make_sku

ACTOR = Actor()


@given(st.integers(0, 9999), st.lists(st.integers(0, 5000), min_size=1, max_size=4), st.booleans())
def test_the_parcels_collect_all_that_is_due_and_never_more(paid, notes, first):
    total = sum(notes)
    due = max(0, total - paid)
    assert sum(amounts(due, total, notes, first=first)) == due
    assert all(0 <= amount <= due for amount in amounts(due, total, notes, first=first))
    assert sum(amounts(due, total + 100, notes, first=False)) <= due, "a parcel that follows takes its own part"


def in_two_parcels(**shop):
    cash = {"payment_method": PaymentMethod.COD, "payment_state": PaymentState.UNPAID}
    totals = Totals(goods=5000, shipping=600, fees=330, tax=539, total=5930)
    goods = [make_sku("TEA", stock_units=20), make_sku("CAKE", stock_units=20, temperature="frozen")]
    lines = make_line("TEA", 3), make_line("CAKE", 2)
    can = {"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True}
    order = ready(make_shop(capabilities=can, **shop), *lines, skus=goods, totals=totals, **cash)
    split.split_by_temperature([order.pk], actor=ACTOR)
    return order, list(Shipment.objects.order_by("reference").values_list("pk", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(("collects", "wanted"), [("goods", (3930, 2000)), ("first", (5930, 0))])
def test_each_parcel_names_its_part(collects, wanted):
    mail_texts.ensure_standard_templates()
    order, parcels = in_two_parcels(cod_collects=collects)
    cash = cash_of(parcels)
    assert tuple(cash.get((order.pk, pk), 0) for pk in parcels) == wanted
    assert sum(cash_of([parcels[1]]).values()) == wanted[1], "of these parcels only"
    notes = delivery_notes(parcels).notes
    told = [yen(part) in note.payment_method for part, note in zip(wanted, notes, strict=True)]
    assert told == [True, wanted[1] > 0]
    for pk in instruct_orders([order.pk], actor=ACTOR).shipments:
        confirm_shipments([Departure(pk, "yamato", f"47120398{pk:04}")], actor=ACTOR)
    mails = Mail.objects.filter(event__in=["shipped", "partially_shipped"]).order_by("pk")
    assert [mail.extra["shipment.cod_amount"] for mail in mails] == [yen(part) if part else "" for part in wanted]


@pytest.mark.django_db
def test_what_is_paid_is_not_collected():
    order, parcels = in_two_parcels()
    type(order).objects.filter(pk=order.pk).update(payment_state="paid")
    assert cash_of(parcels) == {} and "支払い" not in delivery_notes(parcels).notes[0].payment_method
