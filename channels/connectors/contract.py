"""What every marketplace connector offers, and how it says what went wrong.

A connector is made per call from a `ConnectorSettings` value and speaks HTTP through `channels.connectors.http`.
It reads no model and holds no database transaction. `parse` is pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from oms.kernel.said import said
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


class Change(str):
    """The number of an order the channel says has changed, at `at` where it tells; `tries` counts how often it was
    handed out, this time included."""

    at: datetime | None
    tries: int

    def __new__(cls, channel_order_no: str, at: datetime | None = None, tries: int = 1) -> "Change":
        change = super().__new__(cls, channel_order_no)
        change.at, change.tries = at, tries
        return change


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
    """A relative change of the quantity one listing shows, where `capabilities.relative_stock`."""

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
    channel_keeps_stock: bool = False  # FBA, or not counted there at all: mapped for orders, never pushed


@dataclass(frozen=True, slots=True)
class CredentialTerm:
    """How long one credential lives. `overlap` says whether the old one still works beside its successor; where it
    does not, imports and pushes rest during the switch. `note` is a Japanese sentence that says where to renew."""

    days: int
    overlap: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class ServiceTerm:
    """What share of orders may go wrong in so many days before the channel acts."""

    percent: float
    days: int


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
    partial_cancel: bool = False  # `cancel_lines` works
    cancel_answer: str = "none"  # the buyer's cancel request can be answered here: "none", "accept" or "both"
    payment_report: bool = False  # `report_payment` works
    own_payments: bool = False  # no mall: the shop has its own contracts with payment providers
    captures: bool = False  # the shipping notice (or completing the order) takes the buyer's money
    memo: bool = False  # `write_memo` works
    amount_change: str = "none"  # "none", "lower" or "both"
    relative_stock: bool = False  # `adjust_stock` works
    events: bool = False  # `changed_orders` brings news between polls
    confirm_batch: int = 1  # so many orders are worth one `confirm_all`
    ship_batch: int = 1  # so many orders are worth one `ship_all`
    invoice_issuer: Mapping[str, str] = field(default_factory=dict)  # by method, see `orders.documents.rules.issuer_of`
    mail_relay_server: bool = False  # buyers' addresses take mail through the mall's own server alone
    mail_events: Sequence[str] = ()  # the kinds of mail a shop may send (`orders.models.mail`); empty: any
    one_number_per_line: bool = False  # a line takes one tracking number, though its pieces may go in several parcels
    cannot: Sequence[str] = ()  # what only the mall's own page can do, in Japanese, for the screens


class Connector(Protocol):
    """One shop at one channel. Every method raises `ChannelError` kinds only."""

    channel: str
    label: str  # the channel's name for people
    capabilities: Capabilities
    credential_fields: Sequence[tuple[str, str, bool]]  # (key, label to be translated where shown, secret?)
    credential_terms: Mapping[str, CredentialTerm]  # of the keys that end
    service_terms: Mapping[str, ServiceTerm]  # "late", "cancel": what the channel publishes
    consent: bool  # a person agrees in the browser; then there are `consent_url` and `take_consent`, see `Consenting`

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

    def confirm_all(self, orders: Sequence[Mapping[str, Any]]) -> Mapping[str, ChannelError]:
        """Acknowledge up to `confirm_batch` orders in as few calls as the channel allows. Returns what went wrong by
        order number; raises what went wrong with all of them."""

    def ship(self, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
        """Tell all parcels of the order so far. Repeating with the same references is harmless."""

    def ship_all(self, shipments: Sequence[tuple[Mapping[str, Any], Sequence[Parcel]]]) -> Mapping[str, ChannelError]:
        """`ship` for up to `ship_batch` orders. Returns what went wrong by order number; raises what went wrong with
        all of them."""

    def cancel(self, order: Mapping[str, Any], reason: str) -> None:
        """Cancel the whole order where `capabilities.cancel`; else raises Refused with the mall page to use."""

    def order_numbers(self, since: datetime, until: datetime) -> Iterator[Sequence[tuple[str, datetime]]]:
        """Numbers and order times of all orders placed in this range, page by page, by the cheapest call the channel
        has: the daily comparison finds what an import missed."""

    def changed_orders(self, again: set[str] | None = None) -> Iterator[Sequence[Change]]:
        """Where `capabilities.events`: numbers of orders the channel says have changed, batch by batch, until none is
        left. Asking for the next batch, or for the end, says that the one before was handled, except the numbers that
        the caller has put into `again`: these come again later."""

    def cancel_lines(self, order: Mapping[str, Any], quantities: Mapping[str, int], reason: str) -> None:
        """Cancel so many pieces of lines (by the channel's line id) where `capabilities.partial_cancel`."""

    def answer_cancel(self, order: Mapping[str, Any], *, accept: bool, message: str) -> None:
        """Answer the buyer's cancel request as far as `capabilities.cancel_answer`; else raises Refused."""

    def report_payment(self, order: Mapping[str, Any], paid_at: datetime) -> None:
        """Say that the shop has received the buyer's money; already said is success."""

    def write_memo(self, order: Mapping[str, Any], text: str) -> None:
        """Replace the shop's own note at the channel where `capabilities.memo`."""

    def list_listings(self) -> Iterator[Sequence[ListingInfo]]:
        """Every sellable variant, page by page."""

    def push_stock(self, items: Iterable[StockPush]) -> Iterator[StockResult]:
        """Send absolute quantities in batches the channel allows; one result per item; one bad item never
        stops the others. A result with ok and confirmed=None was accepted and must be read back later."""

    def adjust_stock(self, items: Iterable[StockAdjust]) -> Iterator[StockResult]:
        """Relative changes where `capabilities.relative_stock`; not repeatable: an uncertain one is read back."""

    def read_stock(self, listing_codes: Sequence[str]) -> Mapping[str, int]:
        """What the channel shows now; unknown codes are left out."""


class Basic:
    """What a connector says where its channel has no such thing; connectors inherit it and override what they can."""

    credential_terms: Mapping[str, CredentialTerm] = {}
    service_terms: Mapping[str, ServiceTerm] = {}
    consent = False

    def confirm(self, order: Mapping[str, Any]) -> None:
        for trouble in self.confirm_all([order]).values():
            raise trouble

    def confirm_all(self, orders: Sequence[Mapping[str, Any]]) -> Mapping[str, ChannelError]:
        """There is no such step: every order counts as acknowledged."""
        return {}

    def ship_all(
        self: "Connector", shipments: Sequence[tuple[Mapping[str, Any], Sequence[Parcel]]]
    ) -> Mapping[str, ChannelError]:
        troubles: dict[str, ChannelError] = {}
        for order, parcels in shipments:
            try:
                self.ship(order, parcels)
            except ChannelError as trouble:
                troubles[order["no"]] = trouble
        return troubles

    def changed_orders(self, again: set[str] | None = None) -> Iterator[Sequence[Change]]:
        return iter(())

    def cancel_lines(self, order: Mapping[str, Any], quantities: Mapping[str, int], reason: str) -> None:
        raise Refused(said("このモールでは注文の一部だけをキャンセルできません。モールの管理画面で行ってください。"))

    def answer_cancel(self, order: Mapping[str, Any], *, accept: bool, message: str) -> None:
        raise Refused(said("キャンセル申請への回答は、モールの管理画面で行ってください。"))

    def report_payment(self, order: Mapping[str, Any], paid_at: datetime) -> None:
        raise Refused(said("入金の登録は、モールの管理画面で行ってください。"))

    def write_memo(self, order: Mapping[str, Any], text: str) -> None:
        raise Refused(said("このモールには店舗用のメモを書き込めません。"))

    def adjust_stock(self, items: Iterable[StockAdjust]) -> Iterator[StockResult]:
        raise Refused(said("このモールでは在庫数の増減を送れません。"))


class Consenting(Protocol):
    """A connector whose access a person grants on the channel's own page (OAuth's authorization code)."""

    def consent_url(self, redirect_uri: str, state: str) -> str:
        """Where the person goes. The channel sends them back to `redirect_uri` with `code` and the same `state`."""

    def take_consent(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        """Exchange the code, once; returns the credentials it gave. Raises ChannelError kinds."""
