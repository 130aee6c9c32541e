"""A fee or discount put onto an order by hand: its sums, what follows, where it is refused."""

import pytest
from django.urls import reverse

from orders.channel_order import PaymentMethod
from orders.models import OrderTask
from orders.services import audit, payment
from orders.services.adjust import adjust
from orders.services.adjustments import New
from orders.services.edit import TooLate
from orders.services.journal import Actor
from tests.orders.builders import make_shop
from tests.orders.payments.test_fee_follows_goods import cash, fresh

pytestmark = pytest.mark.django_db


def test_a_discount_lowers_the_total_once_and_asks_for_the_same_at_the_cart(client_of, aoi, ben):
    order, client = cash(fee=0), client_of(aoi)
    url = reverse("orders:adjust", args=[order.pk])
    form = client.get(url).context["form"]
    told = {"kind": "discount", "amount": "500", "label": "お詫びの値引", "key": form["key"].value()}
    for _again in range(2):
        client.post(url, told)
    order = fresh(order)
    assert (order.discount, order.total) == (500, 8_000) and audit.violations() == []
    assert "お詫びの値引" in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert order.events.get(kind="adjusted").by == aoi
    assert "合計を ¥8,000 に変える" in OrderTask.objects.get(order=order).text
    assert client_of(ben).post(url, told).status_code == 403


def test_what_was_paid_too_much_or_is_missing_by_then_is_said():
    for kind, code in (("discount", "paid_over"), ("fee", "paid_short")):
        order = cash(fee=0, method=PaymentMethod.BANK_TRANSFER)
        payment.record_payments([order.pk], actor=Actor())
        adjust(order.pk, New(order.pk, kind, "調整", 300, "hand:1"), actor=Actor())
        assert order.reasons.get(code=code).state == "open"


def test_a_malls_total_and_more_than_the_total_are_refused():
    mall, own = cash(fee=0, shop=make_shop()), cash(fee=0)
    for order, amount, why in ((mall, 100, "モールが決める"), (own, 99_999, "値引が合計を超えて")):
        with pytest.raises(TooLate) as late:
            adjust(order.pk, New(order.pk, "discount", "値引", amount, "hand:1"), actor=Actor())
        assert why in late.value.cause
