"""The papers of a parcel that stopped are void: nobody prints them again, and what goes instead says all it has to."""

import pytest

from fulfillment.documents import cash_of, delivery_notes
from fulfillment.models import Shipment
from fulfillment.services import stop
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.printing import record_printed
from fulfillment.services.ship import Departure, confirm_shipments
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.services import hold
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_line, make_shop, make_sku

pytestmark = pytest.mark.django_db
ACTOR = Actor()


def test_the_parcel_that_goes_instead_of_a_stopped_one_carries_all_the_money_and_the_old_papers_are_void(
    client_of, aoi
):
    order = ready(
        make_shop(capabilities={"confirm": True, "cancel": True, "mail": "free"}),
        make_line("CHAIR", 2, price=1500),
        skus=[make_sku("CHAIR", stock_units=2)],
        totals=Totals(goods=3000, shipping=600, fees=330, discount=200, tax=339, total=3730),
        payment_method=PaymentMethod.COD,
        payment_state=PaymentState.UNPAID,
    )
    (old,) = instruct_orders([order.pk], actor=ACTOR).shipments
    before = delivery_notes([old]).notes[0]
    record_printed([old], "note_printed", by=aoi)
    stop.ask_for_change([order.pk], note="土曜に", what=["delivery"], actor=ACTOR)
    client, prints = client_of(aoi), ("delivery-notes", "pick-list", "handover", "work-slips", "return-slips")
    for paper in prints:
        said = client.post(f"/fulfillment/print/{paper}/", {"ids": [old]}, follow=True).content.decode()
        assert "帳票は印刷しません" in said, f"{paper} of a parcel that shall be stopped"
    stop.stopped(old, actor=ACTOR)
    hold.lift_holds([order.pk], actor=ACTOR)
    allocate_waiting()
    (new,) = instruct_orders([order.pk], actor=ACTOR).shipments
    assert cash_of([old, new]) == {(order.pk, new): 3730}
    after = delivery_notes([new]).notes[0]
    assert (after.lines, after.fees, after.deductions) == (before.lines, before.fees, before.deductions)
    number = Shipment.objects.get(pk=old).number
    both = client.post("/fulfillment/print/delivery-notes/", {"ids": [old, new]})
    assert both["Content-Type"] == "application/pdf" and number in client.get("/fulfillment/").content.decode()
    assert not delivery_notes([old]).notes
    refused = confirm_shipments([Departure(old, "yamato", "471203984414")], actor=ACTOR).refused
    assert "この出荷は止めました" in refused[old]
