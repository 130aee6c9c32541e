"""One getOrder order as a `ChannelOrder`. Pure, and fast: plain dictionary access."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from typing import Any

from channels.connectors import gift_words
from channels.connectors.contract import Unreadable
from channels.connectors.gift_words import GiftWords
from channels.connectors.rakuten import wire
from channels.connectors.rakuten.facts import facts_of
from channels.connectors.rakuten.remarks import read_remarks
from channels.connectors.rakuten.state import cancel_wish, flags_of, payment_of, state_of
from channels.connectors.rakuten.totals import by_rate, coupons_of, line_discounts, totals_of
from channels.connectors.rakuten.values import (
    Row,
    amount,
    code,
    is_on,
    percent,
    row,
    rows,
    some_day,
    some_row,
    some_rows,
    some_time,
    text,
    whole,
    yen,
)
from oms.kernel.clock import TOKYO
from oms.kernel.said import said
from orders.channel_order import ChannelLine, ChannelOrder, Delivery, Party

BROKEN = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
PAYMENT_DUE = 0


def parse_order(payload: str) -> ChannelOrder:
    """Raises Unreadable when number, order time, amounts or lines cannot be understood; all else may be missing, new
    or of another form."""
    try:
        order = json.loads(payload)
    except (ValueError, RecursionError) as broken:
        raise Unreadable(said("楽天の受注データがJSONとして読めません。"), detail=type(broken).__name__) from None
    if not isinstance(order, dict):
        raise Unreadable(said("楽天の受注データの形が想定と異なります。"))
    try:
        return _order(order)
    except BROKEN as broken:
        # The message of the error is left out: it may quote a buyer's words.
        raise Unreadable(said("楽天の受注データに読めない値があります。"), detail=type(broken).__name__) from None


def _order(order: Row) -> ChannelOrder:
    packages = rows(order.get("PackageModelList"))
    kept = [package for package in packages if not is_on(package.get("packageDeleteFlag"))]
    state = state_of(order, packages)
    method, paid, payment_name, payment_code = payment_of(order)
    remark = read_remarks(text(order.get("remarks")))
    day, slot = some_day(order.get("deliveryDate")), _slot(order.get("shippingTerm"))
    asked, asked_why = cancel_wish(order)
    words = [_gift_words(package) for package in kept]
    deliveries = tuple(_delivery(order, package, word) for package, word in zip(kept, words, strict=True))
    return ChannelOrder(
        channel_order_no=_required(order, "orderNumber"),
        ordered_at=wire.read_time(_required(order, "orderDatetime")),
        channel_state=text(order.get("orderProgress")),
        sub_state=text(order.get("subStatusName")) or text(order.get("subStatusId")),
        state=state,
        buyer=_party(row(order.get("OrdererModel"))),
        recipients=tuple(_party(row(package.get("SenderModel"))) for package in kept),
        deliveries=deliveries,
        lines=_lines(packages, kept, line_discounts(order)),
        totals=totals_of(order, packages),
        coupons=coupons_of(order),
        by_rate=by_rate(order),
        payment_method=method,
        payment_state=paid,
        payment_name=payment_name,
        pay_by=_pay_by(order),
        confirmed_at=some_time(order.get("shopOrderCfmDatetime")),
        # A remark that contradicts the fields stays whole: a person has to see it.
        remarks=text(order.get("remarks")) if _differ(day, remark.day) or _differ(slot, remark.slot) else remark.words,
        wish_date=day or remark.day,
        wish_slot=slot or remark.slot,
        delivery_method=text(some_row(order.get("DeliveryModel")).get("deliveryName")),
        gift=_gift(order),
        noshi=gift_words.by_recipient([delivery.noshi for delivery in deliveries]),
        message_card=gift_words.by_recipient([delivery.message_card for delivery in deliveries]),
        cancel_requested=asked,
        cancel_reason=asked_why,
        tracking_nos=_tracking(kept),
        flags=flags_of(order, kept),
        shop_memo=text(order.get("memo")),
        extra=facts_of(order, kept, payment_code),
    )


def _required(order: Row, key: str) -> str:
    value = order.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Unreadable(said("楽天の受注データに必須項目 %(key)s がありません。", key=key))
    return value.strip()


# ---- lines -----------------------------------------------------------------------------------------------------------


def _lines(packages: Sequence[Row], kept: Sequence[Row], discounts: dict[str, int]) -> tuple[ChannelLine, ...]:
    """All lines. Deleted ones are wholly cancelled and cost nothing, so that the set of lines never shrinks."""
    place = {id(package): index for index, package in enumerate(kept)}
    lines = tuple(
        _line(item, place.get(id(package)), discounts)
        for package in packages
        for item in rows(package.get("ItemModelList"))
    )
    if not lines:
        raise Unreadable(said("楽天の受注データに商品の明細がありません。"))
    return lines


def _line(item: Row, recipient: int | None, discounts: dict[str, int]) -> ChannelLine:
    """`recipient` is None for a line of a deleted package."""
    get = item.get
    line_id, units = get("itemDetailId"), whole(get("units"))
    if line_id is None or units is None:
        raise Unreadable(said("楽天の受注データの明細に itemDetailId または units がありません。"))
    price = unit_price(item)
    deleted = recipient is None or is_on(get("deleteItemFlag"))
    skus = some_rows(get("SkuModelList"))
    sku = skus[0] if skus else {}
    choices = text(get("selectedChoice"))
    return ChannelLine(
        line_id=str(line_id),
        channel_sku=wire.channel_sku(
            text(sku.get("merchantDefinedSkuId")),
            text(get("manageNumber")),
            text(sku.get("variantId")),
            text(get("itemNumber")),
        ),
        name=text(get("itemName")),
        quantity=units,
        unit_price=price,
        amount=0 if deleted else price * units,
        tax_rate=percent(get("taxRate")),
        options=_joined((*(one.get("skuInfo") for one in skus), choices), "\n"),
        recipient=recipient or 0,
        cancelled_quantity=units if deleted else 0,
        discount=discounts.get(str(line_id), 0),
        gift=gift_words.chosen(gift_words.pairs_of(choices)).words if choices else "",
    )


def unit_price(item: Row) -> int:
    """Tax-inclusive. Raises Unreadable when the price is missing: a price is never guessed."""
    price = amount(item.get("price"))
    if code(item.get("includeTaxFlag")) == 0:
        price = amount(item.get("priceTaxIncl")) or price
    if price is None:
        raise Unreadable(said("楽天の受注データの明細に price がありません。"))
    return price


# ---- people and what is wished for them ------------------------------------------------------------------------------


def _party(person: Row) -> Party:
    get = person.get
    return Party(
        name=f"{text(get('familyName'))} {text(get('firstName'))}".strip(),
        kana=f"{text(get('familyNameKana'))} {text(get('firstNameKana'))}".strip(),
        phone=_number_of(get("phoneNumber1"), get("phoneNumber2"), get("phoneNumber3")),
        email=text(get("emailAddress")),
        postal_code=_number_of(get("zipCode1"), get("zipCode2")),
        prefecture=text(get("prefecture")),
        city=text(get("city")),
        address=text(get("subAddress")),
    )


def _gift_words(package: Row) -> GiftWords:
    """What the choices of this package's items say about noshi and cards."""
    choices = [text(item.get("selectedChoice")) for item in rows(package.get("ItemModelList"))]
    return gift_words.chosen(pair for choice in filter(None, choices) for pair in gift_words.pairs_of(choice))


def _delivery(order: Row, package: Row, words: GiftWords) -> Delivery:
    """Rakuten tells noshi, fees and where a parcel may be left by destination, the wished day for all of them."""
    return Delivery(
        method=_method(order, package),
        gift=_joined((_gift(order), words.gift)) if words.gift else "",
        noshi=_joined((package.get("noshi"), words.noshi)),
        message_card=words.message,
        shipping=yen(package.get("postagePrice")),
        fees=yen(package.get("deliveryPrice")),
    )


def _method(order: Row, package: Row) -> str:
    """The delivery's name where this destination has something of its own: a place to leave it, a shop to fetch it."""
    store = some_row(package.get("DeliveryCvsModel"))
    own = []
    if is_on(package.get("dropOffFlag")):
        own.append(f"置き配：{text(package.get('dropOffLocation'))}".rstrip("："))
    if store:
        own.append(f"店舗受取：{_joined((store.get('storeName'), store.get('storeCode')), ' ')}".rstrip("："))
    return " ".join([text(some_row(order.get("DeliveryModel")).get("deliveryName")), *own]).strip() if own else ""


def _slot(term: Any) -> str:
    """ "am", "pm" or from-to hours as four digits; "" for none and for Rakuten's "other"."""
    value = code(term)
    if value == 1:
        return "am"
    if value == 2:
        return "pm"
    return f"{value:04d}" if value is not None and 9 < value <= 2424 else ""


def _differ(field: object, told: object) -> bool:
    return bool(field and told and field != told)


def _gift(order: Row) -> str:
    """The wrappings in words; deleted ones are left out."""
    names = []
    for key in ("WrappingModel1", "WrappingModel2"):
        wrapping = some_row(order.get(key))
        if wrapping and not is_on(wrapping.get("deleteWrappingFlag")):
            kind = {1: "包装紙", 2: "リボン"}.get(code(wrapping.get("title")) or 0, "包装")
            names.append(f"{kind}：{text(wrapping.get('name'))}".rstrip("："))
    return "、".join(names)


# ---- small things ----------------------------------------------------------------------------------------------------


def _pay_by(order: Row) -> datetime | None:
    """The end of the day until which the buyer has to pay."""
    days = [
        day
        for one in some_rows(order.get("DueDateModelList"))
        if code(one.get("dueDateType")) == PAYMENT_DUE and (day := some_day(one.get("dueDate")))
    ]
    return datetime.combine(max(days), time(23, 59, 59), TOKYO) if days else None


def _tracking(packages: Sequence[Row]) -> tuple[str, ...]:
    numbers = (
        text(one.get("shippingNumber")) for package in packages for one in some_rows(package.get("ShippingModelList"))
    )
    return tuple(dict.fromkeys(number for number in numbers if number))


def _joined(values: Iterable[Any], mark: str = "、") -> str:
    """The distinct non-empty values in order of appearance."""
    return mark.join(dict.fromkeys([word for value in values if (word := text(value))]))


def _number_of(*parts: Any) -> str:
    """A telephone number or postal code from its parts; any of them may be missing, equal ones are kept."""
    return "-".join([word for part in parts if (word := text(part))])
