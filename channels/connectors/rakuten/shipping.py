"""Which shipping rows an order still lacks. Pure: compares what RMS shows with the parcels to tell."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from channels.connectors.contract import Parcel
from channels.connectors.rakuten import wire
from channels.connectors.rakuten.values import is_on, rows, text


def missing_rows(order: Mapping[str, Any], parcels: Sequence[Parcel]) -> Iterator[list[dict[str, Any]]]:
    """Values for `BasketidModelList`, one per call: at most 20 rows of a basket travel together."""
    lacking = {
        basket["basketId"]: _lacking(basket, _parcels_of(basket, parcels))
        for basket in rows(order.get("PackageModelList"))
        if not is_on(basket.get("packageDeleteFlag"))
    }
    most = max(map(len, lacking.values()), default=0)
    for start in range(0, most, wire.SHIPPING_ROWS):
        cut = {basket_id: todo[start : start + wire.SHIPPING_ROWS] for basket_id, todo in lacking.items()}
        yield [{"basketId": basket_id, "ShippingModelList": todo} for basket_id, todo in cut.items() if todo]


def _parcels_of(basket: Mapping[str, Any], parcels: Sequence[Parcel]) -> list[Parcel]:
    """Parcels with a line of this basket; a parcel that names no line belongs to every basket."""
    line_ids = {str(item.get("itemDetailId")) for item in rows(basket.get("ItemModelList"))}
    return [parcel for parcel in parcels if not parcel.lines or line_ids & set(parcel.lines)]


def _lacking(basket: Mapping[str, Any], parcels: Sequence[Parcel]) -> list[dict[str, Any]]:
    """Rows to add, and rows to correct under their id.

    A row whose number none of the parcels has is an earlier number of one of them: it is corrected rather than kept
    beside the new one. Rows beyond the parcels stay as they are.
    """
    wanted = list({same_number(parcel.tracking_no): row_of(parcel) for parcel in parcels}.values())
    present = {same_number(text(row.get("shippingNumber"))): row for row in rows(basket.get("ShippingModelList"))}
    numbers = {same_number(row["shippingNumber"]) for row in wanted}
    stale = [row["shippingDetailId"] for number, row in present.items() if number not in numbers]
    lacking = []
    for row in wanted:
        there = present.get(same_number(row["shippingNumber"]))
        if there is None:
            lacking.append({"shippingDetailId": stale.pop(0), **row} if stale else row)
        elif not _says(there, row):
            lacking.append({"shippingDetailId": there["shippingDetailId"], **row})
    return lacking


def row_of(parcel: Parcel) -> dict[str, Any]:
    return {
        "deliveryCompany": wire.carrier_code(parcel.carrier, parcel.carrier_name),
        "shippingNumber": parcel.tracking_no,
        "shippingDate": wire.order_date(parcel.shipped_at),
    }


def _says(there: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether RMS already shows company and date of this row (its number is the same)."""
    same_company = text(there.get("deliveryCompany")) == row["deliveryCompany"]
    return same_company and text(there.get("shippingDate"))[:10] == row["shippingDate"]


def same_number(number: str) -> str:
    """Tracking numbers are typed with and without hyphens."""
    return number.replace("-", "").replace(" ", "").upper()
