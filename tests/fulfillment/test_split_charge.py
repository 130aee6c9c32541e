"""分割の送料: parcels at the buyer's cost, after consent; taken back to the yen; not where a mall's total binds."""

from datetime import timedelta

import pytest
from django.urls import reverse

from fulfillment.documents import cash_of
from fulfillment.models import Shipment, SplitCharge
from fulfillment.queries.splits import Wish
from fulfillment.services import split, split_charge
from fulfillment.services.allocate import allocate_waiting
from inventory.services.audit import violations as stock_violations
from oms.kernel import clock
from oms.kernel.money import yen
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.models import Mail, Order, OrderTask, Refund
from orders.services import bulk, bulk_undo, cancel, mail_texts, tasks
from orders.services.audit import violations as order_violations
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready, snapshot
from tests.orders.builders import make_line, make_shop, make_sku

pytestmark = pytest.mark.django_db
ACTOR = Actor()
OURS = {"own_payments": True, "mail": "free", "partial_shipment": True}
MONEY = ("fees", "shipping_fee", "total", "tax", "tax_by_rate", "discount")
UNPAID = {"payment_method": PaymentMethod.COD, "payment_state": PaymentState.UNPAID}


def money(order) -> dict:
    return Order.objects.filter(pk=order.pk).values(*MONEY).get()


@pytest.fixture(autouse=True)
def templates(db):
    mail_texts.ensure_standard_templates()


def our_shop(**fields):
    return make_shop("own", channel="futureshop", channel_label="futureshop", capabilities=OURS, **fields)


def mixed(shop, **fields):
    """Tea that is here and a vase that is not out yet, on one order."""
    tea = make_sku("TEA", stock_units=50)
    vase = make_sku("VASE", release_date=clock.today() + timedelta(days=20), preorder_limit=50)
    totals = Totals(goods=2000, shipping=600, tax=236, total=2600)
    return ready(shop, make_line("TEA"), make_line("VASE"), skus=[tea, vase], **({"totals": totals} | UNPAID | fields))


def cold(shop, **fields):
    """Tea and frozen fish."""
    goods = [make_sku("TEA", stock_units=50), make_sku("FISH", stock_units=50, temperature="frozen")]
    totals = Totals(goods=2000, shipping=600, tax=236, total=2600)
    return ready(shop, make_line("TEA"), make_line("FISH"), skus=goods, **({"totals": totals} | UNPAID | fields))


def all_is_well() -> bool:
    return not [*stock_violations(), *order_violations()]


# ---- by the shop's policy


def test_a_shop_that_asks_first_splits_after_consent_and_the_fee_joins_the_total():
    order = mixed(our_shop(preorder_policy="customer", split_fee=550))
    order.refresh_from_db()
    question = SplitCharge.objects.get()
    assert (question.state, question.fee, question.parcels) == ("asked", 550, 1)
    assert order.stage == "awaiting_release" and order.total == 2600, "nothing happens before the answer"
    mail = Mail.objects.get(order=order, event="inquiry")
    assert mail.state == "draft" and yen(550) in mail.extra["mail.message"]
    assert OrderTask.objects.get(order=order, done_at=None).link == reverse("fulfillment:split", args=[order.pk])

    assert split_charge.agree(question.pk, actor=ACTOR) == 1
    allocate_waiting()
    order.refresh_from_db()
    assert (order.stage, order.total, order.fees) == ("ready", 3150, 550)
    assert order.adjustments.get().label == "分割送料"
    mail.refresh_from_db()
    assert mail.state == "suppressed" and not OrderTask.objects.filter(key__endswith=":answer", done_at=None).exists()
    assert all_is_well()


def test_a_buyer_who_declines_is_not_asked_again_and_the_order_waits_whole():
    order = mixed(our_shop(preorder_policy="customer", split_fee=550))
    split_charge.decline(SplitCharge.objects.get().pk, actor=ACTOR)
    allocate_waiting()
    order.refresh_from_db()
    assert (order.stage, order.total) == ("awaiting_release", 2600)
    assert SplitCharge.objects.get().state == "declined"
    with pytest.raises(split.CannotSplit, match="すでに記録"):
        split_charge.agree(SplitCharge.objects.get().pk, actor=ACTOR)


def test_undoing_the_split_restores_the_amounts_to_the_yen():
    order = mixed(our_shop(preorder_policy="customer"), totals=Totals(goods=2000, shipping=600, tax=236, total=2600))
    before = money(order)
    split_charge.agree(SplitCharge.objects.get().pk, actor=ACTOR)
    assert money(order) == before | {"fees": 600, "total": 3200, "tax": before["tax"] + 54}, "the order's own shipping"
    assert split_charge.join(order.pk, actor=ACTOR)
    assert money(order) == before and SplitCharge.objects.get().state == "taken_back"
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "awaiting_release" and SplitCharge.objects.count() == 1, "nor asked again"
    assert not OrderTask.objects.filter(done_at=None).exists() and all_is_well()


def test_an_order_that_is_cancelled_is_asked_about_no_more():
    order = mixed(our_shop(preorder_policy="customer", split_fee=550))
    cancel.cancel_orders([order.pk], reason="customer", actor=ACTOR)
    allocate_waiting()
    assert SplitCharge.objects.get().state == "withdrawn"
    assert not OrderTask.objects.filter(key__endswith=":answer", done_at=None).exists()


def test_a_shop_that_decides_each_order_has_them_wait_in_review():
    order = mixed(our_shop(preorder_policy="ask"))
    order.refresh_from_db()
    reason = order.reasons.get(code="mixed_preorder")
    assert (reason.level, order.stage) == ("block", "review")
    split.send_preorders_later(order.pk, actor=ACTOR)
    order.refresh_from_db()
    assert order.stage == "awaiting_stock"


# ---- who can be charged


def test_a_mall_whose_total_binds_is_split_at_the_shops_cost_only(aoi):
    order = cold(make_shop(capabilities={"mail": "free"}))
    made = bulk.draft("split", [order.pk], by=aoi)
    wished = {"way": "temperature", "until": None, "location": None}
    for payer in ("buyer", "ask"):
        why = bulk.preview(made, wished | {"payer": payer}).skipped[order.pk]
        assert "合計はモールが決める" in why and "店舗の負担でなら" in why
    assert bulk.preview(made, wished | {"payer": "shop"}).will == [order.pk]


def test_without_an_amount_nobody_is_charged():
    order = cold(our_shop(), totals=Totals(goods=2000, shipping=0, total=2000))
    assert "分割の送料が決まっていません" in split_charge.quotes({order.pk: 1})[order.pk]


# ---- many at once


def start(aoi, payer: str, *orders):
    made = bulk.draft("split", [order.pk for order in orders], by=aoi)
    bulk.start(made, {"way": "temperature", "until": None, "location": None, "payer": payer})
    made.refresh_from_db()
    return made


def test_many_are_charged_at_once_and_undo_gives_every_yen_back(aoi):
    shop = our_shop(split_fee=440)
    one, two = cold(shop), cold(shop)
    before, laid_out = money(one), snapshot()
    made = start(aoi, "buyer", one, two)
    assert sorted(made.done) == [one.pk, two.pk]
    assert {money(order)["total"] for order in (one, two)} == {3040}
    assert Shipment.objects.count() == 4 and all_is_well()
    assert bulk_undo.start(made, by=aoi)
    made.refresh_from_db()
    assert sorted(made.undone) == [one.pk, two.pk] and money(one) == money(two) == before
    after = snapshot()
    assert {name: after[name] for name in ("order", "line", "shipment", "shipment line", "task")} == {
        name: laid_out[name] for name in ("order", "line", "shipment", "shipment line", "task")
    }
    assert all_is_well()


def test_many_are_asked_at_once_and_undo_asks_no_more(aoi):
    order = cold(our_shop(split_fee=440))
    made = start(aoi, "ask", order)
    assert made.done == [order.pk] and Shipment.objects.count() == 1 and money(order)["total"] == 2600
    assert Mail.objects.get(event="inquiry").state == "draft"
    bulk_undo.start(made, by=aoi)
    made.refresh_from_db()
    assert made.undone == [order.pk] and SplitCharge.objects.get().state == "withdrawn"
    assert Mail.objects.get(event="inquiry").state == "suppressed"
    again = start(aoi, "ask", order)
    assert again.done == [order.pk] and Mail.objects.filter(event="inquiry", state="draft").count() == 1


def test_what_the_answer_was_given_to_is_not_withdrawn(aoi):
    order = cold(our_shop(split_fee=440))
    made = start(aoi, "ask", order)
    split_charge.agree(SplitCharge.objects.get().pk, actor=ACTOR)
    bulk_undo.start(made, by=aoi)
    made.refresh_from_db()
    assert made.undone == [] and money(order)["total"] == 3040


# ---- what was paid, and what was told


def test_a_paid_order_waits_for_the_rest_and_stands_as_before_after_undo():
    order = cold(our_shop(split_fee=440), payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.PAID)
    before = money(order)
    split_charge.ask({order.pk: 1}, Wish("temperature"), actor=ACTOR)
    split_charge.agree(SplitCharge.objects.get().pk, actor=ACTOR)
    assert order.reasons.filter(state="open", code__in=["amount_increased", "paid_short"]).exists()
    split_charge.join(order.pk, actor=ACTOR)
    order.refresh_from_db()
    assert money(order) == before and order.stage == "ready" and not Refund.objects.exists()
    assert not order.reasons.filter(state="open", code__in=["amount_increased", "paid_short"]).exists()


def test_a_total_that_a_person_raised_on_the_carts_page_is_asked_to_be_lowered_again():
    order = cold(our_shop(split_fee=440))
    split_charge.ask({order.pk: 1}, Wish("temperature"), actor=ACTOR)
    split_charge.agree(SplitCharge.objects.get().pk, actor=ACTOR)
    told = OrderTask.objects.get(order=order, kind="change")
    assert yen(3040) in told.text
    tasks.finish(told.pk, actor=ACTOR)
    split_charge.join(order.pk, actor=ACTOR)
    assert yen(2600) in OrderTask.objects.get(order=order, kind="change", done_at=None).text


@pytest.mark.parametrize(("collects", "wanted"), [("goods", [2150, 1000]), ("first", [3150, 0])])
def test_cash_on_delivery_collects_the_freight_of_the_split_too(aoi, collects, wanted):
    order = cold(our_shop(split_fee=550, cod_collects=collects))
    start(aoi, "buyer", order)
    parcels = list(Shipment.objects.order_by("reference").values_list("pk", flat=True))
    cash = cash_of(parcels)
    assert [cash.get((order.pk, pk), 0) for pk in parcels] == wanted and sum(wanted) == money(order)["total"]


def test_a_split_that_the_shop_pays_for_ends_the_question():
    order = cold(our_shop(split_fee=550))
    split_charge.ask({order.pk: 1}, Wish("temperature"), actor=ACTOR)
    split_charge.carry_out([order.pk], Wish("temperature"), "shop", actor=ACTOR)
    assert SplitCharge.objects.get().state == "withdrawn" and money(order)["total"] == 2600


def test_pieces_taken_out_by_hand_can_be_charged_too(client_of, aoi):
    order = cold(our_shop(split_fee=550))
    parcel, line = Shipment.objects.get(), order.lines.get(sku__code="TEA").pk
    url = reverse("fulfillment:split-off", args=[order.pk, parcel.pk])
    client_of(aoi).post(url, {f"pieces_{line}": "1", "payer": "buyer"})
    assert Shipment.objects.count() == 2 and money(order)["total"] == 3150
    client_of(aoi).post(reverse("fulfillment:split-undo", args=[order.pk]))
    assert Shipment.objects.count() == 1 and money(order)["total"] == 2600


def test_only_who_may_change_orders_notes_an_answer(client_of, aoi, ben):
    order, other = cold(our_shop(split_fee=550)), cold(our_shop(split_fee=550))
    split_charge.ask({order.pk: 1}, Wish("temperature"), actor=ACTOR)
    question = SplitCharge.objects.get().pk
    url = reverse("fulfillment:split-answer", args=[order.pk, question])
    assert client_of(ben).post(url, {"answer": "agree"}).status_code == 403
    assert client_of(aoi).get(url).status_code == 405
    strange = reverse("fulfillment:split-answer", args=[other.pk, question])
    assert client_of(aoi).post(strange, {"answer": "agree"}).status_code == 404
    assert "返事を選んでください" in client_of(aoi).post(url, follow=True).content.decode()
    client_of(aoi).post(url, {"answer": "decline"})
    assert SplitCharge.objects.get().state == "declined" and Shipment.objects.count() == 2


def test_parcels_that_the_buyer_pays_for_are_not_undone_by_another_place(aoi):
    order = cold(our_shop(split_fee=550))
    start(aoi, "buyer", order)
    made = bulk.draft("reallocate", [order.pk], by=aoi)
    assert "先に分割を取り消して" in bulk.preview(made, {}).skipped[order.pk]
    bulk.start(made, {})
    assert Shipment.objects.count() == 2
    split_charge.join(order.pk, actor=ACTOR)
    assert bulk.preview(bulk.draft("reallocate", [order.pk], by=aoi), {}).will == [order.pk]
