"""A world order as getOrder's OrderModel. Values in `order.extra["wire"]` replace top-level fields: for tests."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from channels.sandbox.goods import Listing
from channels.sandbox.model import Destination, Gift, Person, SandboxLine, SandboxOrder, Wish
from channels.sandbox.rakuten.answers import literal
from channels.sandbox.rakuten.progress import fixed_at, progress, reported_at, shipping_rows

SETTLEMENTS = {
    "card": (1, "クレジットカード"),
    "konbini": (13, "セブンイレブン（前払）"),
    "bank": (9, "銀行振込"),
    "cod": (2, "代金引換"),
    "deferred": (21, "後払い決済"),
}
CARRIERS_SHOWN = {"1001": "ヤマト運輸", "1002": "佐川急便", "1003": "日本郵便", "1000": "その他"}
WEEKDAYS = "月火水木金土日"
SLOT_TERMS = {"": 0, "am": 1}
SINCE_8 = ("deliveryCertPrgFlag", "oneDayOperationFlag")


def order_model(order: SandboxOrder, relay: str, now: datetime, version: int) -> dict[str, Any]:
    """The model in this version's shape: younger keys are left out."""
    model = {
        "orderNumber": order.number,
        "orderProgress": progress(order, now),
        "subStatusId": order.extra.get("sub_status_id"),
        "subStatusName": order.extra.get("sub_status_name"),
        **_times(order, now),
        **_wishes(order),
        **_flags(order),
        **_money(order),
        "memo": order.extra.get("memo"),
        "operator": order.extra.get("operator"),
        "mailPlugSentence": order.extra.get("mailPlugSentence"),
        "modifyFlag": 1 if order.version > 3 else 0,
        "receiptIssueCount": int(order.serial % 17 == 0),
        "receiptIssueHistoryList": [],
        "deliveryCertPrgFlag": int(order.serial % 9 == 0),
        "oneDayOperationFlag": int(order.serial % 31 == 0),
        "socialGiftFlag": 0,
        "OrdererModel": {**_person(order.buyer), "emailAddress": relay, **NO_BIRTHDAY},
        "SettlementModel": _settlement(order),
        "DeliveryModel": _delivery(order),
        "PointModel": {"usedPoint": order.fees.points} if order.fees.points else None,
        "WrappingModel1": _wrapping(order),
        "WrappingModel2": None,
        "PackageModelList": [_package(order, place, version) for place in order.destinations],
        "CouponModelList": _coupons(order) or None,
        "ChangeReasonModelList": _change_reasons(order),
        "TaxSummaryModelList": _tax_summary(order),
        "DueDateModelList": _due_dates(order),
    }
    if version < 8:
        model = {key: value for key, value in model.items() if key not in SINCE_8} | {"isTaxRecalc": 0}
    if version < 10:
        model.pop("socialGiftFlag")
    return {**model, **order.extra.get("wire", {})}


EVERYTHING = {"itemId": 0, "itemDetailId": 0}
NO_BIRTHDAY = {"sex": "-", "birthYear": 0, "birthMonth": 0, "birthDay": 0}


def _delivery(order: SandboxOrder) -> dict[str, Any]:
    """The shop's own label; it sends cooled goods by another service."""
    return {
        "deliveryName": "クール便" if order.fees.cool_fee else "宅配便",
        "deliveryClass": 2 if order.fees.cool_fee else None,
    }


def _times(order: SandboxOrder, now: datetime) -> dict[str, Any]:
    return {
        "orderDatetime": literal(order.ordered_at),
        "shopOrderCfmDatetime": literal(order.confirmed_at),
        "orderFixDatetime": literal(fixed_at(order)),
        "shippingInstDatetime": None,
        "shippingCmplRptDatetime": literal(reported_at(order, now)),
        "cancelDueDate": order.ship_by.date().isoformat() if order.state == "placed" else None,
    }


def _wishes(order: SandboxOrder) -> dict[str, Any]:
    wish = order.destination.wish
    return {
        "deliveryDate": wish.day.isoformat() if wish.day else None,
        "shippingTerm": SLOT_TERMS[wish.slot] if wish.slot in SLOT_TERMS else int(wish.slot.replace("-", "")),
        "remarks": _remarks(order, wish),
    }


def _remarks(order: SandboxOrder, wish: Wish) -> str | None:
    """The page's blocks: the delivery wish is written out again in front of the buyer's words."""
    if not order.remarks and not wish.day and not wish.slot:
        return None
    block = ["[配送日時指定:]"] if wish.day or wish.slot else []
    if wish.day:
        block.append(f"{wish.day:%Y-%m-%d}({WEEKDAYS[wish.day.weekday()]})")
    if wish.slot:
        block.append(_hours(wish.slot))
    return "\n".join([*block, "[備考:]", order.remarks])


def _hours(slot: str) -> str:
    if slot == "am":
        return "午前中"
    start, end = slot.split("-")
    return f"{start}:00〜{end}:00"


def _flags(order: SandboxOrder) -> dict[str, Any]:
    several = len(order.destinations) > 1
    own = order.destination.recipient == order.buyer
    confirmed_caution = order.extra.get("caution_confirmed")
    return {
        "giftCheckFlag": int(any(place.gift for place in order.destinations)),
        "severalSenderFlag": int(several),
        "equalSenderFlag": int(own and not several),
        "isolatedIslandFlag": int(any(place.recipient.address.island for place in order.destinations)),
        "rakutenMemberFlag": 1,
        "carrierCode": 11 if order.serial % 2 else 0,
        "emailCarrierCode": 0,
        "orderType": 6 if any(line.release_date for line in order.lines) else 1,
        "reserveNumber": None,
        "reserveDeliveryCount": None,
        "cautionDisplayType": (2 if confirmed_caution else 1) if order.caution else 0,
        "cautionDisplayDetailType": 101 if order.caution else None,
        "rakutenConfirmFlag": 0,
        "asurakuFlag": int(order.serial % 7 == 0),
        "drugFlag": 0,
        "dealFlag": 0,
        "membershipType": order.serial % 5 if order.serial % 5 < 3 else 0,
    }


def _money(order: SandboxOrder) -> dict[str, Any]:
    """Line discounts do not exist here: they are part of the shop's coupons."""
    fees = order.fees
    shop_coupons = fees.coupon_shop + _discounts(order.live_lines)
    return {
        "goodsPrice": _goods(order.live_lines),
        "goodsTax": 0,
        "postagePrice": fees.postage + fees.cool_fee,
        "deliveryPrice": fees.cod_fee,
        "paymentCharge": 0,
        "paymentChargeTaxRate": 0.1,
        "totalPrice": order.total - fees.cod_fee + _discounts(order.live_lines),
        "requestPrice": order.amount_due,
        "couponAllTotalPrice": shop_coupons + fees.coupon_mall,
        "couponShopPrice": shop_coupons,
        "couponOtherPrice": fees.coupon_mall,
        "additionalFeeOccurAmountToUser": 0,
        "additionalFeeOccurAmountToShop": 0,
    }


def _goods(lines: Sequence[SandboxLine]) -> int:
    return sum(line.unit_price * line.quantity for line in lines)


def _discounts(lines: Sequence[SandboxLine]) -> int:
    return sum(line.discount for line in lines)


def _settlement(order: SandboxOrder) -> dict[str, Any]:
    code, name = SETTLEMENTS[order.payment.method]
    return {
        "settlementMethodCode": code,
        "settlementMethod": name,
        "rpaySettlementFlag": 0 if order.payment.method == "cod" else 1,
        "cardName": None,
        "cardNumber": None,
        "cardOwner": None,
        "cardYm": None,
        "cardPayType": 0 if code == 1 else None,
        "cardInstallmentDesc": None,
    }


def _wrapping(order: SandboxOrder) -> dict[str, Any] | None:
    """Wrapping belongs to the order, whichever destination asked for it."""
    gift = next((place.gift for place in order.destinations if place.gift and place.gift.wrapping), None)
    if gift is None:
        return None
    return {
        "title": 1,
        "name": gift.wrapping,
        "price": order.fees.wrapping,
        "includeTaxFlag": 1,
        "deleteWrappingFlag": 0,
        "taxRate": 0.1,
        "taxPrice": order.fees.wrapping - round(order.fees.wrapping / 1.1),
    }


def _package(order: SandboxOrder, place: Destination, version: int) -> dict[str, Any]:
    lines = [line for line in order.lines if line.destination == place.no]
    live = [line for line in lines if not line.cancelled]
    package = {
        "basketId": int(place.destination_id),
        "postagePrice": place.postage,
        "postageTaxRate": 0.1,
        "deliveryPrice": order.fees.cod_fee if place.no == 1 else 0,
        "deliveryTaxRate": 0.1,
        "goodsTax": 0,
        "goodsPrice": _goods(live),
        "totalPrice": _goods(live) + place.postage,
        "noshi": _noshi(place.gift),
        "packageDeleteFlag": 0,
        "SenderModel": {**_person(place.recipient), "isolatedIslandFlag": int(place.recipient.address.island)},
        "ItemModelList": [_item(line, place.gift if line == lines[0] else None) for line in lines],
        "ShippingModelList": [
            _shipping(row) for row in shipping_rows(order) if row["basketId"] == place.destination_id
        ],
        "DeliveryCvsModel": None,
        "defaultDeliveryCompanyCode": "1001",
    }
    if version >= 9:
        may_leave = order.serial % 13 == 0 and not order.fees.cool_fee
        package |= {"dropOffFlag": int(may_leave), "dropOffLocation": "玄関前" if may_leave else None}
    if version >= 10:
        package["SocialGiftModel"] = None
    return package


def _noshi(gift: Gift | None) -> str | None:
    words = [gift.noshi, gift.noshi_purpose, gift.noshi_name] if gift and gift.noshi else []
    return " ".join(word for word in words if word) or None


def _item(line: SandboxLine, gift: Gift | None) -> dict[str, Any]:
    """A message card is a choice of the item page: Rakuten has no field for it."""
    choices = [f"{name}：{value}" for name, value in line.options]
    if gift and gift.message:
        choices.append(f"メッセージカード:{gift.message}")
    codes = line.listing.codes
    return {
        "itemDetailId": int(line.line_id),
        "itemName": line.listing.title,
        "itemId": int(codes["item_id"]),
        "itemNumber": codes["item_number"],
        "manageNumber": codes["manage_number"],
        "price": line.unit_price,
        "units": line.quantity,
        "includePostageFlag": 0,
        "includeTaxFlag": 1,
        "includeCashOnDeliveryPostageFlag": 0,
        "selectedChoice": "\n".join(choices) or None,
        "pointRate": 1,
        "pointType": 0,
        "inventoryType": 2 if codes["sku_info"] else 1,
        "delvdateInfo": _delivery_words(line.release_date),
        "restoreInventoryFlag": 0,
        "dealFlag": 0,
        "drugFlag": 0,
        "deleteItemFlag": int(line.cancelled),
        "taxRate": line.tax_rate / 100,
        "priceTaxIncl": line.unit_price,
        "isSingleItemShipping": 0,
        "SkuModelList": [_sku(line.listing)],
    }


def _delivery_words(release: date | None) -> str:
    return f"{release.month}月{release.day}日以降順次発送" if release else "1〜2営業日で発送"


def _sku(listing: Listing) -> dict[str, Any]:
    codes = listing.codes
    return {
        "variantId": codes["variant_id"],
        "merchantDefinedSkuId": codes["merchant_sku"] or None,
        "skuInfo": codes["sku_info"] or None,
    }


def _shipping(row: Any) -> dict[str, Any]:
    return {
        "shippingDetailId": int(row["shippingDetailId"]),
        "shippingNumber": row["shippingNumber"] or None,
        "deliveryCompany": row["deliveryCompany"] or None,
        "deliveryCompanyName": CARRIERS_SHOWN.get(row["deliveryCompany"]),
        "shippingDate": row["shippingDate"] or None,
    }


def _person(person: Person) -> dict[str, Any]:
    zip1, zip2 = _parts(person.address.postal, 2)
    phone1, phone2, phone3 = _parts(person.phone, 3)
    return {
        "zipCode1": zip1,
        "zipCode2": zip2,
        "prefecture": person.address.prefecture,
        "city": person.address.city,
        "subAddress": f"{person.address.street} {person.address.building}".strip(),
        "familyName": person.family,
        "firstName": person.given,
        "familyNameKana": person.family_kana or None,
        "firstNameKana": person.given_kana or None,
        "phoneNumber1": phone1,
        "phoneNumber2": phone2,
        "phoneNumber3": phone3,
    }


def _parts(number: str, count: int) -> list[str | None]:
    """The parts between hyphens; a number typed in one piece fills the first and leaves null."""
    parts: list[str | None] = list(number.split("-", count - 1))
    return parts + [None] * (count - len(parts))


def _coupons(order: SandboxOrder) -> list[dict[str, Any]]:
    shop = order.fees.coupon_shop + _discounts(order.live_lines)
    # Every second coupon of the shop is for one item only.
    line = order.lines[0] if order.serial % 2 and order.lines[0].amount >= shop else None
    own = {"itemId": int(line.listing.codes["item_id"]), "itemDetailId": int(line.line_id)} if line else EVERYTHING
    return [
        {
            "couponCode": f"SAND-{code:04d}-{order.serial:06d}",
            "couponName": name,
            "couponSummary": f"{price}円OFF",
            "couponCapital": name,
            "couponCapitalCode": code,
            "expiryDate": order.ordered_at.date().isoformat(),
            "couponPrice": price,
            "couponUnit": 1,
            "couponTotalPrice": price,
            **(own if code == 1 else EVERYTHING),
        }
        for code, name, price in ((1, "ショップ", shop), (3, "楽天市場", order.fees.coupon_mall))
        if price
    ]


def _change_reasons(order: SandboxOrder) -> list[dict[str, Any]]:
    """A wish to cancel stays open until it is settled; a cancelled order tells who did it."""
    request = order.cancel_request
    if request:
        done = request.settled_at or order.cancelled_at
        asked = {"changeType": 0, "changeReason": 1, "changeReasonDetail": 1}
        return [_change(order.serial, request.at, done, asked)]
    if order.state == "cancelled" and order.cancelled_at:
        by_buyer = order.cancelled_by == "buyer"
        detail = order.extra.get("cancel_code", 1 if by_buyer else 10)
        facts = {"changeType": 2, "changeReason": int(by_buyer), "changeReasonDetail": detail}
        return [_change(order.serial, order.cancelled_at, order.cancelled_at, facts)]
    return []


def _change(serial: int, asked: datetime, done: datetime | None, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "changeId": 880000 + serial,
        "changeTypeDetail": None,
        **facts,
        "changeApplyDatetime": literal(asked),
        "changeFixDatetime": literal(done),
        "changeCmplDatetime": literal(done),
    }


def _tax_summary(order: SandboxOrder) -> list[dict[str, Any]]:
    return [
        {
            "taxRate": rate / 100,
            "reqPrice": amount,
            "reqPriceTax": amount * rate // (100 + rate),
            "totalPrice": amount,
            "paymentCharge": 0,
            "couponPrice": 0,
            "point": 0,
        }
        for rate, amount in sorted(order.tax_base().items())
    ]


def _due_dates(order: SandboxOrder) -> list[dict[str, Any]] | None:
    if not order.payment.due_at or order.payment.state != "unpaid":
        return None
    return [{"dueDateType": 0, "dueDate": order.payment.due_at.date().isoformat()}]
