"""Names, codes and limits of the futureshop admin API, and every assumption about it: a correction is made here.

List and detail of an order name the same things differently; `first` takes the first key that is there.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from oms.kernel.clock import TOKYO
from oms.kernel.said import said
from orders.channel_order import ChannelState, PaymentMethod

TOKEN_PATH = "/oauth/token"
API = "/admin-api/v1"
SEARCH_PATH = f"{API}/shipping"
DETAIL_PATH = f"{API}/orders/{{no}}"
SHIP_PATH = f"{API}/shipping/status"
PAYMENT_PATH = f"{API}/payment/status"
COMPLETE_PATH = f"{API}/order/complete"
STOCK_PATH = f"{API}/inventory"

INTERVAL_S = 1.1  # the limit is one call a second per client, token calls included as far as known
TOKEN_EARLY_S = 600
UPDATE_WINDOW = timedelta(days=31)
WRITE_MOST = 100
READ_PRODUCTS = 50  # product numbers in one query, for the length of the URL
STOCK_MOST = 99_999_999
INVOICE_BYTES = 100

POSTAL_CODE = ("zipCode", "postalCode")
STANDARD_RATE = ("standardTaxRate", "taxRate")
PRODUCT_COUPON, POSTAGE_COUPON = "productCouponDiscountTotal", "postageCouponDiscountTotal"
VOLUME_DISCOUNT = ("volumeDiscountTotal", "discountTotal")
BUNDLE_DISCOUNT = "bundleDiscountTotal"

STATES = {
    "AWAITING_PAYMENT": ChannelState.OPEN,  # 通常処理: the normal working state, it does not mean unpaid
    "AWAITING_SHIPMENT": ChannelState.OPEN,  # 未回収
    "ON_HOLD": ChannelState.PROVISIONAL,
    "PREORDER": ChannelState.OPEN,
    "COMPLETED": ChannelState.SHIPPED,
    "CANCELLED": ChannelState.CANCELLED,
    "REFUNDED": ChannelState.SHIPPED,
}
COMPLETABLE = frozenset({"AWAITING_PAYMENT", "AWAITING_SHIPMENT", "PREORDER"})
HELD_TYPES = frozenset({"SUBSCRIPTION", "HANPUKAI"})
"""Kinds of orders with a calendar of their own: imported, never shipped by us."""
TYPE_FLAGS = {"SUBSCRIPTION": "subscription", "HANPUKAI": "hanpukai", "PREORDER": "preorder"}

PAYMENT_METHODS = (
    (re.compile(r"^(BANK|POSTAL)_TRANSFER$"), PaymentMethod.BANK_TRANSFER),
    (re.compile(r"^COD$"), PaymentMethod.COD),
    (re.compile(r"CONVENI"), PaymentMethod.CONVENIENCE),
    (re.compile(r"CREDIT_CARD"), PaymentMethod.CARD),
    (re.compile(r"AMAZON|RAKUTEN|PAYPAY|PAYPAL|LINE_PAY|D_PAYMENT"), PaymentMethod.WALLET),
    (re.compile(r"^NP_|DEFERRED|ATOBARAI|ATODENE"), PaymentMethod.DEFERRED),
)
"""Payment types come without a complete list; an unknown one is "other" and waits for a receipt date."""
PAID_LATER = frozenset({PaymentMethod.CARD, PaymentMethod.WALLET, PaymentMethod.DEFERRED})
"""Methods that may ship without a receipt date."""

PREFECTURE_NAMES = """
HOKKAIDO 北海道  AOMORI 青森県  IWATE 岩手県  MIYAGI 宮城県  AKITA 秋田県
YAMAGATA 山形県  FUKUSHIMA 福島県  IBARAKI 茨城県  TOCHIGI 栃木県  GUNMA 群馬県
SAITAMA 埼玉県  CHIBA 千葉県  TOKYO 東京都  KANAGAWA 神奈川県  NIIGATA 新潟県
TOYAMA 富山県  ISHIKAWA 石川県  FUKUI 福井県  YAMANASHI 山梨県  NAGANO 長野県
GIFU 岐阜県  SHIZUOKA 静岡県  AICHI 愛知県  MIE 三重県  SHIGA 滋賀県
KYOTO 京都府  OSAKA 大阪府  HYOGO 兵庫県  NARA 奈良県  WAKAYAMA 和歌山県
TOTTORI 鳥取県  SHIMANE 島根県  OKAYAMA 岡山県  HIROSHIMA 広島県  YAMAGUCHI 山口県
TOKUSHIMA 徳島県  KAGAWA 香川県  EHIME 愛媛県  KOCHI 高知県  FUKUOKA 福岡県
SAGA 佐賀県  NAGASAKI 長崎県  KUMAMOTO 熊本県  OITA 大分県  MIYAZAKI 宮崎県
KAGOSHIMA 鹿児島県  OKINAWA 沖縄県
"""
_WORDS = PREFECTURE_NAMES.split()
PREFECTURES = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
"""`OTHER` (abroad, unknown) has no name here."""

ERROR_WORDS = {
    "OrderLocked": said("futureshopの管理画面などで受注がロックされています。画面を閉じるか、しばらく待ってください。"),
    "CannotUpdateStorePickup": said("店舗受取の受注はAPIで更新できません。futureshopの管理画面で処理してください。"),
    "OrderNotFound": said("futureshopにこの受注がありません。受注コードを確認してください。"),
    "ProductNotFound": said("futureshopにこの商品番号がありません。商品を取り込み直してください。"),
    "StockNotFound": said("futureshopにこの枝番号の在庫がありません。商品を取り込み直してください。"),
    "NotManagementSettings": said("futureshopで在庫管理をしない商品です。在庫連動の対象から外してください。"),
    "InvalidValue": said("値がfutureshopの条件に合いません。"),
}
LOCKED = "OrderLocked"
LOCK_PAUSE_S = 300.0

SLOT_WORDS = {"午前": "am", "午前中": "am", "am": "am", "指定なし": "", "希望なし": "", "なし": ""}
HOURS = re.compile(r"^(\d{1,2})(?::00|時)?\s*[~\-]\s*(\d{1,2})(?::00|時)?$")


def api_time(moment: datetime) -> str:
    """Tokyo time without offset, as all queries want it."""
    return moment.astimezone(TOKYO).strftime("%Y-%m-%dT%H:%M:%S")


def api_date(moment: datetime) -> str:
    return moment.astimezone(TOKYO).strftime("%Y-%m-%d")


def read_time(text: str) -> datetime:
    """Raises ValueError. A day alone is its midnight in Tokyo."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)


def read_date(text: str) -> date:
    return date.fromisoformat(text[:10])


def first(row: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """The value of the first key that is there."""
    return next((row[key] for key in keys if key in row), None)


def shipping_info(shipment: Mapping[str, Any]) -> Mapping[str, Any]:
    """Shipping data: nested in the list, flat in the detail."""
    nested = shipment.get("shippingInfo")
    return nested if isinstance(nested, dict) else shipment


@lru_cache(maxsize=256)
def slot_of(words: str) -> str | None:
    """Our slot of the shop's own words; None when they are not understood."""
    plain = unicodedata.normalize("NFKC", words).replace("〜", "~").replace("～", "~").replace("−", "-").strip()
    if not plain:
        return ""
    if found := HOURS.match(plain):
        return f"{int(found[1]):02d}{int(found[2]):02d}"
    return SLOT_WORDS.get(plain.lower())


@lru_cache(maxsize=256)
def method_of(payment_type: str) -> PaymentMethod:
    return next((method for words, method in PAYMENT_METHODS if words.search(payment_type)), PaymentMethod.OTHER)


def listing_code(product_no: str, vertical_no: str, horizontal_no: str) -> str:
    """The key of stock calls; both axes are empty for a product without variations."""
    return f"{product_no}/{vertical_no}/{horizontal_no}"


def listing_parts(code: str) -> tuple[str, str, str] | None:
    """None for a code that is not ours."""
    parts = code.rsplit("/", 2)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 and parts[0] else None


def words_of(code: str) -> str:
    """A plain sentence for an error code."""
    return ERROR_WORDS.get(code, said("futureshopが更新を受け付けませんでした（%(code)s）。", code=code))


def cut_bytes(text: str, most: int) -> str:
    """The longest beginning of at most `most` UTF-8 bytes, never half a character."""
    return text.encode()[:most].decode(errors="ignore")
