"""Numbers for convenience stores and deferred payments: what a person does on the provider's page."""

from dataclasses import replace

import pytest

from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import OrderTask
from orders.services import payment, payment_method, tasks
from orders.services.cancel import cancel_orders
from orders.services.facts import Fulfilment, write_fulfilment
from orders.services.journal import Actor
from tests.orders.builders import make_shop
from tests.orders.payments.test_fee_follows_goods import cash, fresh, goods_to, take

pytestmark = pytest.mark.django_db


def asked() -> list[str]:
    return [
        text
        for text in OrderTask.objects.filter(done_at=None).values_list("text", flat=True)
        if "支払" in text or "後払い" in text
    ]


def test_an_unpaid_number_is_issued_anew_for_another_total_in_both_directions():
    order = cash(fee=0, method=PaymentMethod.CONVENIENCE)
    goods_to(order, 3)
    take(order, 1)
    [last] = asked()
    assert "¥8,500 で" in last, "only the last total is told"


def test_a_deferred_payment_is_reviewed_anew_and_what_was_paid_or_a_mall_collects_is_not():
    deferred = cash(fee=0, method=PaymentMethod.DEFERRED, payment_state=PaymentState.AUTHORIZED)
    take(deferred, 1)
    assert len(asked()) == 1 and "後払いの請求額を ¥4,500 に変え" in asked()[0]
    paid, mall = (
        cash(fee=0, method=PaymentMethod.CONVENIENCE),
        cash(fee=0, method=PaymentMethod.CONVENIENCE, shop=make_shop()),
    )
    payment.record_payments([paid.pk], actor=Actor())
    take(paid, 1)
    take(mall, 1)
    assert len(asked()) == 1


def test_a_number_is_voided_when_a_person_cancels_and_runs_out_by_itself_otherwise(aoi):
    by_hand, swept = (cash(fee=0, method=PaymentMethod.CONVENIENCE) for _ in range(2))
    cancel_orders([by_hand.pk], reason="顧客都合", actor=Actor(by=aoi))
    cancel_orders([swept.pk], reason="未入金", actor=Actor())
    task = OrderTask.objects.get(kind="void")
    assert task.order == by_hand and "支払番号を取り消す" in task.text


def test_what_the_old_way_left_open_is_voided_when_the_way_to_pay_changes(aoi):
    number, review = cash(fee=0, method=PaymentMethod.CONVENIENCE), cash(fee=0, method=PaymentMethod.DEFERRED)
    payment_method.change([number.pk, review.pk], PaymentMethod.BANK_TRANSFER, actor=Actor(by=aoi, action="a"))
    told = dict(OrderTask.objects.filter(kind="void").values_list("order", "text"))
    assert "支払番号を取り消す" in told[number.pk] and "審査の申込みを取り消す" in told[review.pk]


def test_an_application_for_deferred_payment_is_withdrawn_with_its_order(aoi):
    order = cash(fee=0, method=PaymentMethod.DEFERRED)
    take(order, 1)
    cancel_orders([order.pk], reason="顧客都合", actor=Actor(by=aoi))
    [only] = asked()
    assert "審査の申込みを取り消す" in only


def test_a_bill_that_is_paid_later_needs_the_parcels_number_and_is_money_once_that_is_told():
    order = cash(fee=0, method=PaymentMethod.DEFERRED, payment_state=PaymentState.AUTHORIZED)
    left = Fulfilment(order.pk, "full", "shipped", "", "1234-5678-9012", clock.now(), clock.now())
    write_fulfilment([left])
    write_fulfilment([replace(left, tracking_label="2222-3333-4444")])
    [task] = OrderTask.objects.filter(order=order, kind="capture", done_at=None)
    assert "送り状番号 2222-3333-4444 と請求額 ¥8,500" in task.text, "as it was corrected since"
    tasks.finish(task.pk, actor=Actor())
    assert fresh(order).payment_state == "paid"
