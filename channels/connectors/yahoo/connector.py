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
    Refused,
    StockAdjust,
    StockPush,
    StockResult,
)
from channels.connectors.yahoo import amend, changes, codes, consent, fetch, stock
from channels.connectors.yahoo.parse import parse_order
from channels.connectors.yahoo.transport import Api, text_of
from oms.kernel.said import said
from orders.channel_order import ChannelOrder

REQUIRED = ("client_id", "client_secret", "refresh_token", "seller_id")


class YahooConnector(Basic):
    channel = "yahoo"
    label = "Yahoo!ショッピング"
    capabilities = Capabilities(
        invoice_issuer={"": "mall_if_registered", "cod": "we"},
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
        partial_cancel=True,
        cancel_answer="none",
        payment_report=True,
        captures=True,
        memo=True,
        amount_change="none",
        relative_stock=True,
        cannot=(
            gettext_noop("注文の一部だけの出荷通知（注文ごとに1回です）"),
            gettext_noop("送り状番号3件目以降の登録（配送メモに書き込みます）"),
            gettext_noop("購入者からのキャンセル希望の受け取りと回答（問い合わせで届きます）"),
            gettext_noop("カード決済の金額変更、返金、クーポンの取り消し"),
            gettext_noop("届け先の変更、商品の追加、注文の分割"),
        ),
    )
    credential_terms: Mapping[str, CredentialTerm] = {
        "refresh_token": CredentialTerm(
            days=28,
            note=gettext_noop(
                said("4週間ごとに、ストアの権限を持つ人が「連携する」からYahoo! JAPAN IDでログインし直します。")
            ),
        ),
        "public_key": CredentialTerm(
            days=365,
            note=gettext_noop(
                said("ストアクリエイターProの「設定 → 暗号鍵管理」で新しい鍵を作ります（2つまで有効）。")
            ),
        ),
    }
    credential_fields = (
        ("client_id", gettext_noop("Client ID（アプリケーションID）"), False),
        ("client_secret", gettext_noop("シークレット"), True),
        ("refresh_token", gettext_noop("リフレッシュトークン（4週間ごとに再連携）"), True),
        ("seller_id", gettext_noop("ストアアカウント"), False),
        ("public_key", gettext_noop("公開鍵（BEGINとENDの行を含む）"), True),
        ("public_key_version", gettext_noop("公開鍵のバージョン"), False),
    )
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
            raise CredentialsRefused(said("Yahoo!の認証情報が足りません：%(names)s", names=missing))
        count = self.api.get("orderCount", {"sellerId": self.api.seller_id}).root.find(".//Count")
        if self.api.has_key and not self.api.signed:
            raise CredentialsRefused(
                said(
                    "接続できますが、Yahoo!が公開鍵認証を認めていません（12時間で止まります）。"
                    "公開鍵、バージョン、有効期限（1年）を確認してください。"
                )
            )
        seen = "" if count is None else said("新規注文 %(count)s件。", count=text_of(count, "NewOrder") or "0")
        warning = "" if self.api.has_key else said("公開鍵が未登録のため、連携から12時間で止まります。")
        return said(
            "ストア「%(seller_id)s」に接続しました。%(seen)s%(warning)s",
            seller_id=self.api.seller_id,
            seen=seen,
            warning=warning,
        )

    def _has(self, key: str) -> bool:
        return bool(self.settings.credentials.get(key, "").strip())

    def fetch_orders(self, since: datetime, until: datetime) -> Iterator[Fetched]:
        return fetch.fetch_orders(self.api, since, until)

    def fetch_order(self, channel_order_no: str) -> RawOrder | None:
        return fetch.order_info(self.api, channel_order_no)

    def parse(self, payload: str) -> ChannelOrder:
        return parse_order(payload)

    def ship(self, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
        changes.ship(self.api, str(order["no"]), parcels)

    def cancel(self, order: Mapping[str, Any], reason: str) -> None:
        changes.cancel(self.api, str(order["no"]), reason)

    def order_numbers(self, since: datetime, until: datetime) -> Iterator[Sequence[tuple[str, datetime]]]:
        return fetch.order_numbers(self.api, since, until)

    def cancel_lines(self, order: Mapping[str, Any], quantities: Mapping[str, int], reason: str) -> None:
        amend.cancel_lines(self.api, order, quantities, reason)

    def answer_cancel(self, order: Mapping[str, Any], *, accept: bool, message: str) -> None:
        """Yahoo! brings such wishes as inquiries, which no order call shows or answers."""
        raise Refused(
            said(
                "Yahoo!のキャンセル希望には、ストアクリエイターProの問い合わせから回答してください（注文 %(no)s）。",
                no=order["no"],
            )
        )

    def report_payment(self, order: Mapping[str, Any], paid_at: datetime) -> None:
        changes.report_payment(self.api, str(order["no"]), paid_at)

    def write_memo(self, order: Mapping[str, Any], text: str) -> None:
        amend.write_memo(self.api, str(order["no"]), text)

    def list_listings(self) -> Iterator[Sequence[ListingInfo]]:
        return stock.list_listings(self.api)

    def push_stock(self, items: Iterable[StockPush]) -> Iterator[StockResult]:
        return stock.push_stock(self.api, items)

    def adjust_stock(self, items: Iterable[StockAdjust]) -> Iterator[StockResult]:
        return stock.adjust_stock(self.api, items)

    def read_stock(self, listing_codes: Sequence[str]) -> Mapping[str, int]:
        return stock.read_stock(self.api, listing_codes)
