"""Taking a bulk action back: all of it, once, and nothing that somebody changed since; the log has both."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oms.kernel import clock
from oms.kernel.csv_text import csv_line
from orders import actions
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import BulkMemory, BulkRun, Order, OrderEvent, ReviewReason
from orders.models.order import FulfillmentState, Stage
from orders.services import bulk, bulk_undo, hold, labels
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped, store_copies

pytestmark = pytest.mark.django_db
BULK = "/orders/bulk/"
LATER = "あとから変更されたため、そのままにしました。"


@pytest.fixture
def cast(aoi, ben, chie):
    return aoi, ben, chie


def done(code: str, by, *orders: Order, **params) -> BulkRun:
    """A finished run of this action."""
    draft = bulk.draft(code, [order.pk for order in orders], by=by)
    bulk.start(draft, params)
    return BulkRun.objects.get(pk=draft.pk)


def taken_back(run: BulkRun, by) -> BulkRun:
    assert bulk_undo.start(run, by=by)
    return BulkRun.objects.get(pk=run.pk)


def order(number: str) -> Order:
    return Order.objects.get(channel_order_no=number)


def test_story_05_five_thousand_orders_get_a_tag_then_undo_and_the_log_has_both(client_of, aoi, monkeypatch):
    make_sku("CHAIR")
    shop = make_shop()
    take_in(shop, [make_channel_order(number="T-0")], sku_of={})
    seed = Order.objects.get()
    store_copies(seed, (f"T-{n}" for n in range(1, 5000)))
    waiting: list[tuple[str, str]] = []
    for room in (bulk, bulk_undo):
        monkeypatch.setattr(room, "later", lambda task, key: waiting.append((task, key)))
    client = client_of(aoi)
    preview = client.post(BULK, {"action": "add_tag", "all_matching": "1", "query": ""}, follow=True)
    key = preview.context["run"].key
    assert client.get(f"{BULK}{key}/", {"tag": "年末便"}).context["will"] == 5000
    client.post(f"{BULK}{key}/run/", {"tag": "年末便"})
    assert waiting == [("orders.tasks.run_bulk", str(key))]
    bulk.work(key)
    assert Order.objects.filter(tags__contains=["年末便"]).count() == 5000
    client.post(f"{BULK}{key}/undo/")
    assert waiting[1:] == [("orders.tasks.undo_bulk", str(key))]
    bulk_undo.work(key)
    assert not Order.objects.filter(tags__contains=["年末便"]).exists()
    kinds = OrderEvent.objects.filter(order=seed, kind__in=["tagged", "untagged"]).order_by("pk")
    assert [(event.kind, event.text, event.by) for event in kinds] == [
        ("tagged", "年末便", aoi),
        ("untagged", "年末便", aoi),
    ]
    [line] = client.get(f"{BULK}log/").context["rows"]
    assert (line.what, line.params, line.who, line.figures["changed"]) == ("タグを付ける", "年末便", str(aoi), 5000)
    assert (line.undone_by, line.figures["back"], line.figures["not_back"]) == (str(aoi), 5000, 0)
    assert "（5,000件）" in client.get(f"{BULK}log/").content.decode()


def test_undo_leaves_what_somebody_changed_since_and_says_so(client_of, aoi, ben, board):
    run = done("add_tag", aoi, board["R-0001"], board["R-0002"], tag="急ぎ")
    labels.remove_tag([board["R-0001"].pk], "急ぎ", actor=Actor(ben))
    after = taken_back(run, aoi)
    assert after.undone == [board["R-0002"].pk] and after.undo_skipped == {str(board["R-0001"].pk): LATER}
    page = client_of(aoi).get(f"{BULK}{run.key}/").content.decode()
    assert "1件を元に戻しました。" in page and LATER in page


def test_undo_touches_only_what_the_run_changed(aoi, board):
    labels.add_tag([board["R-0001"].pk], "急ぎ", actor=Actor(aoi))
    run = done("add_tag", aoi, board["R-0001"], board["R-0002"], tag="急ぎ")
    taken_back(run, aoi)
    assert order("R-0001").tags == ["急ぎ"] and order("R-0002").tags == []


def test_a_second_undo_does_nothing(aoi, board):
    run = done("add_tag", aoi, board["R-0001"], tag="急ぎ")
    taken_back(run, aoi)
    labels.add_tag([board["R-0001"].pk], "急ぎ", actor=Actor(aoi))
    assert not bulk_undo.start(run, by=aoi), "also when asked with the row as it was before"
    bulk_undo.work(run.key)
    assert order("R-0001").tags == ["急ぎ"]


def test_an_undo_that_was_broken_off_goes_on_where_it_stopped(aoi, board, monkeypatch):
    monkeypatch.setattr(bulk_undo, "SLICE", 2)
    monkeypatch.setattr(bulk_undo, "AT_ONCE", 0)
    sent = []
    monkeypatch.setattr(bulk_undo, "later", lambda task, key: sent.append(key))
    run = done("add_tag", aoi, *board.values(), tag="急ぎ")
    assert bulk_undo.start(run, by=aoi) and bulk_undo.step(run.key) and bulk_undo.step(run.key)
    assert len(BulkRun.objects.get().undone) == 4
    BulkRun.objects.update(touched_at=clock.now() - bulk_undo.STUCK * 2)
    assert bulk_undo.resume_stuck() == 1 and sent == [str(run.key)] * 2
    bulk_undo.work(run.key)
    assert sorted(BulkRun.objects.get().undone) == sorted(one.pk for one in board.values())
    assert OrderEvent.objects.filter(kind="untagged").count() == len(board)


def test_accepted_reasons_open_again_but_not_behind_the_warehouses_back(aoi, board):
    Order.objects.filter(channel_order_no="Y-0002").update(fulfillment_state=FulfillmentState.NONE)
    run = done("accept", aoi, board["R-0002"], board["Y-0002"], codes=["buyer_note"])
    assert order("R-0002").stage != Stage.REVIEW
    Order.objects.filter(channel_order_no="Y-0002").update(fulfillment_state=FulfillmentState.INSTRUCTED)
    after = taken_back(run, aoi)
    assert after.undone == [board["R-0002"].pk] and list(after.undo_skipped) == [str(board["Y-0002"].pk)]
    assert order("R-0002").stage == Stage.REVIEW
    reason = ReviewReason.objects.get(order=board["R-0002"], code="buyer_note")
    assert (reason.state, reason.closed_by) == ("open", None)


def test_holds_and_their_lifting_are_taken_back_with_reason_and_day(aoi, board):
    taken_back(done("hold", aoi, board["R-0001"], reason="確認"), aoi)
    assert order("R-0001").held_at is None and order("R-0001").stage == Stage.AWAITING_STOCK
    day = timezone.localdate()
    Order.objects.filter(channel_order_no="R-0007").update(hold_until=day)
    taken_back(done("lift", aoi, board["R-0007"]), aoi)
    again = order("R-0007")
    assert (again.stage, again.hold_reason, again.hold_until) == (Stage.ON_HOLD, "お客様へ電話で確認中", day)


def test_a_payment_is_taken_back_where_no_channel_was_told(aoi, board):
    run = done("pay", aoi, board["R-0005"])
    assert order("R-0005").stage == Stage.AWAITING_STOCK
    told = order("R-0005").shop.can("payment_report")
    after = taken_back(run, aoi)
    assert after.undone == ([] if told else [board["R-0005"].pk])
    assert order("R-0005").payment_state == ("paid" if told else "unpaid")
    assert order("R-0005").stage == (Stage.AWAITING_STOCK if told else Stage.AWAITING_PAYMENT)


@pytest.mark.parametrize(
    ("code", "params", "column"),
    [
        ("priority", {"priority": 2}, "priority"),
        ("important", {"important": True}, "important"),
        ("carrier", {"carrier": "sagawa", "delivery_method": "飛脚宅配便"}, "carrier"),
        ("planned_day", {"planned_ship_date": "2099-01-05"}, "planned_ship_date"),
    ],
)
def test_each_value_comes_back(aoi, board, code, params, column):
    before = {one.pk: getattr(one, column) for one in Order.objects.all()}
    run = done(code, aoi, board["R-0001"], board["Y-0001"], **params)
    assert getattr(order("R-0001"), column) != before[board["R-0001"].pk]
    taken_back(run, aoi)
    assert {one.pk: getattr(one, column) for one in Order.objects.all()} == before


def test_a_note_is_added_below_and_only_that_is_taken_back(aoi, board):
    Order.objects.filter(pk=board["R-0001"].pk).update(internal_note="電話済み")
    made = bulk.draft("note", [board["R-0001"].pk, board["R-0002"].pk], by=aoi)
    bulk.start(made, {"text": "箱を替える"})
    again = bulk.draft("note", [board["R-0001"].pk], by=aoi)
    bulk.start(again, {"text": "箱を替える"})
    again.refresh_from_db()
    assert again.done == [], "the same line is not written twice"
    notes = dict(Order.objects.values_list("channel_order_no", "internal_note"))
    assert (notes["R-0001"], notes["R-0002"]) == ("電話済み\n箱を替える", "箱を替える")
    Order.objects.filter(pk=board["R-0002"].pk).update(internal_note="箱を替える。済み")
    made.refresh_from_db()
    assert bulk_undo.start(made, by=aoi)
    notes = dict(Order.objects.values_list("channel_order_no", "internal_note"))
    assert (notes["R-0001"], notes["R-0002"]) == ("電話済み", "箱を替える。済み")


def test_the_person_comes_back_too(aoi, ben, board):
    labels.change([board["R-0001"].pk], {"assignee": ben.pk}, actor=Actor(aoi))
    run = done("assign", aoi, board["R-0001"], board["R-0002"], assignee=aoi.pk)
    taken_back(run, aoi)
    assert (order("R-0001").assignee, order("R-0002").assignee) == (ben, None)


def test_a_planned_day_moves_the_stage_and_is_refused_after_the_instruction(client_of, aoi, board):
    Order.objects.filter(channel_order_no="R-0002").update(fulfillment_state=FulfillmentState.INSTRUCTED)
    client = client_of(aoi)
    preview = client.post(BULK, {"action": "planned_day", "ids": [board["R-0001"].pk, board["R-0002"].pk]}, follow=True)
    looked = client.get(f"{BULK}{preview.context['run'].key}/", {"planned_ship_date": "2099-01-05"})
    assert (looked.context["will"], looked.context["skipped"]) == (1, 1)
    assert "出荷指示のあとのため変更できません。" in looked.content.decode()


def test_what_cannot_be_taken_back_offers_no_way(client_of, aoi, board):
    run = done("cancel", aoi, board["R-0001"], reason="欠品")
    client = client_of(aoi)
    assert "/undo/" not in client.get(f"{BULK}{run.key}/").content.decode()
    refused = client.post(f"{BULK}{run.key}/undo/", follow=True).content.decode()
    assert "この操作は、もう元に戻せません。" in refused and order("R-0001").stage == Stage.CANCELLED


def test_after_a_week_the_memory_is_gone_and_the_log_stays(aoi, board):
    run = done("add_tag", aoi, board["R-0001"], tag="急ぎ")
    BulkRun.objects.update(finished_at=clock.now() - bulk_undo.POSSIBLE_FOR * 2)
    assert not bulk_undo.start(BulkRun.objects.get(), by=aoi)
    bulk_undo.resume_stuck()
    assert not BulkMemory.objects.exists() and BulkRun.objects.filter(pk=run.pk).exists()


def test_the_list_can_be_downloaded_before_and_after_and_runs_no_formula(client_of, aoi, board):
    Order.objects.filter(channel_order_no="R-0007").update(channel_order_no="=1+1")
    client = client_of(aoi)
    ids = [board["R-0001"].pk, board["R-0007"].pk]
    preview = client.post(BULK, {"action": "hold", "ids": ids}, follow=True)
    url = f"{BULK}{preview.context['run'].key}/list.csv"
    before = b"".join(client.get(url).streaming_content).decode()
    assert before == "\ufeff受注番号,結果,理由\r\nR-0001,対象,\r\n'=1+1,対象外,すでに保留中です。\r\n"
    client.post(url.replace("list.csv", "run/"), {"reason": "確認"})
    after = b"".join(client.get(url).streaming_content).decode()
    assert "R-0001,変更," in after and "'=1+1,対象外,すでに保留中です。" in after
    assert csv_line(["@x", -5, "a,b"]) == '\'@x,-5,"a,b"\r\n'


def test_the_last_action_is_one_key_away(client_of, aoi, board):
    client = client_of(aoi)
    assert client.get(f"{BULK}last/")["Location"] == f"{BULK}log/"
    run = done("hold", aoi, board["R-0001"], reason="確認")
    assert client.get(f"{BULK}last/")["Location"] == f"{BULK}{run.key}/"
    assert 'data-key="u"' in client.get("/orders/").content.decode()


def test_who_may_take_an_action_may_look_at_it_and_take_it_back_and_nobody_else(client_of, cast, board, person_with):
    aoi, ben, chie = cast
    run = done("add_tag", aoi, board["R-0001"], tag="急ぎ")
    show, undo, log = f"{BULK}{run.key}/", f"{BULK}{run.key}/undo/", f"{BULK}log/"
    assert client_of(aoi).get(undo).status_code == client_of(aoi).post(log).status_code == 405
    assert client_of(ben).get(show).status_code == client_of(ben).post(undo).status_code == 403
    assert client_of(chie).post(undo).status_code == client_of(chie).get(log).status_code == 403
    assert not client_of(ben).get(log).context["rows"][0].may_see
    assert client_of(person_with("operator")).post(undo, follow=True).status_code == 200
    assert order("R-0001").tags == []


def test_the_log_asks_a_fixed_number_of_questions(client_of, aoi, board):
    client = client_of(aoi)
    done("hold", aoi, board["R-0001"], reason="確認")
    client.get(f"{BULK}log/")
    few = _questions(client)
    for number in range(5):
        done("add_tag", aoi, board["R-0002"], tag=f"札{number}")
    assert _questions(client) == few


def _questions(client) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get(f"{BULK}log/")
    return len(asked)


def test_every_action_with_a_memory_can_be_named_in_the_log():
    undoable = {code for code in actions._registered if actions._registered[code].memory}
    assert undoable == {
        "accept", "hold", "lift", "pay", "add_tag", "remove_tag", "assign", "priority", "important", "carrier",
        "planned_day", "wait_stock", "ship_partly", "ask_colleague", "location", "payment_method",
        "snooze", "merge", "unmerge", "note", "split", "instruct", "ship", "force_ready", "mail",
    }  # fmt: skip


# ---- forcing


def test_forced_orders_pass_review_payment_day_and_hold_until_that_is_taken_back(aoi):
    asked = make_channel_order(
        number="F-1",
        remarks="色を教えてください。",
        payment_method=PaymentMethod.BANK_TRANSFER,
        payment_state=PaymentState.UNPAID,
        wish_date=clock.today() + timedelta(days=20),
        ordered_at=clock.now(),
    )
    stubborn = make_channel_order(make_line("UNKNOWN"), number="F-2", ordered_at=clock.now())
    take_in(make_shop(), [asked, stubborn, make_channel_order(number="F-3")], sku_of=mapped(make_sku(stock_units=9)))
    hold.hold_orders([order("F-1").pk], reason="電話待ち", actor=Actor(aoi))
    before = Order.objects.values().get(channel_order_no="F-1")
    run = done("force_ready", aoi, order("F-1"), order("F-2"), order("F-3"), note="社長の指示")
    forced = order("F-1")
    assert (forced.stage, forced.ships_unpaid, forced.planned_ship_date) == (Stage.AWAITING_STOCK, True, None)
    assert forced.reasons.get(code="buyer_note").note == "社長の指示"
    assert order("F-2").stage == Stage.REVIEW, "what only its cause can close stays"
    assert run.skipped[str(order("F-3").pk)].startswith("確認・入金・")
    assert forced.events.get(kind="forced_ready").text == "社長の指示"
    taken_back(run, aoi)
    after = Order.objects.values().get(channel_order_no="F-1")
    same = ("stage", "ships_unpaid", "planned_ship_date", "hold_reason", "blocking_reasons")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_forcing_is_for_the_lead(person_with):
    for role, may in (("operator", False), ("shift_lead", True)):
        assert ("force_ready" in {one.code for one in actions.offered_to(person_with(role))}) is may
