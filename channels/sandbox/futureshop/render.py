"""A world order as a row of the list and as a detail: the same facts under different names.

Values in `order.extra["wire"]` replace top-level fields of the detail, those in `order.extra["row"]` of the list: for
tests.
"""

from collections.abc import Mapping
from typing import Any

from channels.sandbox.futureshop.answers import day, moment
from channels.sandbox.futureshop.prefectures import romaji
from channels.sandbox.model import Destination, Person, SandboxLine, SandboxOrder

PAYMENT_TYPES = {
    "card": "FREGI_CREDIT_CARD",
    "konbini": "FREGI_CONVENI",
    "bank": "BANK_TRANSFER",
    "cod": "COD",
    "deferred": "NP_DEFERRED",
}
SLOTS = {"": "", "am": "午前中"}
Json = dict[str, Any]


def list_row(order: SandboxOrder) -> Json:
    """One row of the search."""
    standard, reduced = _taxes(order)
    row = {
        **_head(order),
        "discountTotal": _volume_discount(order),
        "taxRate": 10,
        "standardTax": standard,
        "reducedTax": reduced,
        "oricoProcedureDate": "",
        "isMember": True,
        "buyerInfo": {**_buyer(order.buyer), "birthday": "19900101"},
        "shipmentList": [_list_shipment(order, place) for place in _places(order)],
    }
    return {**row, **order.extra.get("row", {})}


def detail(order: SandboxOrder) -> Json:
    """The order object of the detail call."""
    coupon = order.fees.coupon_shop + order.fees.coupon_mall
    # Every third coupon is one for the postage.
    off_postage = min(coupon, order.fees.postage) if order.serial % 3 == 0 else 0
    off_goods = coupon - off_postage
    named = f"{coupon}円OFFクーポン"
    found = {
        **_head(order),
        "standardTaxRate": 10,
        "reducedTaxRate": 8,
        "volumeDiscountName": "",
        "volumeDiscountTotal": _volume_discount(order),
        "productCouponDiscountName": named if off_goods else "",
        "productCouponDiscountTotal": off_goods,
        "postageCouponDiscountName": named if off_postage else "",
        "postageCouponDiscountTotal": off_postage,
        "couponName": named if coupon else "",
        "couponList": [{"id": 31, "name": named}] if coupon else [],
        "bundleDiscountCaption": "",
        "bundleDiscountTotal": "",
        "bundleUrls": "",
        "bundleNames": "",
        "paymentStatus": "RECEIVED" if receipt_day(order) else "NOTRECEIVED",
        "conveniType": "SEVEN_ELEVEN" if order.payment.method == "konbini" else "",
        "conveniPayoutNo": f"{order.serial:013d}" if order.payment.method == "konbini" else "",
        "fregiOrderNo": f"FR{order.serial:010d}" if order.payment.method in ("card", "konbini") else "",
        "fregiAuthNo": f"{order.serial:07d}" if order.payment.method == "card" else "",
        "sbpsTrackingId": "",
        "communication": order.remarks,
        "customerContact": order.extra.get("contact", ""),
        "shopMemo": order.extra.get("memo", ""),
        "deviceType": "SMARTPHONE" if order.serial % 3 else "PC",
        "multipleShipments": len(order.destinations) > 1,
        "blackOrder": False,
        "dateProcessed": order.extra.get("completed_at", ""),
        "dateLastUpdated": moment(order.updated_at),
        "earnedPointStatus": "PENDING",
        "orderEmailDateSent": moment(order.ordered_at),
        "subscriptionNo": "",
        "buyerInfo": {
            **_buyer(order.buyer),
            "birthday": "1990-01-01",
            "telNoAlternate": "",
            "nickName": "",
            "orderCount": str(1 + order.serial % 4),
            "totalOrderCount": str(1 + order.serial % 4),
            "memberStageName": ("", "シルバー", "ゴールド")[order.serial % 3],
            **{f"additionalItem{place}": "" for place in range(1, 21)},
        },
        "shipmentList": [_detail_shipment(order, place) for place in _places(order)],
    }
    return {**found, **order.extra.get("wire", {})}


def receipt_day(order: SandboxOrder) -> str:
    """入金確認日, for methods where the shop waits for money."""
    told = order.extra.get("receipt")
    if told is not None:
        return str(told)
    prepaid = order.payment.method in ("konbini", "bank")
    return day(order.payment.paid_at) if prepaid and order.payment.state == "paid" else ""


def is_shipped(order: SandboxOrder) -> bool:
    return all(told(order, place)["shippingDate"] for place in _places(order))


def told(order: SandboxOrder, place: Destination) -> Mapping[str, str]:
    """What the shop wrote to this shipment."""
    nothing = {"invoiceNo": "", "expectedArrival": "", "shippingDate": ""}
    return {**nothing, **order.extra.get("shipments", {}).get(str(place.no), {})}


def status_of(order: SandboxOrder) -> str:
    if order.state == "cancelled":
        return "CANCELLED"
    if order.extra.get("completed_at"):
        return "COMPLETED"
    return "PREORDER" if _is_preorder(order) else "AWAITING_PAYMENT"


def _is_preorder(order: SandboxOrder) -> bool:
    return any(line.release_date for line in order.lines)


def _places(order: SandboxOrder) -> list[Destination]:
    """Destinations that anything goes to."""
    used = {line.destination for line in order.lines}
    return [place for place in order.destinations if place.no in used]


def _head(order: SandboxOrder) -> Json:
    """What list and detail call alike."""
    standard, reduced = _taxes(order)
    goods, fees = _goods(order), order.fees
    return {
        "orderNo": order.number,
        "type": "PREORDER" if _is_preorder(order) else "REGULAR",
        "date": moment(order.ordered_at),
        "status": status_of(order),
        "grandTotal": order.amount_due,
        "totalCost": goods + fees.added + fees.misstated,
        "productTotal": goods,
        "taxTotal": standard + reduced,
        "giftWrappingChargeTotal": fees.wrapping,
        "postage": fees.postage,
        "coolDeliveryChargeTotal": fees.cool_fee,
        "taxConfigEnabled": True,
        "taxRoundingType": "ROUND_DOWN",
        "usedPointPrice": fees.points,
        "paymentType": PAYMENT_TYPES[order.payment.method],
        "paymentChargeTotal": fees.cod_fee,
        "receiptDate": receipt_day(order),
    }


def _goods(order: SandboxOrder) -> int:
    return sum(line.unit_price * line.quantity for line in order.lines if not _gone(order, line))


def _volume_discount(order: SandboxOrder) -> int:
    return sum(line.discount for line in order.lines if not _gone(order, line))


def _gone(order: SandboxOrder, line: SandboxLine) -> bool:
    """A line cancelled alone disappears; a cancelled order keeps its lines."""
    return line.cancelled and order.state != "cancelled"


def _unit_tax(line: SandboxLine) -> int:
    return line.unit_price * line.tax_rate // (100 + line.tax_rate)


def _taxes(order: SandboxOrder) -> tuple[int, int]:
    """Tax of the goods at the standard and at the reduced rate."""
    taxes = {10: 0, 8: 0}
    for line in order.lines:
        if not _gone(order, line):
            taxes[line.tax_rate] += _unit_tax(line) * line.quantity
    return taxes[10], taxes[8]


def _buyer(person: Person) -> Json:
    return {
        "memberId": f"M{person.email.partition('@')[0]}"[:20],
        **_names(person),
        "mail": person.email,
        "mobileMail": "",
        "zipCode": person.address.postal,
        **_street(person),
        "telNoMain": person.phone,
        "faxNo": "",
        "companyName": person.company,
        "companyNameKana": "",
        "departmentName": "",
        "departmentNameKana": "",
        "companyTelNo": "",
        "companyFaxNo": "",
    }


def _names(person: Person) -> Json:
    return {
        "lastName": person.family,
        "firstName": person.given,
        "lastNameKana": person.family_kana,
        "firstNameKana": person.given_kana,
    }


def _street(person: Person) -> Json:
    address = person.address
    return {
        "prefecture": romaji(address.prefecture),
        "address1": f"{address.city}{address.town}",
        "address2": address.block,
        "address3": address.building,
    }


def _charges(order: SandboxOrder, place: Destination) -> Json:
    lines = [line for line in order.lines if line.destination == place.no and not _gone(order, line)]
    is_first = place.no == _places(order)[0].no
    return {
        "productTotal": sum(line.unit_price * line.quantity for line in lines),
        "taxTotal": sum(_unit_tax(line) * line.quantity for line in lines),
        "postage": place.postage,
        "coolDeliveryCharge": order.fees.cool_fee if is_first else 0,
        "giftWrappingCharge": order.fees.wrapping if place.gift and place.gift.wrapping else 0,
        "paymentCharge": order.fees.cod_fee if is_first else 0,
    }


def _delivery(order: SandboxOrder, place: Destination) -> Json:
    slot = place.wish.slot
    return {
        "deliveryServiceName": "クール便" if order.fees.cool_fee else "通常配送便",
        "isCoolDelivery": bool(order.fees.cool_fee),
        **told(order, place),
        "preferredDeliveryDate": place.wish.day.isoformat() if place.wish.day else "",
        "preferredDeliveryTime": SLOTS.get(slot, slot.replace("-", "時～") + "時" if slot else ""),
    }


def _list_shipment(order: SandboxOrder, place: Destination) -> Json:
    person = place.recipient
    return {
        "shipmentNo": place.no,
        "addressInfo": {
            **_names(person),
            "postalCode": person.address.postal,
            **_street(person),
            "phoneNo": person.phone,
        },
        "shippingInfo": _delivery(order, place),
        **_charges(order, place),
        "productList": _products(order, place),
    }


def _products(order: SandboxOrder, place: Destination) -> list[Json]:
    """A message card is an option of the first product that goes there: futureshop has no field for it."""
    products = [_product(line) for line in _lines(order, place)]
    if products and place.gift and place.gift.message:
        products[0]["optionList"].append({"name": "メッセージカード", "selectionItem": place.gift.message})
    return products


def _detail_shipment(order: SandboxOrder, place: Destination) -> Json:
    person, gift = place.recipient, place.gift
    return {
        "shipmentNo": place.no,
        "addressInfo": {
            **_names(person),
            "zipCode": person.address.postal,
            **_street(person),
            "phoneNo": person.phone,
        },
        **_delivery(order, place),
        "shipped": bool(told(order, place)["shippingDate"]),
        "instructions": "時間帯の希望はありません" if order.serial % 19 == 0 else "",
        "giftWrappingLabel": " ".join(filter(None, (gift.wrapping, gift.noshi, gift.noshi_purpose, gift.noshi_name)))
        if gift
        else "",
        "contactLater": False,
        "shipmentEmailNumSent": "0",
        "shipmentEmailDateSent": "",
        **_charges(order, place),
        "productList": [
            {
                **product,
                "productNo": line.listing.codes["product_no"],
                "preorder": bool(line.release_date),
                "nextShippingDate": "",
                "shippingDateLabel": f"{line.release_date:%m月%d日}以降発送" if line.release_date else "",
            }
            for line, product in zip(_lines(order, place), _products(order, place), strict=True)
        ],
    }


def _lines(order: SandboxOrder, place: Destination) -> list[SandboxLine]:
    return [line for line in order.lines if line.destination == place.no and not _gone(order, line)]


def _product(line: SandboxLine) -> Json:
    codes = line.listing.codes
    return {
        "skuNo": codes["sku_no"],
        "name": line.listing.title,
        "hanpukaiName": "",
        "verticalVariationName": codes["vertical_name"],
        "horizontalVariationName": codes["horizontal_name"],
        "janCode": "",
        "taxRateCode": "STANDARD" if line.tax_rate == 10 else "REDUCED",
        "price": line.unit_price,
        "count": line.quantity,
        "taxIncluded": "TAX_EXCLUDED" if line.line_no % 2 else "TAX_INCLUDED",
        "tax": _unit_tax(line),
        "shippingDate": "",
        "optionList": [{"name": name, "selectionItem": value} for name, value in line.options],
        "optionPriceList": [],
    }
