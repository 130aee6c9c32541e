"""FBA Inventory v1: what lies in Amazon's own warehouse. Read only."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from channels.sandbox.amazon.answers import csv, invalid, page_token, parse_time, read_page_token, utc
from channels.sandbox.goods import Listing
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID
from channels.sandbox.simulator import Simulator

PAGE = 50
TOKEN_LIFE = timedelta(seconds=30)
OLDEST_START = timedelta(days=548)

Json = dict[str, Any]


class FbaCalls:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def summaries(self, args: Mapping[str, str]) -> Json:
        if args.get("granularityType") != "Marketplace" or args.get("granularityId") != AMAZON_MARKETPLACE_ID:
            raise invalid("granularityType and granularityId must name a marketplace of this seller.")
        if csv(args, "marketplaceIds") != [AMAZON_MARKETPLACE_ID]:
            raise invalid("marketplaceIds: is missing or not a marketplace of this seller.")
        skus = csv(args, "sellerSkus")
        if len(skus) > 50:
            raise invalid("sellerSkus: at most 50 values.")
        rows = [one for one in self.simulator.world.listings("amazon") if one.fulfilled_by == "amazon"]
        if not rows:
            raise invalid("The seller does not use Fulfillment by Amazon.")
        if "startDateTime" in args:
            start = parse_time("startDateTime", args["startDateTime"])
            if start < self.simulator.now() - OLDEST_START:
                raise invalid("startDateTime must not be earlier than 18 months ago.")
            rows = [row for row in rows if self.simulator.world.shown("amazon", row.key).updated_at >= start]
        elif skus:
            rows = [row for row in rows if row.key in skus]
        first = self._start(args)
        page = rows[first : first + PAGE]
        answer: Json = {
            "payload": {
                "granularity": {"granularityType": "Marketplace", "granularityId": AMAZON_MARKETPLACE_ID},
                "inventorySummaries": [self._summary(row, args.get("details", "").lower() == "true") for row in page],
            }
        }
        if first + PAGE < len(rows):
            made = self.simulator.now().isoformat()
            answer["pagination"] = {"nextToken": page_token(start=first + PAGE, query=_digest(args), made=made)}
        return answer

    def _start(self, args: Mapping[str, str]) -> int:
        if not args.get("nextToken"):
            return 0
        content = read_page_token("nextToken", args["nextToken"])
        if content.get("query") != _digest(args):
            raise invalid("Parameters do not match the provided nextToken.")
        if self.simulator.now() - datetime.fromisoformat(content["made"]) > TOKEN_LIFE:
            raise invalid("The nextToken has expired.")
        return int(content["start"])

    def _summary(self, listing: Listing, details: bool) -> Json:
        shown = self.simulator.world.shown("amazon", listing.key)
        summary: Json = {
            "asin": listing.codes["asin"],
            "fnSku": f"X0{listing.codes['asin'][2:]}",
            "sellerSku": listing.key,
            "condition": "NewItem",
            "lastUpdatedTime": utc(shown.updated_at),
            "productName": listing.title,
            "totalQuantity": shown.quantity + 3,
        }
        if details:
            summary["inventoryDetails"] = {
                "fulfillableQuantity": shown.quantity,
                "inboundWorkingQuantity": 0,
                "inboundShippedQuantity": 2,
                "inboundReceivingQuantity": 0,
                "reservedQuantity": {"totalReservedQuantity": 1, "pendingCustomerOrderQuantity": 1},
                "researchingQuantity": {"totalResearchingQuantity": 0},
                "unfulfillableQuantity": {"totalUnfulfillableQuantity": 0},
            }
        return summary


def _digest(args: Mapping[str, str]) -> str:
    bound = {name: text for name, text in args.items() if name != "nextToken"}
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:16]
