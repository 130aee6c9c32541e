"""A person who works in English walks through a day of the demo company, and reads no Japanese but what people, shops
and malls wrote."""

import re
from collections import Counter, defaultdict
from typing import Any

import polib
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection as database
from django.utils.translation import override

from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from oms.kernel.said import SEPARATOR
from oms.kernel.said_field import SaidField
from oms.kernel.services import outbox
from oms.runtime.places import BASE_DIR
from orders.models import Order, ReviewReason
from orders.services import cancel, hold, review_again
from orders.services.journal import Actor
from orders.services.rules import ready_made
from tests.channels.demo_shops import demo_company, sandbox, settle, shop_of, time, world
from tests.pages.japanese import JAPANESE, QUOTES, labels, left, own_words, quoted

__all__ = ["demo_company", "sandbox", "shop_of", "time", "world"]
pytestmark = pytest.mark.django_db

TRAITS = {
    "rakuten": (
        "question",
        "address",
        "cod",
        "gift",
        "island",
        "unmapped_sku",
        "amount_mismatch",
        "several_recipients",
    ),
    "amazon": ("blacklist", "fba", "set", "preorder"),
    "yahoo": ("pay_later", "wish", "untidy"),
    "qoo10": ("remark_slip",),
    "futureshop": ("deferred", "several_recipients"),
}
MOST_PAGES, MOST_ALIKE = 160, 3
NOT_READ = re.compile(
    r"\.(pdf|csv|zip|xlsx|svg|css|js|png|webp)|logout|/static/|[?&](after|before|sort)=|download|\.json|/language"
    r"|/styleguide/"  # shows the parts with samples of Japanese data
)
LINK = re.compile(r'(?:href|hx-get)="(/[^"#]*)"')
# Merchants' examples of what to paste or type, in the form that a bank or a carrier gives.
EXAMPLES = (
    *("S0000013,471203984425,佐川急便", "2026/11/20 12,345 ヤマダ タロウ"),
    *("受取拒否", "災害地域", "電池入り", "備考読取済"),  # lists and tags that ready-made rules bring
)


@pytest.fixture
def day(world: Any, sandbox: Any, shop_of: Any) -> None:
    """Orders of every kind at every mall; some ship, one is held, one cancelled, one mall fails."""
    ready_made.install_standard()
    for channel, traits in TRAITS.items():
        for trait in traits:
            world.place_order(channel, traits={trait})
        for _ in range(2):
            world.place_order(channel, traits=(), remarks="")
    for shop in shop_of.values():
        settle(shop)
    review_again.short_of_stock()
    ready = list(Order.objects.filter(stage="ready").order_by("pk").values_list("pk", flat=True))
    assert len(ready) >= 4, Counter(Order.objects.values_list("stage", flat=True))
    hold.hold_orders(ready[:1], reason="waiting", actor=Actor())
    with override("en"):
        cancel.cancel_orders(ready[1:2], actor=Actor())
    parcels = instruct_orders(ready[2:], actor=Actor()).shipments
    sandbox.sandbox.inject("*:503")
    confirm_shipments([Departure(parcels[0], "yamato", "471203984412")], actor=Actor())
    outbox.deliver_due()


@pytest.fixture
def english(client_of: Any, aoi: Any) -> Any:
    aoi.language, aoi.display_name = "en", "Aoi"
    aoi.save(update_fields=["language", "display_name"])
    client = client_of(aoi)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def test_no_screen_of_a_day_shows_japanese_that_is_ours(day, english):
    ours = {entry.msgid for entry in polib.pofile(str(BASE_DIR / "locale" / "en" / "LC_MESSAGES" / "django.po"))}
    names = {*EXAMPLES, *labels(), *quoted(), *(word for word in own_words() if word not in ours)}
    known = sorted(names, key=len, reverse=True)
    found: dict[str, set[str]] = defaultdict(set)
    waiting, done, alike = ["/"], set(), Counter[str]()
    while waiting and len(done) < MOST_PAGES:
        url = waiting.pop(0)
        kind = re.sub(r"\d+", "N", url.split("?")[0])
        if url in done or alike[kind] >= MOST_ALIKE:
            continue
        done.add(url)
        alike[kind] += 1
        response = english.get(url, follow=True)
        if not response.get("Content-Type", "").startswith("text/html") or response.streaming:
            continue
        html = response.content.decode()
        for piece in left(html, known):
            found[piece].add(kind)
        waiting += [link.replace("&amp;", "&") for link in LINK.findall(html) if not NOT_READ.search(link)]
    assert len(done) > 60 and {"/orders/", "/orders/N/", "/orders/inbox/", "/fulfillment/", "/channels/"} <= set(alike)
    assert dict(found) == {}


def test_what_workers_stored_in_a_day_can_be_read_in_english(day):
    """Every Japanese sentence in a column of sentences has its form behind it, unless somebody wrote it."""
    assert ReviewReason.objects.count() > 5
    bare = {}
    for model in apps.get_models():
        for column in (field.column for field in model._meta.concrete_fields if isinstance(field, SaidField)):
            rows = model._default_manager.all()
            if model is ReviewReason:
                rows = rows.exclude(code__in=QUOTES)
            with database.cursor() as cursor:
                sql, params = rows.values_list(column).query.sql_with_params()
                cursor.execute(sql, params)
                texts = {text for (text,) in cursor.fetchall() if text and JAPANESE.search(text)}
            if without := [text for text in texts if SEPARATOR not in text]:
                bare[f"{model._meta.label}.{column}"] = without
    assert bare == {}
