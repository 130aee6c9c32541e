"""The connector: the contract's methods over the admin API."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_noop

from channels.connectors.contract import (
    Basic,
    Capabilities,
    ConnectorSettings,
    Fetched,
    ListingInfo,
    Parcel,
    RawOrder,
    Refused,
    StockAdjust,
    StockPush,
    StockResult,
)
from channels.connectors.futureshop import adjust, changes, orders, stock, wire
from channels.connectors.futureshop.parse import parse_order
from channels.connectors.futureshop.transport import Api
from oms.kernel import clock
from oms.kernel.said import said
from orders.channel_order import ChannelOrder

YES = ("はい", "する", "yes", "1", "true")


class FutureshopConnector(Basic):
    """One own shop on futureshop."""

    channel = "futureshop"
    label = "futureshop"
    capabilities = Capabilities(
        confirm=False,
        confirm_needed=False,
        own_payments=True,
        partial_shipment=False,
        parcels_per_order=0,
        tracking_correction=True,
        cancel=False,
        stock_batch=wire.WRITE_MOST,
        stock_confirms=False,
        mail="free",
        carrier_codes={},
        publish_interval_s=wire.INTERVAL_S,
        poll_interval_s=60.0,
        payment_report=True,
        relative_stock=True,
        cannot=(
            gettext_noop("注文のキャンセル・一部キャンセル・返品（futureshopの管理画面で行うと自動で取り込まれます）"),
            gettext_noop("キャンセル申請への回答（futureshopの管理画面で行ってください）"),
            gettext_noop("注文内容・金額・届け先の変更（futureshopの管理画面で行うと自動で取り込まれます）"),
            gettext_noop("ショップメモの書き込み（読み取りだけできます）"),
            gettext_noop("カードの売上確定、ポイントの確定（futureshopの管理画面で行ってください）"),
            gettext_noop("店舗受取の注文の出荷登録（futureshopの管理画面で行ってください）"),
            gettext_noop("配送会社の通知（futureshopの配送サービスの設定で決まります）"),
        ),
    )
    credential_fields = (
        ("client_id", gettext_noop("APIキー（クライアントID）"), False),
        ("client_secret", gettext_noop("APIパスワード（クライアントシークレット）"), True),
        ("shop_key", gettext_noop("店舗KEY"), False),
        ("complete", gettext_noop("すべて出荷したら処理済にする（はい・いいえ、空欄はいいえ）"), False),
    )

    def __init__(self, settings: ConnectorSettings) -> None:
        self._api = Api(settings)
        self._completes = settings.credentials.get("complete", "").strip().lower() in YES

    def check(self) -> str:
        """Gets a token and searches the orders of the last day."""
        placed = orders.count(self._api, clock.now() - timedelta(days=1))
        return (
            said("futureshopに接続できました。直近24時間の注文は%(placed)s件以上です。", placed=placed)
            if placed
            else (said("futureshopに接続できました。直近24時間の注文はありません。"))
        )

    def fetch_orders(self, since: datetime, until: datetime) -> Iterator[Fetched]:
        return orders.fetch(self._api, since, until)

    def fetch_order(self, channel_order_no: str) -> RawOrder | None:
        return orders.read_one(self._api, channel_order_no)

    def parse(self, payload: str) -> ChannelOrder:
        return parse_order(payload)

    def ship(self, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
        changes.ship(self._api, order["no"], parcels, completes=self._completes)

    def cancel(self, order: Mapping[str, Any], reason: str) -> None:
        """Only by hand, in the shop's admin."""
        raise Refused(changes.BY_HAND)

    def order_numbers(self, since: datetime, until: datetime) -> Iterator[Sequence[tuple[str, datetime]]]:
        return orders.numbers(self._api, since, until)

    def answer_cancel(self, order: Mapping[str, Any], *, accept: bool, message: str) -> None:
        """Only by hand, in the shop's admin."""
        raise Refused(changes.BY_HAND if accept else changes.DECLINE_BY_HAND)

    def report_payment(self, order: Mapping[str, Any], paid_at: datetime) -> None:
        changes.report_payment(self._api, order["no"], paid_at)

    def list_listings(self) -> Iterator[Sequence[ListingInfo]]:
        yield from stock.listings(self._api)

    def push_stock(self, items: Iterable[StockPush]) -> Iterator[StockResult]:
        return stock.push(self._api, items)

    def adjust_stock(self, items: Iterable[StockAdjust]) -> Iterator[StockResult]:
        return adjust.adjust(self._api, items)

    def read_stock(self, listing_codes: Sequence[str]) -> Mapping[str, int]:
        return stock.read(self._api, listing_codes)
