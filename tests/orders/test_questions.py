"""社内確認中: a question to a colleague holds the order until its answer stands in the note. Parcels that came back."""

import pytest
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.reopen import parcel_returned
from fulfillment.services.ship import Departure, confirm_shipments
from orders.models import BulkRun, Order, OrderEvent, ReviewReason
from orders.queries import inbox
from orders.services import questions, returns, review
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
QUESTION = "値引きしてよいですか。"


@pytest.fixture
def order():
    take_in(make_shop(), [make_channel_order(number="Q-1")], sku_of=mapped(make_sku(stock_units=9)))
    allocate_waiting()
    return Order.objects.get()


def ask(client, order, to, **more):
    answer = client.post(reverse("orders:bulk-choose"), {"action": "ask_colleague", "ids": [order.pk]}, follow=True)
    key = answer.context["run"].key
    client.post(
        reverse("orders:bulk-run", args=[key]), {"to": to.pk, "question": QUESTION, **more}, follow=True
    )  # fmt: skip
    return BulkRun.objects.get(key=key)


def test_a_question_stops_the_order_until_its_answer_stands_in_the_note(client_of, aoi, ben, order):
    run = ask(client_of(aoi), order, ben)
    order.refresh_from_db()
    reason = ReviewReason.objects.get(order=order, code="question_to_colleague")
    assert (order.stage, order.assignee, run.done) == ("review", ben, [order.pk])
    assert reason.evidence == f"{aoi} → {ben}: {QUESTION}"
    noteless = review.accept([order.pk], codes=["question_to_colleague"], actor=Actor(ben))
    assert noteless.noteless and not noteless.orders
    review.accept([order.pk], codes=["question_to_colleague"], actor=Actor(ben), note="10%までよい")
    order.refresh_from_db()
    assert order.stage == "ready"
    page = client_of(aoi).get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert "メモ: 10%までよい" in page
    assert OrderEvent.objects.filter(order=order, kind="asked_colleague", text__contains=QUESTION).count() == 1


def test_a_checked_order_still_waits_for_its_answer(aoi, ben, order):
    questions.ask([order.pk], ben, QUESTION, actor=Actor(aoi))
    review.reevaluate([order.pk])
    order.refresh_from_db()
    assert order.stage == "review"


def test_the_same_question_is_asked_once_and_again_only_after_its_answer(aoi, ben, order):
    assert questions.ask([order.pk], ben, QUESTION, actor=Actor(aoi)) == [order.pk]
    assert questions.ask([order.pk], ben, QUESTION, actor=Actor(aoi)) == []
    review.accept([order.pk], codes=["question_to_colleague"], actor=Actor(ben), note="はい")
    assert questions.ask([order.pk], ben, QUESTION, actor=Actor(aoi)) == [order.pk]
    assert ReviewReason.objects.get(order=order, code="question_to_colleague").state == "open"
    assert OrderEvent.objects.filter(order=order, kind="asked_colleague").count() == 2


def test_a_question_is_taken_back_with_the_person_who_had_the_order_before(client_of, aoi, ben, order):
    Order.objects.filter(pk=order.pk).update(assignee=aoi)
    client = client_of(aoi)
    run = ask(client, order, ben)
    client.post(reverse("orders:bulk-undo", args=[run.key]))
    order.refresh_from_db()
    assert (order.stage, order.assignee) == ("ready", aoi)
    client.post(reverse("orders:bulk-undo", args=[run.key]))
    assert OrderEvent.objects.filter(order=order, kind="question_withdrawn").count() == 1


def test_an_order_under_way_is_not_asked_about_and_an_empty_question_is_shown_again(client_of, aoi, ben, order):
    client = client_of(aoi)
    run = ask(client, order, ben, question=" ")
    assert run.state == "draft" and not ReviewReason.objects.filter(code="question_to_colleague").exists()
    instruct_orders([order.pk], actor=Actor())
    preview = client.post(reverse("orders:bulk-choose"), {"action": "ask_colleague", "ids": [order.pk]}, follow=True)
    assert "たずねられません" in preview.content.decode()


# ---- parcels that came back


@pytest.fixture
def parcel(order):
    [parcel] = instruct_orders([order.pk], actor=Actor()).shipments
    confirm_shipments([Departure(parcel, "yamato", "471203984414")], actor=Actor())
    return parcel


def codes(order) -> set[str]:
    return set(ReviewReason.objects.filter(order=order, state="open").values_list("code", flat=True))


@pytest.mark.parametrize("ending", ["withdraw", "settle"])
def test_a_parcel_that_came_back_waits_in_the_inbox_until_it_is_decided(aoi, order, parcel, ending):
    case = parcel_returned(parcel, actor=Actor(aoi))
    parcel_returned(parcel, actor=Actor(aoi))
    Order.objects.filter(pk=order.pk).update(stage="completed")
    assert "parcel_returned" in codes(order)
    assert [kind.code for kind in inbox.kinds()] == ["parcel_returned"]
    review.reevaluate([order.pk])
    assert "parcel_returned" in codes(order), "looking again does not forget it"
    if ending == "withdraw":
        returns.withdraw(case.pk, actor=Actor(aoi))
    else:
        returns.receive(case.pk, {line.pk: line.quantity for line in case.lines.all()}, actor=Actor(aoi))
        line = order.lines.get()
        returns.inspect(case.pk, {(line.sku_id, "good"): 1}, location_id=make_location().pk, actor=Actor(aoi))
        returns.settle(case.pk, returns.Settlement({line.pk: 1}), actor=Actor(aoi))
    assert "parcel_returned" not in codes(order)
    order.refresh_from_db()
    assert order.stage in {"shipped", "completed"}
