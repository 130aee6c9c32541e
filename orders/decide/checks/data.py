"""What the channel told: goods we do not know, sums that do not add up, wishes to cancel, letters nobody can print."""

import unicodedata
from collections.abc import Iterator

from oms.kernel.money import yen
from oms.kernel.said import said
from orders.decide import options, schedule
from orders.decide.checks.wishes import listed
from orders.decide.found import Found, OrderFacts
from orders.models.order import PaymentMethod

TAX_TOLERANCE = 1
# Written in many ways and put right when a label is made.
DASHES = "‐‑‒–—―−➖⁃﹣－"


def _item_unmapped(facts: OrderFacts) -> Iterator[Found]:
    if facts.unmapped:
        yield Found(
            "item_unmapped",
            said("商品コード %(codes)s に対応する SKU がありません。", codes=list(facts.unmapped)),
            "lines",
        )


def _option_unparsed(facts: OrderFacts) -> Iterator[Found]:
    """Where a product is sold in several SKUs, a choice that the SKU's own words do not say may mean another one."""
    fine = listed(facts.tuned("option_unparsed", "fine"))
    texts = [
        f"{item.code}「{'」「'.join(left)}」"
        for item in facts.items
        if item.sku_id and item.options and item.siblings > 1 and not item.settled
        if (left := options.unread(item.options, f"{item.variant} {item.name}", fine))
    ]
    if texts:
        yield Found("option_unparsed", said("選択肢がどの SKU を指すか読み取れません: %(texts)s", texts=texts), "lines")


def _amount_mismatch(facts: OrderFacts) -> Iterator[Found]:
    if facts.total is None:
        return
    expected = (
        facts.goods_lines + facts.shipping_fee + facts.fees + facts.gift_fees + facts.tax_excluded
        - facts.discount - facts.coupons - facts.points
    )  # fmt: skip
    if expected != facts.total:
        yield Found(
            "amount_mismatch",
            said(
                "明細・送料・手数料・値引の計は %(expected)s、モールの合計は %(total)s で、差は %(difference)s です。",
                expected=yen(expected),
                total=yen(facts.total),
                difference=yen(facts.total - expected),
            ),
            "total",
        )


def _tax_mismatch(facts: OrderFacts) -> Iterator[Found]:
    """A rate whose tax cannot come from its sum, whichever way was rounded."""
    for rate, amount, tax in facts.tax_by_rate:
        if amount > 0 and tax > 0 and abs(tax - amount * rate / (100 + rate)) > TAX_TOLERANCE:
            yield Found(
                "tax_mismatch",
                said(
                    "%(rate)s%%対象 %(amount)s に対し、モールの税額は %(tax)s です。",
                    rate=rate,
                    amount=yen(amount),
                    tax=yen(tax),
                ),
                "tax",
            )


def _pay_method(facts: OrderFacts) -> Iterator[Found]:
    if facts.payment_method == PaymentMethod.OTHER and facts.payment_name and not facts.payment_known:
        yield Found(
            "pay_method_unmapped",
            said("支払方法「%(payment_name)s」の扱いが分かりません。", payment_name=facts.payment_name),
            "payment_name",
        )


def _ship_method(facts: OrderFacts) -> Iterator[Found]:
    """A name in which we read no carrier goes with the usual one, unless a person says otherwise."""
    name = facts.delivery_method
    if not name or facts.carrier != schedule.USUAL_CARRIER or schedule.carrier_named(name):
        return
    if not any(word.lower() in name.lower() for word in listed(facts.tuned("ship_method_unmapped", "methods"))):
        yield Found(
            "ship_method_unmapped",
            said("配送方法「%(name)s」から配送会社が分からず、ヤマト運輸としています。", name=name),
            "carrier",
        )


def _cancel_request(facts: OrderFacts) -> Iterator[Found]:
    if facts.cancel_requested:
        reason = facts.cancel_reason or said("理由の記載はありません")
        yield Found(
            "channel_cancel_request",
            said("購入者がキャンセルを申請しています（%(reason)s）。", reason=reason),
            "cancel_requested",
        )


def _channel_changed(facts: OrderFacts) -> Iterator[Found]:
    if facts.changes:
        yield Found("channel_changed", facts.changes, "channel_state")
    if facts.reflected:
        yield Found("channel_reflected", facts.reflected, "channel_state")


def _duplicate(facts: OrderFacts) -> Iterator[Found]:
    if facts.history.twin:
        yield Found("duplicate_suspect", facts.history.twin, "lines")


def _bad_characters(facts: OrderFacts) -> Iterator[Found]:
    texts = (text for r in facts.recipients for text in (r.name, r.company, r.city, r.address))
    bad = dict.fromkeys(char for text in texts for char in unprintable(text))
    if bad:
        shown = [
            said("%(char)s（%(name)s）", char=char, name=unicodedata.name(char, "") or said("名前のない文字"))
            for char in bad
        ]
        yield Found("bad_characters", said("送り状に印刷できない文字があります: %(shown)s", shown=shown), "recipient")


def unprintable(text: str) -> list[str]:
    """The characters that carriers' files (CP932) cannot carry."""
    if text.isascii():
        return []
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        return [char for char in text if char not in DASHES and not _fits(char)]
    return []


def _fits(char: str) -> bool:
    try:
        char.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


CHECKS = [
    _item_unmapped,
    _option_unparsed,
    _amount_mismatch,
    _tax_mismatch,
    _pay_method,
    _ship_method,
    _cancel_request,
    _channel_changed,
    _duplicate,
    _bad_characters,
]
