"""Yahoo!'s code tables and field names, in one place so that a correction is a change of one file."""

from orders.channel_order import PaymentMethod

HOST = "https://circus.shopping.yahooapis.jp"
API_PATH = "/ShoppingWebService/V1"
AUTH_HOST = "https://auth.login.yahoo.co.jp"
TOKEN_PATH = "/yconnect/v2/token"

ORDER_APIS = (
    *("orderList", "orderInfo", "orderCount", "orderStatusChange", "orderShipStatusChange", "orderPayStatusChange"),
    "orderChange",
)
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
# Further carriers, by the words their names begin with; "other" is told by its own code where it is one of them.
CARRIER_NAMES = {
    "ヤマト": "1001",
    "佐川": "1002",
    "日本郵便": "1003",
    "西濃": "1004",
    "西武": "1005",
    "福山": "1006",
    "名鉄": "1007",
    "トナミ": "1008",
    "第一貨物": "1009",
    "新潟": "1010",
    "中越": "1011",
    "岡山県貨物": "1012",
    "久留米": "1013",
    "山陽": "1014",
    "日本トラック": "1015",
    "エコ配": "1016",
    "EMS": "1017",
    "DHL": "1018",
    "FEDEX": "1019",
    "UPS": "1020",
    "日通": "1021",
    "日本通運": "1021",
    "TNT": "1022",
    "OCS": "1023",
    "USPS": "1024",
    "SF": "1025",
    "ARAMEX": "1026",
    "SGH": "1027",
    "JPロジスティクス": "1028",
    "MAGICALMOVE": "1029",
}
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
NUMBER_FIELDS = "OrderId,OrderTime"

OTHER_FIELDS = """
OrderId Version ParentOrderId ChildOrderId DeviceType IsSeen IsSplit CancelReason CancelReasonDetail OrderTime
LastUpdateTime Suspect SuspectMessage OrderStatus StoreStatus BuyerComments SellerComments Notes UseCouponData
TotalCouponDiscount ShippingCouponFlg ShippingCouponDiscount IsMultiShip MultiShipId IsReadOnly
IsFirstClassDrugIncludes IsFirstClassDrugAgreement FraudHoldStatus PublicationTime LineGiftOrderId IsLineGiftOrder
SocialGiftType IsSubscription SubscriptionId PayStatus SettleStatus PayType PayKind PayMethod PayMethodName
PayActionTime PayDate PayNotes SettleId PaymentTerm PayMethodChangeDeadline IsPayMethodChangePossible CombinedPayType
CombinedPayMethod CombinedPayMethodName NeedBillSlip NeedDetailedSlip NeedReceipt AgeConfirmField AgeConfirmValue
AgeConfirmCheck BillMailAddress ShipStatus ShipMethod ShipMethodName ShipRequestDate ShipRequestTime ShipNotes
ShipCompanyCode ReceiveShopCode ReceiveSatelliteType ShipInvoiceNumber1 ShipInvoiceNumber2
ShipInvoiceNumberEmptyReason ShipUrl ArriveType ShipDate ArrivalDate NeedGiftWrap GiftWrapType GiftWrapMessage
NeedGiftWrapPaper GiftWrapPaperType GiftWrapName Option1Field Option1Type Option1Value Option2Field Option2Type
Option2Value IsEazy EazyDeliveryCode EazyDeliveryName IsMallContactlessDelivery IsLineGiftShippable ShippingDeadline
RemoteAreaShippingType PayCharge ShipCharge GiftWrapCharge Discount Adjustments SettleAmount UsePoint
GiftCardDiscount TotalPrice TotalMallCouponDiscount LineGiftCharge TotalImmediateBonusAmount PayMethodAmount
CombinedPayMethodAmount LineId ItemId Title SubCode SubCodeOption ItemOption Inscription IsUsed ItemTaxRatio Jan
UnitPrice Quantity ReleaseDate OriginalPrice OriginalNum CouponData CouponDiscount CouponUseNum LeadTimeText
LeadTimeStart LeadTimeEnd SellerId IsLogin FspLicenseName
"""
INFO_FIELDS = ",".join(
    [*OTHER_FIELDS.split(), *(f"{prefix}{name}" for prefix in ("Bill", "Ship") for name in PERSON_FIELDS.split())]
)

# What an order cannot do without: asked for when Yahoo! no longer knows one of the names above.
CORE_FIELDS = (
    "OrderId,OrderTime,LastUpdateTime,OrderStatus,IsSeen,IsReadOnly,IsSplit,ChildOrderId,Suspect,FraudHoldStatus,"
    "CancelReason,BuyerComments,PayStatus,SettleStatus,PayType,PayMethod,PayMethodName,PayDate,BillLastName,"
    "BillFirstName,BillZipCode,BillPrefecture,BillCity,BillAddress1,BillAddress2,BillPhoneNumber,BillMailAddress,"
    "ShipStatus,ShipMethod,ShipMethodName,ShipRequestDate,ShipRequestTime,ShipCompanyCode,ShipInvoiceNumber1,"
    "ShipInvoiceNumber2,ArriveType,ShipLastName,ShipFirstName,ShipZipCode,ShipPrefecture,ShipCity,ShipAddress1,"
    "ShipAddress2,ShipPhoneNumber,PayCharge,ShipCharge,GiftWrapCharge,Discount,Adjustments,UsePoint,GiftCardDiscount,"
    "TotalMallCouponDiscount,SettleAmount,TotalPrice,LineId,ItemId,SubCode,Title,ItemOption,Inscription,ItemTaxRatio,"
    "UnitPrice,Quantity,SellerId"
)
