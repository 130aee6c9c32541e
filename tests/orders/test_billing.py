"""掛売: orders that left, closed into one bill a month; what was owed, what came, what is to be paid."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from fulfillment.documents import delivery_notes
from fulfillment.models import Shipment
from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.decide import billing as days
from orders.decide.matching import Group
from orders.documents.bill import BillKind
from orders.documents.credit import Wish
from orders.models import (
    BankFile,
    BankLine,
    BillingAccount,
    IssuedDocument,
    Mail,
    MonthlyBill,
    Order,
    Refund,
    ReviewReason,
)
from orders.queries import billing as reading
from orders.queries import matching as matching_queries
from orders.services import billing, document_files, documents, matching, payment, returns
from orders.services.audit_money import violations
from orders.services.documents import Refused
from orders.services.journal import Actor
from orders.services.return_papers import credit_note_of
from tests.orders.builders import make_line, make_location, make_shop, make_sku
from tests.orders.returns.test_returns import received, shipped
from tests.orders.test_papers import bought, pdf_text

pytestmark = pytest.mark.django_db
TODAY = clock.today


def sold(*lines, days_ago: int = 1, **fields) -> Order:
    """An order on account that has left."""
    on = {"payment_method": PaymentMethod.ACCOUNT, "payment_state": PaymentState.UNPAID, "paid_at": None}
    order = bought(*lines, **(on | fields))
    Order.objects.filter(pk=order.pk).update(shipped_at=clock.now() - timedelta(days=days_ago))
    return Order.objects.select_related("shop", "member").get(pk=order.pk)


def account_of(order: Order, **fields) -> BillingAccount:
    values = {"name": "株式会社山田商店"} | fields
    return billing.save_account(BillingAccount(shop=order.shop, member=order.member), values, by=None)


def close(account: BillingAccount, on: date | None = None) -> MonthlyBill:
    closed = billing.close([account.pk], on or TODAY(), actor=Actor())
    assert not closed.refused, closed.refused
    return closed.bills[0]


def transfer(amount: int, payer: str = "ヤマダ") -> BankLine:
    file = BankFile.objects.create(name="b", layout="csv", lines_read=1, fresh=1, at=clock.now())
    return BankLine.objects.create(
        file=file, key=f"{amount}{payer}", on=TODAY(), amount=amount, payer=payer, payer_key=payer
    )


@pytest.mark.parametrize(
    ("day", "until", "closing"),
    [
        (31, date(2026, 2, 28), date(2026, 2, 28)),
        (31, date(2026, 3, 30), date(2026, 2, 28)),
        (20, date(2026, 1, 19), date(2025, 12, 20)),
        (20, date(2026, 1, 20), date(2026, 1, 20)),
    ],
)
def test_a_closing_is_the_last_day_of_its_kind(day, until, closing):
    assert days.closing_before(day, until) == closing


def test_it_is_paid_so_many_months_later():
    assert days.due_on(date(2026, 1, 31), 1, 31) == date(2026, 2, 28)
    assert days.due_on(date(2026, 11, 20), 2, 10) == date(2027, 1, 10)
    assert days.due_on(date(2026, 11, 20), 0, 10) == date(2026, 11, 20)
    assert days.begin_of(date(2026, 3, 31), 31, None) == date(2026, 3, 1)


def test_a_months_orders_are_one_bill_with_tax_rounded_once():
    orders = [
        sold(make_line("CUP", 1, 115), totals=Totals(goods=115, total=115), days_ago=n) for n in (3, 2, 1)
    ]  # fmt: skip
    account = account_of(orders[0])
    bill = close(account)
    assert (bill.before, bill.received, bill.sales, bill.due) == (0, 0, 345, 345)
    assert bill.document.rates == [[10, False, 345, 31]]  # each note alone would make 10 + 10 + 10
    page = pdf_text(document_files.file_of(bill.document))
    assert "合計請求書" in page.replace(" ", "") and "株式会社山田商店" in page and "T8010401000002" in page
    assert all(order.channel_order_no[-6:] in page for order in orders) and "¥345" in page
    assert {o.pay_by.date() for o in Order.objects.all()} == {bill.due_on}
    assert "まで締めてあります" in billing.close([account.pk], TODAY(), actor=Actor()).refused[account.pk]


def test_what_came_and_what_is_still_owed_stand_on_the_next_bill():
    first, second = sold(days_ago=40), sold(days_ago=35)
    account = account_of(first)
    before = close(account, TODAY() - timedelta(days=30))
    payment.record_payments([first.pk], actor=Actor(), on=TODAY(), note="振込")
    third = sold(days_ago=2)
    bill = close(account)
    assert bill.before == before.due == first.total + second.total
    assert (bill.received, bill.sales) == (first.total, third.total)
    assert bill.due == second.total + third.total
    statement = reading.closing_of(account, TODAY()).statement
    assert statement.before == bill.due and statement.received == 0 and not statement.deliveries


def test_what_was_given_back_of_an_unpaid_order_is_taken_off():
    order = sold(make_line("CHAIR", 2, 11000), totals=Totals(goods=22000, total=22000))
    account = account_of(order)
    line = str(order.lines.get().pk)
    note = documents.issue_credit_note(order.pk, Wish({line: 1}), day=TODAY(), reason="返品", actor=Actor())
    bill = close(account)
    assert (bill.sales, bill.due) == (11000, 11000) and bill.document.rates == [[10, False, 11000, 1000]]
    order.refresh_from_db()
    assert order.paid_amount == 11000 and reading.rests([order.pk]) == {order.pk: 11000}
    assert "返品・値引" in pdf_text(document_files.file_of(bill.document))
    with pytest.raises(Refused):
        documents.void(note, reason="誤り", actor=Actor())
    billing.void(bill.document_id, reason="出し直し", actor=Actor())
    order.refresh_from_db()
    assert order.paid_amount == 0 and order.payment_state == "unpaid"
    assert close(account).due == 11000
    assert violations() == []


def test_what_comes_back_after_its_bill_lowers_the_next_one():
    order = sold(make_line("CHAIR", 2, 11000), totals=Totals(goods=22000, total=22000), days_ago=40)
    account = account_of(order)
    first = close(account, TODAY() - timedelta(days=30))
    wish = Wish({str(order.lines.get().pk): 1})
    note = documents.issue_credit_note(order.pk, wish, day=TODAY(), reason="返品", actor=Actor())
    assert first.document.number in pdf_text(document_files.file_of(IssuedDocument.objects.get(pk=note)))
    bill = close(account)
    assert (bill.before, bill.received, bill.sales, bill.due) == (22000, 0, -11000, 11000)
    assert bill.document.rates == [[10, False, -11000, -1000]]
    assert reading.closing_of(account, TODAY()).statement.received == 0 and violations() == []


def test_money_that_came_before_the_bill_lowers_it():
    order = sold(make_line("CHAIR", 1, 11000), totals=Totals(goods=11000, total=11000))
    account = account_of(order)
    payment.record_payments([order.pk], actor=Actor(), on=TODAY(), note="先に")
    bill = close(account)
    assert (bill.received, bill.sales, bill.due) == (11000, 11000, 0)


def test_only_an_accounts_last_bill_can_be_voided():
    order = sold(days_ago=40)
    account = account_of(order)
    first = close(account, TODAY() - timedelta(days=30))
    sold(days_ago=2)
    second = close(account)
    with pytest.raises(Refused):
        billing.void(first.document_id, reason="x", actor=Actor())
    billing.void(second.document_id, reason="x", actor=Actor())
    billing.void(first.document_id, reason="x", actor=Actor())
    assert reading.unbilled(account).count() == 2


def test_the_buyers_orders_have_no_invoice_of_their_own():
    order = sold()
    account_of(order)
    issued = documents.issue([order.pk], BillKind.INVOICE, actor=Actor())
    assert "合計請求書" in issued.refused[order.pk]


def test_where_the_notes_are_the_invoices_the_bill_claims_to_be_none():
    orders = [sold(make_line("CUP", 1, 115), totals=Totals(goods=115, total=115)) for _ in range(3)]
    bill = close(account_of(orders[0], qualified="note"))
    assert bill.document.rates == [[10, False, 345, 30]]
    page = pdf_text(document_files.file_of(bill.document))
    assert "T8010401000002" not in page and "適格請求書（インボイス）は各納品書です" in page


def test_a_transfer_of_what_a_bill_asks_for_is_sure_and_thanks_nobody():
    orders = [sold(make_line("CUP", 1, 115 + n), totals=Totals(goods=115 + n, total=115 + n)) for n in range(8)]
    bill = close(account_of(orders[0]))
    [open_order, *_rest] = matching_queries.open_orders()
    payer = matching_queries.payer_key(open_order.buyer_kana or open_order.buyer_name)
    line = transfer(bill.due, payer)
    found = matching_queries.proposals(matching_queries.open_lines(), matching_queries.open_orders())[0]
    assert found.group == Group.SURE and set(found.orders) == {order.pk for order in orders}
    [(line_id, amounts)] = matching_queries.sure_pairs([line.pk])
    matching.accept(line_id, amounts, actor=Actor())
    assert set(Order.objects.values_list("payment_state", flat=True)) == {"paid"}
    assert not Mail.objects.filter(event="payment_received").exists()
    assert reading.bills_of(bill.account) == [(bill, 0)]


def test_an_order_beyond_the_credit_limit_waits_for_a_person():
    first = sold(make_line("CHAIR", 1, 11000), totals=Totals(goods=11000, total=11000))
    account_of(first, credit_limit=15000)
    second = sold(make_line("CHAIR", 1, 11000), totals=Totals(goods=11000, total=11000))
    codes = ReviewReason.objects.filter(code="credit_over_limit", state="open").values_list("order", flat=True)
    assert list(codes) == [second.pk]


def test_accounts_are_made_and_closed_on_screens(client_of, aoi):
    order, client = sold(days_ago=2), client_of(aoi)
    page = client.get(reverse("orders:billing")).content.decode()
    assert order.channel_order_no in page and "取引先に登録" in page
    url = reverse("orders:billing-new") + f"?order={order.pk}"
    assert client.get(url).status_code == 200
    values = {"name": "山田商店", "closing_day": 31, "pay_months": 1, "pay_day": 31, "qualified": "bill"}
    answer = client.post(url, values)
    account = BillingAccount.objects.get()
    assert answer.url == reverse("orders:billing-account", args=[account.pk])
    assert "登録済み" in client.post(url, values).content.decode()
    assert client.post(reverse("orders:billing-edit", args=[account.pk]), values | {"pay_day": 10}).status_code == 302
    preview = client.get(answer.url, {"on": TODAY().isoformat()}).content.decode()
    assert order.channel_order_no in preview and "締めて発行する" in preview
    made = client.post(reverse("orders:billing-close", args=[account.pk]), {"on": TODAY().isoformat()})
    document = IssuedDocument.objects.get(kind="monthly")
    assert made.url == reverse("orders:paper", args=[document.pk])
    assert document.number in client.get(reverse("orders:order-papers", args=[order.pk])).content.decode()
    assert document.number in client.get(answer.url).content.decode()
    void = reverse("orders:paper-void", args=[document.pk])
    client.post(void, {"reason": "出し直し"})
    assert MonthlyBill.objects.get().voided_at
    BillingAccount.objects.update(closing_day=(TODAY() - timedelta(days=1)).day)
    client.post(reverse("orders:billing-close-many"), {"ids": [account.pk]})
    assert MonthlyBill.objects.filter(voided_at=None).count() == 1


def test_the_list_of_accounts_asks_the_same_however_many_there_are(django_assert_max_num_queries):
    for code in ("own-1", "own-2", "own-3"):
        close(account_of(sold(code=code)))
    with django_assert_max_num_queries(7):
        assert len(reading.account_rows()) == 3


def test_goods_that_come_back_before_they_are_paid_lower_the_next_bill():
    shop = make_shop("own-1", channel="own", registration_no="T8010401000002", capabilities={"mail": "free"})
    chair, unpaid = (
        make_sku(stock_units=5),
        {"payment_method": PaymentMethod.ACCOUNT, "payment_state": PaymentState.UNPAID},
    )
    order = shipped(shop, make_line("CHAIR", 2, price=6000), skus=[chair], **unpaid)
    account = account_of(order)
    [note] = delivery_notes([Shipment.objects.get().pk]).notes
    assert not note.is_invoice and not note.shop.registration_number
    line = order.lines.get()
    case = received(returns.open_case(order.pk, {line.pk: 1}, reason="defective", key="k", actor=Actor()))
    returns.inspect(case.pk, {(chair.pk, "good"): 1}, location_id=make_location().pk, actor=Actor())
    returns.settle(case.pk, returns.Settlement({line.pk: 1}, note="掛売"), actor=Actor())
    assert credit_note_of(case).amount == 6000 and not Refund.objects.exists()
    bill = close(account)
    assert bill.due == order.total - 6000
    BillingAccount.objects.update(qualified="note")
    [note] = delivery_notes([Shipment.objects.get().pk]).notes
    assert note.is_invoice and note.shop.registration_number


def test_an_order_whose_bill_was_voided_forgets_its_day_and_gets_that_of_the_next():
    order = sold(make_line("CHAIR", 1, price=1000))
    account = account_of(order, pay_months=1)
    first = close(account)
    billing.void(first.document_id, reason="条件の変更", actor=Actor())
    assert Order.objects.get(pk=order.pk).pay_by is None
    billing.save_account(account, {"pay_months": 2}, by=None)
    second = close(account)
    assert second.due_on > first.due_on
    assert clock.in_tokyo(Order.objects.get(pk=order.pk).pay_by).date() == second.due_on
