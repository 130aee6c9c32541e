"""The payment screens: who may, and what one sees and does there."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from oms.kernel import clock
from orders.models import BankLine, BankMatch, Order, PaymentGate, Refund
from tests.orders.payments.builders import notice, own_shop, unpaid

pytestmark = pytest.mark.django_db
PAGES = ("payments", "payments-expired", "matching", "refunds", "payment-terms")


def test_accounting_does_everything_and_others_nothing(client_of, person_with, ben, chie):
    order = unpaid()
    client = client_of(person_with("accounting"))
    for name in PAGES:
        assert client.get(reverse(f"orders:{name}")).status_code == 200, name
    for who in (ben, chie):
        for name in PAGES:
            assert client_of(who).get(reverse(f"orders:{name}")).status_code == 403
        for name in ("bank-load", "bank-columns", "match-sure"):
            assert client_of(who).post(reverse(f"orders:{name}")).status_code == 403
        for name in ("payment-record", "payment-waive", "refund-new"):
            assert client_of(who).post(reverse(f"orders:{name}", args=[order.pk])).status_code == 403
    assert client.get(reverse("orders:payment", args=[order.pk])).status_code == 200
    assert client.get(reverse("orders:bank-load")).status_code == 405


def test_a_file_is_loaded_matched_and_undone_on_the_screen(client_of, person_with):
    order, client = unpaid(), client_of(person_with("accounting"))
    upload = SimpleUploadedFile("bank.txt", notice([(clock.today(), 1500, "ヤマダ ハナコ")]))
    page = client.post(reverse("orders:bank-load"), {"file": upload}, follow=True).content.decode()
    assert "1件の入金を取り込みました" in page and order.channel_order_no in page
    client.post(reverse("orders:match-sure"), {"line": [BankLine.objects.get().pk]})
    order.refresh_from_db()
    assert order.payment_state == "paid"
    client.post(reverse("orders:match-undo", args=[BankMatch.objects.get().pk]))
    order.refresh_from_db()
    assert order.payment_state == "unpaid"
    client.post(reverse("orders:match-accept", args=[BankLine.objects.get().pk]), {"order": [order.pk]})
    form = reverse("orders:refund-new", args=[order.pk])
    data = {f"piece-{order.lines.get().pk}": 1, "fees": ["shipping"], "reason": "初期不良"}
    assert "¥1,500" in client.post(form, {**data, "preview": "1"}).content.decode()
    client.post(form, data)
    client.post(reverse("orders:refund-done", args=[Refund.objects.get().pk]))
    assert Refund.objects.get().state == "done" and Order.objects.get().payment_state == "refunded"
    assert client.get(reverse("orders:payment", args=[order.pk])).status_code == 200


def test_terms_are_checked_and_saved(client_of, person_with):
    own_shop()
    client, url = client_of(person_with("accounting")), reverse("orders:payment-terms-edit", args=["own-1"])
    data = {"method": "bank_transfer", "collector": "us", "ships_when": "paid", "due_days": 5, "remind_days": 3,
            "final_days": 2, "cancel_days": 9, "scarce_days": 0}  # fmt: skip
    assert "督促より後" in client.post(url, data).content.decode() and not PaymentGate.objects.exists()
    client.post(url, data | {"final_days": 6})
    assert PaymentGate.objects.get().final_days == 6


def test_a_longer_list_costs_no_more_queries(client_of, person_with, django_assert_max_num_queries):
    client = client_of(person_with("accounting"))
    for number in range(6):
        unpaid(number=number)
    client.get(reverse("orders:payments"))
    with django_assert_max_num_queries(22):
        client.get(reverse("orders:payments"))
    with django_assert_max_num_queries(22):
        client.get(reverse("orders:matching"))
