"""The Japanese names of what connectors keep beside an order: its marks (`Order.flags`) and its further facts
(`Order.channel_extra`). A code without a name here shows as it is."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from oms.kernel.privacy import mask_rest

MARKS = {
    "age_check": _("年齢確認"),
    "associated": _("関連する注文あり"),
    "associated_item": _("関連する商品あり"),
    "asuraku": _("あす楽"),
    "asutsuku": _("あすつく"),
    "bill_slip_wanted": _("請求書希望"),
    "black_order": _("注意注文者"),
    "business": _("法人注文"),
    "business_price": _("法人価格"),
    "buyer_may_cancel": _("注文者のキャンセル可能時間"),
    "caution": _("モールの確認待ち"),
    "checked_by_shop": _("店舗で確認済み"),
    "chilled": _("冷蔵"),
    "cod_required": _("代金引換が必要"),
    "contact_later": _("送料などを後から連絡"),
    "contactless_delivery": _("置き配"),
    "cool": _("クール便"),
    "customized": _("カスタマイズ商品"),
    "deal": _("スーパーDEAL"),
    "delivery_certified": _("配送認定"),
    "detailed_slip_wanted": _("明細書希望"),
    "drop_off": _("置き配"),
    "drug": _("医薬品"),
    "easy_ship": _("Easy Ship"),
    "exchange": _("交換"),
    "exchange_approved": _("交換承認"),
    "exchange_requested": _("交換申請"),
    "first_class_drug": _("第1類医薬品"),
    "fraud_hold": _("不正注文の審査中"),
    "fraud_rejected": _("不正注文の審査NG"),
    "free_gift": _("おまけあり"),
    "freight_collect": _("着払い"),
    "frozen": _("冷凍"),
    "gift": _("ギフト"),
    "gift_order": _("ギフト注文"),
    "hanpukai": _("頒布会"),
    "hold": _("モールで保留"),
    "identity_check": _("本人確認が必要"),
    "ioss": _("IOSS番号あり"),
    "island": _("離島"),
    "kyotsuku": _("きょうつく"),
    "line_gift": _("LINEギフト"),
    "modified": _("モールで変更あり"),
    "multi_ship": _("複数配送"),
    "no_reserve": _("発売前（在庫を押さえない）"),
    "non_amazon": _("Amazon以外の注文"),
    "not_received": _("未着の申告"),
    "not_received_refunded": _("未着により返金済み"),
    "one_day": _("翌日配達"),
    "other_sender": _("送り主が別"),
    "overseas": _("海外配送"),
    "pallet": _("パレット配送"),
    "pay_method_may_change": _("支払方法の変更可"),
    "payment_alert": _("決済の警告"),
    "pickup_point": _("受取スポット"),
    "premium": _("プレミアム会員"),
    "preorder": _("予約"),
    "prime": _("プライム"),
    "rakuten_checking": _("楽天の確認中"),
    "receipt_wanted": _("領収書希望"),
    "receiver_unknown": _("受取人の入力待ち"),
    "redelivery": _("再配送"),
    "replacement": _("代替品"),
    "return_requested": _("返品申請"),
    "returned": _("返品済み"),
    "returning": _("返送中"),
    "same_day": _("当日発送"),
    "serial_required": _("シリアル番号が必要"),
    "settlement_failed": _("決済エラー"),
    "several_recipients": _("複数送付先"),
    "ship_plus": _("Ship Plus"),
    "ships_alone": _("単品配送"),
    "signature_required": _("署名が必要"),
    "social_gift": _("ソーシャルギフト"),
    "split": _("分割元の注文"),
    "store_pickup": _("店頭・コンビニ受取"),
    "student": _("学割会員"),
    "subscription": _("定期購入"),
    "suspect": _("いたずら注意"),
    "unattended_delivery": _("置き配"),
    "wish_list": _("ほしい物リスト"),
}

FACTS = {
    "answers": _("注文時の質問への回答"),
    "arrival_date": _("到着日"),
    "available_on": _("発送可能日"),
    "bundle_discount": _("まとめ買い値引"),
    "cancel_due": _("キャンセル期限"),
    "carrier": _("モールの配送会社"),
    "carrier_codes": _("モールの配送会社コード"),
    "claims": _("キャンセル・返品の申請"),
    "collect_on_delivery": _("着払い・代引の金額"),
    "combined_amount": _("併用した支払の金額"),
    "combined_pay_method": _("併用した支払方法"),
    "coupon": _("クーポン"),
    "currency": _("通貨"),
    "customer_contact": _("お客様への連絡"),
    "delay_memo": _("遅延の説明"),
    "delay_type": _("遅延の理由"),
    "delivered_on": _("配達完了日"),
    "device": _("注文した端末"),
    "drop_off": _("置き場所"),
    "emergency_phone": _("緊急連絡先"),
    "fee_to_shop": _("店舗負担の手数料"),
    "fixed_at": _("注文確定日時"),
    "free_gift": _("おまけ"),
    "fulfilled_by": _("出荷するところ"),
    "gift_card": _("ギフトカード利用"),
    "immediate_bonus": _("即時利用の特典"),
    "instalments": _("分割払い"),
    "lead_time": _("発送までの目安"),
    "line_gift_charge": _("LINEギフト手数料"),
    "mail_words": _("モールのメールに入る文"),
    "material": _("素材"),
    "member_id": _("モールの会員番号"),
    "member_stage": _("モールの会員ステージ"),
    "membership": _("モールの会員種別"),
    "next_shipping": _("次回の出荷"),
    "no_tracking_reason": _("送り状番号がない理由"),
    "operator": _("モールの担当者"),
    "order_count": _("モールでの購入回数"),
    "original_order": _("元の注文"),
    "packages": _("モールが知る荷物"),
    "paid_on": _("入金日"),
    "pay_method": _("モールの支払方法"),
    "pay_method_amount": _("支払方法ごとの金額"),
    "pay_method_change_by": _("支払方法の変更期限"),
    "pay_notes": _("支払の備考"),
    "pay_type": _("支払の区分"),
    "payment_change_due": _("支払方法の変更期限"),
    "payment_chain": _("コンビニ"),
    "payment_receipt": _("コンビニの払込番号"),
    "payment_term": _("支払期限"),
    "pickup_address": _("受取場所の住所"),
    "pickup_chain": _("受取コンビニ"),
    "pickup_depot": _("受取店の営業所"),
    "pickup_store": _("受取店"),
    "pickup_words": _("受取の備考"),
    "points_granted": _("付与ポイント"),
    "programs": _("モールのプログラム"),
    "purchase_order_no": _("発注番号"),
    "rakuten_member": _("楽天会員"),
    "receipts_issued": _("モールの領収書発行回数"),
    "receive_shop_code": _("受取店コード"),
    "refund_due": _("返金期限"),
    "release_date": _("発売日"),
    "remote_area": _("離島・中継地域"),
    "reported_at": _("出荷報告日時"),
    "reserve_count": _("お届け回数"),
    "seller_comments": _("店舗のコメント"),
    "seller_item_codes": _("店舗の商品コード"),
    "sender_address": _("送り主の住所"),
    "sender_name": _("送り主"),
    "sender_nation": _("送り主の国"),
    "sender_tel": _("送り主の電話"),
    "sender_zip": _("送り主の郵便番号"),
    "settle_amount": _("モールとの精算額"),
    "settle_status": _("決済の状態"),
    "ship_date": _("出荷日"),
    "ship_method": _("モールの配送方法"),
    "ship_notes": _("配送の備考"),
    "ship_request_time": _("希望時間帯"),
    "ship_words": _("モールに出した発送目安"),
    "shipped_on": _("出荷日"),
    "shipping_coupon": _("送料クーポン"),
    "shipping_rate_type": _("送料の区分"),
    "shop_coupon": _("店舗クーポン"),
    "social_gift_due": _("受取人の入力期限"),
    "sub_status_id": _("サブステータス"),
    "subscription_period": _("定期購入の回"),
    "subscription_periods": _("定期購入の回数"),
    "suspect_message": _("モールの注意文"),
    "to_buyer": _("注文者へ送る"),
    "total_order_count": _("モールでの累計購入回数"),
    "unattended": _("置き配の場所"),
    "volume_discount": _("数量値引"),
    "voucher": _("引換番号"),
    "buyer_items": _("注文者の追加項目"),
    "wish_on": _("モールの配達希望日"),
    "wish_slot": _("モールの希望時間帯"),
}

# What only later calls and questions to the mall need.
CODES = {
    "basket_ids": _("送付先の番号"),
    "branch": _("支店"),
    "child_order_id": _("分割先の注文番号"),
    "line_gift_order_id": _("LINEギフトの注文番号"),
    "marketplace_id": _("マーケットプレイス"),
    "multi_ship_id": _("複数配送の番号"),
    "order_nos": _("モールの明細番号"),
    "packing_no": _("梱包番号"),
    "parent_order_id": _("分割元の注文番号"),
    "payment_amazon": _("Amazon Pay の番号"),
    "payment_authorization": _("承認番号"),
    "payment_code": _("支払方法のコード"),
    "payment_order": _("決済の番号"),
    "payment_rakuten": _("楽天ペイの番号"),
    "payment_sbps": _("決済の追跡番号"),
    "processed_at": _("処理日時"),
    "quantities": _("明細ごとの数量"),
    "relay_mail": _("中継メールアドレス"),
    "reserve_no": _("予約番号"),
    "seller_delivery_no": _("店舗の配送番号"),
    "seller_order_id": _("店舗の注文番号"),
    "settle_id": _("決済の番号"),
    "ship_company_code": _("配送会社コード"),
    "shipment_nos": _("送付先の番号"),
    "social_gift_no": _("ソーシャルギフトの番号"),
    "subscription": _("定期購入の番号"),
    "subscription_id": _("定期購入の番号"),
}

PERSONAL = {
    "answers",
    "buyer_items",
    "claims",
    "customer_contact",
    "drop_off",
    "emergency_phone",
    "member_id",
    "pay_notes",
    "relay_mail",
    "seller_comments",
    "sender_address",
    "sender_name",
    "sender_tel",
    "sender_zip",
    "ship_notes",
    "unattended",
}


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: str
    code: bool  # only for questions to the mall


def marks(flags: Iterable[str]) -> list[str]:
    """The names of an order's marks; `caution:3` and other codes with a detail keep it."""
    told = []
    for flag in flags:
        code, _colon, detail = flag.partition(":")
        name = str(MARKS.get(code, code))
        told.append(f"{name} {detail}" if detail else name)
    return told


def readable(value: str) -> str:
    """What a mall tells as JSON, as names and values that a person can read; anything else as it is."""
    if value[:1] not in {"[", "{"}:
        return value
    try:
        told = json.loads(value)
    except ValueError:
        return value
    return " / ".join(_flat(row) for row in (told if isinstance(told, list) else [told])) or "–"


def _flat(told: object) -> str:
    if isinstance(told, dict):
        return "、".join(f"{name}: {_flat(own)}" for name, own in told.items() if own not in (None, "", [], {}))
    if isinstance(told, list):
        return ", ".join(_flat(own) for own in told)
    return str(told)


def facts(extra: Mapping[str, str], *, personal: bool) -> list[Fact]:
    """In the order of the tables, the unnamed last. Without the right, personal and unnamed values are hidden."""
    order = {key: place for place, key in enumerate((*FACTS, *CODES))}
    told = []
    for key in sorted(extra, key=lambda key: (order.get(key, len(order)), key)):
        named = key in order
        value = readable(extra[key]) if personal or (named and key not in PERSONAL) else mask_rest(extra[key])
        told.append(Fact(str(FACTS.get(key) or CODES.get(key) or key), value, key not in FACTS))
    return told
