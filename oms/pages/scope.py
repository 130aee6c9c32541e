"""People limited to some shops or places: which pages are made for them, and what each page is about.

Every page has a line here, or is closed to them: one that is added later can be forgotten, but shows nothing. What a
page lists is narrowed where it is read (`orders.queries.visible`, `inventory.queries.places`,
`fulfillment.queries.visible`); what a page is about is looked after here, before it is asked, and is not found where
it is another shop's. Who has no limits pays nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import NoReverseMatch, Resolver404, resolve
from django.utils.translation import gettext as _

from channels.models import Listing
from fulfillment.models import WaybillExport
from fulfillment.queries.visible import parcel_ids, parcels
from oms.kernel import scope
from oms.kernel.models import SettingVersion, User
from oms.kernel.scope import Scope
from oms.kernel.setting_kinds import KINDS
from orders.models import (
    BulkRun,
    ExportRun,
    IssuedDocument,
    Mail,
    Order,
    OrderLine,
    Refund,
    RefundRequest,
    ReturnCase,
)
from orders.queries import labels, visible

# What a page asks of the address: whether its subject is the person's. False: as if it were not there.
Rule = Callable[[Mapping[str, Any], Scope], bool]


def anybody(_kwargs: Mapping[str, Any], _limits: Scope) -> bool:
    """Shows nothing of shops or places, or narrows what it shows by itself."""
    return True


def _of(model: type[Model], path: str, name: str = "pk") -> Rule:
    def is_own(kwargs: Mapping[str, Any], _limits: Scope) -> bool:
        return visible.of_shops(model._default_manager.filter(pk=kwargs[name]), path).exists()

    return is_own


def task(kwargs: Mapping[str, Any], _limits: Scope) -> bool:
    return labels.in_sight().filter(pk=kwargs["pk"]).exists()


def shop(kwargs: Mapping[str, Any], limits: Scope) -> bool:
    return not limits.shops or kwargs.get("shop_id", kwargs.get("pk")) in limits.shops


def code_of_shop(kwargs: Mapping[str, Any], limits: Scope) -> bool:
    """The list of all codes, or one code of a shop."""
    return shop(kwargs, limits) if "shop_id" in kwargs else all_shops(kwargs, limits)


def parcel(kwargs: Mapping[str, Any], _limits: Scope) -> bool:
    return parcels().filter(pk=kwargs["pk"]).exists()


def batch(kwargs: Mapping[str, Any], _limits: Scope) -> bool:
    """Has a parcel of theirs."""
    return parcels(whole_stock=True).filter(batch=kwargs["pk"]).exists()


def member(kwargs: Mapping[str, Any], limits: Scope) -> bool:
    """Bought in one of the shops."""
    return not limits.shops or visible.orders().filter(member=kwargs["pk"]).exists()


def _run(model: type[Model]) -> Rule:
    """A frozen selection: of the person's own making, and still of their shops alone."""

    def is_own(kwargs: Mapping[str, Any], limits: Scope) -> bool:
        if not limits.shops:
            return True
        ids = model._default_manager.filter(pk=kwargs["key"], by=limits.person).values_list("order_ids", flat=True)
        found = ids.first()
        strange = Order.objects.exclude(shop__in=limits.shops)
        return found is not None and not strange.filter(pk__in=found).exists()

    return is_own


def waybills(kwargs: Mapping[str, Any], limits: Scope) -> bool:
    """An export of the person's own making, whose parcels are all still theirs."""
    ids = WaybillExport.objects.filter(pk=kwargs["key"], by=limits.person).values_list("shipment_ids", flat=True)
    found = ids.first()
    return found is not None and len(parcel_ids(found)) == len(found)


order, order_named = _of(Order, "shop"), _of(Order, "shop", "order")
mail, case = _of(Mail, "order__shop"), _of(ReturnCase, "order__shop")
refund, request_ = _of(Refund, "order__shop"), _of(RefundRequest, "order__shop")
paper, line, listing = _of(IssuedDocument, "shop"), _of(OrderLine, "order__shop"), _of(Listing, "shop")


def _closed() -> PermissionDenied:
    return PermissionDenied(_("この画面は、すべての店舗・拠点を担当する人だけが使えます。"))


def all_shops(_kwargs: Mapping[str, Any], limits: Scope) -> bool:
    """The whole company's, as far as shops go."""
    if limits.shops:
        raise _closed()
    return True


def setting(kwargs: Mapping[str, Any], limits: Scope) -> bool:
    """The versions of a setting are for whose limits its own page is."""
    return _may_set(kwargs["kind"], kwargs["ref"], limits)


def setting_version(kwargs: Mapping[str, Any], limits: Scope) -> bool:
    row = SettingVersion.objects.filter(pk=kwargs["pk"]).values_list("kind", "ref").first()
    return row is not None and _may_set(*row, limits)


def _may_set(kind: str, ref: str, limits: Scope) -> bool:
    try:
        page = resolve(urlsplit(KINDS[kind].url(ref)).path)
    except (LookupError, ValueError, ObjectDoesNotExist, NoReverseMatch, Resolver404):
        return False
    rule = PAGES.get(page.view_name)
    if rule is None:
        raise _closed()
    return rule(page.kwargs, limits)


def order_of_all_places(kwargs: Mapping[str, Any], limits: Scope) -> bool:
    """Moves an order's goods wherever they lie."""
    if limits.places:
        raise _closed()
    return order(kwargs, limits)


def _lines(rule: Rule, names: str, app: str) -> dict[str, Rule]:
    return {f"{app}:{name}": rule for name in names.split()}


ROOF = "home login logout language keys styleguide search health-strip numbers number-actions number-reasons " \
       "number-decisions number-pushes number-profits"  # fmt: skip
OWN_ACCOUNT = """
login-code account account-password devices-end-others device-end second-step second-step-codes second-step-file
second-step-off account-pin account-pin-remove
"""
STORE_DEVICES = "store-devices store-device-add store-device-code store-device-state store-device-end"
# What decides who may come in is for people who came in by their own password.
BY_PASSWORD = frozenset(f"pages:{name}" for name in [*OWN_ACCOUNT.split(), *STORE_DEVICES.split(), "styleguide"])
OF_AN_ORDER = """
presence detail detail-live accept hold lift take-back confirm pay adjust cancel decline-cancel lines edit-recipient
edit-buyer edit-gift edit-delivery edit-note edit-texts promise-new promise-tick promise-done
mail-new mail-switch attachments attach attachment attachment-remove talk channel-memo
order-rules labels row-goods options take-apart channel-changes channel-changes-decide put-together
payment payment-record payment-waive payment-undo refund-new order-papers order-credit order-split
order-issue payment-held return-open
"""
LISTS = """
list live filter views view-tiles columns view-save view-change home-panel bulk-choose bulk-log bulk-last exports
export-choose inbox inbox-accept inbox-act inbox-choose inbox-hold inbox-undo member-panel mails mails-approve
mail-opt-out tasks payments payments-expired refunds refund-requests papers papers-csv papers-zip document-link returns
"""
OF_A_CASE = """
return return-approve return-reject return-exchange return-resend return-withdraw return-sent return-receive
return-inspect return-settle return-close return-label return-pickup
"""
COMPANY_WIDE_ORDERS = """
manual-new manual-skus manual-shop copy matching bank-load bank-columns match-sure match-undo bank-line match-accept
line-aside payment-terms payment-terms-edit payment-terms-reset payment-fees payment-fees-reset
paper-shops release-day release-panel release-undo
billing billing-close-many billing-new billing-account billing-edit billing-close billing-opening billing-came
billing-came-undo
unknown-parcel-note unknown-parcel unknown-parcel-attach export-layouts export-layout-new export-layout
export-layout-delete
"""
OF_A_SHOP = """
edit check import-now pause listings-import delay publishing-shop window-add compare credential renewal renewal-enter
renewal-step consent protect protect-lift limits sku-options gap-day
"""
COMPANY_WIDE_CHANNELS = """
add quarantine replay-all quarantined replay gaps gap-compare catch-up catch-up-read reimport-numbers reimported
listings listings-choose listings-bulk publishing window-remove sku-stock sku-safety oversell oversell-case
oversell-decide oversell-order listing-take-away proposals proposal-accept propose match-rules match-rule-add match-rule
match-rule-delete mapping-warnings mapping-history mapping-csv mapping-csv-download csv-batch csv-apply pushes
credentials expiry-panel calls consent-callback
"""

PAGES: Mapping[str, Rule] = {
    "pages:setting-subject": setting,
    "pages:setting-back": setting_version,
    "healthz": anybody,
    "metrics": anybody,
    **_lines(anybody, ROOF, "pages"),
    **_lines(anybody, OWN_ACCOUNT, "pages"),
    **_lines(anybody, "login-device login-pin pin-watch", "pages"),
    **_lines(anybody, STORE_DEVICES, "pages"),
    **_lines(anybody, "list ledger home-panel sku promises kit correct receive kit-build picture", "inventory"),
    **_lines(all_shops, "facts set kit-parts picture-put", "inventory"),
    **_lines(all_shops, "list ranks rank rank-delete blacklist blacklist-lift", "customers"),
    **_lines(member, "detail facts note-add promise", "customers"),
    **_lines(anybody, LISTS, "orders"),
    **_lines(order, OF_AN_ORDER, "orders"),
    **_lines(line, "line", "orders"),
    **_lines(_run(BulkRun), "bulk bulk-undo bulk-csv bulk-run", "orders"),
    **_lines(_run(ExportRun), "export export-begin export-retry export-again export-file", "orders"),
    **_lines(mail, "mail mail-html mail-edit mail-approve mail-withdraw mail-again mail-was-sent mail-send", "orders"),
    **_lines(task, "task-done task-later money-task-done", "orders"),
    **_lines(refund, "refund-done refund-withdraw", "orders"),
    **_lines(request_, "refund-request-approve refund-request-refuse refund-request-withdraw", "orders"),
    **_lines(paper, "paper paper-pdf paper-reissue paper-correct paper-void paper-link paper-revoke", "orders"),
    **_lines(case, OF_A_CASE, "orders"),
    **_lines(shop, "paper-settings", "orders"),
    **_lines(all_shops, COMPANY_WIDE_ORDERS, "orders"),
    **_lines(
        anybody,
        "list cut-off home-panel delivery-notes pick-list handover return-slips work-slips stops ship ship-paste "
        "ship-confirm ship-numbers batches waybills waybill-choose waybill-choose-orders",
        "fulfillment",
    ),
    **_lines(
        parcel, "shipment ship-one packages stop-done stop-too-late reopen parcel-returned short-pick", "fulfillment"
    ),
    **_lines(batch, "batch", "fulfillment"),
    **_lines(waybills, "waybill waybill-write waybill-again waybill-file", "fulfillment"),
    **_lines(order, "order-panel race", "fulfillment"),
    **_lines(
        order_of_all_places,
        "instruct split split-off split-run split-answer split-undo",
        "fulfillment",
    ),
    **_lines(
        order_of_all_places,
        "ask-change stop-withdraw stock-card",
        "fulfillment",
    ),
    **_lines(all_shops, "shortages shortage waiting", "fulfillment"),
    **_lines(anybody, "list live home-panel catch-ups sku-panel", "channels"),
    **_lines(shop, OF_A_SHOP, "channels"),
    **_lines(code_of_shop, "map", "channels"),
    **_lines(order, "reimport", "channels"),
    **_lines(order_named, "card-panel", "channels"),
    **_lines(listing, "listing", "channels"),
    **_lines(all_shops, COMPANY_WIDE_CHANNELS, "channels"),
}


def pages_of(limits: Scope, *, by_pin: bool) -> frozenset[str]:
    """The pages worth a link for these limits: those that would not be refused, whatever they are about."""
    shut: set[Rule] = set()
    if limits.shops:
        shut.add(all_shops)
    if limits.places:
        shut.add(order_of_all_places)
    open_ = frozenset(name for name, rule in PAGES.items() if rule not in shut)
    return open_ - BY_PASSWORD if by_pin else open_


class ScopeMiddleware:
    """Answers the requests of people with limits within their scope, and lets them see no page about others' things."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with scope.within(scope.EVERYTHING):
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], _args: Any, kwargs: Mapping[str, Any]
    ) -> None:
        """Raises Http404 or PermissionDenied. Pages for everybody without a login have nobody to limit."""
        if not getattr(view, "login_required", True):
            return
        person: User | AnonymousUser = request.user
        if not isinstance(person, User) or not (person.shop_ids or person.place_ids or person.by_pin):
            return
        limits = scope.of(person)
        scope.enter(Scope(limits.shops, limits.places, limits.person, pages_of(limits, by_pin=person.by_pin)))
        name = request.resolver_match.view_name if request.resolver_match else ""
        rule = PAGES.get(name)
        if rule is None or (person.by_pin and name in BY_PASSWORD):
            raise _closed()
        if not rule(kwargs, scope.current()):
            raise Http404
