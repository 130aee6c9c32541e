"""Rules at work on stored orders: at the import, on changes, at their moments; each action once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fulfillment.services.allocate import allocate_waiting
from inventory.models import Balance, BundleComponent
from oms.kernel import clock
from oms.kernel.models import Effect
from orders.channel_order import ChannelState, PaymentMethod, PaymentState
from orders.models import Mail, Order, OrderEvent, OrderTask, OrderText, ReviewReason, RuleMark, RuleTally, RuleWake
from orders.services import hold, payment, review
from orders.services.confirm import record_confirmed
from orders.services.intake import take_in
from orders.services.journal import SYSTEM
from orders.services.rules import facts, sweep, wakes
from orders.services.rules import run as rules
from tests.orders.builders import changed, make_channel_order, make_line, make_location, make_shop, make_sku, mapped
from tests.orders.rules.builders import change_rule, cond, do, group, make_rule

pytestmark = pytest.mark.django_db


def take(*orders, skus=None):
    found = skus or [make_sku(stock_units=50)]
    take_in(make_shop(), list(orders), sku_of=mapped(*found))
    return list(Order.objects.order_by("pk"))


def test_a_matching_order_gets_the_actions_in_the_same_import():
    make_rule(
        "高額",
        cond("total", "ge", 1000),
        then=[do("add_tag", tag="高額"), do("flag"), do("set_priority", priority="1")],
    )
    [order] = take(make_channel_order())
    assert (order.tags, order.important, order.priority) == (["高額"], True, 1)
    assert OrderEvent.objects.filter(order=order, kind="rule", text__contains="「高額」第1版").exists()


def test_another_order_gets_the_else_actions():
    make_rule("高額", cond("total", "ge", 99999), then=do("add_tag", tag="高額"), otherwise=do("add_tag", tag="普通"))
    [order] = take(make_channel_order())
    assert order.tags == ["普通"]


def test_running_again_does_nothing_twice():
    make_rule(
        "全部",
        then=[
            do("add_tag", tag="A"),
            do("create_task", text="電話"),
            do("send_mail", event="delay_notice", when="now"),
        ],
    )
    [order] = take(make_channel_order())
    events = OrderEvent.objects.count()
    rules.run([order.pk], {}, every=True)
    order.refresh_from_db()
    assert (
        order.tags == ["A"]
        and OrderTask.objects.count() == 1
        and Mail.objects.filter(event="delay_notice").count() == 1
    )
    assert OrderEvent.objects.count() == events


def test_a_gift_line_is_promised_with_the_order_and_added_once():
    chair, gift = make_sku(stock_units=5), make_sku("GIFT", stock_units=1)
    rule = make_rule("ギフト", cond("goods", "ge", 1000), then=do("add_line", sku="GIFT", quantity=1))
    first, second = take(make_channel_order(), make_channel_order(), skus=[chair])
    line = first.lines.get(channel_sku="GIFT")
    assert line.reserved and line.amount == 0 and first.quantity == 2
    assert not second.lines.filter(channel_sku="GIFT").exists() and second.quantity == 1
    assert Balance.objects.get(sku=gift, location=None, release="").reserved == 1
    change_rule(rule, cond("goods", "ge", 1), then=do("add_line", sku="GIFT", quantity=1))
    rules.run([first.pk, second.pk], {}, every=True)
    assert first.lines.filter(channel_sku="GIFT").count() == 1


def test_a_gift_line_stays_when_the_channel_tells_its_lines_anew_and_goes_when_its_reason_goes():
    chair, gift = make_sku(stock_units=5), make_sku("GIFT", stock_units=3)
    make_rule("ギフト", cond("remarks", "contains_any", ["ギフト"]), then=do("add_line", sku="GIFT", quantity=1))
    told = make_channel_order(remarks="ギフト希望")
    [order] = take(told, skus=[chair])
    more = changed(told, lines=(make_line("CHAIR", 2), told.lines[0]))
    take(more, skus=[chair])
    assert order.lines.get(channel_sku="GIFT").quantity == 1
    take(changed(more, remarks="なし"), skus=[chair])
    sweep.consume_wakes()
    assert order.lines.get(channel_sku="GIFT").quantity == 0
    assert Balance.objects.get(sku=gift, location=None, release="").reserved == 0


def test_what_no_longer_holds_is_taken_back_unless_somebody_changed_it():
    make_rule(
        "備考",
        cond("remarks", "contains_any", ["急ぎ"]),
        then=[do("add_tag", tag="急ぎ"), do("set_priority", priority="2")],
    )
    told = make_channel_order(
        remarks="急ぎです", payment_state=PaymentState.UNPAID, payment_method=PaymentMethod.BANK_TRANSFER
    )
    [order] = take(told)
    Order.objects.update(priority=1)  # a person's own choice since
    take(changed(told, remarks=""))
    order.refresh_from_db()
    assert (order.tags, order.priority) == ([], 1)
    assert OrderEvent.objects.filter(kind="rule_undone").count() == 1


def test_an_action_that_shall_stay_stays():
    make_rule("備考", cond("remarks", "filled"), then=do("add_tag", tag="備考", undo=False))
    told = make_channel_order(remarks="特になし")
    [order] = take(told)
    take(changed(told, remarks=""))
    order.refresh_from_db()
    assert order.tags == ["備考"] and RuleMark.objects.get().state == "kept"


def test_what_a_person_took_off_does_not_come_back():
    make_rule("全部", then=do("add_tag", tag="A"))
    [order] = take(make_channel_order())
    Order.objects.update(tags=[])
    rules.run([order.pk], {}, every=True)
    order.refresh_from_db()
    assert order.tags == []


def test_the_higher_priority_wins_and_the_trace_shows_both():
    make_rule("一般", then=do("set_method", method="宅急便", carrier="yamato"), priority=200)
    make_rule("島", then=do("set_method", method="ゆうパック", carrier="japanpost"), priority=10)
    [order] = take(make_channel_order())
    assert (order.delivery_method, order.carrier) == ("ゆうパック", "japanpost")
    rows = order.rule_trace.rows
    assert [row["actions"][0]["status"] for row in rows] == ["do", "overruled"]
    assert RuleTally.objects.get(overruled=1, rival=None).rule.name == "一般"


def test_a_rule_may_ask_what_rules_before_it_found():
    first = make_rule("先", cond("total", "ge", 1000), priority=1, then=do("flag"))
    asks = {"contains_any": "当たり", "contains_none": "外れ"}
    for op, tag in asks.items():
        make_rule(tag, cond("rules_matched", op, [str(first.pk)]), priority=2, then=do("add_tag", tag=tag))
    [order] = take(make_channel_order())
    rules.run([order.pk], {}, every=True)
    order.refresh_from_db()
    assert order.tags == ["当たり"]


def test_a_rule_that_stops_keeps_later_ones_silent():
    make_rule("先", then=do("add_tag", tag="先"), stop=True, priority=1)
    make_rule("後", then=do("add_tag", tag="後"), priority=2)
    [order] = take(make_channel_order())
    assert order.tags == ["先"] and order.rule_trace.rows[1]["note"].startswith("stopped:")


def test_a_later_rule_sees_the_tags_of_an_earlier_one():
    make_rule("一", then=do("add_tag", tag="大口"), priority=1)
    make_rule("二", cond("tags", "contains_any", ["大口"]), then=do("flag"), priority=2)
    [order] = take(make_channel_order())
    assert order.important
    rules.run([order.pk], {}, every=True)
    order.refresh_from_db()
    assert order.important and order.tags == ["大口"]


def test_raising_a_reason_stops_the_order_and_its_channel_confirmation_until_accepted():
    rule = make_rule(
        "高額・初回", cond("first_order", "yes"), then=do("raise_reason", text="高額・初回です", level="block")
    )
    [order] = take(make_channel_order(state=ChannelState.TO_CONFIRM))
    assert order.stage == "review" and not Effect.objects.filter(kind="channel_confirm").exists()
    assert order.reasons.get(code="rule_hold").evidence == "高額・初回です"
    review.accept([order.pk], actor=SYSTEM)
    rules.run([order.pk], {}, every=True)
    order.refresh_from_db()
    assert order.stage == "new" and Effect.objects.filter(kind="channel_confirm").exists()
    change_rule(rule, cond("total", "ge", 999999), then=do("raise_reason", text="高額・初回です", level="block"))
    rules.run([order.pk], {}, every=True)
    assert order.reasons.get(code="rule_hold").state == "accepted"


def test_a_hold_ends_on_its_day(monkeypatch):
    make_rule("災害", cond("postal_code", "starts", ["154"]), then=do("hold", text="配送停止地域", days=3))
    [order] = take(make_channel_order())
    assert (order.stage, order.hold_until) == ("on_hold", clock.today() + timedelta(days=3))
    assert hold.lift_due() == 0
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert hold.lift_due() == 1
    order.refresh_from_db()
    assert order.stage == "awaiting_stock" and order.hold_until is None


def test_an_error_in_one_rule_opens_a_reason_on_that_order_and_the_others_go_on(monkeypatch):
    make_rule("壊れ", then=do("add_note", text="x"))
    make_rule("正しい", then=do("add_tag", tag="A"))
    from orders.services.rules.verbs import VERBS, Verb  # noqa: PLC0415

    def stumble(work, jobs):
        for job in jobs:
            if work.orders[job.order_id]["channel_order_no"] == "BAD":
                raise RuntimeError("broken")
            job.did()

    monkeypatch.setitem(VERBS, "add_note", Verb(stumble))
    take(make_channel_order(number="GOOD"), make_channel_order(number="BAD"))
    assert {o.channel_order_no: o.tags for o in Order.objects.all()} == {"GOOD": ["A"], "BAD": ["A"]}
    [reason] = ReviewReason.objects.filter(code="rule_error")
    assert reason.order.channel_order_no == "BAD" and "壊れ" in reason.evidence and reason.order.stage == "review"


def test_an_order_that_cannot_be_looked_at_comes_in_with_a_reason_and_the_others_are_judged(monkeypatch):
    make_rule("正しい", cond("remarks_rest", "empty"), then=do("add_tag", tag="A"))
    read = facts.GETTERS["remarks_rest"]

    def stumble(row, now, today):
        if row["channel_order_no"] == "BAD":
            raise KeyError("broken")
        return read(row, now, today)

    monkeypatch.setitem(facts.GETTERS, "remarks_rest", stumble)
    take(make_channel_order(number="GOOD"), make_channel_order(number="BAD"))
    assert {o.channel_order_no: o.tags for o in Order.objects.all()} == {"GOOD": ["A"], "BAD": []}
    assert ReviewReason.objects.get(code="rule_error").order.channel_order_no == "BAD"
    monkeypatch.undo()
    rules.run(list(Order.objects.values_list("pk", flat=True)), {}, every=True)
    assert ReviewReason.objects.get(code="rule_error").state == "auto_resolved"


def test_confirming_wakes_the_rules_that_listen_to_it():
    make_rule("確定", then=do("add_tag", tag="確定済"), when={"event": "confirmed"})
    [order] = take(make_channel_order(state=ChannelState.TO_CONFIRM))
    record_confirmed([order.pk])
    assert sweep.consume_wakes() == 1
    order.refresh_from_db()
    assert order.tags == ["確定済"]


def test_rules_that_keep_waking_each_other_are_stopped_with_a_reason(monkeypatch):
    make_rule("無限", then=do("add_tag", tag="A"), when={"event": "stage_entered", "stage": "ready"})
    [order] = take(make_channel_order())
    with wakes.running(wakes.DEEPEST):
        wakes.put([(order.pk, "stage_entered:ready")])
    assert sweep.consume_wakes() == 1
    assert "呼び続ける" in ReviewReason.objects.get(code="rule_error").evidence


def test_a_counting_rule_stops_at_its_number_and_counts_a_member_once():
    make_rule("先着2名", cond("rule_count", "lt", 2), then=do("add_tag", tag="先着"))
    make_rule("一人一回", cond("rule_count_member", "lt", 1), then=do("add_tag", tag="一回"))
    orders = take(make_channel_order(), make_channel_order(), make_channel_order())
    assert [("先着" in o.tags, "一回" in o.tags) for o in orders] == [(True, True), (True, False), (False, False)]
    rules.run([o.pk for o in orders], {}, every=True)
    orders = list(Order.objects.order_by("pk"))
    assert [("先着" in o.tags, "一回" in o.tags) for o in orders] == [(True, True), (True, False), (False, False)]


def test_running_again_asks_only_rules_whose_event_has_happened():
    make_rule("入金", then=do("add_tag", tag="入金済"), when={"event": "paid"})
    make_rule("待ち", then=do("flag"), when={"event": "stage_waited", "stage": "awaiting_payment", "hours": 1})
    unpaid = make_channel_order(payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID)
    orders = take(unpaid, make_channel_order())
    Order.objects.update(tags=[])
    RuleMark.objects.all().delete()
    rules.run([order.pk for order in orders], {}, every=True)
    assert [(o.tags, o.important) for o in Order.objects.order_by("pk")] == [([], False), (["入金済"], False)]


def test_paying_wakes_the_rules_that_listen_to_it():
    make_rule("入金", then=do("add_tag", tag="入金済"), when={"event": "paid"})
    [order] = take(make_channel_order(payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID))
    assert order.tags == []
    payment.record_payments([order.pk], actor=SYSTEM)
    order.refresh_from_db()
    assert order.tags == ["入金済"]


def test_entering_a_stage_wakes_rules_through_the_worker():
    make_location()
    make_rule("引当", then=do("add_tag", tag="引当済"), when={"event": "allocated"})
    make_rule("準備", then=do("create_task", text="急ぎ", hours=2), when={"event": "stage_entered", "stage": "ready"})
    [order] = take(make_channel_order())
    allocate_waiting()
    assert RuleWake.objects.count() == 2
    assert sweep.consume_wakes() == 1
    order.refresh_from_db()
    assert order.tags == ["引当済"] and OrderTask.objects.get().order_id == order.pk
    assert sweep.consume_wakes() == 0


def test_waiting_too_long_is_dealt_with_once_per_waiting():
    make_rule(
        "待ち", then=do("add_tag", tag="遅れ"), when={"event": "stage_waited", "stage": "awaiting_stock", "hours": 72}
    )
    [order] = take(make_channel_order())
    assert sweep.run_moments() == 0
    Order.objects.update(stage_since=clock.now() - timedelta(hours=73))
    assert sweep.run_moments() == 1
    order.refresh_from_db()
    assert order.tags == ["遅れ"] and sweep.run_moments() == 0


def test_a_date_and_a_daily_time_are_moments_too(monkeypatch):
    make_rule("前日", then=do("add_tag", tag="明日"), when={"event": "date_reached", "date": "wish_date", "days": -1})
    make_rule("毎朝", then=do("add_tag", tag="朝"), when={"event": "schedule", "at": "00:00", "weekdays": []})
    tomorrow = clock.today() + timedelta(days=1)
    take(make_channel_order(wish_date=tomorrow), make_channel_order(wish_date=tomorrow + timedelta(days=5)))
    sweep.run_moments()
    assert [sorted(o.tags) for o in Order.objects.order_by("pk")] == [["明日", "朝"], ["朝"]]
    assert sweep.run_moments() == 0


def test_after_the_instruction_only_what_still_makes_sense_is_done():
    make_rule(
        "指示後", then=[do("add_tag", tag="指示"), do("set_priority", priority="2")], when={"event": "instructed"}
    )
    [order] = take(make_channel_order())
    Order.objects.update(fulfillment_state="instructed", stage="in_fulfillment")
    rules.run([order.pk], {order.pk: ("instructed",)})
    order.refresh_from_db()
    assert (order.tags, order.priority) == (["指示"], 0)


def test_a_mail_can_be_switched_off_before_it_is_written_and_drafts_wait():
    deeds = [
        do("suppress_mail", event="order_received"),
        do("send_mail", event="inquiry", when="draft"),
        do("send_mail", event="delay_notice", when="hours", hours=3),
    ]
    make_rule("メール", then=deeds)
    [order] = take(make_channel_order())
    states = dict(order.mails.exclude(key__endswith=":off").values_list("event", "state"))
    assert states == {"order_received": "suppressed", "inquiry": "draft", "delay_notice": "scheduled"}
    waiting = Effect.objects.filter(kind="mail", state="waiting")
    assert [e.next_try_at > clock.now() + timedelta(hours=2) for e in waiting] == [True]


def test_texts_reach_their_readers_and_go_again():
    rule = make_rule(
        "文", then=[do("add_text", reader="pick_list", text="割れ物"), do("add_text", reader="mail", text="P")]
    )
    [order] = take(make_channel_order())
    assert set(OrderText.objects.values_list("reader", "text")) == {("pick_list", "割れ物"), ("mail", "P")}
    change_rule(rule, cond("total", "lt", 0), then=do("add_text", reader="pick_list", text="割れ物"))
    rules.run([order.pk], {}, every=True)
    assert OrderText.objects.count() == 0


def test_lines_are_asked_any_all_and_in_sum():
    make_rule("冷凍あり", group("lines_any", cond("line.temperature", "is", "frozen")), then=do("add_tag", tag="any"))
    make_rule("全部冷凍", group("lines_all", cond("line.temperature", "is", "frozen")), then=do("add_tag", tag="all"))
    make_rule(
        "冷凍3以上",
        group("lines_sum", cond("line.temperature", "is", "frozen"), of="quantity", op="ge", value=3),
        then=do("add_tag", tag="sum"),
    )
    ice, chair = make_sku("ICE", stock_units=9, temperature="frozen"), make_sku(stock_units=9)
    mixed, frozen = take(
        make_channel_order(make_line("ICE", 1), make_line("CHAIR", 5)),
        make_channel_order(make_line("ICE", 3)),
        skus=[ice, chair],
    )
    assert sorted(mixed.tags) == ["any"] and sorted(frozen.tags) == ["all", "any", "sum"]


def test_changed_compares_with_what_was_seen_before():
    make_rule("変更", cond("total", "changed"), then=do("add_tag", tag="金額変更", undo=False))
    told = make_channel_order(make_line("CHAIR", 1))
    [order] = take(told)
    assert order.tags == []
    take(changed(make_channel_order(make_line("CHAIR", 3)), channel_order_no=told.channel_order_no))
    order.refresh_from_db()
    assert order.tags == ["金額変更"]


def test_an_import_without_rules_pays_two_small_queries_and_with_rules_the_same_for_more_orders():
    chair = make_sku(stock_units=500)
    make_shop()
    make_rule(
        "一",
        cond("first_order", "yes"),
        group("lines_any", cond("line.sku", "is", "CHAIR")),
        then=do("add_tag", tag="A"),
    )
    counts = []
    for n in (2, 20):
        orders = [make_channel_order() for _ in range(n)]
        with CaptureQueriesContext(connection) as queries:
            take_in(make_shop(), orders, sku_of=mapped(chair))
        counts.append(len(queries))
    assert counts[1] - counts[0] <= 2, counts


def test_rules_ask_about_suppliers_and_about_weights_only_when_all_are_known():
    make_rule("問屋", group("lines_any", cond("line.supplier", "is", "茶問屋")), then=do("add_tag", tag="問屋"))
    make_rule("重い", cond("weight_total", "ge", 20_000), then=do("add_tag", tag="重い"))
    make_rule("不明", cond("weight_total", "empty"), then=do("add_tag", tag="重さ不明"))
    make_rule("1行", group("lines_any", cond("line.weight", "gt", 9_000)), then=do("add_tag", tag="重い行"))
    desk = make_sku("DESK", stock_units=9, weight_g=9_500, supplier="家具問屋")
    tea = make_sku("TEA", stock_units=9, weight_g=500, supplier="茶問屋")
    lamp, pair = make_sku("LAMP", stock_units=9), make_sku("PAIR", is_bundle=True)
    BundleComponent.objects.create(bundle=pair, component=desk, quantity=2)
    orders = take(
        make_channel_order(make_line("DESK", 2), make_line("TEA", 2), number="A"),
        make_channel_order(make_line("DESK"), number="B"),
        make_channel_order(make_line("DESK", 3), make_line("LAMP"), number="C"),
        make_channel_order(make_line("PAIR"), make_line("TEA", 2), number="D"),
        skus=[desk, tea, lamp, pair],
    )
    found = {order.channel_order_no: set(order.tags) for order in orders}
    assert found == {
        "A": {"問屋", "重い", "重い行"}, "B": {"重い行"}, "C": {"重さ不明", "重い行"}, "D": {"問屋", "重い", "重い行"},
    }  # fmt: skip
