"""What a mail's text may name, and the real values of an order."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from oms.kernel import clock
from oms.kernel.money import STANDARD, yen
from orders.decide.goods_names import bought
from orders.decide.slots import slot_label
from orders.models import MailPolicy, Order, PaperSettings, Recipient, Shop
from orders.models.mail import MailEvent
from orders.models.order import PaymentMethod

# What `values_of` fills; a test holds the two together.
PLACEHOLDERS: Mapping[str, str | Promise] = {
    "order.number": _("受注番号"),
    "order.date": _("注文日"),
    "order.lines": _("注文商品の一覧"),
    "order.total": _("お支払い金額"),
    "order.shipping_fee": _("送料"),
    "order.sums": _("お支払い金額の内訳（商品・送料・手数料・値引・ポイント）"),
    "order.tax": _("税率ごとの金額と消費税"),
    "order.payment": _("お支払い方法"),
    "order.wish": _("配達の希望日と時間帯"),
    "order.gift": _("ラッピングの指定"),
    "order.noshi": _("のしの指定"),
    "order.planned_date": _("出荷予定日"),
    "order.release_date": _("発売日"),
    "order.cancel_reason": _("キャンセルの理由"),
    "order.note": _("ルールが添える文"),
    "payment.due_date": _("お支払い期限"),
    "payment.cancel_date": _("お支払いがないときにキャンセルする日"),
    "payment.reminder_count": _("督促の回数"),
    "payment.paid_amount": _("ご入金額"),
    "payment.paid_date": _("ご入金日"),
    "payment.account": _("振込先（店舗のメール設定）"),
    "buyer.name": _("注文者の氏名"),
    "buyer.address": _("注文者の住所"),
    "recipient.name": _("届け先の氏名"),
    "recipient.address": _("届け先の住所"),
    "shipment.carrier": _("配送会社"),
    "shipment.tracking_no": _("送り状番号"),
    "shipment.tracking_url": _("荷物の問い合わせページ"),
    "shipment.lines": _("この荷物の商品"),
    "shipment.date": _("発送日"),
    "shipment.expected": _("お届け予定日と時間帯"),
    "shipment.rest": _("まだ発送していない商品"),
    "shipment.cod_amount": _("代金引換の金額"),
    "pickup.place": _("受け取る店舗"),
    "pickup.code": _("受け取りの番号"),
    "pickup.until": _("受け取りの期限"),
    "locker.place": _("ロッカーの場所"),
    "locker.pin": _("ロッカーの暗証番号"),
    "refund.amount": _("返金額"),
    "refund.way": _("返金の方法"),
    "refund.date": _("返金日"),
    "return.number": _("返品番号"),
    "return.answer": _("返品を承るか、お断りするか"),
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
    "shop.company": _("運営会社（帳票設定）"),
    "shop.hours": _("お問い合わせの受付時間（店舗のメール設定）"),
    "shop.law_url": _("特定商取引法に基づく表記のURL（店舗のメール設定）"),
    "shop.cancel_rule": _("キャンセル・返品の決まり（店舗のメール設定）"),
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
OPTIONAL = frozenset(
    {"shop.phone", "shop.email", "shop.company", "shop.hours", "shop.law_url", "shop.cancel_rule", "order.note"}
)

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
    MailEvent.REFUND_DONE: {"refund.amount": "¥1,980", "refund.way": "振込", "refund.date": "2026年12月01日"},
    MailEvent.RETURN_ANSWERED: {
        "return.number": "R0000012",
        "return.answer": "承ります",
        "mail.message": "商品は元払いでお送りください。",
    },
    MailEvent.PAYMENT_REMINDER: {"payment.cancel_date": "2026年12月10日", "payment.reminder_count": "1"},
    MailEvent.PAYMENT_FINAL: {"payment.cancel_date": "2026年12月10日", "payment.reminder_count": "2"},
    MailEvent.PARTIALLY_SHIPPED: {"shipment.rest": "・送料別の商品 × 1"},
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
    lines = [
        f"{bought(line.name, line.options, line.quantity)}  {yen(line.amount)}"
        for line in order.lines.all()
        if line.quantity
    ]
    recipient = next(iter(order.recipients.all()), None)
    to = recipient or Recipient()
    place = _place(to.postal_code, to.prefecture, to.city, to.address)
    wish = " ".join(part for part in (_day(order.wish_date), slot_label(order.wish_slot)) if part)
    return {
        "order.number": order.channel_order_no,
        "order.date": _day(clock.in_tokyo(order.ordered_at)),
        "order.lines": "\n".join(lines),
        "order.total": "" if order.total is None else yen(order.total),
        "order.shipping_fee": yen(order.shipping_fee),
        "order.payment": order.payment_name or str(order.get_payment_method_display()),
        "order.sums": "\n".join(_sums(order)),
        "order.tax": "\n".join(_rates(order)),
        "order.wish": wish,
        "order.gift": order.gift,
        "order.noshi": order.noshi,
        "order.planned_date": _day(order.planned_ship_date),
        "order.release_date": _day(order.release_date),
        "order.cancel_reason": order.cancel_reason,
        "order.note": "\n".join(text.text for text in order.texts.all() if text.reader == "mail"),
        "payment.due_date": _day(order.pay_by and clock.in_tokyo(order.pay_by)),
        "payment.paid_amount": yen(order.paid_amount) if order.paid_amount > 0 else "",
        "payment.paid_date": _day(order.paid_at and clock.in_tokyo(order.paid_at)),
        "buyer.name": order.buyer_name,
        "buyer.address": _place(order.buyer_postal_code, order.buyer_prefecture, order.buyer_city, order.buyer_address),
        "recipient.name": recipient.name if recipient else order.buyer_name,
        "recipient.address": place,
        "shipment.carrier": str(order.carrier_label),
        "shipment.tracking_no": order.tracking_label,
        "shipment.lines": "\n".join(lines),
        "shipment.date": _day(order.shipped_at and clock.in_tokyo(order.shipped_at)),
        "shipment.expected": wish,
        "shipment.cod_amount": yen(order.total)
        if order.payment_method == PaymentMethod.COD and order.total is not None
        else "",
    }


def _day(day: date | None) -> str:
    return day.strftime("%Y年%m月%d日") if day else ""


def _place(postal_code: str, prefecture: str, city: str, street: str) -> str:
    place = f"{prefecture}{city}{street}"
    return f"〒{postal_code} {place}" if place and postal_code else place


def _sums(order: Order) -> list[str]:
    """What makes the total, a line each; what is nothing is left out."""
    off, plus = order.discount + order.coupons_shop, order.fees + order.gift_fees
    rows = (
        (_("商品合計"), order.goods), (_("送料"), order.shipping_fee), (_("手数料"), plus),
        (_("消費税（外税）"), order.tax_excluded), (_("値引・クーポン"), -off),
        (_("モールクーポン"), -order.coupons_channel), (_("ポイント利用"), -order.points),
    )  # fmt: skip
    told = [f"{label}: {yen(amount)}" for label, amount in rows if amount]
    return told if order.total is None else [*told, f"{_('合計')}: {yen(order.total)}"]


def _rates(order: Order) -> list[str]:
    """As the channel tells it; else what the lines say, where nothing was taken off them."""
    rates = [(rate, amount, tax) for rate, amount, tax in order.tax_by_rate]
    if not rates and not (order.discount or order.coupons_shop or order.tax_excluded):
        sums: dict[int, int] = {}
        for line in order.lines.all():
            if line.tax_rate:
                sums[line.tax_rate] = sums.get(line.tax_rate, 0) + line.amount
        if fees := order.shipping_fee + order.fees + order.gift_fees:
            sums[STANDARD.percent] = sums.get(STANDARD.percent, 0) + fees
        rates = [(rate, amount, amount * rate // (100 + rate)) for rate, amount in sorted(sums.items(), reverse=True)]
    return [
        _("%(rate)s%%対象 %(amount)s（内消費税 %(tax)s）") % {"rate": rate, "amount": yen(amount), "tax": yen(tax)}
        for rate, amount, tax in rates
    ]


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
    papers = PaperSettings.objects.filter(shop=shop).first() or PaperSettings()
    name = shop.letterhead_name or shop.name
    company = papers.company and _("運営: %(company)s") % {"company": papers.company}
    hours = policy.hours and _("受付時間: %(hours)s") % {"hours": policy.hours}
    phone = shop.letterhead_phone and f"TEL {shop.letterhead_phone}"
    law = policy.law_url and _("特定商取引法に基づく表記: %(url)s") % {"url": policy.law_url}
    own = [name, company, shop.letterhead_address, phone, shop.mail_from, hours, law]
    rule = "─" * 20
    return {
        "payment.account": policy.bank_account or papers.bank_account,
        "shop.name": name,
        "shop.phone": shop.letterhead_phone,
        "shop.email": shop.mail_from,
        "shop.company": papers.company,
        "shop.hours": policy.hours,
        "shop.law_url": policy.law_url,
        "shop.cancel_rule": policy.cancel_rule,
        "shop.signature": policy.signature or "\n".join([rule, *(part for part in own if part), rule]),
    }
