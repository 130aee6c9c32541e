"""Names, codes and limits of RMS WEB SERVICE, and its two opposite date literals."""

from datetime import date, datetime, timedelta

from oms.kernel.clock import TOKYO

HOST = "https://api.rms.rakuten.co.jp"
ORDER_PATH = "/es/2.0/order/{name}/"
LICENSE_PATH = "/es/1.0/license-management/license-key/expiry-date"
ITEM_SEARCH_PATH = "/es/2.0/items/search"
STOCK_READ_PATH = "/es/2.1/inventories/bulk-get"
STOCK_WRITE_PATH = "/es/{version}/inventories/bulk-upsert"

# Only this literal is accepted by the order APIs; plain application/json is answered with 415.
ORDER_CONTENT_TYPE = "application/json; charset=utf-8"
ORDER_MODEL_VERSIONS = (10, 9, 8, 7)
"""Newest first; an older one is asked for where RMS refuses the newer."""

SEARCH_PAGE = 1000
SEARCH_REACHABLE = 15_000
SEARCH_WINDOW = timedelta(days=62)  # RMS allows 63
SEARCH_REACH_BACK = timedelta(days=729)
GET_ORDERS = 100
WRITE_ORDERS = 100
STOCK_READ = 1000
STOCK_WRITE = 400
STOCK_MOST = 99_999
ITEM_PAGE = 100
ITEM_OFFSET_REACH = 10_000
SHIPPING_ROWS = 20
MEMO_MOST = 1000
LICENSE_DAYS = 90

BY_ORDER_DATE, BY_FIX_DATE, BY_SHIPPING_REPORT = 1, 3, 5
"""Values of `dateType`."""

TO_CONFIRM, AT_RAKUTEN, TO_SHIP, CHANGING, SHIPPED, PAYING, PAID, CANCELLING, CANCELLED = range(100, 1000, 100)
"""Values of `orderProgress`."""

PAID_BY_SHOP = "1"
"""`couponCapitalCode` of a coupon that lowers the shop's revenue; all others are paid back."""

NOT_FIXED = -9999
"""An amount that Rakuten or the shop has not settled yet."""

SOCIAL_GIFT_WAITING = "入力待ち"
"""Stands for name and address while the receiver of a social gift has not answered."""

PREPAID = frozenset({9, 13, 14})
CASH_ON_DELIVERY, POINTS_ONLY = 2, 8
PAYMENT_NAMES = {
    1: "クレジットカード",
    2: "代金引換",
    4: "ショッピングクレジット",
    5: "オートローン",
    6: "リース",
    7: "請求書払い",
    8: "ポイント",
    9: "銀行振込",
    12: "Apple Pay",
    13: "セブンイレブン（前払）",
    14: "ローソン等（前払）",
    16: "Alipay",
    17: "PayPal",
    21: "後払い",
    27: "Alipay（支付宝）",
}

CARRIERS = {"yamato": "1001", "sagawa": "1002", "japanpost": "1003", "other": "1000"}
NAMED_CARRIERS = {
    "西濃": "1004",
    "セイノー": "1005",
    "福山": "1006",
    "名鉄": "1007",
    "トナミ": "1008",
    "第一貨物": "1009",
    "新潟": "1010",
    "中越": "1011",
    "岡山県": "1012",
    "久留米": "1013",
    "山陽": "1014",
    "エコ配": "1016",
    "日本通運": "1021",
}
"""What a carrier's name contains → its code, for carriers outside `CARRIERS`."""

CANCEL_REASONS = {
    1: "キャンセル",
    2: "返品",
    3: "長期不在",
    4: "未入金",
    5: "代引受取拒否",
    6: "その他（お客様都合）",
    8: "在庫切れ",
    10: "その他（店舗都合）",
    13: "発送遅延",
    14: "注意表示対応",
    15: "返品（破損など）",
}
CANCEL_WORDS = (("欠品", 8), ("在庫", 8), ("未入金", 4), ("不正", 14), ("遅延", 13), ("顧客", 1), ("お客様", 1))
"""A word in our reason → Rakuten's code; anything else is the shop's own "other"."""
CANCEL_OTHER = 10
KEEP_STOCK = 2
"""`inventoryRestoreType`: Rakuten leaves its stock figure alone, because ours is pushed."""


def order_time(moment: datetime) -> str:
    """The literal of the order APIs; any other form of the offset is refused."""
    return moment.astimezone(TOKYO).strftime("%Y-%m-%dT%H:%M:%S+0900")


def order_date(moment: datetime) -> str:
    return moment.astimezone(TOKYO).strftime("%Y-%m-%d")


def read_time(text: str) -> datetime:
    """An aware time from either literal; one without offset is Tokyo time. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=TOKYO)


def read_date(text: str) -> date:
    """Raises ValueError."""
    return date.fromisoformat(text[:10])


def day_in_number(number: str) -> datetime | None:
    """Midnight in Tokyo of the day that an order number names; None for a number of another form."""
    parts = number.split("-")
    try:
        return datetime.strptime(parts[1], "%Y%m%d").replace(tzinfo=TOKYO)
    except (IndexError, ValueError):
        return None


def listing_code(manage_number: str, variant_id: str) -> str:
    """The key of stock calls. Item numbers are compared in lower case by RMS, variants are not."""
    return f"{manage_number.lower()}/{variant_id}"


def channel_sku(merchant_sku: str, manage_number: str, variant_id: str, item_number: str) -> str:
    """What names a variant in orders and listings alike: the shop's own SKU, else item and variant, else the item.

    Orders from before the shop's move to SKUs carry an empty variant.
    """
    if merchant_sku:
        return merchant_sku
    if variant_id:
        return listing_code(manage_number, variant_id)
    return item_number or manage_number.lower()


def carrier_code(carrier: str, carrier_name: str) -> str:
    """Rakuten's code, a string on the wire, of one of our carriers."""
    if carrier in CARRIERS and carrier != "other":
        return CARRIERS[carrier]
    return next((code for word, code in NAMED_CARRIERS.items() if word in carrier_name), CARRIERS["other"])


def cancel_code(reason: str) -> int:
    return next((code for word, code in CANCEL_WORDS if word in reason), CANCEL_OTHER)
