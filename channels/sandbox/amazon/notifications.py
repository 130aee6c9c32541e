"""Notifications v1: destinations (the application's own) and the seller's subscription to order changes."""

import re
from collections.abc import Mapping
from typing import Any

from channels.sandbox.amazon.answers import Refusal, invalid, not_found
from channels.sandbox.amazon.queue import ACCOUNT, NAME, REGION
from channels.sandbox.simulator import Simulator

ARN = re.compile(r"arn:aws:sqs:\S+:\S+:\S+")
OWN_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}"
KINDS = frozenset({"ORDER_CHANGE", "FEED_PROCESSING_FINISHED", "REPORT_PROCESSING_FINISHED"})
CHANGES = frozenset({"OrderStatusChange", "BuyerRequestedChange"})
FIRST_DESTINATION = "3acafc7e-121b-1329-8ae8-1571be663aa2"
FIRST_SUBSCRIPTION = "7d8d9c1b-2f7e-4a5a-9b51-0f6a3d2c4e10"

Json = dict[str, Any]


class NotificationCalls:
    """A shop begins with its queue as a destination and subscribed to ORDER_CHANGE."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    @property
    def tells_changes(self) -> bool:
        """Whether order changes go into the shop's queue."""
        subscription = self._subscriptions().get("ORDER_CHANGE")
        destination = self._destinations().get(subscription["destinationId"]) if subscription else None
        return destination is not None and destination["resource"]["sqs"]["arn"] == OWN_ARN

    # ---- destinations ------------------------------------------------------------------------------------------

    def create_destination(self, body: Json) -> Json:
        arn = ((body.get("resourceSpecification") or {}).get("sqs") or {}).get("arn")
        if not body.get("name") or not isinstance(arn, str) or not ARN.fullmatch(arn):
            raise invalid("name and resourceSpecification.sqs.arn are required.")
        destinations = self._destinations()
        if any(one["resource"]["sqs"]["arn"] == arn for one in destinations.values()):
            raise Refusal(409, "ResourceAlreadyExists", "A destination for this resource exists already.")
        made = self._destination(f"dest-{self.simulator.world.next_id('amazon', 'destination'):04d}", body["name"], arn)
        self._keep("destinations", {**destinations, made["destinationId"]: made})
        return {"payload": made}

    def destinations(self) -> Json:
        return {"payload": list(self._destinations().values())}

    def destination(self, destination_id: str) -> Json:
        return {"payload": _found(self._destinations(), destination_id)}

    def delete_destination(self, destination_id: str) -> Json:
        left = dict(self._destinations())
        _found(left, destination_id)
        del left[destination_id]
        self._keep("destinations", left)
        return {}

    # ---- subscriptions -----------------------------------------------------------------------------------------

    def subscribe(self, kind: str, body: Json) -> Json:
        _known(kind)
        if not body.get("payloadVersion"):
            raise invalid("payloadVersion is required.")
        if body.get("destinationId") not in self._destinations():
            raise invalid("destinationId: there is no such destination.")
        wanted = ((body.get("processingDirective") or {}).get("eventFilter") or {}).get("orderChangeTypes") or []
        if not set(wanted) <= CHANGES:
            raise invalid("orderChangeTypes: an unknown type.")
        if kind in self._subscriptions():
            raise Refusal(409, "ResourceAlreadyExists", "A subscription of this type exists already.")
        number = self.simulator.world.next_id("amazon", "subscription")
        made = {"subscriptionId": f"subs-{number:04d}", "payloadVersion": body["payloadVersion"],
                "destinationId": body["destinationId"]}  # fmt: skip
        if "processingDirective" in body:
            made["processingDirective"] = body["processingDirective"]
        self._keep("subscriptions", {**self._subscriptions(), kind: made})
        return {"payload": made}

    def subscription(self, kind: str, args: Mapping[str, str]) -> Json:
        _known(kind)
        return {"payload": _found(self._subscriptions(), kind)}

    def subscription_by_id(self, kind: str, subscription_id: str) -> Json:
        found = _found(self._subscriptions(), kind)
        if found["subscriptionId"] != subscription_id:
            raise not_found("The resource does not exist.")
        return {"payload": found}

    def unsubscribe(self, kind: str, subscription_id: str) -> Json:
        self.subscription_by_id(kind, subscription_id)
        self._keep("subscriptions", {name: one for name, one in self._subscriptions().items() if name != kind})
        return {}

    # ---- books -------------------------------------------------------------------------------------------------

    def _destinations(self) -> dict[str, Json]:
        first = {FIRST_DESTINATION: self._destination(FIRST_DESTINATION, "oms", OWN_ARN)}
        found: dict[str, Json] = self.simulator.world.recall("amazon", "destinations", first)
        return found

    def _subscriptions(self) -> dict[str, Json]:
        first = {"subscriptionId": FIRST_SUBSCRIPTION, "payloadVersion": "1.0", "destinationId": FIRST_DESTINATION}
        found: dict[str, Json] = self.simulator.world.recall("amazon", "subscriptions", {"ORDER_CHANGE": first})
        return found

    def _keep(self, name: str, value: Json) -> None:
        self.simulator.world.remember("amazon", name, value)

    @staticmethod
    def _destination(destination_id: str, name: str, arn: str) -> Json:
        return {"destinationId": destination_id, "name": name, "resource": {"sqs": {"arn": arn}}}


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise invalid(f"notificationType: {kind} is not known.")


def _found(rows: Mapping[str, Json], key: str) -> Json:
    if key not in rows:
        raise not_found("The resource does not exist.")
    return rows[key]
