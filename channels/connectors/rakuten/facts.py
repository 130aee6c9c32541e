"""Facts of an order that have no place of their own with us: kept beside it for screens and for later calls."""

from collections.abc import Iterable, Sequence
from typing import Any

from channels.connectors.rakuten.values import Row, code, some_row, some_rows, text

DUE_DATES = {1: "payment_change_due", 2: "refund_due"}
ORDER_FACTS = {
    "sub_status_id": "subStatusId",
    "operator": "operator",
    "mail_words": "mailPlugSentence",
    "cancel_due": "cancelDueDate",
    "reserve_no": "reserveNumber",
    "reserve_count": "reserveDeliveryCount",
    "fixed_at": "orderFixDatetime",
    "reported_at": "shippingCmplRptDatetime",
}
"""Told as they came. Sex, birthday and card data of the buyer are left out on purpose: nothing needs them."""
COUNTED = {
    "rakuten_member": "rakutenMemberFlag",
    "to_buyer": "equalSenderFlag",
    "membership": "membershipType",
    "device": "carrierCode",
    "receipts_issued": "receiptIssueCount",
}
"""Left out when 0."""


def facts_of(order: Row, packages: Sequence[Row], payment_code: str) -> dict[str, str]:
    """Empty ones are left out."""
    facts = {
        "basket_ids": _joined(package.get("basketId") for package in packages),
        "payment_code": payment_code,
        "instalments": text(some_row(order.get("SettlementModel")).get("cardInstallmentDesc")),
        "drop_off": _joined(package.get("dropOffLocation") for package in packages),
        "carrier_codes": _joined(package.get("defaultDeliveryCompanyCode") for package in packages),
        "ship_words": _joined(
            item.get("delvdateInfo") for package in packages for item in some_rows(package.get("ItemModelList"))
        ),
        "fee_to_shop": _count(order.get("additionalFeeOccurAmountToShop")),
        **{name: text(order.get(key)) for name, key in ORDER_FACTS.items()},
        **{name: _count(order.get(key)) for name, key in COUNTED.items()},
        **_pickup(packages),
        **_social_gift(packages),
        **_due_dates(order),
    }
    return {key: value for key, value in facts.items() if value}


def _pickup(packages: Sequence[Row]) -> dict[str, str]:
    """The shop where the buyer fetches the parcel."""
    store: Row = next((one for package in packages if (one := some_row(package.get("DeliveryCvsModel")))), {})
    address = (store.get("storePrefecture"), store.get("storeAddress"))
    return {
        "pickup_store": " ".join(word for key in ("storeCode", "storeName") if (word := text(store.get(key)))),
        "pickup_chain": text(store.get("cvsCode")),
        "pickup_address": "".join(text(part) for part in address),
        "pickup_depot": text(store.get("depo")),
        "pickup_words": text(store.get("cvsRemarks")),
    }


def _social_gift(packages: Sequence[Row]) -> dict[str, str]:
    """The receiver tells the address by himself until this day."""
    gift: Row = next((one for package in packages if (one := some_row(package.get("SocialGiftModel")))), {})
    return {"social_gift_no": text(gift.get("sgMngNumber")), "social_gift_due": text(gift.get("inputDueDate"))}


def _due_dates(order: Row) -> dict[str, str]:
    found = {}
    for row in some_rows(order.get("DueDateModelList")):
        if name := DUE_DATES.get(code(row.get("dueDateType")) or 0):
            found[name] = text(row.get("dueDate"))
    return found


def _count(value: Any) -> str:
    return text(value) if code(value) else ""


def _joined(values: Iterable[Any]) -> str:
    return ",".join(dict.fromkeys(word for value in values if (word := text(value))))
