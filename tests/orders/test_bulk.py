"""Bulk actions: a frozen selection, an honest preview, a run that is done once, a result that names what is left."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils.translation import gettext as _

from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from oms.kernel import clock
from oms.kernel.models import Effect
from orders import actions
from orders.actions import Action, ActionForm, Outcome, Plan
from orders.channel_order import ChannelState
from orders.models import BulkRun, Order, OrderEvent, ReviewReason
from orders.models.order import Stage
from orders.services import bulk
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
CHOOSE = "/orders/bulk/"


@pytest.fixture
def cast(aoi, ben, chie):
    return aoi, ben, chie


def choose(client, action: str, *orders: Order, **fields):
    """The run that a press on the button makes, as the preview shows it."""
    posted = client.post(CHOOSE, {"action": action, "ids": [order.pk for order in orders], **fields})
    assert posted.status_code == 302, posted.content.decode()[:300]
    return client.get(posted["Location"])


def run(client, preview, **fields):
    """Press the button of the preview; returns the page one is led to."""
    key = preview.context["run"].key
    return client.post(f"{CHOOSE}{key}/run/", fields, follow=True)


def stage_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).stage


def whys(groups) -> dict[str, list[str]]:
    return {group.why: [number for _pk, number in group.orders] for group in groups}


def test_the_log_names_what_was_chosen_as_the_form_did(client_of, aoi, board):
    draft = bulk.draft("mail", [board["R-0001"].pk], by=aoi)
    bulk.start(draft, {"event": "delay_notice", "message": "来週お届けします。"})
    [line] = client_of(aoi).get("/orders/bulk/log/").context["rows"]
    assert line.params == "納期遅延・欠品連絡、来週お届けします。"


def test_hold_says_who_changes_and_who_does_not_then_does_it(client_of, aoi, board):
    client = client_of(aoi)
    preview = choose(client, "hold", board["R-0001"], board["R-0006"], board["R-0007"])
    assert (preview.context["will"], preview.context["skipped"]) == (1, 2)
    assert whys(preview.context["skipped_groups"]) == {
        "キャンセル済みです。": ["R-0006"],
        "すでに保留中です。": ["R-0007"],
    }
    assert stage_of(board["R-0001"]) == Stage.AWAITING_STOCK, "looking changes nothing"
    result = run(client, preview, reason="在庫を数え直す")
    assert stage_of(board["R-0001"]) == Stage.ON_HOLD
    assert "1件を保留にしました。" in result.content.decode() and len(result.context["skipped_groups"]) == 2


def test_one_click_is_one_action_of_one_person_over_all_its_orders(client_of, aoi, board):
    client = client_of(aoi)
    preview = choose(client, "hold", board["R-0001"], board["Y-0001"])
    run(client, preview, reason="確認")
    events = OrderEvent.objects.filter(kind="held", action=preview.context["run"].key.hex)
    assert {(event.order.channel_order_no, event.by) for event in events} == {("R-0001", aoi), ("Y-0001", aoi)}


def test_the_second_click_finds_the_result_of_the_first(client_of, aoi, board):
    client = client_of(aoi)
    preview = choose(client, "hold", board["R-0001"])
    run(client, preview, reason="一度目")
    again = run(client, preview, reason="二度目")
    assert "1件を保留にしました。" in again.content.decode()
    assert Order.objects.get(pk=board["R-0001"].pk).hold_reason == "一度目"
    assert OrderEvent.objects.filter(kind="held", order=board["R-0001"]).count() == 1


def test_what_the_form_asks_must_be_said(client_of, aoi, board):
    client = client_of(aoi)
    preview = choose(client, "hold", board["R-0001"])
    answer = client.post(f"{CHOOSE}{preview.context['run'].key}/run/", {"reason": ""})
    assert answer.status_code == 200 and "field-error" in answer.content.decode()
    assert stage_of(board["R-0001"]) == Stage.AWAITING_STOCK


def test_holds_are_lifted(client_of, aoi, board):
    client = client_of(aoi)
    run(client, choose(client, "lift", board["R-0007"], board["R-0001"]))
    assert stage_of(board["R-0007"]) == Stage.AWAITING_STOCK


def test_reasons_are_accepted_all_or_by_code_and_those_that_need_a_cure_stay(client_of, aoi, board):
    client = client_of(aoi)
    preview = choose(client, "accept", board["Y-0002"], board["R-0002"], board["R-0004"])
    assert [code for code, _label in preview.context["form"].fields["codes"].choices] == [
        "buyer_note",
        "channel_cancel_request",
    ]
    assert whys(preview.context["skipped_groups"]) == {"選んだ確認理由がありません。": ["R-0004"]}
    some = client.get(f"{CHOOSE}{preview.context['run'].key}/", {"codes": ["buyer_note"]})
    assert some.context["will"] == 2 and any("確認待ちのまま" in effect for effect in some.context["effects"])
    run(client, preview, codes=["buyer_note"], note="電話で確認")
    assert (stage_of(board["R-0002"]), stage_of(board["Y-0002"])) == (Stage.AWAITING_STOCK, Stage.REVIEW)
    assert ReviewReason.objects.get(order=board["Y-0002"], code="buyer_note").note == "電話で確認"
    assert ReviewReason.objects.get(order=board["R-0004"], code="item_unmapped").state == "open"


def test_money_is_recorded_with_its_sum_in_the_preview(client_of, aoi, board):
    client = client_of(aoi)
    preview = choose(client, "pay", board["R-0005"], board["R-0001"])
    assert preview.context["effects"] == ["合計 ¥1,500 を入金済みにします。"]
    run(client, preview, note="サトウ メグミ")
    assert stage_of(board["R-0005"]) == Stage.AWAITING_STOCK


def test_a_cancellation_tells_what_it_means_and_who_finishes_it(client_of, aoi, board):
    client = client_of(aoi)
    preview = choose(client, "cancel", board["R-0001"], board["Y-0001"])
    effects = "\n".join(preview.context["effects"])
    assert "1件はモールの画面でもキャンセルが必要です。" in effects and "2件は入金済みです。" in effects
    run(client, preview, reason="欠品")
    assert {stage_of(board["R-0001"]), stage_of(board["Y-0001"])} == {Stage.CANCELLED}
    assert Effect.objects.filter(kind="channel_cancel").count() == 1


def test_orders_that_wait_for_it_are_confirmed_at_their_channel(client_of, aoi, board):
    shop = make_shop("rakuten-2", auto_confirm=False)
    take_in(shop, [make_channel_order(number="R-0300", state=ChannelState.TO_CONFIRM)], sku_of=mapped(make_sku()))
    order = Order.objects.get(channel_order_no="R-0300")
    client = client_of(aoi)
    preview = choose(client, "confirm", order, board["Y-0001"])
    assert whys(preview.context["skipped_groups"]) == {"注文確定の手続きがない店舗です。": ["Y-0001"]}
    run(client, preview)
    assert Effect.objects.filter(kind="channel_confirm", key=f"confirm:{order.pk}").count() == 1


def test_everything_that_matches_is_frozen_in_the_lists_order(client_of, aoi, board):
    client = client_of(aoi)
    preview = choose(client, "hold", all_matching="1", query="stage=review&sort=ordered_at")
    frozen = preview.context["run"].order_ids
    assert frozen == [board[number].pk for number in ("Y-0002", "R-0004", "R-0003", "R-0002")]
    take_in(make_shop(), [make_channel_order(number="R-9", remarks="返事をください？")], sku_of=mapped(make_sku()))
    run(client, preview, reason="確認")
    assert Order.objects.get(channel_order_no="R-9").stage == Stage.REVIEW, "it came after the selection"


def test_an_unreadable_query_never_widens_the_selection(client_of, aoi, board):
    client = client_of(aoi)
    answer = client.post(CHOOSE, {"action": "hold", "all_matching": "1", "query": "stage=nonsense"})
    assert answer.status_code == 302 and answer["Location"].startswith("/orders/?")
    assert not BulkRun.objects.exists()


def test_nothing_chosen_is_said_and_nothing_made(client_of, aoi, board):
    answer = client_of(aoi).post(CHOOSE, {"action": "hold"}, follow=True)
    assert "受注が選択されていません。" in answer.content.decode() and not BulkRun.objects.exists()


def test_more_than_the_limit_is_refused_with_the_limit(client_of, aoi, board, monkeypatch):
    monkeypatch.setattr("orders.services.bulk.LARGEST", 3)
    monkeypatch.setattr("orders.views.desk.LARGEST", 3)
    answer = client_of(aoi).post(CHOOSE, {"action": "hold", "all_matching": "1", "query": ""}, follow=True)
    assert "一度に処理できるのは 3件までです。" in answer.content.decode() and not BulkRun.objects.exists()


def test_ready_orders_are_instructed_and_their_papers_offered(client_of, aoi, board):
    allocate_waiting()
    client = client_of(aoi)
    ready = list(Order.objects.filter(stage=Stage.READY))
    assert ready
    preview = choose(client, "instruct", *ready, board["R-0002"])
    assert preview.context["will"] == len(ready)
    boxes = f"東京倉庫・ヤマト運輸: 出荷伝票 {len(ready)}件、{len(ready)}個口"
    assert any(effect.startswith(boxes) for effect in preview.context["effects"])
    result = run(client, preview)
    shipments = list(Shipment.objects.filter(state="instructed").order_by("pk").values_list("pk", flat=True))
    assert [(offer["text"], sorted(offer["ids"])) for offer in result.context["offers"]] == [
        ("納品書を印刷", shipments),
        ("ピッキングリストを印刷", shipments),
        ("作業指示書を印刷", shipments),
    ]
    printed = choose(client, "print", *ready, board["R-0002"])
    assert (printed.context["will"], printed.context["skipped"]) == (len(ready), 1)
    offer = run(client, printed).context["offers"][0]
    pdf = client.post(offer["url"], {"ids": offer["ids"]})
    assert pdf.content.startswith(b"%PDF")


@pytest.fixture
def fragile():
    """An action that one order cannot bear, as a service with a defect would behave."""

    def go(order_ids, params, actor):
        Order.objects.filter(pk__in=order_ids).update(internal_note="handled")
        if Order.objects.filter(pk__in=order_ids, channel_order_no="R-0004").exists():
            raise ValueError("cannot bear it")
        return Outcome(list(order_ids))

    action = Action(
        "fragile", "試す", "%(n)s件", "check", "orders.view_order", lambda ids, _params: Plan(list(ids)), go, ActionForm
    )
    actions.register(action)
    yield action
    actions._registered.pop("fragile")


def test_one_order_that_fails_keeps_no_other_back_and_stays_selected(client_of, aoi, board, fragile):
    client = client_of(aoi)
    result = run(client, choose(client, "fragile", *board.values(), query="stage=review"))
    assert whys(result.context["failed_groups"]) == {"処理できませんでした（ValueError）。": ["R-0004"]}
    handled = Order.objects.filter(internal_note="handled").values_list("channel_order_no", flat=True)
    assert set(handled) == set(board) - {"R-0004"}
    back = client.get(result.context["back_url"])
    assert back.context["chosen"] == [board["R-0004"].pk]
    assert f'data-choose="{board["R-0004"].pk}"' in back.content.decode()


def test_a_run_that_was_broken_off_goes_on_where_it_stopped(aoi, board, monkeypatch):
    monkeypatch.setattr(bulk, "SLICE", 2)
    orders = [board[number] for number in ("R-0001", "R-0002", "R-0003", "R-0004", "R-0005")]
    draft = bulk.draft("hold", [order.pk for order in orders], by=aoi)
    BulkRun.objects.update(state="running", params={"reason": "確認"})
    assert bulk.step(draft.pk) and bulk.step(draft.pk)
    assert (BulkRun.objects.get().position, len(BulkRun.objects.get().done)) == (4, 4)
    bulk.work(draft.pk)
    done = BulkRun.objects.get()
    assert (done.state, done.position, len(done.done)) == ("finished", 5, 5)
    assert not bulk.step(draft.pk), "a second worker finds nothing to do"
    assert OrderEvent.objects.filter(kind="held", action=draft.key.hex).count() == 5


def test_a_slice_that_breaks_leaves_neither_work_nor_position(aoi, board, monkeypatch):
    draft = bulk.draft("hold", [board["R-0001"].pk], by=aoi)
    BulkRun.objects.update(state="running", params={"reason": "確認"})
    monkeypatch.setattr(bulk, "_note", lambda *_args: 1 / 0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        bulk.step(draft.pk)
    assert stage_of(board["R-0001"]) == Stage.AWAITING_STOCK and BulkRun.objects.get().position == 0


def test_large_runs_go_to_a_worker_and_show_their_progress(client_of, aoi, board, monkeypatch):
    sent = []
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    monkeypatch.setattr(bulk, "later", lambda task, *args: sent.append((task, args)))
    client = client_of(aoi)
    preview = choose(client, "hold", board["R-0001"], board["Y-0001"], board["R-0005"])
    page = run(client, preview, reason="確認")
    key = preview.context["run"].key
    assert sent == [("orders.tasks.run_bulk", (str(key),))] and stage_of(board["R-0001"]) == Stage.AWAITING_STOCK
    assert "処理しています" in page.content.decode() and 'http-equiv="refresh"' in page.content.decode()
    fragment = client.get(f"{CHOOSE}{key}/", headers=HTMX).content.decode()
    assert 'hx-trigger="every 1s"' in fragment
    bulk.work(key)
    fragment = client.get(f"{CHOOSE}{key}/", headers=HTMX).content.decode()
    assert "3件を保留にしました。" in fragment and "every 1s" not in fragment


def test_a_run_whose_worker_went_away_is_woken_and_old_drafts_are_forgotten(aoi, board, monkeypatch):
    sent = []
    monkeypatch.setattr(bulk, "later", lambda task, *args: sent.append(args[0]))
    stuck, fresh, forgotten = (bulk.draft("hold", [board["R-0001"].pk], by=aoi) for _ in range(3))
    now = clock.now()
    BulkRun.objects.filter(pk=stuck.pk).update(state="running", touched_at=now - timedelta(minutes=5))
    BulkRun.objects.filter(pk=fresh.pk).update(state="running", touched_at=now)
    BulkRun.objects.filter(pk=forgotten.pk).update(touched_at=now - timedelta(days=2))
    assert bulk.resume_stuck() == 1 and sent == [str(stuck.pk)]
    assert set(BulkRun.objects.values_list("pk", flat=True)) == {stuck.pk, fresh.pk}


def test_rights_methods_and_other_peoples_runs(client_of, cast, board, person_with):
    aoi, ben, chie = cast
    draft = bulk.draft("hold", [board["R-0001"].pk], by=aoi)
    show, go = f"{CHOOSE}{draft.key}/", f"{CHOOSE}{draft.key}/run/"
    assert client_of(aoi).get(CHOOSE).status_code == client_of(aoi).post(show).status_code == 405
    assert client_of(aoi).get(go).status_code == 405
    assert client_of(ben).post(CHOOSE, {"action": "hold", "ids": [board["R-0001"].pk]}).status_code == 403
    assert client_of(chie).post(CHOOSE, {"action": "hold", "ids": [board["R-0001"].pk]}).status_code == 403
    operator = client_of(person_with("operator"))
    assert operator.get(show).status_code == operator.post(go, {"reason": "x"}).status_code == 404, "somebody else's"
    assert client_of(aoi).get(f"{CHOOSE}{uuid.uuid4()}/").status_code == 404
    assert client_of(aoi).post(CHOOSE, {"action": "no-such", "ids": [1]}).status_code == 404


def test_the_bar_offers_what_one_may_do_in_the_order_of_the_work(client_of, aoi, ben, board, person_with):
    offered = [action.code for action in client_of(aoi).get("/orders/").context["offered"]]
    assert offered == [
        "accept",
        "instruct",
        "print",
        "hold",
        "lift",
        "snooze",
        "force_ready",
        "confirm",
        "notice_retry",
        "ship",
        "notice_by_hand",
        "refetch",
        "pay",
        "payment_method",
        "carrier",
        "invoice",
        "remind",
        "planned_day",
        "receipt",
        "location",
        "reallocate",
        "merge",
        "unmerge",
        "split",
        "join",
        "add_tag",
        "mail",
        "remove_tag",
        "note",
        "assign",
        "ask_colleague",
        "priority",
        "important",
        "rerun_rules",
        "wait_stock",
        "ship_partly",
        "cancel_short",
        "cancel",
    ]
    assert "selection-bar" not in client_of(ben).get("/orders/").content.decode()
    accounting = client_of(person_with("accounting")).get("/orders/").context["offered"]
    assert [action.code for action in accounting] == ["print", "pay", "invoice", "remind", "receipt"]


def test_the_same_code_is_not_registered_twice(fragile):
    with pytest.raises(ValueError, match="fragile"):
        actions.register(Action("fragile", _("別"), _("別"), "check", "x", fragile.plan, fragile.run))
