"""What a mail's text may name, and the real values of an order."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from oms.kernel import clock
from oms.kernel.money import yen
from orders.decide.slots import slot_label
from orders.models import MailPolicy, Order, PaperSettings, Shop
from orders.models.mail import MailEvent
from orders.models.order import PaymentMethod

# What `values_of` fills; a test holds the two together.
PLACEHOLDERS: Mapping[str, str | Promise] = {
    "order.number": _("受注番号"),
    "order.date": _("注文日"),
    "order.lines": _("注文商品の一覧"),
    "order.total": _("お支払い金額"),
    "order.shipping_fee": _("送料"),
    "order.payment": _("お支払い方法"),
    "order.wish": _("配達の希望日と時間帯"),
    "order.gift": _("ラッピングの指定"),
    "order.noshi": _("のしの指定"),
    "order.planned_date": _("出荷予定日"),
    "order.release_date": _("発売日"),
    "order.cancel_reason": _("キャンセルの理由"),
    "order.note": _("ルールが添える文"),
    "payment.due_date": _("お支払い期限"),
    "payment.account": _("振込先（店舗のメール設定）"),
    "buyer.name": _("注文者の氏名"),
    "recipient.name": _("届け先の氏名"),
    "recipient.address": _("届け先の住所"),
    "shipment.carrier": _("配送会社"),
    "shipment.tracking_no": _("送り状番号"),
    "shipment.tracking_url": _("荷物の問い合わせページ"),
    "shipment.lines": _("この荷物の商品"),
    "pickup.place": _("受け取る店舗"),
    "pickup.code": _("受け取りの番号"),
    "pickup.until": _("受け取りの期限"),
    "locker.place": _("ロッカーの場所"),
    "locker.pin": _("ロッカーの暗証番号"),
    "refund.amount": _("返金額"),
    "document.kind": _("帳票の種類"),
    "document.link": _("帳票のダウンロードのリンク"),
    "document.expires": _("リンクの期限"),
    "member.rank": _("会員ランク"),
    "member.points": _("失効するポイント"),
    "member.points_until": _("ポイントの期限"),
    "mail.message": _("このメールだけに添える文"),
    "mail.unsubscribe_url": _("配信停止のページ"),
    "shop.name": _("店舗名"),
    "shop.phone": _("店舗の電話番号"),
    "shop.email": _("店舗のメール"),
    "shop.signature": _("署名（店舗のメール設定）"),
}
# What only conditions may ask: `{% if payment.cod %}`.
CONDITIONS: Mapping[str, str | Promise] = {
    "payment.bank_transfer": _("銀行振込のとき"),
    "payment.convenience": _("コンビニ払いのとき"),
    "payment.cod": _("代金引換のとき"),
    "payment.deferred": _("後払いのとき"),
    "order.is_gift": _("ラッピング・のしがあるとき"),
    "order.to_other": _("注文者と届け先が違うとき"),
    "order.pickup": _("店舗受取のとき"),
}
NAMES = frozenset(PLACEHOLDERS) | frozenset(CONDITIONS)

# Empty is no hole: letterheads have them or not, rules add something or not.
OPTIONAL = frozenset({"shop.phone", "shop.email", "order.note"})

# What the event itself brings along (`extra` of its mail), with a sample for trying a text on an order that had none.
BROUGHT: Mapping[str, Mapping[str, str]] = {
    MailEvent.PICKUP_READY: {"pickup.place": "世田谷店", "pickup.code": "4821", "pickup.until": "12月5日"},
    MailEvent.PICKUP_REMINDER: {"pickup.place": "世田谷店", "pickup.code": "4821", "pickup.until": "12月5日"},
    MailEvent.PICKUP_EXPIRED: {"pickup.place": "世田谷店"},
    MailEvent.LOCKER_READY: {"locker.place": "三軒茶屋駅", "locker.pin": "7314", "pickup.until": "12月5日"},
    MailEvent.DOCUMENT_LINK: {
        "document.kind": "領収書",
        "document.link": "https://…",
        "document.expires": "2026年12月31日",
    },
    MailEvent.REFUND_DONE: {"refund.amount": "¥1,980"},
    MailEvent.RANK_UP: {"member.rank": "ゴールド"},
    MailEvent.POINTS_EXPIRING: {"member.points": "320", "member.points_until": "12月31日"},
    MailEvent.INQUIRY: {"mail.message": "のしの名入れをお知らせください。"},
}


def values_of(order: Order, extra: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Every placeholder and condition of an order; what it does not have is empty. `extra` is the mail's own."""
    with override(settings.LANGUAGE_CODE):  # the customer's language, not that of whoever previews it
        found = {**_of_order(order), **_of_conditions(order), **_of_shop(order.shop)}
    brought = {name: "" for name in PLACEHOLDERS if name not in found}
    return found | brought | {name: str(value) for name, value in (extra or {}).items()}


def _of_order(order: Order) -> dict[str, str]:
    lines = [f"・{line.name} × {line.quantity}  {yen(line.amount)}" for line in order.lines.all() if line.quantity]
    recipient = next(iter(order.recipients.all()), None)
    place = f"〒{recipient.postal_code} {recipient.prefecture}{recipient.city}{recipient.address}" if recipient else ""
    wish = [order.wish_date.strftime("%Y年%m月%d日") if order.wish_date else ""]
    wish.append(slot_label(order.wish_slot))
    return {
        "order.number": order.channel_order_no,
        "order.date": clock.in_tokyo(order.ordered_at).strftime("%Y年%m月%d日"),
        "order.lines": "\n".join(lines),
        "order.total": "" if order.total is None else yen(order.total),
        "order.shipping_fee": yen(order.shipping_fee),
        "order.payment": order.payment_name or str(order.get_payment_method_display()),
        "order.wish": " ".join(part for part in wish if part),
        "order.gift": order.gift,
        "order.noshi": order.noshi,
        "order.planned_date": order.planned_ship_date.strftime("%Y年%m月%d日") if order.planned_ship_date else "",
        "order.release_date": order.release_date.strftime("%Y年%m月%d日") if order.release_date else "",
        "order.cancel_reason": order.cancel_reason,
        "order.note": "\n".join(text.text for text in order.texts.all() if text.reader == "mail"),
        "payment.due_date": clock.in_tokyo(order.pay_by).strftime("%Y年%m月%d日") if order.pay_by else "",
        "buyer.name": order.buyer_name,
        "recipient.name": recipient.name if recipient else order.buyer_name,
        "recipient.address": place,
        "shipment.carrier": str(order.carrier_label),
        "shipment.tracking_no": order.tracking_label,
        "shipment.lines": "\n".join(lines),
    }


def _of_conditions(order: Order) -> dict[str, str]:
    recipient = next(iter(order.recipients.all()), None)
    facts = {
        "payment.bank_transfer": order.payment_method == PaymentMethod.BANK_TRANSFER,
        "payment.convenience": order.payment_method == PaymentMethod.CONVENIENCE,
        "payment.cod": order.payment_method == PaymentMethod.COD,
        "payment.deferred": order.payment_method == PaymentMethod.DEFERRED,
        "order.is_gift": bool(order.gift or order.noshi),
        "order.to_other": recipient is not None and recipient.name != order.buyer_name,
        "order.pickup": "pickup" in order.flags,
    }
    return {name: "1" if true else "" for name, true in facts.items()}


def _of_shop(shop: Shop) -> dict[str, str]:
    policy = MailPolicy.objects.filter(shop=shop).first() or MailPolicy()
    name = shop.letterhead_name or shop.name
    own = [name, shop.letterhead_address, shop.letterhead_phone and f"TEL {shop.letterhead_phone}", shop.mail_from]
    rule = "─" * 20
    return {
        "payment.account": policy.bank_account or _account_on_papers(shop),
        "shop.name": name,
        "shop.phone": shop.letterhead_phone,
        "shop.email": shop.mail_from,
        "shop.signature": policy.signature or "\n".join([rule, *(part for part in own if part), rule]),
    }


def _account_on_papers(shop: Shop) -> str:
    """What the shop's bills say, where its mails are told nothing of their own."""
    papers = PaperSettings.objects.filter(shop=shop).first()
    return papers.bank_account if papers else ""
