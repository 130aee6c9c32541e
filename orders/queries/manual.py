"""What the form for orders taken by hand looks up: products, members, addresses, and orders to copy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from customers.models import Member
from customers.queries.members import listed_members
from inventory.models import Sku
from inventory.services import stock
from oms.kernel.postal import places, postal_digits
from oms.kernel.search import matching
from orders.decide.manual import Item
from orders.models import Order

OFFERED = 8
PARTY = ("name", "kana", "company", "phone", "postal_code", "prefecture", "city", "address")


@dataclass(frozen=True, slots=True)
class Known:
    """What typed words stand for: one SKU, or several that they could mean."""

    sku: Sku | None
    candidates: Sequence[Sku] = ()


def known_skus(typed: Iterable[str]) -> dict[str, Known]:
    """Each text with its SKU: by code, by JAN, else by words that only one active product has.

    One query for codes and JANs together, one more for each text that is neither.
    """
    texts = set(typed)
    if not texts:
        return {}
    exact: dict[str, Sku] = {}
    rows = Sku.objects.defer("search_text").filter(Q(code__in=texts) | Q(jan__in=texts)).order_by("-active", "code")
    for sku in rows:
        exact.setdefault(sku.code, sku)
        if sku.jan:
            exact.setdefault(sku.jan, sku)
    return {text: Known(exact[text]) if text in exact else _by_words(text) for text in texts}


def _by_words(text: str) -> Known:
    found = skus_offered(text)
    return Known(found[0]) if len(found) == 1 else Known(None, found)


def skus_offered(typed: str) -> list[Sku]:
    """Active SKUs whose code, JAN or name holds what was typed."""
    rows = Sku.objects.active().defer("search_text")
    return list(matching(rows, "search_text", typed).order_by("code")[:OFFERED])


@dataclass(frozen=True, slots=True)
class StockWord:
    """What the stock says of one row, and whether that is trouble."""

    free: int
    short: bool


def stock_words(items: Sequence[Item]) -> dict[int, StockWord]:
    """SKU → what may still be promised of it, against all rows that want it."""
    wanted: dict[int, int] = {}
    for item in items:
        wanted[item.sku_id] = wanted.get(item.sku_id, 0) + item.quantity
    free = stock.available(wanted)
    return {sku: StockWord(max(0, free[sku]), free[sku] < count) for sku, count in wanted.items()}


@dataclass(frozen=True, slots=True)
class MemberFound:
    pk: int
    name: str
    kana: str
    phone: str
    place: str
    order_count: int


def members_found(typed: str) -> list[MemberFound]:
    """Members by name, kana, phone or mail, those who buy most first."""
    rows = listed_members(typed).order_by("-order_count", "pk")[:OFFERED] if typed.strip() else []
    return [MemberFound(m.pk, m.name, m.kana, m.phone, m.prefecture, m.order_count) for m in rows]


def member_values(member_id: int) -> dict[str, Any]:
    """The buyer's fields: as the member's newest order has them, else what the member's own card says."""
    order = (
        Order.objects.filter(member=member_id).exclude(buyer_address="").order_by("-ordered_at").defer("search").first()
    )
    if order is not None:
        return _buyer(order)
    member = Member.objects.filter(pk=member_id).first()
    if member is None:
        return {}
    names = ("name", "kana", "phone", "email", "postal_code", "prefecture")
    return {f"buyer_{name}": getattr(member, name) for name in names}


def place_values(side: str, postal_code: str) -> dict[str, Any]:
    """Prefecture, city and town of a postal code; nothing when nobody knows it."""
    found = places(postal_digits(postal_code))
    if not found:
        return {}
    place = found[0]
    return {f"{side}_prefecture": place.prefecture, f"{side}_city": place.city, f"{side}_town": place.town}


def copy_values(order: Order, position: int = 0) -> dict[str, Any]:
    """The form's fields for the same order once more: what stands of one recipient's lines, at their prices."""
    values = _buyer(order)
    recipient = order.recipients.filter(position=position).first()
    if recipient is not None:
        to = {f"to_{name}": getattr(recipient, name) for name in PARTY}
        same = all(to[f"to_{name}"] == values[f"buyer_{name}"] for name in PARTY)
        values |= {} if same else to | {"elsewhere": "on"}
    lines = order.lines.filter(recipient_position=position, sku__isnull=False, quantity__gt=0).select_related("sku")
    for index, line in enumerate(lines):
        assert line.sku is not None
        values |= {
            f"line-{index}-sku": line.sku.code,
            f"line-{index}-quantity": line.quantity * line.units,
            f"line-{index}-price": line.unit_price // max(1, line.units),
        }
    return values | {
        "rows": str(max(4, len(lines) + 1)),
        "copied_from": order.pk,
        "shop": order.shop.code,
        "gift": order.gift,
        "noshi": order.noshi,
        "message_card": order.message_card,
    }


def unmapped_of(order: Order, position: int = 0) -> list[str]:
    """Names of lines that cannot be copied because nobody knows their SKU."""
    rows = order.lines.filter(recipient_position=position, sku=None, quantity__gt=0)
    return list(rows.values_list("name", flat=True))


def _buyer(order: Order) -> dict[str, Any]:
    return {f"buyer_{name}": getattr(order, f"buyer_{name}") for name in (*PARTY, "email")}
