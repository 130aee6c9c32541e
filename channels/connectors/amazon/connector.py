"""The Amazon connector: one shop of Amazon.co.jp."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.translation import gettext_noop

from channels.connectors.amazon import cancel, events, listings, numbers, orders, shipping, stock, subscription
from channels.connectors.amazon.parse import parse_order
from channels.connectors.amazon.queue import queue_of
from channels.connectors.amazon.transport import Api, need
from channels.connectors.contract import (
    Basic,
    Capabilities,
    Change,
    ChannelError,
    ConnectorSettings,
    CredentialsRefused,
    CredentialTerm,
    Fetched,
    ListingInfo,
    Parcel,
    RawOrder,
    Refused,
    ServiceTerm,
    StockPush,
    StockResult,
)
from oms.kernel.said import said
from orders.channel_order import ChannelOrder

# What only Seller Central can do.
CANNOT = (
    gettext_noop("注文の一部の商品だけのキャンセル"),
    gettext_noop("返金・一部返金・返品の承認"),
    gettext_noop("追跡番号のない発送の出荷通知"),
    gettext_noop("購入者のキャンセルリクエストを断る操作（発送すれば断ったことになります）"),
    gettext_noop("購入者へのメッセージ（マスクされたメールアドレス宛てのメールは送れます）"),
    gettext_noop("FBA在庫の変更とFBA注文の出荷・キャンセル"),
    gettext_noop("マーケットプレイス配送サービスの集荷手配"),
    gettext_noop("注文金額の変更"),
)


class AmazonConnector(Basic):
    """See `channels.connectors.contract.Connector`."""

    channel = "amazon"
    label = "Amazon"
    capabilities = Capabilities(
        invoice_issuer={"": "mall"},
        confirm=False,
        confirm_needed=False,
        partial_shipment=True,
        parcels_per_order=0,
        tracking_correction=True,
        cancel=True,
        stock_batch=stock.FEED_MOST,
        stock_confirms=False,
        stock_shows_after_s=900,
        mail="relay",
        # Amazon itself confirms the order and the shipment; a shop may only ask what it needs and tell of trouble.
        mail_events=(
            "inquiry",
            "delay_notice",
            "preorder_update",
            "return_received",
            "return_answered",
            "refund_done",
            "cancelled",
        ),
        order_url="https://sellercentral.amazon.co.jp/orders-v3/order/{no}",
        carrier_codes=shipping.CARRIER_CODES,
        cancel_answer="accept",
        captures=True,
        publish_interval_s=0.2,
        # One search is allowed each 179 seconds; the rest of the burst is kept for further pages and for people.
        poll_interval_s=240.0,
        events=True,
        cannot=CANNOT,
    )
    credential_fields = (
        ("client_id", gettext_noop("クライアントID"), False),
        ("client_secret", gettext_noop("クライアントシークレット"), True),
        ("refresh_token", gettext_noop("リフレッシュトークン"), True),
        ("seller_id", gettext_noop("出品者ID"), False),
        ("marketplace_id", gettext_noop("マーケットプレイスID"), False),
        ("carrier_codes", gettext_noop("運送会社コードの上書き（例: yamato=YAMATO:宅急便）"), False),
        ("sqs_queue_url", gettext_noop("注文通知キューのURL（SQS）"), False),
        ("sqs_access_key_id", gettext_noop("注文通知キューのアクセスキーID"), False),
        ("sqs_secret_access_key", gettext_noop("注文通知キューのシークレットアクセスキー"), True),
        ("sqs_region", gettext_noop("注文通知キューのリージョン（空欄ならURLから）"), False),
        ("sqs_endpoint", gettext_noop("SQSの接続先（通常は空欄）"), False),
    )
    service_terms: Mapping[str, ServiceTerm] = {"late": ServiceTerm(4.0, 30), "cancel": ServiceTerm(2.5, 7)}

    credential_terms: Mapping[str, CredentialTerm] = {
        "client_secret": CredentialTerm(
            180,
            note=gettext_noop(
                said(
                    "ソリューションプロバイダーポータルの「LWA認証情報」で新しいシークレットを発行し、ここに登録します。"
                    "切り替えの間は古いシークレットも使えます。リフレッシュトークンは変わりません。"
                )
            ),
        ),
    }

    def __init__(self, settings: ConnectorSettings) -> None:
        self.settings = settings

    @cached_property
    def api(self) -> Api:
        """Made on the first call, so that `parse` needs neither Redis nor credentials."""
        return Api(self.settings)

    def check(self) -> str:
        answer = self.api.call("GET", "/sellers/v1/marketplaceParticipations", "getMarketplaceParticipations")
        wanted = self.api.marketplace_id
        found = next((entry for entry in need(answer, "payload") if entry["marketplace"]["id"] == wanted), None)
        if found is None or not found["participation"]["isParticipating"]:
            raise CredentialsRefused(
                said(
                    "この出品者はマーケットプレイス %(wanted)s に参加していません。"
                    "マーケットプレイスIDを確認してください。",
                    wanted=wanted,
                )
            )
        suspended = said("(停止中の出品があります)") if found["participation"]["hasSuspendedListings"] else ""
        seen = said(
            "%(place)s の「%(store)s」に接続できました%(suspended)s。",
            place=found["marketplace"]["name"],
            store=found["storeName"],
            suspended=suspended,
        )
        return " ".join(filter(None, (seen, self._check_queue())))

    def _check_queue(self) -> str:
        """Trouble with the queue is told and no reason to refuse the shop: its orders come by search as well."""
        queue = queue_of(self.settings.credentials)
        if queue is None:
            return ""
        try:
            return subscription.ensure(self.api, queue)
        except ChannelError as error:
            return said("注文通知は使えません: %(cause)s", cause=error.cause)

    def fetch_orders(self, since: datetime, until: datetime) -> Iterator[Fetched]:
        return orders.fetch_pages(self.api, since, until)

    def fetch_order(self, channel_order_no: str) -> RawOrder | None:
        order = orders.order_now(self.api, channel_order_no)
        return orders.raw_order(order) if order else None

    def changed_orders(self, again: set[str] | None = None) -> Iterator[Sequence[Change]]:
        queue = queue_of(self.settings.credentials)
        if queue is None:
            return iter(())
        return events.changed_orders(queue, self.api.seller_id, self.api.marketplace_id, again)

    def parse(self, payload: str) -> ChannelOrder:
        return parse_order(payload)

    def ship(self, order: Mapping[str, Any], parcels: Sequence[Parcel]) -> None:
        shipping.confirm_parcels(self.api, order, parcels)

    def cancel(self, order: Mapping[str, Any], reason: str) -> None:
        cancel.cancel_order(self.api, str(order["no"]), reason)

    def answer_cancel(self, order: Mapping[str, Any], *, accept: bool, message: str) -> None:
        if not accept:
            raise Refused(
                said("Amazonにはキャンセルリクエストを断る操作がありません。購入者に連絡し、そのまま出荷してください。")
            )
        cancel.cancel_order(self.api, str(order["no"]), "BuyerCanceled")

    def order_numbers(self, since: datetime, until: datetime) -> Iterator[Sequence[tuple[str, datetime]]]:
        return numbers.order_numbers(self.api, since, until)

    def list_listings(self) -> Iterator[Sequence[ListingInfo]]:
        return listings.all_listings(self.api)

    def push_stock(self, items: Iterable[StockPush]) -> Iterator[StockResult]:
        return stock.push(self.api, items)

    def read_stock(self, listing_codes: Sequence[str]) -> Mapping[str, int]:
        return listings.live_quantities(self.api, listing_codes)
