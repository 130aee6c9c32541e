"""What lies in Amazon's warehouse: seen, never pushed."""

from collections.abc import Sequence

from channels.connectors.amazon.transport import Api, need
from channels.connectors.contract import Refused

PATH = "/fba/inventory/v1/summaries"
MOST = 50


def fulfillable(api: Api, skus: Sequence[str]) -> dict[str, int]:
    """Units that Amazon can sell now, by SKU. A seller without FBA has none."""
    found: dict[str, int] = {}
    # A comma separates the list in the query; such a SKU stays unknown.
    asked = [sku for sku in dict.fromkeys(skus) if "," not in sku]
    for start in range(0, len(asked), MOST):
        query: dict[str, str | int] = {
            "details": "true",
            "granularityType": "Marketplace",
            "granularityId": api.marketplace_id,
            "marketplaceIds": api.marketplace_id,
            "sellerSkus": ",".join(asked[start : start + MOST]),
        }
        while True:
            try:
                answer = api.call("GET", PATH, "getInventorySummaries", query=query)
            except Refused:
                return found
            for summary in need(answer, "payload").get("inventorySummaries") or ():
                units = (summary.get("inventoryDetails") or {}).get("fulfillableQuantity")
                if summary.get("sellerSku") and isinstance(units, int):
                    found[summary["sellerSku"]] = units
            token = (answer.get("pagination") or {}).get("nextToken")
            if not token or token == query.get("nextToken"):
                break
            query["nextToken"] = token
    return found
