"""Reading listings: all of them page by page, and the live quantities of some."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from channels.connectors.amazon import fba
from channels.connectors.amazon.money import money_yen
from channels.connectors.amazon.transport import Api, NotFound, need
from channels.connectors.contract import ListingInfo, Refused
from oms.kernel import clock
from oms.kernel.said import said

PATH = "/listings/2021-08-01/items"
PAGE = 20
OWN_STOCK = "DEFAULT"
FBA_MARK = "AMAZON_JP|"  # before the SKU in `ListingInfo.code`: Amazon keeps that stock, nothing can be pushed
SEARCH_CAP = 1000  # one search may end here although more listings exist
TOKEN_PAUSE_S = 2
TOKEN_TRIES = 3

Json = Mapping[str, Any]
NOTHING: Json = {}


def item_path(api: Api, sku: str) -> str:
    """The SKU is one path segment: a raw slash in it would be another address."""
    return f"{PATH}/{quote(api.seller_id, safe='')}/{quote(sku, safe='')}"


def items_of(answer: Json) -> list[Json]:
    """The listings of one page; what has no SKU is no listing."""
    return [item for item in need(answer, "items") if isinstance(item, dict) and item.get("sku")]


def all_listings(api: Api) -> Iterator[Sequence[ListingInfo]]:
    """Every listing once, oldest first; a search that ends early goes on from the last creation time."""
    seen: set[str] = set()
    created_after = ""
    while True:
        before, found, last_created = len(seen), 0, ""
        for answer in _search_pages(api, created_after):
            told = items_of(answer)
            items = [item for item in told if item["sku"] not in seen]
            seen.update(item["sku"] for item in items)
            found += len(told)
            last_created = max([last_created, *(_summary(item).get("createdDate") or "" for item in items)])
            total = answer.get("numberOfResults") or 0
            if items:
                yield _with_fba_stock(api, [listing_info(item) for item in items])
        if found >= total or found < SEARCH_CAP:
            return
        if len(seen) == before or not last_created:
            raise Refused(said("Amazonの出品数が多く、一覧を最後まで読めませんでした。"))
        created_after = last_created


def _with_fba_stock(api: Api, infos: Sequence[ListingInfo]) -> list[ListingInfo]:
    units = fba.fulfillable(api, [info.channel_sku for info in infos if info.channel_keeps_stock])
    return [replace(info, quantity=units.get(info.channel_sku)) if info.channel_keeps_stock else info for info in infos]


def listing_info(item: Json) -> ListingInfo:
    sku, own = item["sku"], _own_stock(item)
    fba = own is None and _is_fba(item)
    offers = item.get("offers") or ()
    price = next((offer.get("price") for offer in offers if offer.get("offerType") == "B2C"), None)
    return ListingInfo(
        code=FBA_MARK + sku if fba else sku,
        channel_sku=sku,
        name=_summary(item).get("itemName") or "",
        quantity=own,
        price=money_yen(price),
        channel_keeps_stock=fba,
        jan=_jan(item.get("attributes") or NOTHING),
    )


def live_quantities(api: Api, codes: Sequence[str]) -> dict[str, int]:
    """What Amazon shows now by code; of its own stock, what it can sell. Unknown SKUs are left out."""
    kept = [code for code in codes if code.startswith(FBA_MARK)]
    at_amazon = fba.fulfillable(api, [code.removeprefix(FBA_MARK) for code in kept])
    skus = [code for code in dict.fromkeys(codes) if not code.startswith(FBA_MARK)]
    # A comma separates the list in the query, so a SKU that holds one is asked for alone.
    listed, alone = [sku for sku in skus if "," not in sku], [sku for sku in skus if "," in sku]
    items: list[Json] = []
    for start in range(0, len(listed), PAGE):
        items += _search_skus(api, listed[start : start + PAGE])
    items += [item for sku in alone if (item := _one(api, sku))]
    quantities = {item["sku"]: _own_stock(item) for item in items}
    found = {sku: quantity for sku in skus if (quantity := quantities.get(sku)) is not None}
    return found | {FBA_MARK + sku: units for sku, units in at_amazon.items()}


def _search_skus(api: Api, skus: Sequence[str]) -> list[Json]:
    query: dict[str, str | int] = {
        "marketplaceIds": api.marketplace_id,
        "identifiers": ",".join(skus),
        "identifiersType": "SKU",
        "includedData": "fulfillmentAvailability",
        "pageSize": PAGE,
    }
    answer = api.call("GET", f"{PATH}/{quote(api.seller_id, safe='')}", "searchListingsItems", query=query)
    return items_of(answer)


def _one(api: Api, sku: str) -> Json | None:
    query = {"marketplaceIds": api.marketplace_id, "includedData": "fulfillmentAvailability"}
    try:
        item: Json = api.call("GET", item_path(api, sku), "getListingsItem", query=query)
    except NotFound:
        return None
    return item


def _search_pages(api: Api, created_after: str) -> Iterator[Json]:
    query: dict[str, str | int] = {
        "marketplaceIds": api.marketplace_id,
        "includedData": "summaries,attributes,offers,fulfillmentAvailability",
        "sortBy": "createdDate",
        "sortOrder": "ASC",
        "pageSize": PAGE,
    }
    if created_after:
        query["createdAfter"] = created_after
    tokens: set[str] = set()
    while True:
        answer = _search_page(api, query)
        yield answer
        token = (answer.get("pagination") or NOTHING).get("nextToken")
        if not token or token in tokens or not items_of(answer):
            return
        tokens.add(token)
        query["pageToken"] = token


def _search_page(api: Api, query: Mapping[str, str | int]) -> Json:
    """One page. Amazon sometimes refuses its own page token for some seconds."""
    for attempt in range(1, TOKEN_TRIES + 1):
        try:
            answer: Json = api.call(
                "GET", f"{PATH}/{quote(api.seller_id, safe='')}", "searchListingsItems", query=query
            )
            return answer
        except Refused as refused:
            if "pageToken" not in refused.detail or attempt == TOKEN_TRIES:
                raise
            clock.sleep(TOKEN_PAUSE_S)
    raise AssertionError("unreachable: the last try returns or raises")


def _summary(item: Json) -> Json:
    summaries = item.get("summaries") or ()
    return summaries[0] if summaries else NOTHING


def _own_stock(item: Json) -> int | None:
    for entry in item.get("fulfillmentAvailability") or ():
        if entry.get("fulfillmentChannelCode") == OWN_STOCK:
            quantity: int | None = entry.get("quantity")
            return quantity
    return None


def _is_fba(item: Json) -> bool:
    entries = item.get("fulfillmentAvailability") or ()
    return any((entry.get("fulfillmentChannelCode") or "").startswith("AMAZON") for entry in entries)


def _jan(attributes: Json) -> str:
    for entry in attributes.get("externally_assigned_product_identifier") or ():
        if entry.get("type") in ("ean", "jan", "gtin") and entry.get("value"):
            return str(entry["value"])
    return ""
