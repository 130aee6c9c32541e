"""A receipt whose money went back: the kept file stays, every copy from then on says so."""

import pytest
from django.urls import reverse

from orders.channel_order import PaymentState, Totals
from orders.documents.bill import BillKind
from orders.documents.values import Party
from orders.models import Order
from orders.queries.papers import refunded_since
from orders.services import document_files, documents, payment, refunds
from orders.services.journal import Actor
from tests.orders.builders import make_line
from tests.orders.test_papers import bought, issue, pdf_text

pytestmark = pytest.mark.django_db


def paid() -> Order:
    fields = {"payment_state": PaymentState.UNPAID, "paid_at": None}
    order = bought(make_line("CHAIR", 2, 11000), totals=Totals(goods=22000, total=22000), **fields)
    payment.record_payments([order.pk], actor=Actor(), note="振込")
    return Order.objects.select_related("shop").get(pk=order.pk)


def given_back(order: Order, pieces: int) -> None:
    wish = refunds.Wish({order.lines.get().pk: pieces})
    refund = refunds.open_refund(order.pk, key=f"r{pieces}", wish=wish, reason="返品", actor=Actor())
    refunds.complete([refund.pk], actor=Actor())


def test_a_copy_of_a_receipt_says_what_went_back_and_the_kept_file_does_not(client_of, aoi):
    order = paid()
    receipt = issue(order, BillKind.RECEIPT)
    before = document_files.file_of(receipt)
    assert refunded_since(receipt) is None and document_files.copy_for_buyer(receipt) == before
    given_back(order, 1)
    assert document_files.file_of(receipt) == before and "返金" not in pdf_text(before)
    for copy in (document_files.copy_for_buyer(receipt), document_files.reissue(receipt, reason="紛失", by=None)):
        assert "¥11,000 を" in pdf_text(copy) and "返金しました" in pdf_text(copy)
    page = client_of(aoi).get(reverse("orders:paper", args=[receipt.pk])).content.decode()
    assert "返金を印字した再発行" in page and "¥11,000" in page


def test_an_invoice_says_nothing_of_refunds():
    order = paid()
    invoice = issue(order)
    given_back(order, 1)
    assert refunded_since(invoice) is None


def test_the_partner_of_a_paper_is_the_company_before_the_person():
    assert documents.partner_of(Party(name="経理部", company="株式会社山田商店")) == "株式会社山田商店 経理部"
    assert documents.partner_of(Party(name="佐藤 恵")) == "佐藤 恵" and documents.partner_of(None) == ""
