"""What an account owed when it moved in, what came for it, and what returns put on or take off its next bill."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.decide.matching import Group
from orders.models import (
    AccountEntry,
    BankMatch,
    BillingAccount,
    IssuedDocument,
    MonthlyBill,
    Order,
    Refund,
    ReviewReason,
)
from orders.queries import billing as reading
from orders.queries import matching as matching_queries
from orders.services import account_balance, billing, document_files, ledger, matching, payment, returns
from orders.services.account_balance import Refused
from orders.services.audit_money import violations
from orders.services.journal import Actor
from tests.orders.builders import make_line, make_location, make_shop, make_sku
from tests.orders.returns.test_returns import received, shipped
from tests.orders.test_billing import account_of, close, sold, transfer
from tests.orders.test_papers import pdf_text

pytestmark = pytest.mark.django_db
TODAY = clock.today


def opened(order: Order, amount: int = 50000, *, days_ago: int = 40, **fields) -> BillingAccount:
    account = account_of(order, **fields)
    on = TODAY() - timedelta(days=days_ago)
    assert account_balance.set_opening(account.pk, amount, on, note="前のシステム", actor=Actor())
    return BillingAccount.objects.get(pk=account.pk)


def rest(account: BillingAccount) -> int:
    return reading.balances([account.pk])[account.pk].rest


def test_what_was_owed_before_is_what_the_first_bill_begins_with():
    order = sold(make_line("CUP", 1, 1100), totals=Totals(goods=1100, total=1100))
    account = opened(order)
    bill = close(account)
    assert (bill.before, bill.received, bill.adjusted, bill.sales, bill.due) == (50000, 0, 0, 1100, 51100)
    page = pdf_text(document_files.file_of(bill.document)).replace(" ", "")
    assert "¥50,000" in page and "¥51,100" in page and "調整額" not in page
    account_balance.record(account.pk, 50000, TODAY(), note="振込", key="k", actor=Actor())
    [(own, left)] = reading.bills_of(account)
    assert own == bill and left == 1100
    following = reading.closing_of(account, TODAY()).statement
    assert (following.before, following.received, following.adjustments) == (51100, 50000, ())


def test_money_that_comes_before_the_first_bill_lowers_it():
    account = opened(sold())
    account_balance.record(account.pk, 20000, TODAY(), note="", key="k", actor=Actor())
    assert not account_balance.record(account.pk, 20000, TODAY(), note="", key="k", actor=Actor())
    statement = reading.closing_of(account, TODAY()).statement
    assert (statement.before, statement.received) == (50000, 20000)
    with pytest.raises(Refused):
        account_balance.record(account.pk, 30001, TODAY(), note="", key="more", actor=Actor())
    entry = AccountEntry.objects.get(kind="recorded")
    assert account_balance.undo_recorded(account.pk, entry.pk, actor=Actor())
    assert not account_balance.undo_recorded(account.pk, entry.pk, actor=Actor())
    assert rest(account) == 50000


def test_a_correction_is_a_further_entry_and_stands_on_the_next_bill():
    account = opened(sold())
    on = account.opening_on
    first = close(account, TODAY() - timedelta(days=30))
    assert first.due == 50000
    with pytest.raises(Refused, match="理由"):
        account_balance.set_opening(account.pk, 48000, on, note=" ", actor=Actor())
    with pytest.raises(Refused, match="基準日"):
        account_balance.set_opening(account.pk, 48000, on - timedelta(days=1), note="日", actor=Actor())
    assert account_balance.set_opening(account.pk, 48000, on, note="値引の漏れ", actor=Actor())
    assert not account_balance.set_opening(account.pk, 48000, on, note="値引の漏れ", actor=Actor())
    assert list(AccountEntry.objects.values_list("kind", "amount")) == [("opening", 50000), ("corrected", -2000)]
    bill = close(account)
    assert (bill.before, bill.received, bill.adjusted) == (50000, 0, -2000)
    assert bill.due == 48000 + bill.sales
    page = pdf_text(document_files.file_of(bill.document)).replace(" ", "")
    assert "調整額" in page and "開始残高の訂正" in page
    billing.void(bill.document_id, reason="出し直し", actor=Actor())
    assert close(account).adjusted == -2000 and violations() == []


def test_before_any_bill_the_day_can_be_corrected_too():
    account = opened(sold(), days_ago=20)
    on = TODAY() - timedelta(days=25)
    assert account_balance.set_opening(account.pk, 40000, on, note="日と額", actor=Actor())
    assert account_balance.opening_of(account.pk) == 40000
    assert BillingAccount.objects.get().opening_on == on
    assert close(BillingAccount.objects.get()).before == 40000


def test_entries_are_never_changed():
    account = opened(sold())
    for sql in ("UPDATE orders_accountentry SET amount = 1", "DELETE FROM orders_accountentry"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert rest(account) == 50000


def test_what_left_before_the_day_is_in_the_balance_already():
    old = sold(days_ago=45)
    account = opened(old)
    fresh = sold(days_ago=2)
    closing = reading.closing_of(account, TODAY())
    assert [pk for pk, _amount in closing.orders] == [fresh.pk] and reading.count_elsewhere(account) == 1
    assert old.pk not in {order.pk for order in matching_queries.open_orders()}
    [row] = reading.account_rows()
    assert row.used == 50000 + (fresh.total or 0)


def test_what_was_owed_before_counts_against_the_credit_limit():
    opened(sold(days_ago=60), 14000, credit_limit=15000)
    order = sold(make_line("CHAIR", 1, 2000), totals=Totals(goods=2000, total=2000))
    codes = ReviewReason.objects.filter(code="credit_over_limit", state="open").values_list("order", flat=True)
    assert list(codes) == [order.pk]


def test_a_transfer_of_the_opening_balance_is_sure_and_can_be_taken_back(client_of, aoi):
    account = opened(sold(days_ago=60), name="ヤマダ商店")
    line = transfer(50000, matching_queries.payer_key("ヤマダ商店"))
    owing = matching_queries.owing_accounts()
    [found] = matching_queries.proposals(matching_queries.open_lines(), [], owing)
    assert found.group == Group.SURE and list(found.orders) == [-account.pk]
    page = client_of(aoi).get(reverse("orders:matching")).content.decode()
    assert "開始残高・調整" in page and reverse("orders:billing-account", args=[account.pk]) in page
    client_of(aoi).post(reverse("orders:match-sure"), {"line": line.pk})
    match = BankMatch.objects.get()
    assert (match.account, match.order, match.amount) == (account, None, 50000) and rest(account) == 0
    assert violations() == []
    assert "開始残高・調整" in client_of(aoi).get(reverse("orders:matching")).content.decode()
    client_of(aoi).post(reverse("orders:match-undo", args=[match.pk]))
    assert rest(account) == 50000 and violations() == []
    line.refresh_from_db()
    assert line.state == "open"


def test_a_transfer_of_the_whole_first_bill_pays_orders_and_opening_balance():
    order = sold(make_line("CUP", 1, 1100), totals=Totals(goods=1100, total=1100))
    account = opened(order)
    bill = close(account)
    [own] = matching_queries.open_orders()
    line = transfer(bill.due, matching_queries.payer_key(own.buyer_kana or own.buyer_name))
    [(line_id, amounts)] = matching_queries.sure_pairs([line.pk])
    assert amounts == {order.pk: 1100, -account.pk: 50000}
    matching.accept(line_id, amounts, actor=Actor())
    assert reading.bills_of(account) == [(bill, 0)] and rest(account) == 0 and violations() == []


def test_a_transfer_never_pays_more_than_the_account_owes_beside_its_orders():
    account = opened(sold(days_ago=60))
    line = transfer(60000)
    with pytest.raises(matching.CannotMatch, match="50,000"):
        matching.accept(line.pk, {-account.pk: 60000}, actor=Actor())
    assert not BankMatch.objects.exists()


def on_account(price: int = 6000):
    shop = make_shop("own-1", channel="own", registration_no="T8010401000002", capabilities={"mail": "free"})
    chair = make_sku(stock_units=5)
    unpaid = {"payment_method": PaymentMethod.ACCOUNT, "payment_state": PaymentState.UNPAID}
    order = shipped(shop, make_line("CHAIR", 2, price=price), skus=[chair], **unpaid)
    return order, chair, account_of(order)


def came_back(order: Order, chair, **settlement):
    line = order.lines.get()
    case = received(returns.open_case(order.pk, {line.pk: 1}, reason="customer", key="k", actor=Actor()))
    returns.inspect(case.pk, {(chair.pk, "good"): 1}, location_id=make_location().pk, actor=Actor())
    returns.settle(case.pk, returns.Settlement({line.pk: 1}, **settlement), actor=Actor())
    return case


def test_freight_that_the_buyer_bears_is_put_on_the_next_bill():
    order, chair, account = on_account()
    case = came_back(order, chair, deduction=800)
    assert "6,000 を差し引き" in case.events.get(kind="settled").text
    entry = AccountEntry.objects.get()
    assert (entry.kind, entry.amount) == ("freight", 800) and order.channel_order_no in entry.note
    bill = close(account)
    assert not Refund.objects.exists() and (bill.adjusted, bill.due) == (800, order.total - 6000 + 800)
    assert "返送料のご負担" in pdf_text(document_files.file_of(bill.document)).replace(" ", "")


def test_what_comes_back_of_a_partly_paid_order_is_taken_off_rather_than_paid_out():
    order, chair, account = on_account()
    payment.record_payments([order.pk], actor=Actor(), amount=order.total - 7000, on=TODAY(), note="一部")
    came_back(order, chair)
    assert not Refund.objects.exists() and IssuedDocument.objects.get(kind="credit_note").amount == 6000
    assert close(account).due == 1000 and violations() == []


def test_what_a_return_comes_to_is_shown_before_it_is_settled(client_of, aoi):
    order, chair, _account = on_account()
    line = order.lines.get()
    case = received(returns.open_case(order.pk, {line.pk: 1}, reason="customer", key="k", actor=Actor()))
    returns.inspect(case.pk, {(chair.pk, "good"): 1}, location_id=make_location().pk, actor=Actor())
    form = {f"piece-{line.pk}": "1", "deduction": "800", "goodwill": "0", "difference": "0", "preview": "1"}
    page = client_of(aoi).post(reverse("orders:return-settle", args=[case.pk]), form).content.decode()
    assert "請求を ¥6,000 減らします" in page and not AccountEntry.objects.exists()


def test_an_order_whose_lock_is_held_waits_for_no_account(race):
    order, _chair, account = on_account()

    def settles() -> None:
        with transaction.atomic():
            ledger.lock([order.pk])
            account_balance.charge_freight("k", account.pk, 800, note="", actor=Actor())

    with transaction.atomic():
        account_balance.lock([account.pk])
        outcome = race(1, lambda _number: settles())
    assert outcome == [None] and AccountEntry.objects.get().amount == 800


def test_money_of_a_paid_order_goes_back_as_a_refund():
    order, chair, _account = on_account()
    payment.record_payments([order.pk], actor=Actor(), on=TODAY(), note="全額")
    came_back(order, chair, deduction=800)
    assert Refund.objects.get().amount == 5200 and not AccountEntry.objects.exists()


def test_an_account_moves_in_on_screens_without_an_order(client_of, aoi, ben):
    order = sold()
    member, client = order.member, client_of(aoi)
    url = reverse("orders:billing-new") + f"?member={member.pk}"
    values = {"name": "山田商店", "closing_day": 31, "pay_months": 1, "pay_day": 31, "qualified": "bill"}
    assert 'name="shop"' in client.get(url).content.decode()
    assert client.post(url, values).status_code == 200  # the shop is missing
    assert client.post(url, values | {"shop": order.shop_id}).status_code == 302
    account = BillingAccount.objects.get()
    page = reverse("orders:billing-account", args=[account.pk])
    opening = reverse("orders:billing-opening", args=[account.pk])
    assert opening in client.get(page).content.decode()
    on = (TODAY() - timedelta(days=30)).isoformat()
    assert client.post(opening, {"on": on, "amount": 30000, "note": ""}).url == page
    shown = client.get(page).content.decode()
    assert "開始残高を訂正" in shown and "¥30,000" in shown and "開始残高への入金を登録する" in shown
    assert "訂正の理由" in client.get(opening).content.decode()
    assert "このフィールドは必須です" in client.post(opening, {"on": on, "amount": 1, "note": ""}).content.decode()
    came = {"came_on": TODAY().isoformat(), "amount": 10000, "note": "現金", "key": "one"}
    for _twice in range(2):
        client.post(reverse("orders:billing-came", args=[account.pk]), came)
    assert rest(account) == 20000
    entry = AccountEntry.objects.get(kind="recorded")
    client.post(reverse("orders:billing-came-undo", args=[account.pk, entry.pk]))
    assert rest(account) == 30000
    for path in (opening, reverse("orders:billing-came", args=[account.pk])):
        assert client_of(ben).post(path, came).status_code == 403
    assert MonthlyBill.objects.count() == 0
