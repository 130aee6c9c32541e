"""Two people, or a person and a worker, do their verbs at one moment: one of them happens, or both in some order, and
the books of stock and money are whole afterwards. Real threads, each with its own connection."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from fulfillment.models import Merge, Shipment
from fulfillment.services import merge, reopen, split, stop
from fulfillment.services.allocate import allocate_orders, allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Balance
from inventory.services import stock
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from oms.pages.audit import violations
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import (
    BankLine,
    BankMatch,
    BulkRun,
    Cancellation,
    IssuedDocument,
    Mail,
    Order,
    OrderEvent,
    OrderTask,
    PaymentEntry,
    ReasonSetting,
    Refund,
    ReturnCase,
    ReviewDecision,
)
from orders.services import (
    bank_files,
    bulk,
    bulk_undo,
    cancel,
    decide_card,
    documents,
    edit,
    hold,
    matching,
    payment,
    refunds,
    take_back,
    tasks,
    unpay,
)
from orders.services import mail as mails
from orders.services import returns as returning
from orders.services.journal import Actor
from orders.services.mail import ensure_standard_templates
from orders.services.rules import run
from tests.channels.builders import bring_in, make_connection
from tests.orders.builders import ORDERED_AT, make_channel_order, make_line, make_location, make_sku, mapped, numbers
from tests.orders.payments.builders import notice, unpaid
from tests.orders.rules.builders import change_rule, do, make_rule

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor()
ROUNDS = 3


@pytest.fixture
def shop():
    ReasonSetting.objects.get_or_create(code="duplicate_suspect", defaults={"active": False, "level": "block"})
    ensure_standard_templates()
    make_location()
    return make_connection()


@pytest.fixture
def chair():
    return make_sku("CHAIR", stock_units=200)


def placed(shop, chair, *, pieces: int = 2, **fields: Any) -> Order:
    """An order with its goods allocated, before the instruction."""
    values = {"ordered_at": ORDERED_AT + timedelta(minutes=next(numbers))} | fields
    order = bring_in(shop, make_channel_order(make_line("CHAIR", pieces), **values), mapped(chair))
    allocate_waiting()
    order.refresh_from_db()
    return order


def instructed(shop, chair, **fields: Any) -> tuple[Order, int]:
    """(order, shipment) that the warehouse works on."""
    order = placed(shop, chair, **fields)
    (parcel,) = instruct_orders([order.pk], actor=ACTOR).shipments
    return order, parcel


def shipped(shop, chair, **fields: Any) -> tuple[Order, int]:
    order, parcel = instructed(shop, chair, **fields)
    assert ship(parcel).shipments
    return order, parcel


def ship(parcel: int) -> Any:
    return confirm_shipments([Departure(parcel, "yamato", "471203984412")], actor=ACTOR)


def collide(race, *verbs: Callable[[], Any], times: int = 1) -> list[Any]:
    """All verbs at one moment, each so many times. A refusal in words is an answer; a fault of ours is not."""
    outcomes = race(len(verbs) * times, lambda number: verbs[number % len(verbs)]())
    faults = [one for one in outcomes if isinstance(one, Exception) and not _is_refusal(one)]
    assert not faults, faults
    return outcomes


def _is_refusal(error: Exception) -> bool:
    return type(error).__module__.split(".", 1)[0] in {"orders", "fulfillment", "inventory"}


def free(chair) -> int:
    balance = Balance.objects.get(sku=chair, location=None, release="")
    return balance.on_hand - balance.reserved


def whole() -> None:
    """The audit finds nothing. Orders that a test takes in by itself have no payload, which is no damage."""
    assert [damage for damage in violations() if "has no raw payload" not in damage] == []


# ---- cancelling


def test_two_people_cancelling_one_order_cancel_it_once(shop, chair, race):
    order, before = placed(shop, chair), free(chair)
    collide(race, lambda: cancel.cancel_orders([order.pk], reason="顧客都合", actor=ACTOR), times=6)
    assert Cancellation.objects.filter(order=order, state="done").count() == 1
    assert free(chair) == before + 2 and Mail.objects.filter(order=order, event="cancelled").count() == 1
    assert Effect.objects.filter(key=f"cancel:{order.pk}").count() == 1
    whole()


@pytest.mark.parametrize("automatic", [True, False])
def test_cancelling_and_shipping_at_once_never_both_happen(shop, chair, race, automatic):
    place = make_location()
    stop.set_policy(place.pk, automatic=automatic)
    for _round in range(ROUNDS):
        order, parcel = instructed(shop, chair)
        collide(
            race,
            lambda pk=order.pk: cancel.cancel_orders([pk], reason="顧客都合", actor=ACTOR),
            lambda parcel=parcel: ship(parcel),
            times=2,
        )
        order.refresh_from_db()
        assert (order.cancelled_at is None) or order.fulfillment_state != "shipped"
        assert order.cancelled_at or order.fulfillment_state == "shipped" or order.stop_asked_at
    whole()


def test_the_answer_to_a_stop_is_given_once_whoever_is_asked(shop, chair, race):
    stop.set_policy(make_location().pk, automatic=False)
    for _round in range(ROUNDS):
        order, parcel = instructed(shop, chair)
        assert cancel.cancel_orders([order.pk], reason="顧客都合", actor=ACTOR).waiting
        collide(
            race,
            lambda parcel=parcel: stop.stopped(parcel, actor=ACTOR),
            lambda parcel=parcel: stop.too_late(parcel, carrier="yamato", tracking_no="471203984412", actor=ACTOR),
            lambda pk=order.pk: stop.withdraw(pk, actor=ACTOR),
            times=2,
        )
        order.refresh_from_db()
        assert (order.cancelled_at is not None) + (order.fulfillment_state == "shipped") <= 1
    whole()


def test_pieces_and_the_whole_order_cancelled_at_once_leave_nothing_promised(shop, chair, race):
    for _round in range(ROUNDS):
        before = free(chair)
        order = placed(shop, chair, pieces=3)
        line = order.lines.get().pk
        collide(
            race,
            lambda pk=order.pk, line=line: cancel.cancel_pieces(
                pk, {line: 2}, ask=cancel.Ask(reason="other"), actor=ACTOR
            ),
            lambda pk=order.pk: cancel.cancel_orders([pk], reason="顧客都合", actor=ACTOR),
            times=2,
        )
        assert free(chair) == before
    whole()


def test_a_form_sent_twice_takes_its_pieces_off_once(shop, chair, race):
    order = placed(shop, chair, pieces=4)
    line, ask = order.lines.get().pk, cancel.Ask(reason="other", key="form-1")
    collide(race, lambda: cancel.cancel_pieces(order.pk, {line: 1}, ask=ask, actor=ACTOR), times=5)
    assert order.lines.get().quantity == 3
    whole()


# ---- parcels


def test_one_parcel_leaves_once(shop, chair, race):
    order, parcel = instructed(shop, chair)
    outcomes = collide(race, lambda: ship(parcel), times=6)
    assert Counter(bool(one.shipments) for one in outcomes) == {True: 1, False: 5}
    assert Mail.objects.filter(order=order, event="shipped").count() == 1
    whole()


def test_a_hold_and_an_instruction_at_once_leave_the_books_whole(shop, chair, race):
    for _round in range(ROUNDS):
        order = placed(shop, chair)
        collide(
            race,
            lambda pk=order.pk: hold.hold_orders([pk], reason="確認", actor=ACTOR),
            lambda pk=order.pk: instruct_orders([pk], actor=ACTOR),
            lambda pk=order.pk: hold.lift_holds([pk], actor=ACTOR),
            times=2,
        )
        assert Shipment.objects.filter(lines__order_line__order=order).distinct().count() == 1
    whole()


def test_taking_a_departure_back_while_it_is_confirmed_again(shop, chair, race):
    order, parcel = shipped(shop, chair)
    collide(race, lambda: reopen.reopen(parcel, actor=ACTOR), lambda: ship(parcel), times=3)
    order.refresh_from_db()
    assert order.lines.get().shipped_quantity in {0, 2}
    whole()


def test_a_notice_that_a_worker_takes_this_moment_keeps_the_departure(shop, chair, monkeypatch):
    _order, parcel = shipped(shop, chair)
    look = reopen.why_not_reopened

    def and_then_a_worker_comes(*args: Any) -> str:
        cause = look(*args)
        Effect.objects.filter(kind="channel_ship").update(state="running", attempts=1, claimed_at=clock.now())
        return cause

    monkeypatch.setattr(reopen, "why_not_reopened", and_then_a_worker_comes)
    with pytest.raises(returning.Refused, match="知らせたあと"):
        reopen.reopen(parcel, actor=ACTOR)
    assert Shipment.objects.get(pk=parcel).state == "shipped"


def test_merging_against_instructing_shipping_and_cancelling(shop, chair, race):
    for _round in range(ROUNDS):
        one, two = placed(shop, chair), placed(shop, chair)
        collide(
            race,
            lambda ids=(one.pk, two.pk): merge.merge_orders(ids, actor=ACTOR),
            lambda pk=one.pk: instruct_orders([pk], actor=ACTOR),
            lambda pk=two.pk: cancel.cancel_orders([pk], reason="顧客都合", actor=ACTOR),
            lambda ids=(two.pk, one.pk): merge.merge_orders(ids, actor=ACTOR),
        )
    whole()


def test_a_merge_taken_apart_while_it_grows(shop, chair, race):
    for _round in range(ROUNDS):
        one, two, three = (placed(shop, chair) for _order in range(3))
        made = merge.merge_orders([one.pk, two.pk], actor=ACTOR)
        collide(
            race,
            lambda ids=(one.pk, three.pk): merge.merge_orders(ids, actor=ACTOR),
            lambda pk=made.pk: merge.undo(pk, actor=ACTOR),
            times=2,
        )
        for standing in Merge.objects.filter(undone_at=None):
            merge.undo(standing.pk, actor=ACTOR)
        totals = set(Order.objects.filter(pk__in=[one.pk, two.pk, three.pk]).values_list("total", "shipping_fee"))
        assert totals == {(2500, 500)}
        assert Shipment.objects.filter(lines__order_line__order__in=[one, two, three]).distinct().count() == 3
    whole()


def test_splitting_while_others_allocate_merge_and_cancel(shop, chair, race):
    for _round in range(ROUNDS):
        one, two = placed(shop, chair, pieces=3), placed(shop, chair)
        parcel = Shipment.objects.filter(lines__order_line__order=one).get().pk
        line = one.lines.get().pk
        collide(
            race,
            lambda parcel=parcel, line=line: split.split_off(parcel, {line: 1}, actor=ACTOR),
            lambda ids=(one.pk, two.pk): merge.merge_orders(ids, actor=ACTOR),
            lambda pk=one.pk: allocate_orders([pk]),
            lambda pk=one.pk, line=line: cancel.cancel_pieces(
                pk, {line: 1}, ask=cancel.Ask(reason="other"), actor=ACTOR
            ),
            lambda pk=one.pk: split.join(pk, actor=ACTOR),
        )
    whole()


# ---- money


def transfers(*amounts: int) -> list[BankLine]:
    read = bank_files.read(notice([(clock.today(), amount, "ヤマダ ハナコ") for amount in amounts]))
    bank_files.load(read.lines, name="bank.txt", layout=read.layout, account="a", actor=ACTOR)
    return list(BankLine.objects.order_by("pk"))


def test_one_transfer_pays_once_whoever_accepts_it(race):
    first, second, (line,) = unpaid(), unpaid(number=1), transfers(1500)
    collide(
        race,
        lambda: matching.accept(line.pk, {first.pk: 1500}, actor=ACTOR),
        lambda: matching.accept(line.pk, {second.pk: 1500}, actor=ACTOR),
        lambda: matching.set_aside([line.pk], "other", actor=ACTOR),
        times=2,
    )
    assert sum(BankMatch.objects.values_list("amount", flat=True)) in {0, 1500}
    whole()


def test_a_match_is_taken_back_once_while_others_match_again(race):
    order, (line,) = unpaid(), transfers(1500)
    matching.accept(line.pk, {order.pk: 1500}, actor=ACTOR)
    match = BankMatch.objects.get()
    collide(
        race,
        lambda: matching.undo([match.pk], actor=ACTOR),
        lambda: matching.accept(line.pk, {order.pk: 1500}, actor=ACTOR),
        times=3,
    )
    order.refresh_from_db()
    assert order.paid_amount in {0, 1500}
    whole()


def test_two_refunds_never_give_more_than_came(race):
    order = unpaid()
    payment.record_payments([order.pk], actor=ACTOR)
    line = order.lines.get().pk
    wishes = [refunds.Wish({line: 1}, ["shipping"]), refunds.Wish(None), refunds.Wish({}, goodwill=900)]
    keys = iter(range(100))
    collide(
        race,
        *(
            lambda wish=wish: refunds.open_refund(
                order.pk, key=f"manual:{order.pk}:{next(keys)}", wish=wish, reason="不良", actor=ACTOR
            )
            for wish in wishes
        ),
        times=2,
    )
    assert 0 < sum(Refund.objects.values_list("amount", flat=True)) <= 1500
    ids = list(Refund.objects.values_list("pk", flat=True))
    collide(
        race,
        lambda: refunds.complete(ids, actor=ACTOR),
        lambda: refunds.withdraw(ids, actor=ACTOR),
        times=3,
    )
    order.refresh_from_db()
    assert order.paid_amount >= 0
    whole()


def test_one_form_opens_one_refund(race):
    order = unpaid()
    payment.record_payments([order.pk], actor=ACTOR)
    wish = refunds.Wish({}, goodwill=100)
    collide(race, lambda: refunds.open_refund(order.pk, key="manual:1", wish=wish, reason="不良", actor=ACTOR), times=6)
    assert Refund.objects.count() == 1
    whole()


def test_money_recorded_taken_back_and_refunded_at_once(race):
    for number in range(ROUNDS):
        order = unpaid(number=number)
        payment.record_payments([order.pk], actor=ACTOR)
        entry = PaymentEntry.objects.get(order=order).pk
        collide(
            race,
            lambda pk=order.pk, entry=entry: payment.undo_entry(pk, entry, actor=ACTOR),
            lambda pk=order.pk: refunds.open_refund(
                pk, key=f"manual:{pk}", wish=refunds.Wish(None), reason="不良", actor=ACTOR
            ),
            lambda pk=order.pk: cancel.cancel_orders([pk], reason="顧客都合", actor=ACTOR),
            lambda pk=order.pk: payment.record_payments([pk], actor=ACTOR, amount=1500, key="form"),
            times=2,
        )
    whole()


def test_money_that_goes_back_is_not_taken_away_from_under_it():
    """A match or an entry that a refund stands on stays; one that came too late takes its refund along."""
    order, (line,) = unpaid(), transfers(1500)
    matching.accept(line.pk, {order.pk: 1500}, actor=ACTOR)
    first = BankMatch.objects.get()
    given = refunds.open_refund(order.pk, key="m", wish=refunds.Wish({}, goodwill=500), reason="お詫び", actor=ACTOR)
    assert given is not None
    with pytest.raises(matching.CannotMatch, match="返金を取りやめ"):
        matching.undo([first.pk], actor=ACTOR)
    refunds.withdraw([given.pk], actor=ACTOR)
    matching.undo([first.pk], actor=ACTOR)
    cancel.cancel_orders([order.pk], reason="顧客都合", actor=ACTOR)
    matching.accept(line.pk, {order.pk: 1500}, actor=ACTOR)
    late = Refund.objects.get(state="due")
    assert late.amount == 1500
    matching.undo([BankMatch.objects.get(undone_at=None).pk], actor=ACTOR)
    late.refresh_from_db()
    assert late.state == "withdrawn"
    whole()


def test_an_entry_by_hand_stays_while_its_money_goes_back(client_of, aoi):
    order = unpaid()
    payment.record_payments([order.pk], actor=ACTOR)
    entry = PaymentEntry.objects.get()
    given = refunds.open_refund(order.pk, key="m", wish=refunds.Wish({}, goodwill=1), reason="お詫び", actor=ACTOR)
    assert given is not None
    refunds.complete([given.pk], actor=ACTOR)
    with pytest.raises(payment.GivenBack):
        payment.undo_entry(order.pk, entry.pk, actor=ACTOR)
    assert unpay.take_back([order.pk], actor=ACTOR) == []
    page = client_of(aoi).post(f"/orders/{order.pk}/payment/{entry.pk}/undo/", follow=True).content.decode()
    assert "返金があるため取り消せません" in page
    whole()


def test_papers_are_issued_once_and_their_numbers_have_no_gap(shop, chair, race):
    from orders.documents.bill import BillKind  # noqa: PLC0415 - only here

    orders = [
        placed(shop, chair, payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.PAID)
        for _order in range(4)
    ]
    ids = [order.pk for order in orders]
    collide(race, lambda: documents.issue(ids, BillKind.INVOICE, actor=ACTOR), times=4)
    serials = sorted(IssuedDocument.objects.values_list("serial", flat=True))
    assert serials == list(range(1, len(serials) + 1)) and len(serials) in {0, 4}


# ---- what came back


def test_goods_that_come_back_are_booked_once(shop, chair, race):
    order, _parcel = shipped(shop, chair)
    line = order.lines.get().pk
    outcomes = collide(
        race,
        lambda: returning.open_case(order.pk, {line: 2}, reason="other", key="a", actor=ACTOR),
        lambda: returning.open_case(order.pk, {line: 1}, reason="other", key="b", actor=ACTOR),
        times=2,
    )
    assert any(isinstance(one, ReturnCase) for one in outcomes)
    case = ReturnCase.objects.get()
    returning.approve(case.pk, actor=ACTOR)
    arrived = {one.pk: one.quantity for one in case.lines.all()}
    collide(
        race,
        lambda: returning.receive(case.pk, arrived, actor=ACTOR),
        lambda: returning.withdraw(case.pk, actor=ACTOR),
        times=3,
    )
    case.refresh_from_db()
    units = sum(arrived.values()) if case.state == "received" else 0
    aside = Balance.objects.filter(sku=chair, location=stock.aside_place()).first()
    assert (aside.on_hand if aside else 0) == units
    whole()


# ---- reasons, mails, tasks


def test_a_card_that_two_people_decide_is_decided_once(shop, chair, race, person_with):
    people = [person_with("operator"), person_with("shift_lead")]
    for _round in range(ROUNDS):
        order = placed(shop, chair, remarks="色は選べますか")
        row = order.reasons.get(code="buyer_note")
        collide(
            race,
            lambda pk=row.pk: decide_card.decide([pk], decide_card.Wanted("packing_note"), actor=Actor(by=people[0])),
            lambda pk=row.pk: decide_card.decide([pk], decide_card.Wanted("packing_note"), actor=Actor(by=people[1])),
            times=2,
        )
        order.refresh_from_db()
        assert ReviewDecision.objects.filter(order=order).count() == 1
        assert order.packing_note.count("色は選べますか") == 1
    whole()


def test_a_decision_is_taken_back_once_and_the_note_with_it(shop, chair, race, person_with):
    who = Actor(by=person_with("operator"), action="press")
    order = placed(shop, chair, remarks="色は選べますか")
    row = order.reasons.get(code="buyer_note")
    decide_card.decide([row.pk], decide_card.Wanted("packing_note"), actor=who)
    collide(race, lambda: decide_card.undo_last(actor=who), times=4)
    order.refresh_from_db()
    assert order.packing_note == "" and order.reasons.get(code="buyer_note").state == "open"
    assert OrderEvent.objects.filter(order=order, kind="decision_undone").count() == 1
    whole()


def test_a_mail_approved_withdrawn_and_sent_at_once_goes_out_at_most_once(shop, chair, race):
    for _round in range(ROUNDS):
        order = placed(shop, chair)
        draft = mails.draft("inquiry", order.pk, key="1", message="お色はどちらですか", actor=ACTOR)
        collide(
            race,
            lambda pk=draft.pk: mails.send_draft(pk, actor=ACTOR),
            lambda pk=draft.pk: mails.withdraw(Mail.objects.filter(pk=pk), reason="不要", actor=ACTOR),
            outbox.deliver_due,
            times=2,
        )
        outbox.deliver_due()
        draft.refresh_from_db()
        assert Effect.objects.filter(key=f"mail:{draft.pk}").count() <= 1
        assert draft.state in {"sent", "suppressed", "scheduled"}
    whole()


def test_a_task_is_finished_once_and_pays_its_refund_once(race):
    order = unpaid()
    payment.record_payments([order.pk], actor=ACTOR)
    refund = refunds.open_refund(order.pk, key="t", wish=refunds.Wish({}, goodwill=100), reason="お詫び", actor=ACTOR)
    assert refund is not None
    task = OrderTask.objects.get(key=refunds.task_key(refund))
    collide(
        race,
        lambda: tasks.finish(task.pk, actor=ACTOR),
        lambda: refunds.complete([refund.pk], actor=ACTOR),
        lambda: refunds.withdraw([refund.pk], actor=ACTOR),
        times=2,
    )
    order.refresh_from_db()
    assert order.paid_amount in {1400, 1500}
    whole()


# ---- rules


def test_a_rule_published_while_it_is_applied_ends_as_its_last_version_says(shop, chair, race):
    rule = make_rule("印", then=do("add_tag", tag="旧"))
    ids = [placed(shop, chair).pk for _order in range(4)]
    collide(
        race,
        lambda: run.run(ids, {}, every=True),
        lambda: change_rule(rule, then=do("add_tag", tag="新")),
        lambda: run.run(ids, {}, every=True),
        lambda: cancel.cancel_orders(ids[:1], reason="顧客都合", actor=ACTOR),
    )
    run.run(ids, {}, every=True)
    run.run(ids, {}, every=True)
    assert [order.tags for order in Order.objects.filter(pk__in=ids[1:])] == [["新"]] * 3
    whole()


# ---- many orders at once


def test_two_workers_at_one_run_do_each_order_once(shop, chair, race, aoi):
    ids = [placed(shop, chair).pk for _order in range(12)]
    made = bulk.draft("hold", ids, by=aoi)
    BulkRun.objects.filter(pk=made.pk).update(state="running", params={"reason": "確認"})
    collide(race, lambda: bulk.work(made.pk), times=4)
    made.refresh_from_db()
    assert made.state == "finished" and sorted(made.done) == sorted(ids)
    collide(race, lambda: bulk_undo.start(BulkRun.objects.get(pk=made.pk), by=aoi), times=4)
    made.refresh_from_db()
    assert made.undo_state == "finished" and sorted(made.undone) == sorted(ids)
    assert not Order.objects.exclude(held_at=None).exists()
    whole()


def test_a_run_taken_back_while_people_edit_keeps_what_they_wrote(shop, chair, race, aoi):
    ids = [placed(shop, chair).pk for _order in range(6)]
    made = bulk.draft("hold", ids, by=aoi)
    bulk.start(made, {"reason": "確認"})
    made.refresh_from_db()

    def write(pk: int) -> Any:
        held = Order.objects.get(pk=pk)
        seen = edit.Seen(held.version, edit.fingerprint({"internal_note": held.internal_note}))
        return edit.edit_note(pk, f"メモ{pk}", seen=seen, actor=Actor(by=aoi))

    collide(
        race,
        lambda: bulk_undo.start(BulkRun.objects.get(pk=made.pk), by=aoi),
        *(lambda pk=pk: write(pk) for pk in ids[:3]),
        lambda: hold.lift_holds(ids[3:], actor=ACTOR),
    )
    made.refresh_from_db()
    assert sorted([*made.undone, *(int(pk) for pk in made.undo_skipped)]) == sorted(ids)
    assert not Order.objects.exclude(held_at=None).exists()
    written = set(Order.objects.filter(pk__in=ids[:3]).values_list("internal_note", flat=True))
    assert written <= {"", *(f"メモ{pk}" for pk in ids[:3])}
    whole()


def test_a_run_and_single_orders_of_it_taken_back_at_once_wait_in_no_circle(shop, chair, race, aoi):
    for _round in range(ROUNDS):
        ids = [placed(shop, chair).pk for _order in range(4)]
        made = bulk.draft("hold", ids, by=aoi)
        bulk.start(made, {"reason": "確認"})
        collide(
            race,
            lambda key=made.pk: bulk_undo.start(BulkRun.objects.get(pk=key), by=aoi),
            *(lambda pk=pk: take_back.take_back(pk, actor=Actor(by=aoi)) for pk in reversed(ids)),
        )
        made.refresh_from_db()
        assert "OperationalError" not in str(made.undo_skipped)
        assert not Order.objects.exclude(held_at=None).exists()
    whole()
