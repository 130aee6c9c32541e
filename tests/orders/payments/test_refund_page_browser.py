"""The refund page reckons while one types."""

import pytest
from playwright.sync_api import expect

from orders.models import Refund
from orders.services import payment
from orders.services.journal import Actor
from tests.orders.payments.builders import unpaid

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_sums_follow_what_is_typed_and_nothing_is_opened_by_looking(page_as, person_with):
    order = unpaid()
    payment.record_payments([order.pk], actor=Actor())
    page = page_as(person_with("accounting"))
    page.goto(f"/orders/{order.pk}/refund/")
    plan = page.locator("#refund-plan")
    expect(plan).to_contain_text("ここに返金額が出ます")
    page.locator(f"[name=piece-{order.lines.get().pk}]").fill("1")
    page.locator("[name=goodwill]").fill("200")
    page.keyboard.press("Tab")
    expect(plan).to_contain_text("¥1,200")
    assert not Refund.objects.exists()
    page.get_by_label("理由").fill("初期不良")
    page.get_by_role("button", name="返金の手配をする").click()
    page.wait_for_url(f"**/orders/{order.pk}/payment/")
    assert Refund.objects.get().amount == 1200
