"""searchOrders and getOrder: the rules of the query, paging, visibility."""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from channels.sandbox.amazon.answers import (
    csv,
    denied,
    integer,
    invalid,
    not_found,
    page_token,
    parse_time,
    read_page_token,
    utc,
)
from channels.sandbox.amazon.wire_orders import STATUS, status_of, wire_order
from channels.sandbox.errors import UnknownOrder
from channels.sandbox.model import SandboxOrder
from channels.sandbox.numbers import AMAZON_MARKETPLACE_ID
from channels.sandbox.simulator import Simulator

BLOCKS = frozenset({
    "BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX",
    "PAYMENT", "FULFILLMENT_ORDERS",
})  # fmt: skip
STATUSES = frozenset({*STATUS.values(), "PENDING_AVAILABILITY", "UNFULFILLABLE"})
TOKEN_LIFE = timedelta(hours=24)
YOUNGEST_BOUND = timedelta(minutes=2)
FAMILIES = (("lastUpdatedAfter", "lastUpdatedBefore"), ("createdAfter", "createdBefore"))


class OrderCalls:
    """`roles` decides what is seen of people; `delay` is how late a change shows in a search."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.roles: Collection[str] = {"shipping", "tax"}
        self.delay = timedelta(minutes=2)

    def get(self, number: str, args: Mapping[str, str]) -> dict[str, Any]:
        blocks = csv(args, "includedData", BLOCKS)
        try:
            order = self.simulator.world.order("amazon", number)
        except UnknownOrder as unknown:
            raise not_found("The requested order does not exist.") from unknown
        return {"order": self._wire(order, blocks)}

    def search(self, args: Mapping[str, str]) -> dict[str, Any]:
        after_name, before_name = _family(args)
        blocks = csv(args, "includedData", BLOCKS)
        size = integer(args, "maxResultsPerPage", 100, 1, 100)
        before, last = self._bounds(args, after_name, before_name)
        rows = self._matching(args, after_name, before)
        keys = [_key(order, after_name) for order in rows]
        start = bisect_right(keys, last) if last else 0
        page = self.simulator.page(rows, start, size)
        answer: dict[str, Any] = {"orders": [self._wire(order, blocks) for order in page], before_name: utc(before)}
        if page and start + size < len(rows):
            at, serial = keys[start + size - 1]
            token = page_token(at=at.isoformat(), serial=serial, before=before.isoformat(), query=_digest(args),
                               made=self.simulator.now().isoformat())  # fmt: skip
            answer["pagination"] = {"nextToken": token}
        return answer

    def _bounds(
        self, args: Mapping[str, str], after_name: str, before_name: str
    ) -> tuple[datetime, tuple[datetime, int] | None]:
        """(exclusive upper bound, key of the last order of the page before)."""
        now = self.simulator.now()
        after = parse_time(after_name, args[after_name])
        if token := args.get("paginationToken"):
            content = read_page_token("paginationToken", token)
            if content.get("query") != _digest(args):
                raise invalid("Search parameters do not match the provided paginationToken.")
            if now - datetime.fromisoformat(content["made"]) > TOKEN_LIFE:
                raise invalid("The paginationToken has expired.")
            last = (datetime.fromisoformat(content["at"]), int(content["serial"]))
            return datetime.fromisoformat(content["before"]), last
        if before_name not in args:
            return max(now - self.delay, after), None
        before = parse_time(before_name, args[before_name])
        if before < after:
            raise invalid(f"{before_name} must not be earlier than {after_name}.")
        if before > now - YOUNGEST_BOUND:
            raise invalid(f"{before_name} must be at least two minutes in the past.")
        return before, None

    def _matching(self, args: Mapping[str, str], after_name: str, before: datetime) -> list[SandboxOrder]:
        marketplaces = csv(args, "marketplaceIds")
        if marketplaces and AMAZON_MARKETPLACE_ID not in marketplaces:
            raise denied("")
        statuses = csv(args, "fulfillmentStatuses", STATUSES)
        by = csv(args, "fulfilledBy", frozenset({"MERCHANT", "AMAZON"}))
        after = parse_time(after_name, args[after_name])
        if after_name == "lastUpdatedAfter":
            rows = self.simulator.world.orders("amazon", updated_from=after, updated_to=before)
        else:
            rows = self.simulator.world.orders("amazon", ordered_from=after, ordered_to=before)
        return [
            order
            for order in rows
            if (not statuses or status_of(order) in statuses)
            and (not by or ("AMAZON" if order.fulfilled_by_mall else "MERCHANT") in by)
        ]

    def _wire(self, order: SandboxOrder, blocks: Collection[str]) -> dict[str, Any]:
        relay = self.simulator.world.relay_address(order)
        return wire_order(order, blocks, roles=self.roles, relay=relay)


def _family(args: Mapping[str, str]) -> tuple[str, str]:
    """(…After, …Before) of the one family the query uses."""
    used = [pair for pair in FAMILIES if pair[0] in args]
    if len(used) != 1:
        raise invalid("Exactly one of lastUpdatedAfter and createdAfter must be given.")
    other = FAMILIES[1] if used[0] == FAMILIES[0] else FAMILIES[0]
    if other[1] in args:
        raise invalid(f"{other[1]} cannot be used with {used[0][0]}.")
    return used[0]


def _key(order: SandboxOrder, after_name: str) -> tuple[datetime, int]:
    return (order.updated_at if after_name == "lastUpdatedAfter" else order.ordered_at), order.serial


def _digest(args: Mapping[str, str]) -> str:
    bound = {name: text for name, text in args.items() if name != "paginationToken"}
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:16]
