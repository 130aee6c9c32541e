"""Every page on which somebody sets something keeps a version of it, or stands below with the reason why not."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import time
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from channels.models import Listing, MaintenanceWindow, MatchRule, Proposal
from channels.services import maintenance, mapping, mapping_csv
from customers.models import Rank
from customers.services import ranks
from fulfillment.models import ReleaseTime
from fulfillment.services import release, waybill_settings
from inventory.models import Sku
from inventory.services import sets
from inventory.services.sets import SetRules
from oms.kernel import clock
from oms.kernel.models import SettingVersion, User
from oms.kernel.services import roles
from oms.kernel.setting_kinds import KINDS, stands
from orders.channel_order import PaymentMethod
from orders.decide.payment_fees import FeeTable
from orders.decide.payments import Terms
from orders.models import (
    BillingAccount,
    ExportLayout,
    MailTemplateVersion,
    Order,
    PaymentGate,
    Rule,
    RuleListVersion,
    RuleVersion,
    ShippingPlan,
    Shop,
)
from orders.queries import payment_terms
from orders.services import (
    billing,
    export_layouts,
    moving_in,
    payment_fees,
    payment_gates,
    reason_settings,
    ship_plans,
)
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.channels.builders import make_connection, make_listing
from tests.conftest import person
from tests.orders.builders import make_channel_order, make_location, make_sku, mapped
from tests.orders.rules.builders import do, make_rule

pytestmark = pytest.mark.django_db


def views(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from views(one, f"{space}{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern) and one.name:
            yield f"{space}{one.name}", one.callback


def layers(view: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The view and everything that its decorators hold on to."""
    seen: list[Any] = [view]
    for one in seen:
        yield one
        for cell in inspect.getclosurevars(one).nonlocals.values() if inspect.isfunction(one) else ():
            if inspect.isfunction(cell) and cell not in seen:
                seen.append(cell)


def rights_of(view: Callable[..., Any]) -> set[str]:
    found: set[str] = set()
    for one in layers(view):
        if inspect.isfunction(one) and one.__name__ == "check_perms":
            found |= set(inspect.getclosurevars(one).nonlocals["perms"])
    return found


def takes_post(view: Callable[..., Any]) -> bool:
    for one in layers(view):
        held = inspect.getclosurevars(one).nonlocals if inspect.isfunction(one) else {}
        if "request_method_list" in held:
            return "POST" in held["request_method_list"]
    return True


# What a right to set something is called. A page with such a right that changes something must be in one of the two
# tables below; a page that is new is in neither, and fails.
WORK = {  # rights of these names to work with, not to set
    "orders.add_order", "orders.change_order", "orders.change_returncase", "customers.change_member",
}  # fmt: skip


def sets_something(rights: set[str]) -> bool:
    named = {right for right in rights if right.split(".")[1].startswith(("add_", "change_", "manage_"))}
    return bool((named - WORK) | (rights & {"orders.export_order", "orders.move_in"}))


EXCEPTIONS = {
    "channels:credential": "credentials: neither kept nor shown; the shop's journal says who changed which",
    "channels:renewal-enter": "credentials",
    "channels:renewal-step": "a step of renewing credentials, journaled with the shop",
    "channels:check": "tries the connection; sets nothing",
    "channels:pause": "stops and resumes the shop's work, journaled with the shop; the same button undoes it",
    "channels:protect": "sold out by one click, with a lift of its own; journaled",
    "channels:protect-lift": "gives back what `protect` took",
    "channels:compare": "starts a comparison",
    "channels:listings-import": "starts an import",
    "channels:listings-choose": "only asks; `listings-bulk` changes",
    "channels:mapping-csv": "reads a file and shows what it would do; `csv-apply` changes",
    "channels:propose": "works proposals out anew",
    "inventory:correct": "a fact about stock: the ledger holds it, another correction undoes it",
    "inventory:receive": "a fact about stock",
    "inventory:kit-build": "a fact about stock",
    "inventory:picture-put": "a file; the same form replaces it or takes it away",
    "customers:blacklist": "an entry about one person; who put it there and took it off, and why, stays with it",
    "customers:blacklist-lift": "see `blacklist`",
    "customers:note-add": "a note about one person, signed and dated",
    "customers:promise": "settles a note about one person, or opens it again; journaled with the member",
    "orders:billing-opening": "money: entries that are only added, with who and why; a further one puts it right",
    "orders:mail-template-test": "sends a mail to oneself",
    "orders:promise-new": "a note about one person, as `customers:note-add`; in the order's history",
    "orders:promise-tick": "settles it; in the order's history",
    "orders:promise-done": "see `promise-tick`",
    "orders:privacy-hold": "exempts one order, on record; `privacy-lift` undoes it",
    "orders:privacy-lift": "see `privacy-hold`",
    "orders:move-in": "data of another system, with an undo of its own",
    "orders:move-in-apply": "see `move-in`",
    "orders:move-in-undo": "see `move-in`",
    "orders:move-in-errors": "hands out lines of a file, on record with it",
    "orders:export-choose": "starts a file; exports have their own record",
    "orders:export-begin": "see `export-choose`",
    "orders:export-retry": "see `export-choose`",
    "orders:export-again": "see `export-choose`",
    "orders:release-day": "moves a day of one product, with an undo of its own",
    "orders:release-undo": "see `release-day`",
    "pages:store-device-add": "registers one device by a code that is kept nowhere; the journal of signing in tells",
    "pages:store-device-code": "see `store-device-add`",
    "pages:store-device-end": "ends what `store-device-add` began, for good; in the same journal",
}


def filled(code: str, ref: object, **changed: Any) -> dict[str, Any]:
    """What a browser would send from the page of this setting, with these fields changed."""
    kind = KINDS[code]
    form = kind.form(str(ref), None, None)
    data = kind.as_posted(form, {name: stands(form, name) for name in kind.fields_of(form)} | changed)
    return dict(data.lists())


@dataclass(frozen=True)
class Thing:
    """One thing of each kind to set."""

    shop: Shop
    sku: Sku
    bundle: Sku
    listing: Listing
    rule: MatchRule
    window: MaintenanceWindow
    group: Group
    person: User
    own_role: Group
    automation: Rule


@pytest.fixture(scope="module")
def company(module_rows: None) -> tuple[User, Thing]:
    """aoi and one thing of each kind."""
    aoi = person("aoi", "青井 あおい", role="administrator")
    return aoi, one_of_each(aoi)


@pytest.fixture
def thing(company: tuple[User, Thing], db: None) -> Thing:
    """As it was made, whatever an earlier test did to it."""
    return deepcopy(company[1])


@pytest.fixture
def aoi(company: tuple[User, Thing], db: None) -> User:
    return User.objects.get(pk=company[0].pk)


def one_of_each(aoi: User) -> Thing:
    shop = make_connection("rakuten-1").shop
    sku, bundle = make_sku("CHAIR"), make_sku("SET-1")
    Sku.objects.filter(pk=bundle.pk).update(is_bundle=True)
    sets.define(bundle.pk, SetRules({"CHAIR": 1}, ships_apart=False, tax_by_component=False), by_id=aoi.pk)
    make_location("W1")
    start = payment_terms.starting_values(shop, method="bank_transfer", code="")
    payment_gates.save_gate(shop, Terms(**start), by=aoi)
    payment_fees.save_table(shop, "cod", FeeTable(((0, 330),), False), by=aoi)
    return Thing(
        shop, sku, bundle, make_listing(shop, "shop1-CHAIR"),
        MatchRule.objects.create(kind="prefix", pattern="shop1-", position=1),
        maintenance.add_window(shop.pk, {"weekday": 1, "start_time": time(2), "minutes": 60, "note": ""}, by=aoi),
        Group.objects.get(name="warehouse"), person("niko", "にこ", role="operator"),
        roles.save(Group(name="繁忙期"), ["orders.view_order"], by=aoi),
        make_rule("止まる", then=do("add_tag", tag="x")),
    )  # fmt: skip


Sent = tuple[str, Mapping[str, Any]]


def _mapped(t: Thing) -> Sent:
    mapping.map_code(t.shop, "shop1-CHAIR", t.sku, actor=Actor(by=t.person))
    return reverse("channels:listing-take-away", args=[t.listing.pk]), {}


def _proposed(t: Thing) -> Sent:
    found = Proposal.objects.create(listing=t.listing, sku=t.sku, reason="rule", score=90, at=clock.now())
    return reverse("channels:proposal-accept"), {"ids": [found.pk]}


def _csv(t: Thing) -> Sent:
    text = b"".join(mapping_csv.written(Listing.objects.all(), encoding="utf-8")).decode("utf-8-sig").splitlines()[0]
    line = "rakuten-1,shop1-CHAIR,shop1-CHAIR,,CHAIR,3,,\r\n"
    batch = mapping_csv.preview(f"{text}\r\n{line}".encode(), name="a.csv", by=t.person)
    return reverse("channels:csv-apply", args=[batch.pk]), {}


LAYOUT = {"name": "倉庫向け", "grain": "order", "format": "csv", "col": ["no", "total"], "save": "1"}


def _layout() -> ExportLayout:
    values = {
        "name": "倉庫向け",
        "grain": "order",
        "format": "csv",
        "columns": ["no"],
        "keep_zeros": True,
        "shared": True,
    }
    return export_layouts.save(User.objects.get(username="aoi"), None, values)


def _mapped_columns(t: Thing) -> Sent:
    move = moving_in.read(BytesIO("品番,品名\nA-1,椅子\n".encode()), name="a.csv", kind="products", by=t.person)
    return reverse("orders:move-in-file", args=[move.pk]), {"col_code": "0", "col_name": "1", "preset": "前の倉庫"}


def _changed_reason(t: Thing) -> Sent:
    reason_settings.save(replace(reason_settings.read().of("buyer_note"), label="備考"), by=t.person)
    return reverse("orders:reason-reset", args=["buyer_note"]), {}


def _published(t: Thing) -> Sent:
    return reverse("orders:rule-pause", args=[t.automation.pk]), {}


def _rank() -> Rank:
    return ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=False), by=None)


def _planned(t: Thing) -> Sent:
    plan = ship_plans.document(ShippingPlan())
    place = make_location("W1").pk
    ship_plans.save(place, plan | {"lead_days": 2}, by=t.person, seen=0)
    return reverse("fulfillment:calendar-remove", args=[place]), {}


def _contracted(t: Thing) -> Sent:
    place = make_location("W1").pk
    waybill_settings.save(place, "japanpost", {"item": "雑貨"}, by=t.person, seen=0)
    return reverse("fulfillment:waybill-contract-remove", args=["japanpost", place]), {}


def _timed(t: Thing) -> Sent:
    release.add_time(time(10), by=t.person)
    return reverse("fulfillment:time-stop", args=[ReleaseTime.objects.get().pk]), {}


def _on_account(t: Thing) -> Order:
    order = make_channel_order(payment_method=PaymentMethod.ACCOUNT)
    take_in(t.shop, [order], sku_of=mapped(t.sku))
    return Order.objects.get()


def _billed(t: Thing) -> Sent:
    order = _on_account(t)
    fresh = BillingAccount(shop=order.shop, member=order.member)
    account = billing.save_account(fresh, {"name": "山田商店"}, by=t.person)
    return reverse("orders:billing-edit", args=[account.pk]), filled("billing_account", account.pk, pay_day=10)


# page → (its address, what is sent): something that differs from what stands
SETTINGS: dict[str, Callable[[Thing], Sent]] = {
    "channels:add": lambda t: (
        reverse("channels:add") + "?channel=futureshop",
        {"code": "fs-1", "name": "FS", "active": "on", "ship_within_days": 3, "follow_up_days": 7},
    ),
    "channels:edit": lambda t: (
        reverse("channels:edit", args=[t.shop.pk]),
        filled("shop", t.shop.pk, letterhead_name="新しい名前"),
    ),
    "channels:limits": lambda t: (
        reverse("channels:limits", args=[t.shop.pk]),
        filled("service_limits", t.shop.pk, late_percent=3.5),
    ),
    "channels:publishing-shop": lambda t: (
        reverse("channels:publishing-shop", args=[t.shop.pk]),
        filled("publishing", t.shop.pk, buffer=4),
    ),
    "channels:window-add": lambda t: (
        reverse("channels:window-add", args=[t.shop.pk]),
        {"every_week": "0", "date": "2027-01-05", "start_time": "03:00", "minutes": 30},
    ),
    "channels:window-remove": lambda t: (reverse("channels:window-remove", args=[t.window.pk]), {}),
    "channels:sku-safety": lambda t: (reverse("channels:sku-safety", args=[t.sku.pk]), {"safety_stock": 2}),
    "channels:listing": lambda t: (
        reverse("channels:listing", args=[t.listing.pk]),
        filled("listing", t.listing.pk, buffer=3),
    ),
    "channels:listings-bulk": lambda t: (
        reverse("channels:listings-bulk"),
        {"ids": [t.listing.pk], "cap_how": "own", "cap": 5},
    ),
    "channels:map": lambda t: (reverse("channels:map", args=[t.shop.pk, "shop1-CHAIR"]), {"sku": t.sku.pk, "units": 2}),
    "channels:listing-take-away": _mapped,
    "channels:proposal-accept": _proposed,
    "channels:csv-apply": _csv,
    "channels:match-rule-add": lambda t: (
        reverse("channels:match-rule-add"),
        {"kind": "prefix", "pattern": "x-", "position": 2, "active": "on"},
    ),
    "channels:match-rule": lambda t: (
        reverse("channels:match-rule", args=[t.rule.pk]),
        filled("match_rule", t.rule.pk, pattern="shop2-"),
    ),
    "channels:match-rule-delete": lambda t: (reverse("channels:match-rule-delete", args=[t.rule.pk]), {}),
    "customers:ranks": lambda t: (
        reverse("customers:ranks"),
        {"code": "silver", "name": "シルバー", "level": 2},
    ),
    "customers:rank": lambda t: (
        reverse("customers:rank", args=[_rank().pk]),
        filled("rank", "gold", name="金会員", is_vip=True),
    ),
    "customers:rank-delete": lambda t: (reverse("customers:rank-delete", args=[_rank().pk]), {}),
    "fulfillment:calendar": lambda t: (
        reverse("fulfillment:calendar"),
        filled("ship_plan", "-", cutoffs="15:00\n佐川急便 16:30", closed_weekdays=[5, 6]),
    ),
    "fulfillment:calendar-place": lambda t: (
        reverse("fulfillment:calendar-place", args=[make_location("W1").pk]),
        filled("ship_plan", make_location("W1").pk, transit="沖縄県 4"),
    ),
    "fulfillment:calendar-remove": _planned,
    "fulfillment:time-add": lambda t: (reverse("fulfillment:time-add"), {"at": "14:00"}),
    "fulfillment:time-stop": _timed,
    "fulfillment:costs": lambda t: (reverse("fulfillment:costs"), filled("costs", "-", wage=1500)),
    "fulfillment:waybill-contract": lambda t: (
        reverse("fulfillment:waybill-contract", args=["yamato"]),
        filled("waybill", "-/yamato", item="雑貨", customer_code="0312345678", freight_no="01"),
    ),
    "fulfillment:waybill-contract-place": lambda t: (
        reverse("fulfillment:waybill-contract-place", args=["sagawa", make_location("W1").pk]),
        filled("waybill", f"{make_location('W1').pk}/sagawa", item="雑貨", customer_code="0312345678", slots="6"),
    ),
    "fulfillment:waybill-contract-remove": _contracted,
    "fulfillment:stop-policy": lambda t: (reverse("fulfillment:stop-policy"), {}),
    "inventory:facts": lambda t: (reverse("inventory:facts", args=[t.sku.pk]), filled("sku", t.sku.pk, brand="木工")),
    "inventory:set": lambda t: (reverse("inventory:set", args=[t.bundle.pk]), {"parts": "CHAIR 2"}),
    "inventory:kit-parts": lambda t: (
        reverse("inventory:kit-parts", args=[t.sku.pk]),
        {"parts": f"{make_sku('CUP').code} 2"},
    ),
    "orders:mail-policy": lambda t: (
        reverse("orders:mail-policy", args=[t.shop.code]),
        filled("mail_policy", t.shop.pk, signature="くらし道具店"),
    ),
    "orders:manual-shop": lambda t: (
        reverse("orders:manual-shop"),
        {"name": "電話の店", "ship_within_days": 4, "letterhead_name": "電話"},
    ),
    "orders:paper-settings": lambda t: (
        reverse("orders:paper-settings", args=[t.shop.pk]),
        filled("papers", t.shop.pk, company="新会社"),
    ),
    "orders:payment-terms-edit": lambda t: (
        reverse("orders:payment-terms-edit", args=[t.shop.code]) + "?method=bank_transfer",
        filled("payment_terms", f"{t.shop.pk}/method/bank_transfer", due_days=9, cancel_days=30),
    ),
    "orders:payment-terms-reset": lambda t: (
        reverse("orders:payment-terms-reset", args=[PaymentGate.objects.get().pk]),
        {},
    ),
    "orders:payment-fees": lambda t: (
        reverse("orders:payment-fees", args=[t.shop.code, "cod"]),
        filled("payment_fees", f"{t.shop.pk}/cod", fee_0=440),
    ),
    "orders:billing-new": lambda t: (
        reverse("orders:billing-new") + f"?order={_on_account(t).pk}",
        {"name": "山田商店", "closing_day": 31, "pay_months": 1, "pay_day": 31, "qualified": "bill"},
    ),
    "orders:billing-edit": _billed,
    "orders:payment-fees-reset": lambda t: (reverse("orders:payment-fees-reset", args=[t.shop.code, "cod"]), {}),
    "orders:refund-limits": lambda t: (
        reverse("orders:refund-limits"),
        filled("refund_limits", "-", **{f"limit-{t.group.pk}": 777}),
    ),
    "orders:privacy-days": lambda t: (reverse("orders:privacy-days", args=[t.shop.pk]), {"days": 90}),
    "orders:personal-views-months": lambda t: (reverse("orders:personal-views-months"), {"months": 36}),
    "orders:reason": lambda t: (
        reverse("orders:reason", args=["buyer_note"]),
        filled("reason", "buyer_note", label="備考") | {"save": "1"},
    ),
    "orders:reason-reset": _changed_reason,
    "orders:export-layout-new": lambda t: (reverse("orders:export-layout-new"), LAYOUT),
    "orders:export-layout": lambda t: (
        reverse("orders:export-layout", args=[_layout().pk]),
        LAYOUT | {"col": ["total", "no"], "place-total": "1", "place-no": "2"},
    ),
    "orders:export-layout-delete": lambda t: (reverse("orders:export-layout-delete", args=[_layout().pk]), {}),
    "orders:bank-columns": lambda t: (
        reverse("orders:bank-columns"),
        {"text": "日付,金額,名前\n2026/11/20,500,ヤマダ", "name": "a.csv", "skip": 1, "preset_name": "信用金庫"}
        | {"column_on": "0", "column_amount": "1", "column_payer": "2"},
    ),
    "orders:move-in-file": _mapped_columns,
    "orders:stage-names": lambda t: (reverse("orders:stage-names"), filled("stage_names", "-", ready="印刷待ち")),
    "orders:rule-pause": _published,
    "orders:rule-owner": lambda t: (
        reverse("orders:rule-owner", args=[t.automation.pk]),
        filled("rule_owner", t.automation.pk, owner=User.objects.get(username="aoi").pk),
    ),
    "pages:person": lambda t: (
        reverse("pages:person", args=[t.person.pk]),
        filled("person", t.person.pk, roles=["shift_lead"]),
    ),
    "pages:person-add": lambda t: (
        reverse("pages:person-add"),
        {"username": "rei", "display_name": "れい", "is_active": "on", "password": "atarashii-kotoba"},
    ),
    "pages:role-add": lambda t: (reverse("pages:role-add"), {"name": "応援", "area_orders": ["orders.view_order"]}),
    "pages:role": lambda t: (
        reverse("pages:role", args=[t.own_role.pk]),
        {"name": "繁忙期", "area_orders": ["orders.view_order", "orders.hold_order"]},
    ),
    "pages:role-delete": lambda t: (reverse("pages:role-delete", args=[t.own_role.pk]), {}),
    "pages:sign-in-rule": lambda t: (reverse("pages:sign-in-rule", args=[t.group.pk]), {"second_step": "on"}),
    "pages:sign-in-trust": lambda t: (reverse("pages:sign-in-trust"), {"may_trust": "on"}),
}
# Texts with versions of their own, with the difference and the way back on their own pages.
OWN_VERSIONS = {
    "orders:rule-new": RuleVersion, "orders:rule-edit": RuleVersion, "orders:rule-templates": RuleVersion,
    "orders:rule-publish": RuleVersion, "orders:rule-roll-back": RuleVersion, "orders:rule-drop": RuleVersion,
    "orders:rule-lists": RuleListVersion, "orders:rule-list-back": RuleListVersion,
    "orders:mail-template": MailTemplateVersion,
    "orders:mail-template-back": MailTemplateVersion,
}  # fmt: skip


def pages() -> dict[str, set[str]]:
    """Page → rights, of every page that takes a POST and sets something."""
    found: dict[str, set[str]] = {}
    for name, view in views(get_resolver()):
        if takes_post(view) and sets_something(rights := rights_of(view)):
            found[name] = rights
    return found


def test_every_page_that_sets_something_has_versions_or_a_reason_why_not():
    named = SETTINGS.keys() | OWN_VERSIONS.keys() | EXCEPTIONS.keys()
    assert pages().keys() - named == set(), "give it versions (docs/screens.md), or say here why not"
    known = {name for name, _view in views(get_resolver())}
    assert named - known == set()
    assert all(EXCEPTIONS.values()) and not SETTINGS.keys() & EXCEPTIONS.keys()


@pytest.mark.parametrize("page", sorted(SETTINGS))
def test_setting_something_there_keeps_a_version(page, client, aoi, thing, django_capture_on_commit_callbacks):
    client.force_login(aoi)
    url, sent = SETTINGS[page](thing)
    last = SettingVersion.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with django_capture_on_commit_callbacks():
        answer = client.post(url, sent)
    assert answer.status_code == 302, getattr(answer.context and answer.context.get("form"), "errors", answer)
    made = [row for row in SettingVersion.objects.filter(pk__gt=last) if row.how == "changed" and row.by == aoi]
    assert len(made) == 1
    kind, ref = made[0].kind, made[0].ref
    assert KINDS[kind].read(ref) == made[0].content
    page_ = client.get(reverse("pages:setting-subject", args=[kind, ref]))
    assert page_.status_code == 200 and page_.context["title"]
    earlier = SettingVersion.objects.filter(kind=kind, ref=ref, number=made[0].number - 1).first()
    if earlier is None:
        return  # it is new: there is nothing to go back to
    back = reverse("pages:setting-back", args=[earlier.pk])
    assert client.get(back).status_code == 200
    answer = client.post(back)
    assert answer.status_code == 302, answer.context["causes"]
    newest = SettingVersion.objects.filter(kind=kind, ref=ref).latest("number")
    assert (newest.how, newest.content) == ("back", earlier.content) and newest.number == made[0].number + 1
