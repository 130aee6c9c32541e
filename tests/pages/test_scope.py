"""People limited to some shops or places: what is another's is not there, wherever one asks."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from fulfillment.models import Shipment
from fulfillment.services import waybills
from fulfillment.services.allocate import allocate_orders
from fulfillment.services.instruct import instruct_orders
from inventory.models import Balance, Location
from oms.kernel import clock, scope
from oms.kernel.models import SettingVersion, User
from oms.kernel.scope import Scope
from oms.kernel.services import setting_versions
from oms.pages.scope import PAGES, all_shops, anybody, order_of_all_places
from orders.channel_order import Party, PaymentMethod
from orders.decide.found import Found
from orders.documents.bill import BillKind
from orders.models import (
    BulkRun,
    ExportRun,
    IssuedDocument,
    Mail,
    Order,
    OrderTask,
    RefundRequest,
    ReturnCase,
    ReviewReason,
)
from orders.models.order import Stage
from orders.queries import visible
from orders.queries.tiles import board_figures, stage_counts
from orders.services import bulk, documents, export, refunds, review
from orders.services import stage as stages
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.channels.builders import make_connection, make_listing
from tests.conftest import person
from tests.orders.builders import (
    TOKYO_PARTY,
    make_channel_order,
    make_line,
    make_location,
    make_sku,
    mapped,
    store_copies,
)

pytestmark = pytest.mark.django_db
OTHER_BUYER = replace(TOKYO_PARTY, name="白井 白", kana="シライ シロ", phone="03-9876-5432", email="shiro@example.com")


@dataclass
class World:
    """One shop with one of everything, at one place."""

    shop: Any
    place: Location
    order: Order
    ids: dict[str, Any]


def world(code: str, place: str, by: User, *, sku_code: str, buyer: Party) -> World:
    shop = make_connection(code).shop
    shop.channel, shop.name, shop.capabilities = "futureshop", code, {"confirm": True, "mail": "free"}
    shop.letterhead_name, shop.registration_no = "くらし道具店", "T8010401000002"
    shop.save()
    location = make_location(place)
    sku = make_sku(sku_code, stock_units=9, location=location)
    for _ in range(2):
        paid = {"payment_method": PaymentMethod.BANK_TRANSFER, "paid_at": clock.now()}
        take_in(shop, [make_channel_order(make_line(sku_code), **paid, buyer=buyer)], sku_of=mapped(sku))
    first, second = Order.objects.filter(shop=shop).order_by("pk")
    allocate_orders([first.pk, second.pk])
    parcel = instruct_orders([first.pk], actor=Actor(by=by)).shipments[0]
    issued = documents.issue([second.pk], BillKind.INVOICE, actor=Actor(by=by))
    assert not issued.refused, issued.refused
    refund = refunds.open_refund(
        second.pk, key=f"r{code}", wish=refunds.Wish(quantities={}, goodwill=100), reason="x", actor=Actor(by=by)
    )
    now = clock.now()
    mail = Mail.objects.create(
        order=second, event="shipped", to="a@example.com", key=f"m{code}", created_at=now, state="draft",
        subject=f"件名{code}",
    )  # fmt: skip
    asked = RefundRequest.objects.create(
        order=second, key=f"q{code}", subject="refund", kind="refund", amount=5, asked_at=now, asked_by=by
    )
    task = OrderTask.objects.create(order=second, text=f"作業{code}", key=f"t{code}", created_at=now)
    review.open_from_above([(second.pk, Found("amount_increased", "差額", "total"))], actor=Actor())
    stages.recompute([second.pk])
    case = ReturnCase.objects.create(order=second, key=f"c{code}", reason="other", asked_at=now)
    run = bulk.draft("accept", [second.pk], by=by)
    took = export.draft([second.pk], by=by, query="")
    ids = {
        "order": second.pk,
        "line": second.lines.get().pk,
        "mail": mail.pk,
        "task": task.pk,
        "refund": refund.pk,
        "request": asked.pk,
        "case": case.pk,
        "paper": IssuedDocument.objects.get(order=second).pk,
        "listing": make_listing(shop, sku_code).pk,
        "parcel": parcel,
        "batch": Shipment.objects.get(pk=parcel).batch_id,
        "shop": shop.pk,
        "run": run.key,
        "export": took.key,
        "waybill": waybills.draft([parcel], by=by).pk,
        "member": second.member_id,
    }
    return World(shop, location, second, ids)


@pytest.fixture(scope="module")
def house(module_rows) -> tuple[User, World, World]:
    aoi = person("aoi", "青井 あおい", role="administrator")
    first = world("own-1", "W1", aoi, sku_code="CHAIR", buyer=TOKYO_PARTY)
    return aoi, first, world("other-1", "W2", aoi, sku_code="TABLE", buyer=OTHER_BUYER)


@pytest.fixture
def aoi(house, db) -> User:
    return User.objects.get(pk=house[0].pk)


@pytest.fixture
def worlds(house, db) -> tuple[World, World]:
    return deepcopy(house[1:])


def limited(name: str, *, shops=(), places=()) -> User:
    """Every right, and only these shops and places: a refusal is never for want of a right."""
    one = person(name, name, role="administrator")
    one.shop_ids, one.place_ids = list(shops), list(places)
    one.save(update_fields=["shop_ids", "place_ids"])
    return one


@pytest.fixture
def of_shop(worlds) -> Client:
    client = Client()
    client.force_login(limited("mei", shops=[worlds[0].shop.pk]))
    return client


@pytest.fixture
def of_place(worlds) -> Client:
    client = Client()
    client.force_login(limited("kai", places=[worlds[0].place.pk]))
    return client


# ---- every address

# What an address with an id is about. One that stands here under `""` is about no shop's or place's own thing.
ABOUT = {
    "inventory:": "", "orders:mail-templates": "", "orders:mail-template": "", "orders:mail-polic": "shop",
    "orders:mail-stop": "mail", "orders:mail-opt-out": "", "orders:mail": "mail",
    "orders:mail-new": "order", "orders:mail-switch": "order", "orders:view-change": "",
    "orders:line": "line", "orders:bulk": "run", "orders:export-layout": "", "orders:export": "export",
    "orders:move-in": "", "orders:member-panel": "", "orders:privacy-days": "shop", "orders:privacy-lift": "order",
    "orders:reason": "", "orders:rule": "", "orders:task-": "task", "orders:money-task": "task",
    "orders:refund-new": "order", "orders:refund-request": "request", "orders:refund": "refund",
    "orders:match-": "", "orders:bank-": "", "orders:payment-terms": "shop", "orders:paper-settings": "shop",
    "orders:document-link": "", "orders:paper": "paper", "orders:release": "", "orders:return-open": "order",
    "orders:return": "case", "orders:unknown": "", "orders:lines": "order", "orders:": "order",
    "fulfillment:shipment": "parcel", "fulfillment:ship-one": "parcel", "fulfillment:packages": "parcel",
    "fulfillment:stop-withdraw": "order", "fulfillment:stop-": "parcel", "fulfillment:reopen": "parcel",
    "fulfillment:parcel-returned": "parcel", "fulfillment:merge-undo": "", "fulfillment:shortage": "",
    "customers:rank": "",
    "fulfillment:waybill": "waybill", "fulfillment:waybill-contract": "",
    "fulfillment:batch": "batch", "fulfillment:calendar": "", "fulfillment:time-": "",
    "fulfillment:": "order", "customers:": "member", "channels:card-panel": "order", "channels:reimport": "order",
    "channels:oversell-order": "order", "channels:listing": "listing", "channels:sku": "",
    "channels:": "shop", "pages:": "",
}  # fmt: skip
# Open to somebody of another shop although there is an id in the address.
OPEN_ANYWAY = {
    "inventory:sku": "stock may be looked at everywhere",
    "inventory:promises": "numbers of pieces, with links that are not found",
    "inventory:picture": "what goods look like is no shop's",
    "inventory:kit": "what a set is made of is no shop's",
    "inventory:correct": "the places of the form are the person's",
    "inventory:receive": "the places of the form are the person's",
    "inventory:kit-build": "the places of the form are the person's",
    "orders:view-change": "only one's own saved lists",
    "orders:member-panel": "lists the person's shops' orders alone",
    "orders:mail-opt-out": "the buyer's own link, without a login",
    "orders:document-link": "the buyer's own link, without a login",
    "channels:sku-panel": "lists the person's shops alone",
    "pages:device-end": "only one's own browsers",
    "pages:login-pin": "only on a device of the person's store",
    "pages:store-device-code": "only devices of one's own places",
    "pages:store-device-state": "only devices of one's own places",
    "pages:store-device-end": "only devices of one's own places",
}
EXAMPLES = {"code": "CHAIR", "event": "shipped", "position": "0", "day": "2026-11-20", "kind": "receipt",
            "token": "x", "slug": "x", "verb": "x", "key": "x", "attachment": "1", "other": "1", "entry": "1",
             "shipment": "1", "device_pk": "1", "line": "1", "note": "1", "taking": "1", "method": "cod",
             "digest": "0", "ref": "-", "carrier": "yamato", "number": "1", "charge": 1}  # fmt: skip


def addresses(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, list[str]]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from addresses(entry, f"{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern):
            yield f"{space}{entry.name}", list(entry.pattern.converters)


WITH_ID = [(name, parts) for name, parts in addresses(get_resolver()) if parts]


def about(name: str) -> str:
    return ABOUT[max((prefix for prefix in ABOUT if name.startswith(prefix)), key=len)]


KEYED = {"run", "export", "waybill"}


def kwargs_of(name: str, parts: list[str], of: World) -> dict[str, Any]:
    subject = about(name)
    found = {}
    for part in parts:
        if part in {"pk", "order", "shop_id", "key"} and not (part == "key" and subject not in KEYED):
            asked = {"order": "order", "shop_id": "shop"}.get(part, subject)
            found[part] = of.ids.get(asked, 1)
        else:
            found[part] = EXAMPLES[part]
    return found


def test_every_address_with_an_id_hides_what_is_another_shops(of_shop, worlds, plain_refusals):
    """A new page is closed until somebody says what it is about, and then this test asks it for another's."""
    open_, asked = [], 0
    for name, parts in WITH_ID:
        if name in OPEN_ANYWAY:
            continue
        url = reverse(name, kwargs=kwargs_of(name, parts, worlds[1]))
        answers = {of_shop.get(url).status_code, of_shop.post(url).status_code}
        asked += 1
        if not answers <= {403, 404}:
            open_.append((name, url, answers))
    assert open_ == [] and asked > 150


def test_the_exceptions_are_addresses_that_exist():
    names = {name for name, _parts in addresses(get_resolver())}
    assert set(OPEN_ANYWAY) <= names and set(PAGES) <= names


def test_what_is_about_a_thing_of_the_own_shop_opens(of_shop, worlds):
    """The same addresses lead somewhere for one's own: what hides is the scope, not a mistake in the address."""
    shut = []
    for name, parts in WITH_ID:
        rule = PAGES.get(name)
        if rule is None or rule in {anybody, all_shops, order_of_all_places} or about(name) in {"", *KEYED}:
            continue
        url = reverse(name, kwargs=kwargs_of(name, parts, worlds[0]))
        if of_shop.get(url).status_code not in {200, 302, 405}:
            shut.append(name)
    # no credential, no attachment, no gift, nothing to decide: nothing is there to open
    assert set(shut) <= {
        "orders:attachment", "orders:edit-gift", "channels:credential", "channels:renewal", "channels:renewal-step",
        "channels:consent", "channels:gap-day", "channels:card-panel", "channels:sku-options", "channels:map",
        "orders:export-file", "orders:channel-memo", "channels:listings-import",
        "orders:take-apart", "orders:mail-html", "orders:paper-pdf", "orders:return-label",
        "fulfillment:short-pick",
    }, shut  # fmt: skip


def test_the_versions_of_a_setting_are_for_whom_its_page_is(of_shop, worlds, aoi):
    own, others = (one.shop.pk for one in worlds)
    for ref in (own, others):
        with setting_versions.kept("publishing", ref, by=aoi):
            pass
    own_row, others_row = (SettingVersion.objects.get(kind="publishing", ref=str(ref)) for ref in (own, others))
    assert of_shop.get(reverse("pages:setting-subject", args=["publishing", own])).status_code == 200
    assert of_shop.get(reverse("pages:setting-subject", args=["publishing", others])).status_code == 404
    assert of_shop.get(reverse("pages:setting-subject", args=["reason", "buyer_note"])).status_code == 403
    assert of_shop.get(reverse("pages:setting-back", args=[own_row.pk])).status_code == 200
    assert of_shop.post(reverse("pages:setting-back", args=[others_row.pk])).status_code == 404
    page = of_shop.get(reverse("channels:publishing-shop", args=[own])).content.decode()
    assert reverse("pages:setting-subject", args=["publishing", own]) in page


def test_every_parcel_of_another_place_is_hidden(of_place, worlds):
    for name, parts in WITH_ID:
        if about(name) == "parcel":
            url = reverse(name, kwargs=kwargs_of(name, parts, worlds[1]))
            assert {of_place.get(url).status_code, of_place.post(url).status_code} <= {403, 404}, name
    assert of_place.get(reverse("fulfillment:shipment", args=[worlds[0].ids["parcel"]])).status_code == 200
    assert of_place.get(reverse("orders:detail", args=[worlds[1].order.pk])).status_code == 200  # orders are no place's


def test_whole_company_pages_say_why_they_are_closed(of_shop):
    for name in (
        "orders:rules",
        "orders:matching",
        "pages:people",
        "pages:outbox",
        "orders:privacy",
        "orders:manual-new",
    ):
        answer = of_shop.get(reverse(name))
        assert answer.status_code == 403 and "すべての店舗・拠点を担当する人だけ" in answer.content.decode(), name
    links = of_shop.get("/").content.decode()
    assert reverse("orders:rules") not in links and reverse("orders:list") in links


# ---- lists

LISTS = [
    "orders:list", "orders:mails", "orders:tasks", "orders:refunds", "orders:refund-requests", "orders:returns",
    "orders:papers", "orders:payments", "orders:payments-expired", "orders:inbox", "orders:bulk-log", "orders:exports",
    "fulfillment:list", "fulfillment:batches", "fulfillment:stops",
    "fulfillment:ship", "fulfillment:waybills", "channels:list", "pages:home", "orders:home-panel",
    "fulfillment:home-panel", "channels:home-panel", "pages:numbers", "pages:number-actions", "pages:number-reasons",
    "pages:number-decisions", "pages:number-pushes", "pages:number-profits", "channels:catch-ups", "orders:views",
    "orders:view-tiles", "orders:filter",
]  # fmt: skip


def test_no_list_names_another_shops_things(of_shop, aoi, worlds):
    other = worlds[1]
    Order.objects.filter(pk=other.order.pk).update(channel_order_no="OTHERNUMBER")
    everything = Client()
    everything.force_login(aoi)
    seen = ""
    for name in LISTS:
        page = of_shop.get(reverse(name))
        assert page.status_code == 200, name
        text = page.content.decode()
        assert "OTHERNUMBER" not in text, name
        assert "other-1" not in text and "件名other-1" not in text, name
        seen += everything.get(reverse(name)).content.decode()
    assert "OTHERNUMBER" in seen  # there was something to hide


def test_every_page_without_an_id_is_open_closed_or_listed_here(of_shop):
    """A page that lists something is either closed to people with limits, or in `LISTS` of the test above, or one of
    those that list nothing of shops."""
    plain = {
        "pages:login", "pages:login-code", "pages:logout", "pages:account", "pages:account-password",
        "pages:devices-end-others", "pages:second-step", "pages:second-step-codes", "pages:second-step-file",
        "pages:second-step-off", "pages:account-pin", "pages:account-pin-remove", "pages:login-device",
        "pages:pin-watch", "pages:store-devices", "pages:store-device-add",
        "pages:language", "pages:keys", "pages:styleguide", "pages:search",
        "pages:health-strip", "inventory:list", "inventory:ledger", "inventory:home-panel", "healthz", "metrics",
        "orders:live", "orders:columns", "orders:view-save", "orders:bulk-choose", "orders:bulk-last",
        "orders:export-choose", "orders:inbox-accept", "orders:inbox-act", "orders:inbox-choose", "orders:inbox-hold",
        "orders:inbox-undo",
        "orders:mails-approve", "orders:papers-csv", "orders:papers-zip", "fulfillment:delivery-notes",
        "fulfillment:pick-list", "fulfillment:handover", "fulfillment:return-slips", "fulfillment:work-slips",
        "fulfillment:ship-paste", "fulfillment:ship-confirm", "fulfillment:ship-numbers",
        "fulfillment:waybill-choose", "fulfillment:waybill-choose-orders", "fulfillment:cut-off", "channels:live",
    }  # fmt: skip
    for name, parts in addresses(get_resolver()):
        if parts or name in plain or name in LISTS:
            continue
        assert PAGES.get(name) in {None, all_shops} or name.startswith("channels:map"), name
        assert of_shop.get(reverse(name)).status_code in {403, 405}, name


def test_the_tiles_count_what_the_list_shows(of_shop, aoi, worlds):
    limits = Scope((worlds[0].shop.pk,))
    with scope.within(limits):
        counts, figures = stage_counts(), board_figures()
        for stage in Stage.values:
            assert counts[stage] == visible.orders().filter(stage=stage).count()
    page = of_shop.get(reverse("orders:list"))
    assert len(page.context["rows"]) == 2 == page.context["total"]
    assert sum(figures.count.values()) == 2 and sum(stage_counts().values()) == 4


def test_the_live_list_and_the_saved_ones_count_the_same(of_shop, aoi, worlds):
    everything = Client()
    everything.force_login(aoi)
    for client, n in ((everything, 4), (of_shop, 2)):  # one after the other, so that a count kept for one would show
        client.post(reverse("orders:view-save"), {"name": "全部", "query": "", "pinned": "on"})
        views = client.get(reverse("orders:view-tiles")).context["views"]
        assert [view["count"].all for view in views] == [n]
    other = worlds[1].order
    live = of_shop.get(reverse("orders:live"), {"shown": str(other.pk)}, headers={"hx-request": "true"})
    assert other.channel_order_no not in live.content.decode()


def test_search_finds_only_the_own(of_shop, worlds):
    own, other = (one.order.channel_order_no for one in worlds)
    assert of_shop.get(reverse("pages:search"), {"q": own}).status_code == 302
    page = of_shop.get(reverse("pages:search"), {"q": other})
    assert page.status_code == 200 and page.context["groups"] == []
    assert not of_shop.get(reverse("orders:list"), {"q": other}).context["rows"]
    number = f"S{worlds[1].ids['parcel']:07d}"
    assert of_shop.get(reverse("pages:search"), {"q": number}).context["groups"] == []


def test_a_member_of_both_shops_shows_the_orders_of_the_own_one(of_shop, worlds):
    """Also on the card that compares an order with the buyer's other ones."""
    Order.objects.update(member=worlds[0].order.member_id)
    number = worlds[1].order.channel_order_no
    for url in (
        reverse("orders:member-panel", args=[worlds[0].order.member_id]),
        reverse("customers:detail", args=[worlds[0].order.member_id]),
        f"{reverse('orders:inbox')}?at={worlds[0].order.pk}",
        reverse("orders:detail", args=[worlds[0].order.pk]),
        reverse("fulfillment:order-panel", args=[worlds[0].order.pk]),
    ):
        page = of_shop.get(url)
        assert page.status_code == 200 and number not in page.content.decode(), url


# ---- ids that a form brings along


def test_ids_of_other_shops_in_a_form_are_left_out(of_shop, worlds):
    own, other = worlds
    ids = [own.order.pk, other.order.pk]
    of_shop.post(reverse("orders:bulk-choose"), {"action": "accept", "ids": ids})
    assert BulkRun.objects.get(by__username="mei").order_ids == [own.order.pk]
    of_shop.post(reverse("orders:bulk-choose"), {"action": "hold", "all_matching": "1", "query": ""})
    assert set(BulkRun.objects.filter(by__username="mei", action="hold").get().order_ids).isdisjoint({other.order.pk})
    of_shop.post(reverse("orders:export-choose"), {"ids": ids})
    assert ExportRun.objects.get(by__username="mei").order_ids == [own.order.pk]
    of_shop.post(reverse("orders:mails-approve"), {"mail": [other.ids["mail"]]})
    assert Mail.objects.get(pk=other.ids["mail"]).state == "draft"
    reason = ReviewReason.objects.get(order=other.order, code="amount_increased")
    answer = of_shop.post(reverse("orders:inbox-accept"), {"reason_row": reason.pk, "note": "x"})
    reason.refresh_from_db()
    assert answer.status_code == 404 and reason.state == "open"


@pytest.mark.parametrize("verb", ["fulfillment:packages", "fulfillment:ship-one"])
def test_a_form_about_ones_own_parcel_shows_no_other_shops_order(of_shop, worlds, verb):
    own, other = worlds
    parcel = own.ids["parcel"]
    typed = {"packages": "2", f"carrier-{parcel}": "yamato", f"tracking-{parcel}": "471203984414"}
    answer = of_shop.post(
        reverse(verb, args=[parcel]), typed | {"order": other.order.pk}, headers={"HX-Request": "true"}
    )
    assert answer.status_code in {200, 204} and OTHER_BUYER.name not in answer.content.decode()
    mine = Order.objects.get(lines__shipmentline__shipment=parcel)
    back = of_shop.post(reverse(verb, args=[parcel]), typed | {"order": mine.pk})
    assert back.status_code == 302 or verb == "fulfillment:ship-one"
    assert verb == "fulfillment:ship-one" or back["Location"] == reverse("orders:detail", args=[mine.pk])


def test_a_frozen_selection_is_closed_when_the_limits_grow(of_shop, worlds):
    own, other = worlds
    mei = User.objects.get(username="mei")
    run = bulk.draft("hold", [own.order.pk, other.order.pk], by=mei)
    took = export.draft([other.order.pk], by=mei, query="")
    for url in (reverse("orders:bulk-run", args=[run.key]), reverse("orders:bulk", args=[run.key]),
                reverse("orders:export", args=[took.key])):  # fmt: skip
        assert of_shop.get(url).status_code == 404 and of_shop.post(url).status_code == 404
    assert of_shop.get(reverse("orders:bulk", args=[uuid4()])).status_code == 404


@pytest.mark.parametrize("who", ["of_shop", "of_place"])
def test_parcels_of_others_are_neither_listed_nor_printed_nor_shipped(who, request, worlds):
    client, (own, other) = request.getfixturevalue(who), worlds
    listed = [row.shipment.pk for row in client.get(reverse("fulfillment:list")).context["rows"]]
    assert listed == [own.ids["parcel"]]
    pk = other.ids["parcel"]
    client.post(reverse("fulfillment:ship-confirm"), {"ids": [pk], f"carrier-{pk}": "other", f"tracking-{pk}": "1"})
    client.post(reverse("fulfillment:delivery-notes"), {"ids": [pk]})
    parcel = Shipment.objects.get(pk=pk)
    assert (parcel.state, parcel.printed_at) == ("instructed", None)
    pasted = client.post(reverse("fulfillment:ship-paste"), {"text": f"{parcel.number},471203984414"})
    assert pasted.context["report"].unknown == [parcel.number]


def test_stock_is_changed_only_at_ones_own_place(of_place, worlds):
    own, other = worlds
    sku = other.order.lines.get().sku
    form = {"how": "add", "units": 5, "reason": "x"}
    before = Balance.objects.get(sku=sku, location=other.place).on_hand
    assert of_place.get(reverse("inventory:sku", args=[sku.pk])).status_code == 200
    wrong = of_place.post(reverse("inventory:correct", args=[sku.pk]), form | {"location": other.place.pk})
    assert wrong.status_code == 200 and wrong.context["form"].errors["location"]
    of_place.post(reverse("inventory:correct", args=[sku.pk]), form | {"location": own.place.pk})
    assert Balance.objects.get(sku=sku, location=other.place).on_hand == before
    assert Balance.objects.get(sku=sku, location=own.place).on_hand == 5


def test_actions_that_move_goods_anywhere_are_not_for_people_of_one_place(of_place, worlds):
    page = of_place.get(reverse("orders:list"))
    offered = {action.code for action in page.context["offered"]}
    assert "accept" in offered and offered.isdisjoint({"instruct", "location", "reallocate", "ship_partly"})
    answer = of_place.post(reverse("orders:bulk-choose"), {"action": "instruct", "ids": [worlds[0].order.pk]})
    assert answer.status_code == 403


# ---- what it costs


def test_who_has_no_limits_pays_no_query_for_them(aoi, worlds, client):
    client.force_login(aoi)
    with CaptureQueriesContext(connection) as asked:
        client.get(reverse("orders:detail", args=[worlds[0].order.pk]))
    limits = [q["sql"] for q in asked if "EXISTS" in q["sql"] and '"shop_id"' in q["sql"]]
    assert not limits
    with CaptureQueriesContext(connection) as desk:
        client.get(reverse("orders:list"))
    assert not any("shop_id = ANY" in query["sql"] or '"shop_id" IN' in query["sql"] for query in desk)


def test_the_desk_of_one_shop_is_read_by_an_index(worlds):
    for one in worlds:
        store_copies(one.order, (f"{one.shop.pk}-{n}" for n in range(2000)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order")
    with scope.within(Scope((worlds[0].shop.pk,))):
        plan = visible.orders().order_by("-ordered_at", "-id")[:51].explain()
    assert "order_shop_newest" in plan and "Seq Scan" not in plan


# ---- setting it


def test_administrators_limit_people_but_not_themselves(client, aoi, worlds):
    client.force_login(aoi)
    other = person("niko", "にこ", role="operator")
    url = reverse("pages:person", args=[other.pk])
    form = {"username": "niko", "display_name": "にこ", "is_active": "on", "roles": ["operator"]}
    client.post(url, form | {"shops": [worlds[0].shop.pk], "places": [worlds[0].place.pk]})
    other.refresh_from_db()
    assert (other.shop_ids, other.place_ids) == ([worlds[0].shop.pk], [worlds[0].place.pk])
    assert "own-1" in client.get(reverse("pages:people")).content.decode()
    page = client.get(url)
    assert page.context["form"]["shops"].value() == [worlds[0].shop.pk]
    client.post(url, form)
    other.refresh_from_db()
    assert (other.shop_ids, other.place_ids) == ([], [])
    own = {"username": "aoi", "display_name": "", "is_active": "on", "roles": ["administrator"]}
    refused = client.post(reverse("pages:person", args=[aoi.pk]), own | {"shops": [worlds[0].shop.pk]})
    assert refused.status_code == 200 and refused.context["form"].errors["shops"]
