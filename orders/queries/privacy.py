"""個人情報の保存期間: each shop's days with what is due, exempt orders, and what was erased."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from orders.decide.privacy import CHANNEL_DAYS, is_longer_than_allowed
from orders.models import LegalHold, PrivacyEvent, Retention, Shop
from orders.services import privacy

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ShopDays:
    """`days` that hold, None for ever; `own`: the company's word, not the channel's. `due` orders go with the next
    run."""

    shop: Shop
    days: int | None
    own: bool
    channel_days: int | None
    warned: bool
    due: int


def shop_days() -> list[ShopDays]:
    days = privacy.kept_days()
    due = privacy.due_counts(days)
    own = set(Retention.objects.values_list("shop", flat=True))
    return [
        ShopDays(
            shop,
            days[shop.pk],
            shop.pk in own,
            CHANNEL_DAYS.get(shop.channel),
            is_longer_than_allowed(shop.channel, days[shop.pk]),
            due.get(shop.pk, 0),
        )
        for shop in Shop.objects.order_by("channel", "code")
    ]


def holds() -> Sequence[LegalHold]:
    """The newest exempt orders."""
    return list(LegalHold.objects.select_related("order__shop", "by").order_by("-at", "-pk")[:MOST_SHOWN])


def events() -> QuerySet[PrivacyEvent]:
    return PrivacyEvent.objects.select_related("shop", "by")
