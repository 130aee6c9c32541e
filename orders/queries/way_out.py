"""Where the cause of a review reason is put right: each reason's primary action, as a place to go."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from oms.kernel.links import url_if_served
from orders.models import Order, OrderLine
from orders.services.channel_words import page_of


@dataclass(frozen=True, slots=True)
class WayOut:
    """`opens_dialog`: as a dialog on the page. An empty `url`: nothing but reading and closing helps."""

    url: str = ""
    text: str = ""
    opens_dialog: bool = False
    right: str = ""  # who lacks it gets no link


@dataclass(frozen=True, slots=True)
class Place:
    """A page of an order (`name` takes its pk and `args`); of an upper app where it may not be served. `query` follows
    the address; `anchor` is a block of the order's own page."""

    name: str
    text: str | Promise
    args: tuple[object, ...] = ()
    dialog: bool = False
    query: str = ""

    def of(self, order: Order) -> WayOut:
        url = url_if_served(self.name, order.pk, *self.args)
        return WayOut(url + self.query if url else "", str(self.text), self.dialog)


ADDRESS = Place("orders:edit-recipient", _("届け先を直す"), (0,), dialog=True)
BUYER = Place("orders:edit-buyer", _("注文者のメールを直す"), dialog=True)
DELIVERY = Place("orders:edit-delivery", _("希望日・出荷メモを入れる"), dialog=True)
WISH = Place("orders:edit-delivery", _("配達の希望を変える"), dialog=True)
GIFT = Place("orders:edit-gift", _("ギフトの指定を直す"), (0,), dialog=True)
ASK = Place("orders:mail-new", _("メールでたずねる"), query="?event=inquiry")
CANCEL = Place("orders:cancel", _("キャンセルする"), dialog=True)
CHANGES = Place("orders:channel-changes", _("変更を見比べる"))
PAYMENT = Place("orders:payment", _("入金を見る"))
LINES = Place("orders:lines", _("商品・数量を変える"))
SPLIT = Place("fulfillment:split", _("分割する"))
MERGE = Place("fulfillment:merge", _("同梱するか決める"))
STOPS = Place("orders:options", _("SKU を選ぶ"), dialog=True)
HOLD = Place("orders:hold", _("保留にする"), dialog=True)
NOTE = Place("orders:edit-note", _("答えをメモに書く"), dialog=True)
DELAY = Place("orders:mail-new", _("お客様に知らせる"), query="?event=delay_notice")
OTHER_PAYMENT = Place("orders:mail-new", _("支払方法の変更をお願いする"), query="?event=payment_change_request")
RECEIPT = Place("orders:order-issue", _("領収書を出す"), ("receipt",))
OVERSOLD = Place("channels:oversell-order", _("売り越しの経過と対応"))
RULES = Place("orders:order-rules", _("ルールの記録を見る"))

PLACES: Mapping[str, Place] = {
    **dict.fromkeys(
        (
            "postal_mismatch", "street_no_missing", "address_too_long", "phone_invalid", "room_no_missing",
            "name_too_long", "bad_characters", "forwarder_address", "overseas",
        ),
        ADDRESS,
    ),
    **dict.fromkeys(("date_too_soon", "date_past", "date_too_far", "time_slot_unavailable", "date_on_mailbox"), WISH),
    **dict.fromkeys(("noshi", "gift_wrap", "message_card", "price_hidden", "buyer_recipient_differ"), GIFT),
    **dict.fromkeys(("note_has_date", "buyer_note"), DELIVERY),
    **dict.fromkeys(("mixed_preorder", "partial_stock", "temperature_mixed", "oversize", "pick_short"), SPLIT),
    **dict.fromkeys(("channel_changed", "channel_reflected"), CHANGES),
    **dict.fromkeys(("paid_short", "paid_over", "payment_overdue", "payer_mismatch", "auth_expiring",
                     "credit_reviewing", "credit_over_limit", "amount_increased", "amount_mismatch",
                     "tax_mismatch"), PAYMENT),
    **dict.fromkeys(("auth_failed", "cod_over_limit", "cod_risk", "refusal_history"), OTHER_PAYMENT),
    **dict.fromkeys(("quantity_limit", "discontinued", "note_cancel_word"), LINES),
    **dict.fromkeys(("remote_island", "air_restricted", "made_to_order", "out_of_stock"), DELAY),
    **dict.fromkeys(("engraving_missing", "age_restricted", "high_amount", "depot_pickup"), ASK),
    "mail_bounced": BUYER,
    "channel_cancel_request": CANCEL,
    "option_unparsed": STOPS,
    "oversold": OVERSOLD,
    "merge_candidate": MERGE,
    "receipt_request": RECEIPT,
    "area_suspended": HOLD,
    "question_to_colleague": NOTE,
    "rule_error": RULES,
    "rule_hold": RULES,
    "parcel_returned": Place("orders:return-open", _("返品・再送を決める")),
}  # fmt: skip


def way_out(code: str, order: Order, lines: Iterable[OrderLine]) -> WayOut:
    """The place for a reason of this order."""
    if own := BY_ORDER.get(code):
        return own(order, lines)
    place = PLACES.get(code)
    return place.of(order) if place else WayOut()


def _mapping(order: Order, lines: Iterable[OrderLine]) -> WayOut:
    unmapped = next((line.channel_sku for line in lines if line.sku_id is None and line.quantity), "")
    url = url_if_served("channels:map", order.shop_id, unmapped) or url_if_served("channels:map")
    return WayOut(url, str(_("商品対応表で対応づける")))


def _member(text: str | Promise) -> Callable[[Order, Iterable[OrderLine]], WayOut]:
    def of(order: Order, _lines: Iterable[OrderLine]) -> WayOut:
        return WayOut(reverse("customers:detail", args=[order.member_id]), str(text)) if order.member_id else WayOut()

    return of


def _outbox(order: Order, _lines: Iterable[OrderLine]) -> WayOut:
    url = url_if_served("pages:outbox")
    return WayOut(f"{url}?order={order.pk}" if url else "", str(_("送信箱で送り直す")))


def _block(name: str, text: str | Promise) -> Callable[[Order, Iterable[OrderLine]], WayOut]:
    def of(order: Order, _lines: Iterable[OrderLine]) -> WayOut:
        return WayOut(f"{reverse('orders:detail', args=[order.pk])}#order-{order.pk}-{name}", str(text))

    return of


def _mall_page(order: Order, _lines: Iterable[OrderLine]) -> WayOut:
    return WayOut(page_of(order), str(_("モールの画面を開く")))


def _payment_terms(order: Order, _lines: Iterable[OrderLine]) -> WayOut:
    """The shop's terms for this very payment name: saved, every order that waits for it goes on."""
    url = reverse("orders:payment-terms-edit", args=[order.shop.code])
    name = urlencode({"code": order.payment_name})
    return WayOut(f"{url}?{name}", str(_("この支払名の条件を決める")), right="orders.change_paymentgate")


CARRIER = _block("delivery", _("配送会社を変える"))
BY_ORDER: Mapping[str, Callable[[Order, Iterable[OrderLine]], WayOut]] = {
    "item_unmapped": _mapping,
    "open_promise": _member(_("会員ページで済みにする")),
    "member_duplicate": _member(_("二つの会員を見比べる")),
    "blacklist_match": _member(_("会員を見る")),
    "blacklist_similar": _member(_("会員を見る")),
    "duplicate_suspect": _member(_("前後の受注を見る")),
    "ship_method_unmapped": CARRIER,
    "pay_method_unmapped": _payment_terms,
    "area_unservable": CARRIER,
    "channel_push_failed": _outbox,
    "mail_failed": _block("mails", _("メールを見る")),
    "multi_ship_to": _block("lines", _("届け先ごとの商品を見る")),
    "channel_caution": _mall_page,
}
