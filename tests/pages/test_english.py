"""The screens in English: every word translated, and no Japanese on a page but what people entered."""

import ast
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from django.utils.translation.template import templatize

from fulfillment.documents import delivery_notes, pick_lists
from fulfillment.models import Shipment
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from oms.runtime.places import BASE_DIR
from orders.forms import PREFECTURES
from orders.models import BulkRun, Mail, Order
from orders.services import mail, mail_values
from orders.services.bulk import action_of, start
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.channels.builders import make_connection, make_effect, make_listing, make_quarantined
from tests.orders.builders import make_channel_order, make_line, make_location, make_sku, mapped
from tests.orders.rules.builders import cond, do, make_rule

CATALOGUE = BASE_DIR / "locale" / "en" / "LC_MESSAGES" / "django.po"
APPS = ("oms", "inventory", "customers", "orders", "fulfillment", "channels")
MARKS = {
    "_": 1,
    "lazy": 1,
    "said": 1,
    "noop": 1,
    "gettext": 1,
    "gettext_lazy": 1,
    "gettext_noop": 1,
    "ngettext": 1,
    "ngettext_lazy": 1,
}
MARKS_WITH_CONTEXT = {"pgettext", "pgettext_lazy"}
JAPANESE = re.compile(r"[ぁ-ゖァ-ヺー一-鿿]+")
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[.0-9]*[sdf]|\{[a-z_]*\}|</?[a-z]+>|https?://")

# What people, shops and malls wrote. Evidence and causes come from workers, which have no reader and speak Japanese.
DATA = (
    *("備考読取済", "先日付", "災害地域", "電池入り", "受取拒否"),  # names that ready-made rules give tags and lists
    "日本語",  # the button that leads back
    "楽天市場店",
    "楽天市場",
    "楽",  # the letter that marks its orders
    "東京倉庫",
    "佐藤 恵",
    "サトウ メグミ",
    "東京都",
    "世田谷区",
    "三軒茶屋2-14-3 メゾン青葉402",
    "CHAIR の品",
    "DESK の品",
    "クレジットカード",
    "【送料無料】",
    "モールに断られました。",
    "郵便番号が読み取れません。",
    "玄関の色は何色ですか",
    "返事をください",
    "商品コード DESK に対応する SKU がありません",
    "Yahoo!ショッピング",
    "佐川急便",  # in the example of pasted lines, which come from a carrier
)


def entries() -> list[polib.POEntry]:
    return list(polib.pofile(str(CATALOGUE)))


def translations(entry: polib.POEntry) -> list[str]:
    return [entry.msgstr_plural[n] for n in (0, 1)] if entry.msgid_plural else [entry.msgstr]


def test_every_word_has_an_english_one():
    assert [entry.msgid for entry in entries() if entry.fuzzy or entry.obsolete or not all(translations(entry))] == []
    assert [entry.msgid for entry in entries() if JAPANESE.search("".join(translations(entry)))] == []


def test_placeholders_survive_translation():
    changed = [
        (entry.msgid, text)
        for entry in entries()
        for text in translations(entry)
        if sorted(PLACEHOLDER.findall(entry.msgid)) != sorted(PLACEHOLDER.findall(text))
    ]
    assert changed == []


def test_a_word_used_with_and_without_a_count_reads_the_same_in_both():
    """Without a count gettext gives the singular: "12 order" must not appear."""
    counted = {entry.msgid: translations(entry) for entry in entries() if entry.msgid_plural}
    single = {text for source in sources() for _context, text, plural in words_of(source) if not plural}
    assert [text for text, (one, many) in counted.items() if text in single and one != many] == []


def test_the_catalogue_has_every_marked_word_and_no_other():
    marked = {(context, text) for source in sources() for context, text, _plural in words_of(source)}
    known = {(entry.msgctxt or "", entry.msgid) for entry in entries()}
    assert marked - known == set(), "run manage.py makemessages --locale en, and translate"
    assert known - marked == set(), "run manage.py makemessages --locale en"


def test_the_catalogue_names_neither_people_nor_places():
    head = CATALOGUE.read_text().split("\n\n", 1)[0]
    assert "@" not in head and "/home" not in head and "Translator" not in head


# ---- marked words


def sources() -> Iterator[str]:
    """Every program, and every template as Django shows it to gettext."""
    for app in APPS:
        for path in sorted((BASE_DIR / app).rglob("*.py")):
            yield path.read_text()
    for path in sorted((BASE_DIR / "templates").rglob("*.html")):
        yield as_program(path)


def as_program(template: Path) -> str:
    """Only the calls; what templatize leaves of the rest is no Python."""
    calls = re.findall(r"(?:n?p?gettext|_)\((?:u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\"|, ?|count)+\)",
                       templatize(template.read_text(), str(template)))  # fmt: skip
    return "\n".join(calls)


def words_of(program: str) -> Iterator[tuple[str, str, bool]]:
    """(context, text, counted) of each marked word."""
    for node in ast.walk(ast.parse(program)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if node.func.id in MARKS and texts and texts[0]:
            yield "", texts[0], node.func.id.startswith("ngettext")
        elif node.func.id in MARKS_WITH_CONTEXT and len(texts) == 2:
            yield texts[0], texts[1], False


# ---- pages


@pytest.fixture
def trade(db) -> dict[str, int]:
    """A small day: orders in several states, a shipment, mails, failures of every kind."""
    connection = make_connection(
        health="stopped", health_cause="モールに断られました。", import_error="モールに断られました。"
    )
    shop, chair, place = connection.shop, make_sku(stock_units=5, shelf="A-1"), make_location()
    make_listing(shop, "CHAIR", sku=chair)
    make_listing(shop, "UNKNOWN")
    bought = [
        make_channel_order(number="R-ready"),
        make_channel_order(number="R-shipped"),
        make_channel_order(number="R-asks", remarks="玄関の色は何色ですか？返事をください"),
        make_channel_order(make_line("CHAIR", 40), number="R-short"),
        make_channel_order(make_line("DESK"), number="R-unmapped"),
    ]
    take_in(shop, bought, sku_of=mapped(chair))
    allocate_waiting()
    ids = {order.channel_order_no: order.pk for order in Order.objects.all()}
    mail.schedule_for([ids["R-ready"]], "order_received")
    instruct_orders([ids["R-shipped"]], actor=Actor())
    rule = make_rule("Big", cond("total", "ge", 1), then=do("create_task", text="Call", hours=2))
    failed, waiting = make_effect(order=ids["R-ready"]), make_effect(order=ids["R-ready"], state="waiting")
    quarantined = make_quarantined(connection, "R-broken", payload='{"a": 1}')
    return {
        "ready": ids["R-ready"],
        "asks": ids["R-asks"],
        "instructed": ids["R-shipped"],
        "shipment": Shipment.objects.get(state="instructed").pk,
        "shop": shop.pk,
        "sku": chair.pk,
        "place": place.pk,
        "member": Order.objects.get(pk=ids["R-ready"]).member_id or 0,
        "mail": Mail.objects.latest("pk").pk,
        "failed": failed.pk,
        "waiting": waiting.pk,
        "quarantined": quarantined.pk,
        "key": "license_key",
        "rule": rule.pk,
    }


@pytest.fixture
def english(client_of, aoi) -> Client:
    aoi.display_name, aoi.language = "Aoi", "en"
    aoi.save(update_fields=["display_name", "language"])
    client = client_of(aoi)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


PAGES = (
    ("pages:home",),
    ("pages:keys",),
    ("pages:people",),
    ("pages:person-add",),
    ("pages:account",),
    ("pages:account-password",),
    ("pages:second-step",),
    ("pages:sign-in-rules",),
    ("pages:sign-in-history",),
    ("orders:refund-requests",),
    ("orders:refund-limits",),
    ("orders:personal-views",),
    ("pages:outbox",),
    ("pages:outbox-done", "failed"),
    ("pages:outbox-panel",),
    ("pages:health-strip",),
    ("orders:list",),
    ("orders:filter",),
    ("orders:home-panel",),
    ("orders:detail", "ready"),
    ("orders:detail", "asks"),
    ("orders:detail", "instructed"),
    ("orders:hold", "ready"),
    ("orders:cancel", "ready"),
    ("orders:edit-delivery", "ready"),
    ("orders:edit-note", "ready"),
    ("orders:inbox",),
    ("orders:mails",),
    ("orders:mail-templates",),
    ("orders:member-panel", "member"),
    ("orders:rules",),
    ("orders:rule", "rule"),
    ("orders:rule-edit", "rule"),
    ("orders:rule-new",),
    ("orders:rule-dry", "rule"),
    ("orders:rule-test", "rule"),
    ("orders:rule-templates",),
    ("orders:rule-lists",),
    ("orders:order-rules", "ready"),
    ("orders:labels", "ready"),
    ("orders:tasks",),
    ("fulfillment:list",),
    ("fulfillment:home-panel",),
    ("fulfillment:shipment", "shipment"),
    ("fulfillment:order-panel", "ready"),
    ("fulfillment:ship",),
    ("fulfillment:merge-list",),
    ("fulfillment:merge", "ready"),
    ("fulfillment:split", "ready"),
    ("inventory:list",),
    ("inventory:ledger",),
    ("inventory:home-panel",),
    ("inventory:sku", "sku"),
    ("inventory:promises", "sku"),
    ("inventory:correct", "sku"),
    ("inventory:receive", "sku"),
    ("customers:list",),
    ("customers:detail", "member"),
    ("channels:list",),
    ("channels:add",),
    ("channels:edit", "shop"),
    ("channels:home-panel",),
    ("channels:map",),
    ("channels:listings",),
    ("channels:pushes",),
    ("channels:quarantine",),
    ("channels:quarantined", "quarantined"),
    ("channels:sku-panel", "sku"),
    ("channels:credentials",),
    ("channels:credential", "shop", "key"),
    ("channels:renewal", "shop"),
    ("channels:limits", "shop"),
    ("channels:calls",),
    ("channels:expiry-panel",),
    ("pages:outbox-detail", "failed"),
)


def japanese_in(text: str) -> list[str]:
    """Runs of Japanese that are not somebody's data. Prefectures are written as parcels need them."""
    text = re.sub(r' value="[^"]*"', "", text)  # what a form sends is not read
    for known in sorted((*DATA, *PREFECTURES), key=len, reverse=True):
        text = text.replace(known, "")
    return JAPANESE.findall(text)


def test_no_page_shows_a_japanese_word_of_ours(english, trade):
    left = {}
    for name, *of in PAGES:
        headers = {"HX-Request": "true"} if name.endswith("strip") else {}
        response = english.get(reverse(name, args=[trade[key] for key in of]), headers=headers)
        assert response.status_code == 200, name
        if words := japanese_in(unescape(response.content.decode())):
            left[name, *of] = words
    assert left == {}


@pytest.mark.parametrize("code", ["accept", "hold", "lift", "confirm", "pay", "cancel", "instruct", "print"])
def test_a_bulk_action_speaks_english_from_preview_to_result(english, trade, code):
    chosen = {"action": code, "ids": list(Order.objects.values_list("pk", flat=True))}
    preview = english.post(reverse("orders:bulk-choose"), chosen, follow=True)
    assert preview.status_code == 200 and japanese_in(unescape(preview.content.decode())) == []
    run = BulkRun.objects.get()
    filled = {"codes": ["buyer_note"], "reason": "欠品" if code == "cancel" else "waiting"}
    with override(None):  # as in a worker
        start(run, action_of(code).form(filled, order_ids=run.order_ids).params)
    result = english.get(reverse("orders:bulk", args=[run.key]))
    assert result.context["run"].state == "finished"
    assert japanese_in(unescape(result.content.decode())) == []


def test_search_answers_in_english(english, trade):
    for words in ("R-", "CHAIR", "佐藤 恵", "nothing like it", ""):
        response = english.get(reverse("pages:search"), {"q": words})
        assert response.status_code == 200 and japanese_in(unescape(response.content.decode())) == []


def test_the_way_in_and_the_ways_out_are_english(english, person_with, client_of):
    stranger = Client(enforce_csrf_checks=True)
    stranger.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    looker = client_of(person_with("warehouse"))
    looker.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    answers = [
        (200, stranger.get(reverse("pages:login"))),
        (403, stranger.post(reverse("pages:login"), {"username": "aoi"})),
        (404, english.get("/nowhere/")),
        (403, looker.get(reverse("pages:people"))),
    ]
    for status, response in answers:
        assert response.status_code == status
        assert japanese_in(unescape(response.content.decode())) == []


def test_a_broken_server_says_so_in_english(english, monkeypatch):
    def broken(_request):
        raise RuntimeError("boom")

    monkeypatch.setattr("oms.pages.navigation.panels", broken)
    english.raise_request_exception = False
    response = english.get(reverse("pages:home"))
    assert response.status_code == 500
    assert japanese_in(unescape(response.content.decode())) == []


def test_paper_and_mail_stay_japanese_whoever_works(trade):
    """They are for the customer and the packers."""
    order = Order.objects.get(pk=trade["ready"])
    Order.objects.filter(pk=trade["instructed"]).update(gift="箱", payment_method="cod")
    order.payment_name, order.payment_method = "", "cod"
    with override("en"):
        note, pick = delivery_notes([trade["shipment"]]).notes[0], pick_lists([trade["shipment"]], by="aoi")[0]
        said = mail_values.values_of(order)
    assert said["order.payment"] == note.payment_method == "代金引換"
    assert pick.orders[0].gifts == ("ラッピング 箱",)
