"""見積書 from the form for orders taken by hand: no order, no stock; later an order, or a new quote in its place."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from oms.kernel import clock
from orders.channel_order import PaymentMethod
from orders.decide.manual import Charges, Draft, Item
from orders.models import DocumentEvent, IssuedDocument, ManualOrder, Order, OrderEvent, Quote
from orders.services import document_files, manual, quotes
from orders.services.journal import SYSTEM
from tests.orders.builders import TOKYO_PARTY, make_sku
from tests.orders.test_papers import pdf_text

pytestmark = pytest.mark.django_db


def typed(client, **values) -> dict:
    """The form as a person fills it in for a quote: a name is enough."""
    page = client.get(reverse("orders:manual-new"))
    key = page.context["form"]["key"].value()
    return {
        "key": key, "rows": "2", "source": "phone", "method": "bank_transfer",
        "delivery_method": "宅急便（ヤマト運輸）",
        "buyer_name": "株式会社山田商店", "line-0-sku": "CHAIR", "line-0-quantity": "20", "line-0-price": "1100",
        "line-1-sku": "TEA", "line-1-quantity": "3", "shipping": "550", "discount": "1000",
        "quote_note": "納期は10日ほどです。",
    } | values  # fmt: skip


def send(client, values: dict, step: str = "quote"):
    return client.post(reverse("orders:manual-new"), values | {"step": step})


def test_a_quote_is_a_paper_and_nothing_else(client_of, aoi):
    make_sku("CHAIR", stock_units=5), make_sku("TEA", tax_rate=8, price=540)
    client = client_of(aoi)
    values = typed(client)
    answer = send(client, values)
    quote = Quote.objects.select_related("document").get()
    assert answer.url == reverse("orders:paper", args=[quote.document_id])
    assert not Order.objects.exists() and not ManualOrder.objects.exists()
    assert quote.valid_until == clock.today() + timedelta(days=30)
    document = quote.document
    assert (document.kind, document.amount, document.partner) == ("quote", 23170, "株式会社山田商店")
    assert [percent for percent, *_rest in document.rates] == [10, 8]
    page = pdf_text(document_files.file_of(document))
    assert "見積書" in page.replace(" ", "") and "御中" in page and "納期は10日ほどです。" in page and "¥23,170" in page
    send(client, values)  # a double click
    assert IssuedDocument.objects.count() == 1


def test_a_quote_becomes_an_order_once(client_of, aoi):
    make_sku("CHAIR", stock_units=50), make_sku("TEA", tax_rate=8, price=540)
    client = client_of(aoi)
    send(client, typed(client))
    quote = Quote.objects.get()
    assert f"?quote={quote.pk}" in client.get(reverse("orders:paper", args=[quote.document_id])).content.decode()
    page = client.get(reverse("orders:manual-new"), {"quote": quote.pk})
    assert page.context["form"]["buyer_name"].value() == "株式会社山田商店"
    place = {
        "quote": quote.pk, "buyer_phone": "0312345678", "buyer_postal_code": "1500001", "buyer_prefecture": "東京都",
        "buyer_city": "渋谷区", "buyer_address": "神宮前1-1",
    }  # fmt: skip
    send(client, typed(client, **place), step="save")
    quote.refresh_from_db()
    order = Order.objects.get()
    assert quote.order == order and order.total == 23170 and quote.values == {}
    assert OrderEvent.objects.filter(order=order, kind="entered", text__contains="見積書").exists()
    assert order.channel_order_no in client.get(reverse("orders:paper", args=[quote.document_id])).content.decode()
    send(client, typed(client, **place), step="save")
    quote.refresh_from_db()
    assert Order.objects.count() == 2 and quote.order == order


def test_a_quote_that_is_an_order_keeps_its_paper_when_its_first_form_is_sent_again(client_of, aoi):
    make_sku("CHAIR", stock_units=50), make_sku("TEA", tax_rate=8, price=540)
    client = client_of(aoi)
    values = typed(client)
    send(client, values)
    quote = Quote.objects.get()
    taken_by_hand(client, quote)
    send(client, values | {"shipping": "0"})
    assert not DocumentEvent.objects.filter(kind="corrected").exists()
    assert Quote.objects.count() == 2 and Quote.objects.get(pk=quote.pk).document_id == quote.document_id


def taken_by_hand(client, quote: Quote) -> None:
    place = {
        "quote": quote.pk, "buyer_phone": "0312345678", "buyer_postal_code": "1500001", "buyer_prefecture": "東京都",
        "buyer_city": "渋谷区", "buyer_address": "神宮前1-1",
    }  # fmt: skip
    send(client, typed(client, **place), step="save")
    assert Quote.objects.get(pk=quote.pk).order == Order.objects.get()


def test_clicks_at_once_are_one_quote(race, transactional_db):
    sku, shop = make_sku(), manual.phone_shop()
    draft = Draft(
        TOKYO_PARTY, TOKYO_PARTY, [Item(sku.pk, sku.code, sku.name, 10, 1, 1000)], Charges(), PaymentMethod.COD
    )
    form = quotes.Typed("one-form", {"a": "b"})
    outcomes = race(4, lambda: quotes.make(shop, draft, form, actor=SYSTEM).document_id)
    assert len(set(outcomes)) == 1 and IssuedDocument.objects.count() == 1, outcomes


def test_a_new_quote_takes_the_old_ones_place(client_of, aoi):
    make_sku("CHAIR"), make_sku("TEA", tax_rate=8, price=540)
    client = client_of(aoi)
    send(client, typed(client))
    old = Quote.objects.select_related("document").get()
    send(client, typed(client, quote=old.pk, **{"line-0-price": "1000"}))
    new = Quote.objects.select_related("document").exclude(pk=old.pk).get()
    assert new.document.corrects == old.document and new.document.amount == 21170
    assert DocumentEvent.objects.filter(document=old.document, kind="corrected").exists()
    assert old.document.number in pdf_text(document_files.file_of(new.document))


def test_what_was_typed_for_a_quote_is_forgotten_a_year_after_it_ran_out(client_of, aoi):
    make_sku("CHAIR"), make_sku("TEA", tax_rate=8, price=540)
    client = client_of(aoi)
    send(client, typed(client))
    assert quotes.forget_old() == 0
    Quote.objects.update(valid_until=clock.today() - timedelta(days=366))
    assert quotes.forget_old() == 1 and quotes.forget_old() == 0
    assert Quote.objects.get().values == {} and IssuedDocument.objects.count() == 1


def test_who_may_not_issue_papers_makes_no_quote(client_of, chie):
    make_sku("CHAIR"), make_sku("TEA", tax_rate=8, price=540)
    chie.user_permissions.set(Permission.objects.filter(codename__in=["add_order", "view_personal_data"]))
    client = client_of(chie)
    assert send(client, typed(client)).status_code == 403
    assert "見積書を作る" not in client.get(reverse("orders:manual-new")).content.decode()
    assert not Quote.objects.exists()
