"""The journal of publishing: who changed which rule, from what to what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from channels.models import PublishingEvent
from oms.kernel import clock
from oms.kernel.models import User


@dataclass(frozen=True, slots=True)
class Event:
    """`changes`: column → [before, after]; what is not plain JSON is kept as text."""

    kind: str
    changes: Mapping[str, Any]
    shop_id: int | None = None
    listing_id: int | None = None
    sku_id: int | None = None


def write(events: Sequence[Event], *, by: User | None) -> None:
    """Append in the caller's transaction."""
    now = clock.now()
    PublishingEvent.objects.bulk_create(
        PublishingEvent(
            shop_id=event.shop_id,
            listing_id=event.listing_id,
            sku_id=event.sku_id,
            at=now,
            kind=event.kind,
            changes={name: [_plain(value) for value in pair] for name, pair in event.changes.items()},
            by=by,
        )
        for event in events
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime | time) else value
