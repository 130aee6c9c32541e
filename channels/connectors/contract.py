"""What every marketplace connector offers, and how it says what went wrong.

A connector is made per call from a `ConnectorSettings` value and speaks HTTP through `channels.connectors.http`.
It reads no model and holds no database transaction. `parse` is pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from orders.channel_order import ChannelOrder


class ChannelError(Exception):
    """A call failed. `cause` is a plain Japanese sentence that says what happened and what to do next.

    `retry` says whether the same call may succeed later; `retry_after_s` when the channel told.
    `uncertain` says that the channel may have done the work although no answer came: read back before repeating.
    """

    retry = False

    def __init__(
        self, cause: str, *, detail: str = "", retry_after_s: float | None = None, uncertain: bool = False
    ) -> None:
        super().__init__(cause)
        self.cause, self.detail = cause, detail
        self.retry_after_s, self.uncertain = retry_after_s, uncertain


class CredentialsRefused(ChannelError):
    """Wrong, expired or revoked credentials, or a missing right: stop the shop and tell the administrator."""


class RateLimited(ChannelError):
    """Too fast (429 or the channel's own form)."""

    retry = True


class ChannelDown(ChannelError):
    """Timeout, cut connection, 5xx, HTML instead of JSON, maintenance."""

    retry = True


class Refused(ChannelError):
    """The channel understood and said no: a wrong state, a bad value, an unknown order."""


class Unreadable(ChannelError):
    """One payload could not be understood. The order goes to quarantine, the rest goes on."""


@dataclass(frozen=True, slots=True)
class ConnectorSettings:
    """`base_url` and `auth_url` as registered, without trailing slash (empty: the real service)."""

    shop_code: str
    base_url: str
    auth_url: str
    credentials: Mapping[str, str]
    # Called with changed credentials, e.g. a refresh token that the channel replaced.
    save_credentials: Callable[[Mapping[str, str]], None] = lambda changed: None


@dataclass(frozen=True, slots=True)
class RawOrder:
    """One order's payload as it came: bytes-faithful text (JSON or XML) and what is needed to key it."""

    channel_order_no: str
    payload: str
    content_type: str  # "application/json" or "application/xml"
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """One page of a fetch. `cursor` is set on the last page only: where the next fetch may start."""

    orders: Sequence[RawOrder]
    cursor: datetime | None = None
    problems: Sequence[tuple[str, ChannelError]] = ()  # (channel_order_no, why its detail could not be read)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel to be told: `carrier` is our code; `lines` maps the channel's line id to a quantity.

    `reference` is unique per order and stable over retries (1, 2, 3 …).
    """

    carrier: str  # yamato | sagawa | japanpost | other
    tracking_no: str
    shipped_at: datetime
    lines: Mapping[str, int]
    reference: int = 1
    carrier_name: str = ""  # for "other"


@dataclass(frozen=True, slots=True)
class StockPush:
    """The quantity one listing shall show. `listing_code` is `Listing.code` (see `ListingInfo`)."""

    listing_code: str
    quantity: int


@dataclass(frozen=True, slots=True)
class StockAdjust:
    """Add `delta` (negative: take away) to what one listing shows now, whatever that is."""

    listing_code: str
    delta: int


@dataclass(frozen=True, slots=True)
class StockResult:
    listing_code: str
    ok: bool
    confirmed: int | None = None  # the quantity the channel says it has now, where it says so
    error: str = ""  # plain Japanese


@dataclass(frozen=True, slots=True)
class ListingInfo:
    """One sellable variant at the channel. `code` is the key of later stock calls, built by the connector
    from the channel's parts; `channel_sku` is what order lines carry (see `ChannelLine.channel_sku`)."""

    code: str
    channel_sku: str
    name: str
    quantity: int | None = None
    price: int | None = None
    jan: str = ""
    channel_keeps_stock: bool = False  # FBA and the like: mapped for orders, never pushed


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do; screens and services read this and never branch on a channel's name."""

    confirm: bool  # has an acknowledge step
    confirm_needed: bool  # and the order waits for it
    partial_shipment: bool
    parcels_per_order: int  # 0 = no limit
    tracking_correction: bool
    cancel: bool
    stock_batch: int  # most listings in one push call
    stock_confirms: bool  # the answer to a push says the applied quantity
    mail: str  # "free", "relay" or "none"
    order_url: str = ""  # the mall page of one order, "{no}" inside
    carrier_codes: Mapping[str, str] = field(default_factory=dict)  # our carrier → the channel's code
    stock_shows_after_s: float = 20.0  # how long an accepted quantity may take to show when read
    publish_interval_s: float = 1.0  # least time between two stock calls
    poll_interval_s: float = 60.0
    relative_stock: bool = False  # offers `adjust_stock`


class Connector(Protocol):
    """One shop at one channel. Every method raises `ChannelError` kinds only."""

    channel: str
    label: str  # the channel's name for people
    capabilities: Capabilities
    credential_fields: Sequence[tuple[str, str, bool]]  # (key, label to be translated where shown, secret?)

    def __init__(self, settings: ConnectorSettings) -> None: ...

    def check(self) -> str:
        """Try the credentials with the cheapest harmless call; returns a sentence with what was seen."""

    def fetch_orders(self, since: datetime, until: datetime) -> Iterator[Fetched]:
        """All orders new or changed from `since`, page by page, in overlapping windows the channel allows.

        Asking for the next page, or for the end, says that the page before is stored.
        """

    def fetch_order(self, channel_order_no: str) -> RawOrder | None:
        """One order now, or None when the channel does not know it."""

    def parse(self, payload: str) -> ChannelOrder:
        """Pure. Raises Unreadable. Unknown fields and enum values never break it."""

    def confirm(self, order: Mapping[str, Any]) -> None:
        """Acknowledge. `order` is {"no", "extra", "ordered_at"}; already acknowledged is success."""

    def ship(self, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
        """Tell all parcels of the order so far. Repeating with the same references is harmless."""

    def cancel(self, order: Mapping[str, Any], reason: str) -> None:
        """Cancel the whole order where `capabilities.cancel`; else raises Refused with the mall page to use."""

    def list_listings(self) -> Iterator[Sequence[ListingInfo]]:
        """Every sellable variant, page by page."""

    def push_stock(self, items: Iterable[StockPush]) -> Iterator[StockResult]:
        """Send absolute quantities in batches the channel allows; one result per item; one bad item never
        stops the others. A result with ok and confirmed=None was accepted and must be read back later."""

    def adjust_stock(self, items: Iterable[StockAdjust]) -> Iterator[StockResult]:
        """Change what is shown by differences, so that a sale nobody has told us of yet stays subtracted. Only where
        `capabilities.relative_stock`; results as of `push_stock`. Not repeatable: an unclear answer is `uncertain`."""

    def read_stock(self, listing_codes: Sequence[str]) -> Mapping[str, int]:
        """What the channel shows now; unknown codes are left out."""
