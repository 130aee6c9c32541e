"""One field for everything: orders, members, goods, shipments. At most ten of each, in a handful of index look-ups."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.queries.members import listed_members, member_rows
from fulfillment.queries.visible import parcels
from inventory.models import Sku
from oms.kernel import scope
from oms.kernel.models import User
from oms.kernel.privacy import mask_name
from oms.kernel.search import matching, search_words
from oms.kernel.text import search_word
from orders.models.order import Stage
from orders.queries import quick_search, visible
from orders.queries.goods_words import goods_words
from orders.queries.tones import STAGE_TONES

EACH = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """`exact`: what was typed is this row's own number or code, not only a part of it. `order_url`: the order that a
    shipment belongs to."""

    title: str
    url: str
    sub: str = ""
    badge: str = ""
    tone: str = "neutral"
    at: datetime | None = None
    exact: bool = False
    order_url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """`more_url` leads to the full list where there are more than are shown."""

    title: str
    hits: Sequence[Hit]
    more_url: str = ""


def search(typed: str, user: User) -> list[Group]:
    """Groups with at least one hit, each only for those who may see its kind; exact hits first."""
    asked = quick_search.read(typed)
    if not asked.marked and not search_words(typed):
        return []
    finders: list[tuple[str, Callable[[str, bool], Group]]] = [
        ("orders.view_order", _orders),
        ("fulfillment.view_shipment", _shipments),
        ("customers.view_member", _members),
        ("inventory.view_sku", _skus),
    ]
    personal = user.has_perm("orders.view_personal_data")
    if asked.marked:  # a stage or a tag: only orders have one
        finders = finders[:1]
    found = [find(typed.strip(), personal) for right, find in finders if user.has_perm(right)]
    return [Group(g.title, sorted(g.hits, key=lambda hit: not hit.exact), g.more_url) for g in found if g.hits]


def only_exact(groups: Sequence[Group], *, to_order: bool = False) -> str:
    """Where the one exact hit leads; "" when there is none, or several. `to_order`: a shipment leads to its order."""
    hits = [hit for group in groups for hit in group.hits if hit.exact and hit.url]
    urls = {hit.order_url if to_order and hit.order_url else hit.url for hit in hits}
    return urls.pop() if len(urls) == 1 else ""


def _orders(typed: str, personal: bool) -> Group:
    rows = list(
        quick_search.found_by(visible.orders(), typed)
        .select_related("shop")
        .only("channel_order_no", "buyer_name", "item_summary", "stage", "ordered_at", "shop__name")
        .order_by("-ordered_at", "-id")[: EACH + 1]
    )
    labels = dict(Stage.choices)
    hits = [
        Hit(
            title=order.channel_order_no,
            url=reverse("orders:detail", args=[order.pk]),
            sub=_joined(
                order.buyer_name if personal else mask_name(order.buyer_name),
                order.shop.name,
                goods_words(order.item_summary),
            ),
            badge=str(labels[Stage(order.stage)]),
            tone=STAGE_TONES[Stage(order.stage)],
            at=order.ordered_at,
            exact=search_word(order.channel_order_no) == search_word(typed),
        )
        for order in rows[:EACH]
    ]
    return Group(_("受注"), hits, _more("orders:list", typed) if len(rows) > EACH else "")


def _members(typed: str, personal: bool) -> Group:
    members = listed_members(typed)
    if scope.current().shops:
        members = members.filter(Exists(visible.orders().filter(member=OuterRef("pk"))))
    found = list(members.order_by("-id")[: EACH + 1])
    hits = [
        Hit(
            title=row.name,
            url=reverse("customers:detail", args=[row.pk]),
            sub=_joined(row.kana, row.phone_tail, row.place, _("注文%(n)d回") % {"n": row.order_count}),
        )
        for row in member_rows(found[:EACH], personal=personal)
    ]
    return Group(
        _("会員"),
        hits,
        _more("customers:list", typed) if len(found) > EACH and scope.may_open("customers:list") else "",
    )


def _skus(typed: str, personal: bool) -> Group:
    rows = list(matching(Sku.objects.defer("search_text"), "search_text", typed).order_by("code")[: EACH + 1])
    word = search_word(typed)
    hits = [
        Hit(
            title=sku.code,
            url=reverse("inventory:sku", args=[sku.pk]),
            sub=" ".join(part for part in (sku.name, sku.variant, sku.jan) if part),
            exact=word in {search_word(sku.code), sku.jan},
        )
        for sku in rows[:EACH]
    ]
    return Group(_("商品"), hits, _more("inventory:list", typed) if len(rows) > EACH else "")


def _shipments(typed: str, personal: bool) -> Group:
    """By our own number (S0000012) or by the carrier's, whole or from its beginning."""
    plain = re.sub(r"[\s\-‐－−ー]", "", unicodedata.normalize("NFKC", typed)).upper()
    rows = parcels().select_related("location", "recipient__order")
    if own := re.fullmatch(r"S(\d{1,9})", plain):
        found = list(rows.filter(pk=int(own[1])))
    elif re.fullmatch(r"[0-9A-Z]{6,40}", plain):
        spelled = {typed, plain, "-".join(re.findall(r".{1,4}", plain))}
        found = list(rows.filter(tracking_no__in=spelled).order_by("-id")[:EACH])
        found = found or list(rows.filter(tracking_no__startswith=plain).order_by("tracking_no")[:EACH])
    else:
        found = []
    hits = [
        Hit(
            title=shipment.number,
            url=reverse("fulfillment:shipment", args=[shipment.pk]),
            sub=_joined(
                f"{shipment.get_carrier_display()} {shipment.tracking_no}" if shipment.tracking_no else "",
                shipment.location.name,
                shipment.recipient.order.channel_order_no,
            ),
            badge=shipment.get_state_display(),
            at=shipment.shipped_at or shipment.created_at,
            exact=bool(own) or re.sub(r"\D", "", shipment.tracking_no) == plain,
            order_url=reverse("orders:detail", args=[shipment.recipient.order_id]),
        )
        for shipment in found
    ]
    return Group(_("出荷"), hits)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _more(name: str, typed: str) -> str:
    return f"{reverse(name)}?{urlencode({'q': typed})}"
