"""The desk's filters on what was bought and where it came from: brand, category, supplier, temperature, tax, source."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import django_filters
from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Sku
from oms.kernel.postal import remote_island_codes
from orders.channel_order import MOVED_IN
from orders.decide.manual import MANUAL
from orders.decide.returns import LIVE, REASONS
from orders.filter_fields import Among, AnyOf, lines, part_of, these_skus, with_skus
from orders.models import Mail, ManualOrder, Order, Recipient, ReturnCase
from orders.models.mail import MailEvent
from orders.services.internal import INTERNAL

TAX_RATES = ((8, lazy("8%（軽減税率）")), (10, "10%"))
NTH = (("first", lazy("初めての注文")), ("repeat", lazy("2回目からの注文")))
# No flag is more frequent than any: a condition of its own lets the partial index serve all of them.
FLAGGED = ~Q(flags=[])
HAND = "hand_"
SOURCES: Mapping[str, Any] = {
    "api": lazy("モールから取込"),
    "file": lazy("他システムから移行"),
    **{f"{HAND}{code}": label for code, label in ManualOrder.Source.choices},
    "own": lazy("交換・再送"),
}


class GoodsFilter(django_filters.FilterSet):
    """Each field narrows; methods get its name."""

    brand = django_filters.CharFilter(label=lazy("ブランド（一部）"), method="of_brand")
    category = django_filters.CharFilter(label=lazy("カテゴリ（一部）"), method="of_category")
    supplier = django_filters.CharFilter(label=lazy("仕入先（一部）"), method="of_supplier")
    temperature = AnyOf(label=lazy("温度帯"), choices=Sku.Temperature.choices, method="of_temperature")
    tax = AnyOf(label=lazy("税率"), choices=TAX_RATES, method="taxed")
    nth = AnyOf(label=lazy("何回目の注文か"), choices=NTH, method="ordered_before")
    source = AnyOf(label=lazy("受注の入り口"), choices=list(SOURCES.items()), method="came_by", whole=True)
    return_reason = AnyOf(
        label=lazy("返品の理由"),
        choices=lambda: [(code, reason.label) for code, reason in REASONS.items()],
        method="returned_for",
    )
    returned_sku = django_filters.CharFilter(label=lazy("返品された商品（SKU）"), method="with_sku_returned")
    unmailed = AnyOf(label=lazy("送っていないメール"), choices=MailEvent.choices, method="without_mail_sent")

    def of_brand(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        return with_skus(rows, part_of("product__brand", typed))

    def of_category(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        return with_skus(rows, part_of("product__category", typed))

    def of_supplier(self, rows: QuerySet[Order], _name: str, typed: str) -> QuerySet[Order]:
        return with_skus(rows, part_of("supplier", typed))

    def of_temperature(self, rows: QuerySet[Order], _name: str, kinds: Sequence[str]) -> QuerySet[Order]:
        return with_skus(rows, Q(temperature__in=list(kinds)))

    def taxed(self, rows: QuerySet[Order], _name: str, rates: Sequence[str]) -> QuerySet[Order]:
        """What the channel told of a line, else what its SKU has; neither is the standard rate."""
        asked = [int(rate) for rate in rates]
        unsaid = Q(tax_rate__isnull=True) & (
            Q(sku__in=these_skus(Q(tax_rate__in=asked))) | (Q(sku__isnull=True) if 10 in asked else Q(pk__in=[]))
        )
        return rows.filter(Exists(lines().filter(Q(tax_rate__in=asked) | unsaid)))

    def ordered_before(self, rows: QuerySet[Order], _name: str, nth: Sequence[str]) -> QuerySet[Order]:
        """By what the same member bought earlier, in any channel; what was cancelled does not count."""
        earlier = Exists(
            Order.objects.filter(
                Q(ordered_at__lt=OuterRef("ordered_at")) | Q(ordered_at=OuterRef("ordered_at"), pk__lt=OuterRef("pk")),
                member=OuterRef("member"),
                cancelled_at__isnull=True,
            )
        )
        rows = rows.filter(member__isnull=False)
        return rows if len(nth) > 1 else rows.filter(earlier if "repeat" in nth else ~earlier)

    def came_by(self, rows: QuerySet[Order], _name: str, sources: Sequence[str]) -> QuerySet[Order]:
        ways = [code.removeprefix(HAND) for code in sources if code.startswith(HAND)]
        found: Any = Q(pk__in=[])
        if "api" in sources:
            found |= ~Q(flags__overlap=[MOVED_IN, MANUAL, INTERNAL])
        if "file" in sources:
            found |= FLAGGED & Q(flags__contains=[MOVED_IN])
        if ways:
            by_hand = ManualOrder.objects.filter(order=OuterRef("pk"), source__in=ways)
            found |= FLAGGED & Q(flags__contains=[MANUAL]) & Exists(by_hand)
        if "own" in sources:
            found |= FLAGGED & Q(flags__contains=[INTERNAL]) & ~Q(flags__contains=[MANUAL])
        return rows.filter(found)

    def returned_for(self, rows: QuerySet[Order], _name: str, reasons: Sequence[str]) -> QuerySet[Order]:
        return rows.filter(Exists(returns().filter(reason__in=list(reasons))))

    def with_sku_returned(self, rows: QuerySet[Order], _name: str, code: str) -> QuerySet[Order]:
        return rows.filter(Exists(returns().filter(lines__line__sku__code=code)))

    def without_mail_sent(self, rows: QuerySet[Order], _name: str, events: Sequence[str]) -> QuerySet[Order]:
        """Orders of which at least one of these mails has not gone out."""
        missing: Any = Q(pk__in=[])
        for event in events:
            missing |= ~Exists(Mail.objects.filter(order=OuterRef("pk"), event=event, state=Mail.State.SENT))
        return rows.filter(missing)


def island_orders() -> QuerySet[Recipient, Any]:
    """The orders of all recipients on islands without a bridge."""
    codes = Value(island_codes(), ArrayField(CharField(max_length=10)))
    return Recipient.objects.filter(Among(F("postal_code"), codes)).order_by().values("order")


@cache
def island_codes() -> list[str]:
    """As channels write them, with a hyphen and without."""
    return sorted(code for plain in remote_island_codes() for code in (plain, f"{plain[:3]}-{plain[3:]}"))


def returns() -> QuerySet[ReturnCase]:
    """The order's cases that count: not refused, not withdrawn."""
    return ReturnCase.objects.filter(order=OuterRef("pk"), state__in=sorted(LIVE))
