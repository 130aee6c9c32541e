"""The connector: the contract's methods over RMS."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_noop

from channels.connectors.contract import (
    Basic,
    Capabilities,
    ChannelError,
    ConnectorSettings,
    CredentialsRefused,
    CredentialTerm,
    Fetched,
    ListingInfo,
    Parcel,
    RawOrder,
    Refused,
    StockAdjust,
    StockPush,
    StockResult,
)
from channels.connectors.rakuten import adjust, changes, orders, ship_many, stock, wire
from channels.connectors.rakuten.parse import parse_order
from channels.connectors.rakuten.transport import Rms
from oms.kernel import clock
from oms.kernel.said import said
from orders.channel_order import ChannelOrder

ORDER_PAGE = "https://order-rp.rms.rakuten.co.jp/order-rb/individual-order-detail-sc/init?orderNumber={no}"


class RakutenConnector(Basic):
    """One shop on Rakuten Ichiba."""

    channel = "rakuten"
    label = "楽天市場"
    capabilities = Capabilities(
        invoice_issuer={"": "mall", "cod": "we"},
        confirm=True,
        confirm_needed=True,
        partial_shipment=True,
        parcels_per_order=0,
        tracking_correction=True,
        cancel=True,
        stock_batch=wire.STOCK_WRITE,
        stock_confirms=False,
        mail="relay",
        mail_relay_server=True,
        order_url=ORDER_PAGE,
        carrier_codes=wire.CARRIERS,
        publish_interval_s=1.0,
        poll_interval_s=60.0,
        cancel_answer="accept",
        captures=True,
        memo=True,
        relative_stock=True,
        confirm_batch=wire.WRITE_ORDERS,
        ship_batch=wire.WRITE_ORDERS,
        cannot=(
            gettext_noop("注文の一部の商品だけのキャンセル（RMSの受注画面で変更し、お客様の承諾を得てください）"),
            gettext_noop("金額・送料・届け先・商品の変更（RMSの受注画面で変更すると自動で取り込まれます）"),
            gettext_noop("発送後のキャンセル・返品（RMSの受注画面で行ってください）"),
            gettext_noop("キャンセル申請を断ること（RMSの受注画面とR-Messeで行ってください）"),
            gettext_noop("サブステータスの変更（RMSの受注画面で行ってください）"),
        ),
    )
    credential_terms: Mapping[str, CredentialTerm] = {
        "license_key": CredentialTerm(
            days=wire.LICENSE_DAYS,
            overlap=False,
            note=gettext_noop(
                said(
                    "RMSの「WEB APIサービス」→「ライセンスキーの再発行」で更新します。"
                    "再発行すると古いキーはすぐに使えなくなるので、続けてこの画面に新しいキーを登録してください。"
                )
            ),
        )
    }
    credential_fields = (
        ("service_secret", gettext_noop("サービスシークレット（serviceSecret）"), True),
        ("license_key", gettext_noop("ライセンスキー（licenseKey）"), True),
        ("shop_url", gettext_noop("店舗URL"), False),
    )

    def __init__(self, settings: ConnectorSettings) -> None:
        self._rms = Rms(settings)

    def check(self) -> str:
        """Counts the orders of the last day, and reads when the licence key ends."""
        until = clock.now()
        placed = orders.count(self._rms, until - timedelta(days=1), until)
        return said(
            "楽天RMSに接続できました。直近24時間の注文は%(placed)s件です。%(key)s",
            placed=placed,
            key=self._license_words(),
        )

    def _license_words(self) -> str:
        """The key's end in words; its API may be closed to the shop, which disturbs nothing else."""
        try:
            ends = wire.read_time(self._rms.license_expiry())
        except CredentialsRefused:
            return said("ライセンスキーの期限は確認できませんでした（ライセンス管理APIの利用設定がありません）。")
        except (ChannelError, ValueError, TypeError, AttributeError):
            return said("ライセンスキーの期限は確認できませんでした。")
        return said("ライセンスキーの期限は%(day)sです。", day=f"{ends.astimezone(clock.TOKYO):%Y-%m-%d}")

    def fetch_orders(self, since: datetime, until: datetime) -> Iterator[Fetched]:
        return orders.fetch(self._rms, since, until)

    def fetch_order(self, channel_order_no: str) -> RawOrder | None:
        return orders.read_one(self._rms, channel_order_no)

    def parse(self, payload: str) -> ChannelOrder:
        return parse_order(payload)

    def confirm_all(self, orders: Sequence[Mapping[str, Any]]) -> Mapping[str, ChannelError]:
        return changes.confirm_all(self._rms, [order["no"] for order in orders])

    def ship(self, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
        changes.ship(self._rms, order["no"], parcels)

    def ship_all(self, shipments: Sequence[tuple[Mapping[str, Any], Sequence[Parcel]]]) -> Mapping[str, ChannelError]:
        return ship_many.ship_all(self._rms, {order["no"]: parcels for order, parcels in shipments})

    def cancel(self, order: Mapping[str, Any], reason: str) -> None:
        changes.cancel(self._rms, order["no"], reason)

    def order_numbers(self, since: datetime, until: datetime) -> Iterator[Sequence[tuple[str, datetime]]]:
        return orders.numbers(self._rms, since, until)

    def answer_cancel(self, order: Mapping[str, Any], *, accept: bool, message: str) -> None:
        """Accepting is cancelling, with the buyer's reason; there is no call that declines."""
        if not accept:
            raise Refused(said(changes.DECLINE_BY_HAND, no=order["no"]))
        changes.accept_cancel(self._rms, order["no"])

    def write_memo(self, order: Mapping[str, Any], text: str) -> None:
        changes.write_memo(self._rms, order["no"], text)

    def list_listings(self) -> Iterator[Sequence[ListingInfo]]:
        yield from stock.listings(self._rms)

    def push_stock(self, items: Iterable[StockPush]) -> Iterator[StockResult]:
        return stock.push(self._rms, items)

    def adjust_stock(self, items: Iterable[StockAdjust]) -> Iterator[StockResult]:
        return adjust.adjust(self._rms, items)

    def read_stock(self, listing_codes: Sequence[str]) -> Mapping[str, int]:
        return stock.read(self._rms, listing_codes)
