"""Yahoo!'s code tables and field names, in one place so that a correction is a change of one file."""

from orders.channel_order import PaymentMethod

HOST = "https://circus.shopping.yahooapis.jp"
API_PATH = "/ShoppingWebService/V1"
AUTH_HOST = "https://auth.login.yahoo.co.jp"
TOKEN_PATH = "/yconnect/v2/token"

ORDER_APIS = ("orderList", "orderInfo", "orderCount", "orderStatusChange", "orderShipStatusChange")
OTHER_APIS = ("setStock", "getStock", "getItem", "myItemList")

# OrderStatus
RESERVED, IN_PROGRESS, ON_HOLD, CANCELLED, COMPLETED = "1", "2", "3", "4", "5"
# ShipStatus
NOT_SHIPPABLE, SHIPPABLE, SHIPPING, SHIPPED, ARRIVED = "0", "1", "2", "3", "4"

PAYMENT_METHODS = {
    "payment_a1": PaymentMethod.CARD,
    "payment_a6": PaymentMethod.CONVENIENCE,
    "payment_a7": PaymentMethod.CONVENIENCE,
    "payment_a8": PaymentMethod.WALLET,
    "payment_a9": PaymentMethod.WALLET,
    "payment_a10": PaymentMethod.WALLET,
    "payment_a11": PaymentMethod.WALLET,
    "payment_a15": PaymentMethod.MALL,  # ペイジー: prepaid, collected by the mall
    "payment_a16": PaymentMethod.WALLET,
    "payment_a17": PaymentMethod.WALLET,
    "payment_a18": PaymentMethod.DEFERRED,
    "payment_a19": PaymentMethod.WALLET,
    **{f"payment_b{number}": PaymentMethod.BANK_TRANSFER for number in range(1, 7)},
    "payment_d1": PaymentMethod.COD,
    "payment_z1": PaymentMethod.POINTS,
    "payment_z3": PaymentMethod.WALLET,
}
SETTLEMENT_FAILED = {"8", "10", "12"}  # expired, authorisation error, Suica error
SETTLEMENT_RETURNED = {"7", "11"}  # refunded, sale taken back

CARRIERS = {"yamato": "1001", "sagawa": "1002", "japanpost": "1003", "other": "1000"}
UNTRACKED = "105"  # ShipInvoiceNumberEmptyReason: the method has no tracking

CANCEL_REASONS = {
    "100": "購入者都合：キャンセル",
    "110": "購入者都合：返品",
    "120": "購入者都合：未入金",
    "130": "購入者都合：住所不明",
    "140": "購入者都合：受取拒否",
    "150": "購入者都合：連絡不通",
    "160": "購入者都合：重複注文",
    "170": "購入者都合：決済審査不可",
    "180": "購入者都合：その他",
    "200": "ストア都合：決済方法都合",
    "210": "ストア都合：欠品",
    "220": "ストア都合：販売中止",
    "230": "ストア都合：その他",
    "0": "システムによるキャンセル",
    "400": "連携サービスによるキャンセル",
}
# Our words for a reason → the code Yahoo! records; anything else is 230 with the words as detail.
CANCEL_CODES = {
    "buyer": "100",
    "customer": "100",
    "unpaid": "120",
    "address": "130",
    "no_contact": "150",
    "duplicate": "160",
    "payment": "200",
    "out_of_stock": "210",
    "stock_short": "210",
    "discontinued": "220",
}

LIST_FIELDS = (
    "OrderId,OrderTime,LastUpdateTime,OrderStatus,IsSeen,IsReadOnly,FraudHoldStatus,PublicationTime,PayStatus,"
    "ShipStatus,Suspect,TotalPrice"
)

PERSON_FIELDS = """
FirstName FirstNameKana LastName LastNameKana ZipCode Prefecture PrefectureKana City CityKana Address1 Address1Kana
Address2 Address2Kana PhoneNumber EmgPhoneNumber Section1Field Section1Value Section2Field Section2Value
"""
OTHER_FIELDS = """
OrderId Version ParentOrderId ChildOrderId DeviceType IsSeen IsSplit CancelReason CancelReasonDetail OrderTime
LastUpdateTime Suspect SuspectMessage OrderStatus StoreStatus BuyerComments SellerComments Notes TotalCouponDiscount
ShippingCouponDiscount IsMultiShip MultiShipId IsReadOnly FraudHoldStatus PublicationTime IsLineGiftOrder SocialGiftType
IsSubscription PayStatus SettleStatus PayType PayKind PayMethod PayMethodName PayActionTime PayDate PaymentTerm
CombinedPayMethod CombinedPayMethodName NeedReceipt BillMailAddress ShipStatus ShipMethod ShipMethodName ShipRequestDate
ShipRequestTime ShipNotes ShipCompanyCode ReceiveShopCode ShipInvoiceNumber1 ShipInvoiceNumber2 ArriveType ShipDate
ArrivalDate NeedGiftWrap GiftWrapType GiftWrapMessage NeedGiftWrapPaper GiftWrapPaperType GiftWrapName IsEazy
EazyDeliveryName IsLineGiftShippable ShippingDeadline PayCharge ShipCharge GiftWrapCharge Discount Adjustments
SettleAmount UsePoint GiftCardDiscount TotalPrice TotalMallCouponDiscount TotalImmediateBonusAmount LineId ItemId Title
SubCode SubCodeOption ItemOption Inscription ItemTaxRatio Jan UnitPrice Quantity ReleaseDate OriginalPrice
CouponDiscount LeadTimeText SellerId IsLogin
"""
INFO_FIELDS = ",".join(
    [*OTHER_FIELDS.split(), *(f"{prefix}{name}" for prefix in ("Bill", "Ship") for name in PERSON_FIELDS.split())]
)
