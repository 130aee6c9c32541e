"""Reasons about promises to the channel, goods that may not go as they are sent, people who did not take parcels, and
money that came under another name."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory.models import Sku
from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.decide import reasons
from orders.decide.bank_formats import Incoming
from orders.decide.catalogue import CATALOGUE
from orders.decide.found import Found
from orders.models import BankLine, Order, ReasonSetting, ReviewReason
from orders.models.order import FulfillmentState
from orders.queries.matching import due_of
from orders.services import bank_files, edit, matching, payer_names, review, review_again
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, changed, make_channel_order, make_line, make_shop, make_sku, mapped

ACTOR = Actor()
OKINAWA = changed(TOKYO_PARTY, postal_code="900-0014", prefecture="沖縄県", city="那覇市", address="松尾1-2-3")


def take(*orders, skus=None) -> list[Order]:
    take_in(make_shop(), list(orders), sku_of=mapped(*(skus or [make_sku(stock_units=50)])))
    return list(Order.objects.filter(channel_order_no__in=[o.channel_order_no for o in orders]).order_by("pk"))


def open_codes(order: Order) -> set[str]:
    rows = ReviewReason.objects.filter(order=order, state="open")
    return set(rows.values_list("code", flat=True))


def tune(code: str, **params) -> None:
    entry = CATALOGUE[code]
    ReasonSetting.objects.update_or_create(
        code=code, defaults={"active": True, "level": entry.level, "params": params}
    )  # fmt: skip


def again(*orders: Order) -> None:
    from django.db import transaction  # noqa: PLC0415

    with transaction.atomic():
        review.reevaluate([order.pk for order in orders])


# ---- how it is sent


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("宅急便", False), ("佐川急便 宅配", False), ("ゆうパック", False), ("standard", False), ("", False),
        ("当店指定のお届け", True),
    ],
)  # fmt: skip
def test_a_delivery_name_that_says_no_carrier_is_asked_about(method, asked):
    [order] = take(make_channel_order(delivery_method=method))
    assert ("ship_method_unmapped" in open_codes(order)) is asked


@pytest.mark.django_db
def test_a_delivery_name_is_learned_for_all_waiting_orders_or_the_carrier_is_chosen():
    first, second = take(*(make_channel_order(delivery_method="当店指定のお届け") for _n in range(2)))
    Order.objects.filter(pk=second.pk).update(carrier="sagawa")
    again(second)
    assert "ship_method_unmapped" not in open_codes(second)
    tune("ship_method_unmapped", methods="当店指定")
    review_again.reapply("ship_method_unmapped")
    assert "ship_method_unmapped" not in open_codes(first)


@pytest.mark.django_db
def test_goods_too_large_for_the_letter_box_are_named_until_the_method_changes():
    [order] = take(make_channel_order(make_line("CHAIR", 2), delivery_method="ネコポス"))
    reason = ReviewReason.objects.get(order=order, code="oversize")
    assert reason.evidence == "サイズ係数の合計 2 は「ネコポス」の 1 を超えています。"
    [small] = take(make_channel_order(make_line("CHAIR", 1), delivery_method="ネコポス"))
    assert "oversize" not in open_codes(small)
    Order.objects.filter(pk=order.pk).update(delivery_method="宅急便")
    again(order)
    assert "oversize" not in open_codes(order)


@pytest.mark.django_db
def test_nobody_can_pay_at_a_letter_box():
    told = make_channel_order(
        delivery_method="ネコポス", payment_method=PaymentMethod.COD, payment_state=PaymentState.UNPAID
    )  # fmt: skip
    [order] = take(told)
    order.refresh_from_db()
    reason = ReviewReason.objects.get(order=order, code="cod_over_limit")
    assert "代金引換を使えません" in reason.evidence and order.stage == "review"


@pytest.mark.django_db
def test_goods_that_may_not_fly_are_named_only_where_the_parcel_would():
    battery = make_sku("BATTERY", stock_units=9)
    battery.product.category = "電池"
    battery.product.save(update_fields=["category"])
    tune("air_restricted", goods="電池、OTHER")
    line = make_line("BATTERY")
    here, there = take(
        make_channel_order(line), make_channel_order(line, recipients=(OKINAWA,)), skus=[battery]
    )  # fmt: skip
    assert "air_restricted" not in open_codes(here) and "air_restricted" in open_codes(there)


@pytest.mark.django_db
def test_engraving_is_asked_for_until_somebody_wrote_it_and_age_until_somebody_checked_it():
    cup = make_sku("CUP", stock_units=9)
    tune("engraving_missing", goods="cup")
    tune("age_restricted", goods="CUP")
    blank, named = take(
        make_channel_order(make_line("CUP")), make_channel_order(make_line("CUP", options="名入れ: MEGUMI")), skus=[cup]
    )
    assert {"engraving_missing", "age_restricted"} <= open_codes(blank)
    assert open_codes(named) & {"engraving_missing", "age_restricted"} == {"age_restricted"}
    review.accept([named.pk], codes=["age_restricted"], actor=ACTOR)
    again(named, blank)
    assert "age_restricted" not in open_codes(named)
    blank.lines.update(options="名入れ: TARO")
    again(blank)
    assert "engraving_missing" not in open_codes(blank)


@pytest.mark.django_db
def test_an_accepted_reason_is_new_when_its_cause_comes_back_and_not_when_nobody_looked_meanwhile():
    [order] = take(make_channel_order(remarks="急いでください"))
    row = ReviewReason.objects.get(order=order, code="buyer_note")

    def state(**fields) -> str:
        Order.objects.filter(pk=order.pk).update(**fields)
        again(order)
        row.refresh_from_db()
        return row.state

    review.accept([order.pk], codes=["buyer_note"], actor=ACTOR)
    assert state() == "accepted"
    ReasonSetting.objects.create(code="buyer_note", active=False, level=row.level)
    assert state() == "accepted"
    ReasonSetting.objects.update(active=True)
    assert state() == "accepted", "it was only not looked for"
    assert state(fulfillment_state=FulfillmentState.INSTRUCTED) == "accepted"
    assert state(fulfillment_state=FulfillmentState.NONE) == "accepted", "the parcel was only taken back"
    assert state(remarks="") == "accepted", "a person decided it, and that stands in the statistics"
    assert state(remarks="急いでください") == "open"


@pytest.mark.django_db
def test_goods_that_lack_again_are_asked_about_again():
    sku = make_sku(stock_units=0)
    [order] = take(make_channel_order(make_line(sku.code, quantity=3)), skus=[sku])
    again(order)

    def state(stage: str) -> str:
        Order.objects.filter(pk=order.pk).update(stage=stage)
        review_again.short_of_stock()
        return ReviewReason.objects.get(order=order, code="out_of_stock").state

    assert state("awaiting_stock") == "open"
    told = ReviewReason.objects.get(order=order, code="out_of_stock").evidence
    assert told == f"出荷できる在庫がありません。足りない商品: {sku.code} ×3"
    review.accept([order.pk], codes=["out_of_stock"], actor=ACTOR)
    assert state("awaiting_stock") == "accepted"
    assert [state("ready"), state("awaiting_stock")] == ["accepted", "open"]
    review.accept([order.pk], codes=["out_of_stock"], actor=ACTOR)
    order.lines.update(sku=make_sku("OTHER"))
    assert state("awaiting_stock") == "open", "other goods lack"


@pytest.mark.django_db
def test_goods_that_come_in_time_for_the_promise_lack_nothing():
    sku = make_sku(stock_units=0)
    [order] = take(make_channel_order(make_line(sku.code)), skus=[sku])
    Order.objects.update(stage="awaiting_stock", ship_by=clock.now() + timedelta(days=5))

    def codes(days: int) -> set[str]:
        Sku.objects.update(arrives_on=clock.today() + timedelta(days=days))
        review_again.short_of_stock()
        return open_codes(order) & {"out_of_stock"}

    assert [codes(9), codes(3), codes(-1)] == [{"out_of_stock"}, set(), {"out_of_stock"}]


@pytest.mark.django_db
def test_every_address_that_is_wrong_is_named_and_the_first_possible_day_is_no_new_fact():
    odd = [changed(TOKYO_PARTY, phone=number) for number in ("1234", "5678")]
    [order] = take(make_channel_order(recipients=tuple(odd), wish_date=clock.today()))
    told = {row.code: row for row in ReviewReason.objects.filter(order=order)}
    assert all(number in told["phone_invalid"].evidence for number in ("1234", "5678"))
    soon = told["date_too_soon"]
    assert "最短のお届けは" in soon.evidence

    def next_day() -> Found:
        row = ReviewReason.objects.get(pk=soon.pk)
        found = Found("date_too_soon", row.evidence.partition("最短")[0], "wish_date", aside="最短は明日です。")
        review.open_from_above([(order.pk, found)])
        return found

    assert next_day().fingerprint == soon.fingerprint
    soon.refresh_from_db()
    assert soon.state == "open" and soon.evidence.endswith("最短は明日です。")
    review.accept([order.pk], codes=["date_too_soon"], actor=ACTOR)
    next_day()
    soon.refresh_from_db()
    assert soon.state == "accepted"


# ---- the promise to the channel


@pytest.mark.django_db
def test_a_deadline_that_comes_near_is_told_by_time_alone_and_forgotten_with_the_instruction():
    soon = clock.now() + timedelta(hours=5)
    far = clock.now() + timedelta(hours=30)
    near_order, far_order = take(make_channel_order(ship_by=far), make_channel_order(ship_by=far))
    assert "ship_by_risk" not in open_codes(near_order)
    Order.objects.filter(pk=near_order.pk).update(ship_by=soon)
    review_again.by_time()
    assert "ship_by_risk" in open_codes(near_order) and "ship_by_risk" not in open_codes(far_order)
    raised = ReviewReason.objects.get(order=near_order, code="ship_by_risk").raised_at
    review_again.by_time()
    assert ReviewReason.objects.get(order=near_order, code="ship_by_risk").raised_at == raised
    near_order.refresh_from_db()
    assert near_order.stage == "awaiting_stock", "it warns and does not stop"
    Order.objects.filter(pk=near_order.pk).update(fulfillment_state="instructed", stage="in_fulfillment")
    review_again.by_time()
    assert "ship_by_risk" not in open_codes(near_order)


def test_the_last_day_is_a_note_for_whoever_wants_it():
    from orders.services.intake_rows import facts_of  # noqa: PLC0415

    by = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    told = facts_of(make_channel_order(ship_by=by), {})
    looked = reasons.evaluate(changed(told, now=by - timedelta(hours=9), today=by.date()))
    assert {"due_today"} == {one.code for one in looked} & {"due_today", "ship_by_risk"}
    assert not CATALOGUE["due_today"].active


# ---- money under another name


@pytest.fixture
def transfer(aoi):
    """An order that waits for a transfer."""
    told = make_channel_order(
        payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID, payment_name="銀行振込",
        totals=Totals(goods=1000, shipping=500, total=1500),
    )  # fmt: skip
    return take(told)[0]


def load(payer: str, amount: int) -> BankLine:
    bank_files.load(
        [Incoming(clock.today(), amount, payer, "")], name="x", layout="csv", account="1", actor=ACTOR
    )  # fmt: skip
    payer_names.compare()
    return BankLine.objects.latest("pk")


@pytest.mark.django_db
def test_the_right_amount_from_a_stranger_is_told_on_the_order_until_it_is_matched(transfer, aoi):
    line = load("タナカ ジロウ", due_of(transfer))
    reason = ReviewReason.objects.get(order=transfer, code="payer_mismatch", state="open")
    assert "「タナカ ジロウ」" in reason.evidence and reason.level == "warn"
    matching.accept(line.pk, {transfer.pk: line.amount}, actor=Actor(aoi))
    payer_names.compare()
    assert "payer_mismatch" not in open_codes(transfer)
    match = line.matches.get()
    matching.undo([match.pk], actor=Actor(aoi))
    payer_names.compare()
    assert "payer_mismatch" in open_codes(transfer)
    matching.set_aside([line.pk], BankLine.State.OTHER, actor=Actor(aoi))
    payer_names.compare()
    assert "payer_mismatch" not in open_codes(transfer)


@pytest.mark.django_db
@pytest.mark.parametrize(("payer", "more"), [("サトウ メグミ", 0), ("タナカ ジロウ", 100)])
def test_the_buyer_herself_or_another_amount_is_no_stranger_who_pays(transfer, payer, more):
    load(payer, due_of(transfer) + more)
    assert "payer_mismatch" not in open_codes(transfer)


# ---- people who did not take a parcel


@pytest.mark.django_db
def test_a_parcel_nobody_took_is_remembered_and_stops_the_next_cash_on_delivery():
    from orders.models import ReturnCase  # noqa: PLC0415

    [first] = take(make_channel_order())
    ReturnCase.objects.create(
        order=first, key="k", kind="undelivered", reason="refused", state="closed", asked_at=clock.now()
    )
    cod = {"payment_method": PaymentMethod.COD, "payment_state": PaymentState.UNPAID}
    later, at_door = take(
        make_channel_order(make_line("CHAIR", 2), ordered_at=first.ordered_at + timedelta(days=3)),
        make_channel_order(make_line("CHAIR", 3), ordered_at=first.ordered_at + timedelta(days=4), **cod),
    )
    assert "refusal_history" in open_codes(later) and "cod_risk" not in open_codes(later)
    assert {"refusal_history", "cod_risk"} <= open_codes(at_door)
    assert first.channel_order_no in ReviewReason.objects.get(order=at_door, code="cod_risk").evidence
    again(first, later)
    assert "refusal_history" not in open_codes(first), "an order is no history of its own"
    assert "refusal_history" in open_codes(later)
    assert edit.why_closed(later) == ""
