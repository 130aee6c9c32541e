"""The Yahoo! Shopping connector: one store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from channels.connectors.contract import (
    Basic,
    Capabilities,
    ConnectorSettings,
    CredentialsRefused,
    CredentialTerm,
    Fetched,
    ListingInfo,
    Parcel,
    RawOrder,
    StockPush,
    StockResult,
)
from channels.connectors.yahoo import changes, codes, consent, fetch, stock
from channels.connectors.yahoo.parse import parse_order
from channels.connectors.yahoo.transport import Api, text_of
from orders.channel_order import ChannelOrder

REQUIRED = ("client_id", "client_secret", "refresh_token", "seller_id")


class YahooConnector(Basic):
    channel = "yahoo"
    label = "Yahoo!ショッピング"
    capabilities = Capabilities(
        confirm=False,
        confirm_needed=False,
        partial_shipment=False,
        parcels_per_order=2,
        tracking_correction=True,
        cancel=True,
        stock_batch=stock.BATCH,
        stock_confirms=True,
        mail="free",
        order_url="https://pro.store.yahoo.co.jp/",
        carrier_codes=codes.CARRIERS,
        publish_interval_s=1.05,
        poll_interval_s=60,
    )
    credential_fields = (
        ("client_id", gettext_noop("Client ID（アプリケーションID）"), False),
        ("client_secret", gettext_noop("シークレット"), True),
        ("refresh_token", gettext_noop("リフレッシュトークン（4週間ごとに再連携）"), True),
        ("seller_id", gettext_noop("ストアアカウント"), False),
        ("public_key", gettext_noop("公開鍵（BEGINとENDの行を含む）"), True),
        ("public_key_version", gettext_noop("公開鍵のバージョン"), False),
    )
    credential_terms: Mapping[str, CredentialTerm] = {
        "refresh_token": CredentialTerm(
            28, overlap=True, note=gettext_noop("「連携する」からYahoo! JAPAN IDでログインし直します。")
        ),
        "public_key": CredentialTerm(
            365,
            overlap=True,
            note=gettext_noop("ストアクリエイターProの「設定」→「暗号鍵管理」で新しい公開鍵を発行します。"),
        ),
    }
    consent = True

    def __init__(self, settings: ConnectorSettings) -> None:
        self.settings = settings
        self.api = Api(settings)

    def consent_url(self, redirect_uri: str, state: str) -> str:
        return consent.authorization_url(self.settings, redirect_uri, state)

    def take_consent(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        return consent.exchange(self.settings, code, redirect_uri)

    def check(self) -> str:
        """Count the new orders. A registered key that Yahoo! does not accept is an error although calls still pass."""
        missing = [label for key, label, _ in self.credential_fields if key in REQUIRED and not self._has(key)]
        if missing:
            raise CredentialsRefused(f"Yahoo!の認証情報が足りません：{'、'.join(missing)}")
        count = self.api.get("orderCount", {"sellerId": self.api.seller_id}).root.find(".//Count")
        if self.api.has_key and not self.api.signed:
            raise CredentialsRefused(
                "接続できますが、Yahoo!が公開鍵認証を認めていません（12時間で止まります）。"
                "公開鍵、バージョン、有効期限（1年）を確認してください。"
            )
        seen = "" if count is None else f"新規注文 {text_of(count, 'NewOrder') or '0'}件。"
        warning = "" if self.api.has_key else "公開鍵が未登録のため、連携から12時間で止まります。"
        return f"ストア「{self.api.seller_id}」に接続しました。{seen}{warning}"

    def _has(self, key: str) -> bool:
        return bool(self.settings.credentials.get(key, "").strip())

    def fetch_orders(self, since: datetime, until: datetime) -> Iterator[Fetched]:
        return fetch.fetch_orders(self.api, since, until)

    def fetch_order(self, channel_order_no: str) -> RawOrder | None:
        return fetch.order_info(self.api, channel_order_no)

    def parse(self, payload: str) -> ChannelOrder:
        return parse_order(payload)

    def confirm(self, order: Mapping[str, Any]) -> None:
        """Yahoo! has no such step, so there is nothing left to tell."""

    def ship(self, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
        changes.ship(self.api, str(order["no"]), parcels)

    def cancel(self, order: Mapping[str, Any], reason: str) -> None:
        changes.cancel(self.api, str(order["no"]), reason)

    def list_listings(self) -> Iterator[Sequence[ListingInfo]]:
        return stock.list_listings(self.api)

    def push_stock(self, items: Iterable[StockPush]) -> Iterator[StockResult]:
        return stock.push_stock(self.api, items)

    def read_stock(self, listing_codes: Sequence[str]) -> Mapping[str, int]:
        return stock.read_stock(self.api, listing_codes)
