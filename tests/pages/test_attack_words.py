"""What buyers, malls and banks write is text: on no page of the product does any of it become markup or an address."""

from dataclasses import replace
from typing import Any

import pytest
from django.urls import get_resolver

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import BankLine, Mail, Order, OrderTalk, RuleList
from orders.services import bank_files, labels, mail, payment, refunds, returns, review
from orders.services.journal import Actor
from tests.channels.builders import bring_in, make_connection, make_listing, make_quarantined
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_location, make_sku, mapped
from tests.orders.payments.builders import notice
from tests.pages.test_attack_rights import addresses

pytestmark = pytest.mark.django_db

EVIL = "\"'><img src=x onerror=alert(1)>{{7*7}}{% now %}"
SHORT = '"><img src=x onerror=alert(1)>'  # fits where only thirty characters do
SIGNS = ("<img src=x", "onerror=alert(1)>", "javascript:alert", ">49<")


@pytest.fixture
def evil_house(aoi) -> dict[str, int]:
    """An order, its parcel, mail, return, refund and neighbours, all of whose words are hostile; ids by name."""
    shop, place = make_connection(), make_location()
    mail.ensure_standard_templates()
    shop.shop.name = shop.shop.channel_label = SHORT
    shop.shop.save(update_fields=["name", "channel_label"])
    place.name = SHORT
    place.save(update_fields=["name"])
    sku = make_sku("CHAIR", stock_units=9)
    sku.name = sku.product.name = EVIL
    sku.save(update_fields=["name"])
    sku.product.save(update_fields=["name"])
    who = replace(TOKYO_PARTY, name=EVIL, kana=EVIL, address=EVIL, company=EVIL, phone="090-1234-5678")
    line = make_line("CHAIR", 2, name=EVIL)
    told = make_channel_order(
        line, number=f"N-{EVIL}", buyer=who, recipients=(who,), remarks=EVIL, gift=EVIL, noshi=EVIL,
        message_card=EVIL, delivery_method=EVIL, payment_name=EVIL, shop_memo=EVIL, channel_state=SHORT,
        payment_method=PaymentMethod.CARD, payment_state=PaymentState.PAID,
    )  # fmt: skip
    order = bring_in(shop, told, mapped(sku))
    labels.add_tag([order.pk], SHORT, actor=Actor(by=aoi))
    OrderTalk.objects.create(order=order, way="phone", text=EVIL, key="k", at=clock.now(), by=aoi)
    RuleList.objects.create(name=SHORT, values=[EVIL], changed_at=clock.now())
    waiting = bring_in(shop, replace(told, channel_order_no=f"M-{EVIL}"), mapped(sku))
    Order.objects.filter(pk=order.pk).update(internal_note=EVIL, packing_note=EVIL)
    review.accept([order.pk], actor=Actor(by=aoi), note=EVIL)
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "ready", list(order.reasons.values_list("code", "state"))
    parcel = instruct_orders([order.pk], actor=Actor(by=aoi)).shipments[0]
    confirm_shipments([Departure(parcel, "yamato", "471203984412")], actor=Actor(by=aoi))
    order.refresh_from_db()
    case = returns.open_case(
        order.pk, {order.lines.get().pk: 1}, reason="other", key="r", note=EVIL, actor=Actor(by=aoi)
    )
    refunds.open_refund(order.pk, key="f", wish=refunds.Wish({}, goodwill=5), reason=EVIL, actor=Actor(by=aoi))
    payment.record_payments([waiting.pk], actor=Actor(by=aoi), note=EVIL)
    read = bank_files.read(notice([(clock.today(), 100, "ヤマダ")]))
    bank_files.load(read.lines, name=EVIL, layout=read.layout, account=EVIL, actor=Actor(by=aoi))
    BankLine.objects.update(payer=SHORT, text=EVIL)
    listing = make_listing(shop.shop, SHORT)
    quarantined = make_quarantined(shop, f"Q-{EVIL}", payload='{"name": "<img src=x onerror=alert(1)>"}')
    return {
        "order": order.pk, "waiting": waiting.pk, "shipment": parcel, "return": case.pk, "sku": sku.pk,
        "listing": listing.pk, "quarantined": quarantined.pk, "mail": Mail.objects.order_by("pk").first().pk,
        "line": BankLine.objects.get().pk, "shop": shop.shop.pk,
    }  # fmt: skip


def paths(known: dict[str, int]) -> list[tuple[str, list[str]]]:
    """Every address of the product by name, with each of the known ids in the place of its first id."""
    left_out = {"logout", "consent", "healthz", "metrics"}
    ids = sorted(set(known.values()))
    return [
        (name, list(dict.fromkeys(path.replace("/1/", f"/{pk}/", 1) for pk in ids)))
        for name, path in sorted(set(addresses(get_resolver())))
        if name not in left_out
    ]


def test_no_page_takes_a_buyers_words_for_markup(evil_house, client_of, aoi, plain_refusals):
    client = client_of(aoi)
    shown: set[str] = set()
    for name, tried in paths(evil_house):
        pages = (client.get(path) for path in tried)
        # An address that only takes forms says so for every id; one that shows something is asked until it does.
        page = next((one for one in pages if one.status_code in {200, 405}), None)
        if page is None or page.status_code == 405 or "html" not in page.get("Content-Type", ""):
            continue
        text: Any = page.content.decode()
        for sign in SIGNS:
            assert sign not in text, (name, text[max(0, text.find(sign) - 200) : text.find(sign) + 60])
        if "&lt;img src=x" in text:
            shown.add(name)
    expected = {"list", "detail", "shipment", "inbox", "mail", "return", "matching", "refunds", "sku", "listings"}
    assert expected <= shown, shown


def test_every_column_of_the_desk_shows_text(evil_house, client_of, aoi):
    from orders.queries.desk_columns import COLUMNS  # noqa: PLC0415 - only here

    page = client_of(aoi).get("/orders/", {"col": list(COLUMNS)}).content.decode()
    assert "<img src=x" not in page and page.count("&lt;img src=x") > 5
    searched = client_of(aoi).get("/orders/", {"q": EVIL, "tag": SHORT, "shop": "x", "sort": EVIL}).content.decode()
    assert "<img src=x" not in searched
    assert "<img src=x" not in client_of(aoi).get("/search/", {"q": EVIL}).content.decode()
