"""The Qoo10 connector: one seller."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_noop

from channels.connectors.contract import (
    Basic,
    Capabilities,
    ChannelError,
    ConnectorSettings,
    CredentialTerm,
    Fetched,
    ListingInfo,
    Parcel,
    RawOrder,
    StockPush,
    StockResult,
)
from channels.connectors.qoo10 import changes, codes, fetch, stock
from channels.connectors.qoo10.parse import parse_order
from channels.connectors.qoo10.rows import stamp
from channels.connectors.qoo10.transport import Api
from oms.kernel import clock
from oms.kernel.said import said
from orders.channel_order import ChannelOrder


class Qoo10Connector(Basic):
    channel = "qoo10"
    label = "Qoo10"
    capabilities = Capabilities(
        confirm=True,
        confirm_needed=True,
        partial_shipment=True,
        parcels_per_order=0,
        tracking_correction=False,
        one_number_per_line=True,
        cancel=True,
        stock_batch=stock.BULK,
        stock_confirms=False,
        stock_shows_after_s=600,
        mail="free",
        order_url="https://qsm.qoo10.jp/",
        carrier_codes=codes.CARRIERS,
        publish_interval_s=1.0,
        poll_interval_s=120,
        partial_cancel=True,
        cancel_answer="accept",
        payment_report=False,
        captures=False,
        memo=False,
        amount_change="none",
        relative_stock=False,
        confirm_batch=changes.TOGETHER,
        cannot=(
            gettext_noop("発送済みの送り状番号の訂正"),
            gettext_noop("1つの注文番号に送り状番号を2件以上登録すること"),
            gettext_noop("明細の一部の個数だけのキャンセル"),
            gettext_noop("キャンセル申請の拒否、返品・交換・未着申請への回答"),
            gettext_noop("入金の登録（Qoo10が入金を管理します）"),
            gettext_noop("店舗用メモの書き込み"),
            gettext_noop("金額・届け先・商品の変更"),
            gettext_noop("89日より前の注文の取り込み"),
        ),
    )
    credential_terms: Mapping[str, CredentialTerm] = {
        "certification_key": CredentialTerm(
            days=365,
            note=gettext_noop(
                said(
                    "APIキーとQSMのIDとパスワードを登録しておくと、自動で発行し直します。"
                    "QSMのパスワードを変えると、期限の前でも無効になります。"
                )
            ),
        ),
    }
    credential_fields = (
        ("certification_key", gettext_noop("販売者認証キー（1年有効）"), True),
        ("api_key", gettext_noop("APIキー（認証キーを自動発行する場合）"), True),
        ("user_id", gettext_noop("QSMのID（認証キーを自動発行する場合）"), False),
        ("password", gettext_noop("QSMのパスワード（認証キーを自動発行する場合）"), True),
        ("carrier_yamato", gettext_noop("QSMでの配送会社名：ヤマト運輸（空欄なら「ヤマト宅急便」）"), False),
        ("carrier_sagawa", gettext_noop("QSMでの配送会社名：佐川急便（空欄なら「佐川急便」）"), False),
        ("carrier_japanpost", gettext_noop("QSMでの配送会社名：日本郵便（空欄なら「ゆうパック」）"), False),
        ("carrier_other", gettext_noop("QSMでの配送会社名：その他（空欄なら「その他」）"), False),
    )

    def __init__(self, settings: ConnectorSettings) -> None:
        self.settings = settings
        self.api = Api(settings)

    def check(self) -> str:
        """Ask for the new orders of the last days."""
        now = clock.now()
        fields = {
            "ShippingStatus": str(codes.REQUESTED),
            "SearchStartDate": stamp(now - timedelta(days=7)),
            "SearchEndDate": stamp(now),
            "SearchCondition": codes.BY_PAYMENT_DATE,
        }
        rows = self.api.call(codes.LIST_ORDERS, fields).rows
        return said("Qoo10に接続しました。発注確認待ち %(n)s件（直近7日）。", n=len(rows))

    def fetch_orders(self, since: datetime, until: datetime) -> Iterator[Fetched]:
        return fetch.fetch_orders(self.api, since, until)

    def fetch_order(self, channel_order_no: str) -> RawOrder | None:
        return fetch.find_basket(self.api, channel_order_no)

    def parse(self, payload: str) -> ChannelOrder:
        return parse_order(payload)

    def confirm_all(self, orders: Sequence[Mapping[str, Any]]) -> Mapping[str, ChannelError]:
        return changes.confirm_all(self.api, orders)

    def ship(self, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
        changes.ship(self.api, order, parcels)

    def cancel(self, order: Mapping[str, Any], reason: str) -> None:
        changes.cancel(self.api, order, reason)

    def order_numbers(self, since: datetime, until: datetime) -> Iterator[Sequence[tuple[str, datetime]]]:
        return fetch.order_numbers(self.api, since, until)

    def cancel_lines(self, order: Mapping[str, Any], quantities: Mapping[str, int], reason: str) -> None:
        changes.cancel_lines(self.api, order, quantities, reason)

    def answer_cancel(self, order: Mapping[str, Any], *, accept: bool, message: str) -> None:
        changes.answer_cancel(self.api, order, accept=accept)

    def list_listings(self) -> Iterator[Sequence[ListingInfo]]:
        return stock.list_listings(self.api)

    def push_stock(self, items: Iterable[StockPush]) -> Iterator[StockResult]:
        return stock.push_stock(self.api, items)

    def read_stock(self, listing_codes: Sequence[str]) -> Mapping[str, int]:
        return stock.read_stock(self.api, listing_codes)
