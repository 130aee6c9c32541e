"""One getOrder order as a `ChannelOrder`. Pure, and fast: plain dictionary access."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from channels.connectors.contract import Unreadable
from channels.connectors.rakuten import wire
from channels.connectors.rakuten.remarks import read_remarks
from channels.connectors.rakuten.state import cancel_wish, flags_of, payment_of, state_of
from channels.connectors.rakuten.totals import totals_of
from channels.connectors.rakuten.values import Row, amount, rows, text, whole
from orders.channel_order import ChannelLine, ChannelOrder, Party


def parse_order(payload: str) -> ChannelOrder:
    """Raises Unreadable when number, order time or lines cannot be understood; all else may be missing or new."""
    try:
        order = json.loads(payload)
    except ValueError as broken:
        raise Unreadable("楽天の受注データがJSONとして読めません。", detail=type(broken).__name__) from None
    if not isinstance(order, dict):
        raise Unreadable("楽天の受注データの形が想定と異なります。")
    try:
        return _order(order)
    except (ValueError, TypeError, AttributeError) as broken:
        # The message of the error is left out: it may quote a buyer's words.
        raise Unreadable("楽天の受注データに読めない値があります。", detail=type(broken).__name__) from None


def _order(order: Row) -> ChannelOrder:
    packages = rows(order.get("PackageModelList"))
    kept = [package for package in packages if package.get("packageDeleteFlag") != 1]
    recipients = tuple(_party(package.get("SenderModel") or {}) for package in kept)
    lines = _lines(packages, kept)
    state = state_of(order, packages)
    method, paid, payment_name, payment_code = payment_of(order)
    remark = read_remarks(text(order.get("remarks")))
    day, slot = _day(order.get("deliveryDate")), _slot(order.get("shippingTerm"))
    asked, asked_why = cancel_wish(order)
    return ChannelOrder(
        channel_order_no=_number(order),
        ordered_at=wire.read_time(_required(order, "orderDatetime")),
        channel_state=text(order.get("orderProgress")),
        state=state,
        buyer=_party(order.get("OrdererModel") or {}),
        recipients=recipients,
        lines=lines,
        totals=totals_of(order, packages),
        payment_method=method,
        payment_state=paid,
        payment_name=payment_name,
        confirmed_at=_time(order.get("shopOrderCfmDatetime")),
        # A remark that contradicts the fields stays whole: a person has to see it.
        remarks=text(order.get("remarks")) if _differ(day, remark.day) or _differ(slot, remark.slot) else remark.words,
        wish_date=day or remark.day,
        wish_slot=slot or remark.slot,
        delivery_method=text((order.get("DeliveryModel") or {}).get("deliveryName")),
        gift=_gift(order),
        noshi=_joined(package.get("noshi") for package in kept),
        cancel_requested=asked,
        cancel_reason=asked_why,
        tracking_nos=_tracking(kept),
        flags=flags_of(order, kept),
        extra=_extra(order, kept, payment_code),
    )


def _number(order: Row) -> str:
    return _required(order, "orderNumber")


def _required(order: Row, key: str) -> str:
    value = order.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Unreadable(f"楽天の受注データに必須項目 {key} がありません。")
    return value.strip()


def _lines(packages: Sequence[Row], kept: Sequence[Row]) -> tuple[ChannelLine, ...]:
    """All lines. Deleted ones are wholly cancelled and cost nothing, so that the set of lines never shrinks."""
    place = {id(package): index for index, package in enumerate(kept)}
    lines = tuple(
        _line(item, place.get(id(package))) for package in packages for item in rows(package.get("ItemModelList"))
    )
    if not lines:
        raise Unreadable("楽天の受注データに商品の明細がありません。")
    return lines


def _line(item: Row, recipient: int | None) -> ChannelLine:
    """`recipient` is None for a line of a deleted package."""
    get = item.get
    line_id, units = get("itemDetailId"), whole(get("units"))
    if line_id is None or units is None:
        raise Unreadable("楽天の受注データの明細に itemDetailId または units がありません。")
    price = unit_price(item)
    deleted = recipient is None or get("deleteItemFlag") == 1
    rate = get("taxRate")
    skus = rows(get("SkuModelList"))
    sku = skus[0] if skus else {}
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
        tax_rate=None if rate is None else round(float(rate) * 100),
        options=_joined((sku.get("skuInfo"), get("selectedChoice")), "\n"),
        recipient=recipient or 0,
        cancelled_quantity=units if deleted else 0,
    )


def unit_price(item: Row) -> int:
    """Tax-inclusive. Raises Unreadable when the price is missing: a price is never guessed."""
    price = amount(item.get("price"))
    if item.get("includeTaxFlag") == 0:
        price = amount(item.get("priceTaxIncl")) or price
    if price is None:
        raise Unreadable("楽天の受注データの明細に price がありません。")
    return price


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


def _slot(term: Any) -> str:
    """ "am", "pm" or from-to hours as four digits; "" for none and for Rakuten's "other"."""
    value = whole(term)
    if value == 1:
        return "am"
    if value == 2:
        return "pm"
    return f"{value:04d}" if value is not None and value > 9 else ""


def _differ(field: object, told: object) -> bool:
    return bool(field and told and field != told)


def _gift(order: Row) -> str:
    """The wrappings in words; deleted ones are left out."""
    names = []
    for key in ("WrappingModel1", "WrappingModel2"):
        wrapping = order.get(key)
        if wrapping and wrapping.get("deleteWrappingFlag") != 1:
            kind = {1: "包装紙", 2: "リボン"}.get(wrapping.get("title"), "包装")
            names.append(f"{kind}：{text(wrapping.get('name'))}".rstrip("："))
    return "、".join(names)


def _tracking(packages: Sequence[Row]) -> tuple[str, ...]:
    numbers = (
        text(row.get("shippingNumber")) for package in packages for row in rows(package.get("ShippingModelList"))
    )
    return tuple(dict.fromkeys(number for number in numbers if number))


def _extra(order: Row, packages: Sequence[Row], payment_code: str) -> dict[str, str]:
    """Facts that later calls or screens may want; empty ones are left out."""
    store: Row = next((package["DeliveryCvsModel"] for package in packages if package.get("DeliveryCvsModel")), {})
    facts = {
        "basket_ids": _joined((package.get("basketId") for package in packages), ","),
        "payment_code": payment_code,
        "sub_status": text(order.get("subStatusName")),
        "memo": text(order.get("memo")),
        "drop_off": _joined(package.get("dropOffLocation") for package in packages),
        "pickup_store": _joined((store.get("storeCode"), store.get("storeName")), " "),
    }
    return {key: value for key, value in facts.items() if value}


def _joined(values: Iterable[Any], mark: str = "、") -> str:
    """The distinct non-empty values in order of appearance."""
    return mark.join(dict.fromkeys([word for value in values if (word := text(value))]))


def _number_of(*parts: Any) -> str:
    """A telephone number or postal code from its parts; any of them may be missing, equal ones are kept."""
    return "-".join([word for part in parts if (word := text(part))])


def _time(value: Any) -> datetime | None:
    return wire.read_time(value) if value else None


def _day(value: Any) -> date | None:
    return wire.read_date(value) if value else None
