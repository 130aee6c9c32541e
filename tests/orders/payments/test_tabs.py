"""The tabs above the screens of payments say what waits behind them."""

import pytest
from django.urls import reverse

from orders.models import OrderTask, TaskKind
from orders.services import payment, refunds, tasks
from orders.services.journal import Actor
from tests.orders.payments.builders import unpaid

pytestmark = pytest.mark.django_db
SCREENS = ("orders:payments", "orders:matching", "orders:payments-expired", "orders:refunds", "orders:payment-terms")


def test_the_refunds_tab_counts_refunds_to_pay_and_payments_to_report(client_of, aoi):
    client, actor, order = client_of(aoi), Actor(by=aoi), unpaid()
    assert all(client.get(reverse(name)).context["refunds_waiting"] == 0 for name in SCREENS)
    tasks.ask([tasks.NewTask("report:1", order.pk, "入金をモールへ報告する", TaskKind.REPORT)], actor=actor)
    assert client.get(reverse("orders:payments")).context["refunds_waiting"] == 1
    payment.record_payments([order.pk], actor=actor)
    refunds.open_refund(order.pk, key="r", wish=refunds.Wish(), reason="初期不良", actor=actor)
    waiting = 1 + OrderTask.objects.filter(kind=TaskKind.REPORT, done_at=None).count()
    assert waiting >= 2
    pages = [client.get(reverse(name)) for name in SCREENS]
    assert [page.context["refunds_waiting"] for page in pages] == [waiting] * len(SCREENS)
    badge = f'返金 <span class="badge" data-tone="attention">{waiting}</span>'
    assert all(badge in page.content.decode() for page in pages)
