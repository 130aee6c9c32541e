"""Qoo10's codes, spellings and names, in one place: what is inferred is corrected here."""

from oms.kernel.said import said

HOST = "https://api.qoo10.jp"
PATH = "/GMKT.INC.Front.QAPIService/ebayjapan.qapi"

# Methods
CREATE_KEY = "CertificationAPI.CreateCertificationKey"
LIST_ORDERS = "ShippingBasic.GetShippingInfo_v3"
ONE_ORDER = "ShippingBasic.GetShippingAndClaimInfoByOrderNo_V2"
LIST_CLAIMS = "ShippingBasic.GetClaimInfo_V3"
SELLER_CHECK = "ShippingBasic.SetSellerCheckYNBulk"
SEND = "ShippingBasic.SetSendingInfoBulk"
CANCEL = "Claim.SetCancelProcess"
CLAIM_ACCEPT = "Claim.SetClaimAccept"
ITEM_BULK = "ItemsOrder.SetGoodsPriceQtyBulk"
ITEM_ONE = "ItemsOrder.SetGoodsPriceQty"
OPTION_BULK = "ItemsOptions.UpdateInventoryDataBulk"
OPTION_ONE = "ItemsOptions.UpdateInventoryQtyUnit"
ALL_ITEMS = "ItemsLookup.GetAllGoodsInfo"
ITEM = "ItemsLookup.GetItemDetailInfo"
INVENTORY = "ItemsLookup.GetGoodsInventoryInfo"
VERSIONS = {ITEM: "1.2"}  # QAPIVersion, where it is not 1.0

# Shipping status
UNPAID, REQUESTED, CHECKED, SENT, DELIVERED = 1, 2, 3, 4, 5
OPEN_STATUSES = "0"  # 1 to 3
BY_ORDER_DATE, BY_PAYMENT_DATE, BY_SHIPPING_DATE, BY_DELIVERED_DATE = "1", "2", "3", "4"
CLAIMS_BY_ORDER, CLAIMS_BY_REQUEST, CLAIMS_BY_COMPLETION = "1", "2", "3"

# Claim status
CANCEL_ASKED = {1, 2}
CANCELLED = {3, 16}
CLAIM_FLAGS = {
    4: "return_requested",
    5: "returning",
    6: "returned",
    11: "exchange_requested",
    12: "exchange_approved",
    13: "redelivery",
    14: "not_received_refunded",
    15: "not_received",
}

KEY_ENDED = {-10000, -90004, -90005}
KEY_REFUSED = {-90000, -90002, -90003}
TRY_LATER = -10101  # as an outer code

KEY_CAUSES = {
    -10000: said(
        "Qoo10の販売者認証キーが正しくありません。QSMのパスワード変更で無効になります。登録し直してください。"
    ),
    -90004: said("Qoo10の販売者認証キーの期限（1年）が切れました。新しいキーを登録してください。"),
    -90005: said("Qoo10の販売者認証キーの期限（1年）が切れました。新しいキーを登録してください。"),
    -90002: said("Qoo10でこのAPIの利用権限がありません。Qoo10に申請してください。"),
    -90003: said("Qoo10でこのAPIの利用権限がありません。Qoo10に申請してください。"),
}
# Codes mean something else in each method.
CAUSES = {
    (SELLER_CHECK, -10007): said("この注文は発注確認できません。"),
    (SELLER_CHECK, -10013): said("この注文は配送要請の状態ではないため、発注確認できません。"),
    (SELLER_CHECK, -10014): said("キャンセルなどの申請があるため、発注確認できません。Qoo10 QSMで確認してください。"),
    (SELLER_CHECK, -10015): said("来店受取の注文のため、発注確認できません。"),
    (SELLER_CHECK, -10017): said("発送予定日がQoo10の上限より後です。"),
    (SELLER_CHECK, -10018): said("発送予定日は明日以降の日付が必要です。"),
    (SEND, -10101): said("キャンセルや返品の申請中です。発送せず、Qoo10 QSMで確認してください。"),
    (SEND, -10102): said("来店受取の注文のため、発送通知できません。"),
    (SEND, -10103): said("この送り状番号はすでに使われています。番号を確認してください。"),
    (SEND, -10113): said("この送り状番号はすでに使われています。番号を確認してください。"),
    (SEND, -10114): said("この送り状番号はすでに使われています。番号を確認してください。"),
    (SEND, -10104): said("送り状番号がありません。"),
    (SEND, -10105): said("送り状番号の桁数が違います。"),
    (SEND, -10106): said("送り状番号の形式が違います。"),
    (SEND, -10107): said("送り状番号の形式が違います。"),
    (SEND, -10108): said("送り状番号の検査数字が違います。番号を確認してください。"),
    (SEND, -10112): said("この配送会社を使う権限がQoo10にありません。"),
    (SEND, -10118): said("購入者が選んだ配送方法と配送会社が違います。"),
    (SEND, -10119): said("日本郵便を使う権限がQoo10にありません。"),
    (SEND, -10120): said("配送会社名がQoo10に登録された名称と一致しません。店舗の設定で名称を直してください。"),
    (SEND, -10122): said("この店舗の注文ではありません。"),
    (CANCEL, -10002): said("この注文はQoo10に見つかりません。"),
    (CLAIM_ACCEPT, -10002): said("この注文はQoo10に見つかりません。"),
    (CLAIM_ACCEPT, -10004): said("承認できるキャンセル申請がありません。Qoo10 QSMで確認してください。"),
    (CANCEL, -10004): said("この状態の注文はキャンセルできません。Qoo10 QSMで確認してください。"),
    (ITEM_ONE, -10001): said("この商品コードはQoo10に見つかりません。"),
    (OPTION_ONE, -10001): said("この商品またはオプションはQoo10に見つかりません。"),
    (ITEM_ONE, -10009): said("販売中または販売停止中の商品ではないため、在庫を変更できません。"),
    (OPTION_ONE, -10009): said("販売中または販売停止中の商品ではないため、在庫を変更できません。"),
}
ALREADY_CHECKED = -10012
DATE_TOO_EARLY = -10018
NOT_REQUESTED = -10013
TRACKING_USED = {-10103, -10113, -10114}
ORDER_UNKNOWN = {(ONE_ORDER, -10002), (ONE_ORDER, -10003)}

# Display names that Qoo10 compares exactly; a shop may register its own.
CARRIERS = {"yamato": "ヤマト宅急便", "sagawa": "佐川急便", "japanpost": "ゆうパック", "other": "その他"}

# Our words for a reason → CancelReason. "" tells out of stock, which also sets the item's stock to nothing.
CANCEL_CODES = {"out_of_stock": "", "stock_short": "", "discontinued": "", "area": "2", "delay": "3"}
CANCEL_WORDS = {
    "out_of_stock": "在庫切れのため",
    "stock_short": "在庫切れのため",
    "discontinued": "販売終了のため",
    "area": "配送できない地域のため",
    "delay": "発送が遅れるため",
    "buyer": "購入者のご希望のため",
    "customer": "購入者のご希望のため",
}
CANCEL_OTHER = "1"  # the order was changed

# Older spellings → the present ones, in lower case without "_".
ALIASES = {
    "estshippingdate": "estimatedshippingdate",
    "buyergata": "buyerkana",
    "receivergata": "receiverkana",
    "itemcode": "itemno",
    "shippingaddr": "shippingaddress",
    "addr1": "address1",
    "addr2": "address2",
    "hopedate": "desireddeliverydate",
    "senderaddr": "senderaddress",
    "shippingmsg": "shippingmessage",
}
