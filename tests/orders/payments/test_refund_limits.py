"""Nobody gives back more than their limit alone, whichever way the money would go."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.models import Location
from oms.kernel.models import User
from orders import actions
from orders.channel_order import PaymentMethod
from orders.decide.refund_limits import covers, limit_of
from orders.models import (
    Cancellation,
    Order,
    OrderEvent,
    OrderTask,
    Refund,
    RefundLimit,
    RefundLimitEvent,
    RefundRequest,
    ReturnCase,
)
from orders.services import bulk, cancel, refund_limits, refund_requests, refunds, returns, tasks
from orders.services.hold import hold_orders
from orders.services.intake import take_in
from orders.services.journal import SYSTEM, Actor
from orders.services.refund_limits import NeedsApproval
from tests.conftest import person
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.payments.builders import own_shop

State = RefundRequest.State


@pytest.fixture
def operator(db) -> User:
    return person("oki", "沖 おき", role="operator")


@pytest.fixture
def lead(db) -> User:
    return person("riku", "陸 りく", role="shift_lead")


def bought(price: int, *, quantity: int = 1, shop=None, **fields) -> Order:
    """A paid order of `price` a piece, without shipping."""
    wanted = make_channel_order(make_line(price=price, quantity=quantity), shipping=0, **fields)
    take_in(shop or make_shop(), [wanted], sku_of=mapped(make_sku(stock_units=quantity)))
    return Order.objects.get(channel_order_no=wanted.channel_order_no)


def waiting() -> RefundRequest:
    return RefundRequest.objects.get(state=State.WAITING)


def post(client, user: User, name: str, *args, **data):
    client.force_login(user)
    return client.post(reverse(name, args=args), data)


def cancel_by_hand(client, user: User, order: Order, **data):
    form = {"scope": "whole", "reason": "customer", "asked_by": "customer", "refund": "on", "key": "k1"}
    return post(client, user, "orders:cancel", order.pk, **(form | data))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(st.none(), st.integers(0, 10**7))), st.integers(0, 10**7))
def test_who_holds_several_roles_may_what_any_of_them_may(limits, amount):
    assert covers(limit_of(limits), amount) == any(covers(one, amount) for one in limits or [30_000])


def test_a_cancellation_within_the_limit_needs_nobody_else(client, operator):
    order = bought(30_000)
    cancel_by_hand(client, operator, order)
    order.refresh_from_db()
    assert order.cancelled_at and Refund.objects.get().cleared_by == operator and not RefundRequest.objects.exists()


def test_a_cancellation_over_the_limit_waits_holds_the_order_and_is_done_by_who_approves(client, operator, lead):
    order = bought(30_001)
    cancel_by_hand(client, operator, order)
    cancel_by_hand(client, operator, order)  # a second click
    order.refresh_from_db()
    asked = waiting()
    assert (order.cancelled_at, order.stage, order.hold_reason) == (None, "on_hold", "返金の承認待ち")
    assert (asked.kind, asked.amount, asked.asked_by) == ("cancel", 30_001, operator)
    assert not Refund.objects.exists() and not Cancellation.objects.exists()

    post(client, lead, "orders:refund-request-approve", asked.pk, note="電話で確認")
    order.refresh_from_db(), asked.refresh_from_db()
    assert order.cancelled_at and Cancellation.objects.get().by == lead
    assert (asked.state, asked.decided_by, asked.note) == ("approved", lead, "電話で確認")
    assert Refund.objects.get().cleared_by == lead
    told = dict(OrderEvent.objects.filter(kind__startswith="approval_").values_list("kind", "by"))
    assert told == {"approval_asked": operator.pk, "approval_given": lead.pk}
    post(client, lead, "orders:refund-request-approve", asked.pk)
    assert Cancellation.objects.count() == 1


def test_a_refused_cancellation_lets_the_order_go_on(client, operator, lead):
    order = bought(50_000)
    cancel_by_hand(client, operator, order)
    asked = waiting()
    answer = post(client, lead, "orders:refund-request-refuse", asked.pk, note=" ")
    assert asked.state == "waiting" and answer.status_code == 302 and waiting() == asked
    post(client, lead, "orders:refund-request-refuse", asked.pk, note="発送を優先")
    order.refresh_from_db(), asked.refresh_from_db()
    assert (asked.state, asked.note, order.held_at, order.cancelled_at) == ("refused", "発送を優先", None, None)
    assert OrderEvent.objects.get(kind="approval_refused").text.endswith("発送を優先")


def test_a_hold_that_somebody_else_set_stays(client, operator, lead):
    order = bought(50_000)
    hold_orders([order.pk], reason="電話待ち", actor=Actor(by=lead))
    cancel_by_hand(client, operator, order)
    post(client, lead, "orders:refund-request-refuse", waiting().pk, note="だめ")
    order.refresh_from_db()
    assert order.held_at and order.hold_reason == "電話待ち"


def test_nobody_decides_their_own_request_nor_one_beyond_their_limit(client, operator, lead, aoi):
    order = bought(400_000)
    cancel_by_hand(client, lead, order)
    asked = waiting()
    with pytest.raises(refund_requests.Refused, match="自分の申請"):
        refund_requests.approve(asked.pk, actor=Actor(by=lead))
    other = person("rio", "りお", role="shift_lead")
    with pytest.raises(refund_requests.Refused, match="上限"):
        refund_requests.approve(asked.pk, actor=Actor(by=other))
    assert post(client, operator, "orders:refund-request-approve", asked.pk).status_code == 403
    assert waiting() == asked
    with pytest.raises(refund_requests.Refused, match="申請した人だけ"):
        refund_requests.withdraw(asked.pk, actor=Actor(by=aoi))
    post(client, lead, "orders:refund-request-withdraw", asked.pk)
    order.refresh_from_db()
    assert order.held_at is None and RefundRequest.objects.get().state == "withdrawn"


def test_an_own_request_stays_unapproved_when_the_limit_rises_meanwhile(client, operator, aoi):
    order = bought(50_000)
    cancel_by_hand(client, operator, order)
    refund_limits.set_limits({Group.objects.get(name="operator").pk: None}, by=aoi)
    with pytest.raises(refund_requests.Refused, match="自分の申請"):
        refund_requests.approve(waiting().pk, actor=Actor(by=operator))


def test_pieces_add_up_to_the_limit(client, operator):
    order = bought(20_000, quantity=3)
    line = order.lines.get()
    ask = {"scope": "pieces", f"line-{line.pk}": 1}
    cancel_by_hand(client, operator, order, **ask, key="k1")
    assert Refund.objects.get().amount == 20_000
    cancel_by_hand(client, operator, order, **ask, key="k2")
    assert (Refund.objects.count(), waiting().kind, waiting().amount) == (1, "pieces", 40_000)


@pytest.mark.parametrize("tick", [{}, {"refund": ""}])
def test_leaving_out_our_refund_does_not_get_around_the_mall_that_pays_back_by_itself(client, operator, tick):
    order = bought(50_000)
    cancel_by_hand(client, operator, order, **tick)
    order.refresh_from_db()
    assert order.cancelled_at is None and waiting().kind == "cancel"


def test_the_bulk_cancel_skips_what_is_over_the_limit_and_says_why(operator):
    small, large = bought(1_000), bought(50_000)
    run = bulk.draft("cancel", [small.pk, large.pk], by=operator)
    bulk.start(run, {"reason": "顧客都合", "keep_off_sale": False})
    run.refresh_from_db()
    assert run.done == [small.pk]
    assert "上限" in str(run.skipped) and str(large.pk) in str(run.skipped)
    large.refresh_from_db()
    assert large.cancelled_at is None


def test_the_look_at_the_limit_costs_the_same_for_many_orders(operator, django_assert_num_queries):
    orders = [bought(1_000) for _ in range(5)]
    for count in (1, 5):
        with django_assert_num_queries(5):
            assert not refund_limits.over_whole(orders[:count], refund=True, actor=Actor(by=operator))


def test_a_person_without_a_limit_pays_one_query(aoi, django_assert_num_queries):
    order = bought(1_000_000)
    with django_assert_num_queries(1):
        assert not refund_limits.over_whole([order], refund=True, actor=Actor(by=aoi))
    with django_assert_num_queries(0):
        assert not refund_limits.over_whole([order], refund=True, actor=SYSTEM)


def test_every_action_that_cancels_is_held_by_the_limit(operator):
    """Whatever the registry offers that may cancel: none of it gives back more than the limit."""
    codes = [action.code for action in actions.offered_to(operator) if action.permission == "orders.cancel_order"]
    assert {"cancel", "cancel_short"} <= set(codes)
    for code in codes:
        order = bought(50_000)
        run = bulk.draft(code, [order.pk], by=operator)
        bulk.start(run, {"reason": "顧客都合", "keep_off_sale": False})
        assert not Refund.objects.filter(order=order).exists()


def test_a_manual_refund_waits_and_runs_with_what_was_typed(client, operator, lead):
    order = bought(50_000, shop=own_shop(), payment_method=PaymentMethod.BANK_TRANSFER)
    line = order.lines.get()
    form = {
        f"piece-{line.pk}": 1,
        "reason": "初期不良",
        "key": f"manual:{order.pk}:0",
        "goodwill": "",
        "deduction": 500,
    }
    post(client, operator, "orders:refund-new", order.pk, **form)
    asked = waiting()
    assert (asked.kind, asked.amount, Refund.objects.exists()) == ("refund", 49_500, False)
    post(client, lead, "orders:refund-request-approve", asked.pk)
    refund = Refund.objects.get()
    assert (refund.amount, refund.reason, refund.cleared_by) == (49_500, "初期不良", lead)
    post(client, operator, "orders:refund-done", refund.pk)  # paying what is approved is nobody's decision any more
    refund.refresh_from_db()
    assert refund.state == "done"


def test_a_refund_that_no_person_decided_is_paid_by_who_may_give_back_so_much(client, operator, lead):
    order = bought(50_000, shop=own_shop(), payment_method=PaymentMethod.BANK_TRANSFER)
    cancel.cancel_orders([order.pk], reason="x", actor=SYSTEM)
    refund = Refund.objects.get()
    task = OrderTask.objects.get(key=refunds.task_key(refund))
    with pytest.raises(NeedsApproval):
        tasks.finish(task.pk, actor=Actor(by=operator))
    post(client, operator, "orders:task-done", task.pk)
    refund.refresh_from_db(), task.refresh_from_db()
    assert (refund.state, task.done_at, waiting().kind) == ("due", None, "complete")
    post(client, lead, "orders:refund-request-approve", waiting().pk)
    refund.refresh_from_db()
    assert (refund.state, refund.cleared_by) == ("due", lead)
    post(client, operator, "orders:task-done", task.pk)
    refund.refresh_from_db()
    assert refund.state == "done"


def returned(order: Order, actor: Actor) -> ReturnCase:
    """A case whose goods are here and graded."""
    Order.objects.filter(pk=order.pk).update(shipped_at=order.ordered_at, fulfillment_state="shipped")
    line = order.lines.get()
    line.shipped_quantity = line.quantity
    line.save(update_fields=["shipped_quantity"])
    case = returns.open_case(order.pk, {line.pk: 1}, reason="defective", key="c", actor=actor)
    returns.approve(case.pk, actor=actor)
    returns.receive(case.pk, {case.lines.get().pk: 1}, actor=actor)
    place = Location.objects.get(code="W1")
    return returns.inspect(case.pk, {(line.sku_id, "good"): 1}, location_id=place.pk, actor=actor)


def test_a_settlement_over_the_limit_waits_and_is_settled_by_who_approves(client, operator, lead):
    order = bought(50_000)
    case = returned(order, Actor(by=operator))
    rows = {f"piece-{line.line_id}": 1 for line in case.lines.all()}
    post(client, operator, "orders:return-settle", case.pk, **rows, note="")
    case.refresh_from_db()
    assert (case.state, waiting().kind, waiting().amount) == ("inspected", "return", 50_000)
    post(client, lead, "orders:refund-request-approve", waiting().pk)
    case.refresh_from_db()
    assert case.state == "settled" and Refund.objects.get().cleared_by == lead


def test_what_can_no_longer_be_done_is_not_approved(client, operator, lead):
    order = bought(50_000)
    cancel_by_hand(client, operator, order)
    Order.objects.filter(pk=order.pk).update(fulfillment_state="shipped")
    with pytest.raises(refund_requests.Refused, match="出荷済み"):
        refund_requests.approve(waiting().pk, actor=Actor(by=lead))
    order.refresh_from_db()
    assert waiting().decided_at is None and order.held_at


def test_fewer_goods_give_back_no_more_than_the_limit_either(client, operator, lead):
    order = bought(20_000, quantity=3)
    line = order.lines.get()
    data = {"version": order.version, f"line-{line.pk}": 1, "step": "save", "reason": "customer", "key": "k"}
    data |= {"asked_by": "customer"}
    post(client, operator, "orders:lines", order.pk, **data)
    assert (waiting().kind, waiting().amount) == ("lines", 40_000)
    post(client, lead, "orders:refund-request-approve", waiting().pk)
    line.refresh_from_db(), order.refresh_from_db()
    assert (line.quantity, order.held_at) == (1, None) and Refund.objects.get().amount == 40_000


def test_the_list_says_who_may_what_and_home_counts_for_who_approves(client, operator, lead, aoi):
    cancel_by_hand(client, operator, bought(50_000))
    cancel_by_hand(client, operator, bought(400_000), key="k2")
    for who, buttons, count in ((operator, 0, None), (lead, 1, 1), (aoi, 2, 2)):
        client.force_login(who)
        page = client.get(reverse("orders:refund-requests")).content.decode()
        assert page.count("承認する</button>") == buttons
        home = client.get("/").context["glance"].tasks
        assert [one.n for one in home if one.label == "返金の承認待ち"] == ([] if count is None else [count])


def test_limits_are_set_by_administrators_and_every_change_is_kept(client, operator, aoi, ben):
    for who in (operator, ben):
        client.force_login(who)
        assert client.get(reverse("orders:refund-limits")).status_code == 403
    client.force_login(aoi)
    page = client.get(reverse("orders:refund-limits"))
    data = {name: "" if page.context["form"][name].value() is None else page.context["form"][name].value()
            for name in page.context["form"].fields}  # fmt: skip
    group = Group.objects.get(name="operator")
    assert data[f"limit-{group.pk}"] == 30_000
    wrong = client.post(reverse("orders:refund-limits"), data | {f"limit-{group.pk}": "-1"})
    assert wrong.status_code == 200 and not RefundLimit.objects.exists()
    client.post(reverse("orders:refund-limits"), data | {f"limit-{group.pk}": "50000"})
    event = RefundLimitEvent.objects.get()
    assert (event.role, event.before, event.after, event.by) == ("operator", 30_000, 50_000, aoi)
    assert refund_limits.limit_of(operator) == 50_000
    client.post(reverse("orders:refund-limits"), data | {f"limit-{group.pk}": ""})
    assert refund_limits.limit_of(operator) is None
    with pytest.raises(Exception, match="append-only"):
        RefundLimitEvent.objects.update(after=1)
