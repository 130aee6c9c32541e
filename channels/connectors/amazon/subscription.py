"""Lets Amazon put order changes into the shop's queue: a destination for the queue, and a subscription to it."""

from collections.abc import Mapping
from typing import Any

from channels.connectors.amazon.queue import Queue
from channels.connectors.amazon.transport import Api, NotFound, need
from channels.connectors.contract import Refused
from oms.kernel.said import said

PATH = "/notifications/v1"
KIND = "ORDER_CHANGE"
CHANGES = ("OrderStatusChange", "BuyerRequestedChange")


def ensure(api: Api, queue: Queue) -> str:
    """Subscribe unless it is done already; returns a sentence that says what was found. Raises ChannelError."""
    arn = queue.arn()
    if arn.endswith(".fifo"):
        raise Refused(
            said("注文通知のキューがFIFOです。Amazonは標準キューにしか通知しません。標準キューを作ってください。")
        )
    current = _subscription(api)
    if current is not None:
        if _arn_of(api, str(current["destinationId"])) == arn:
            return said("注文通知を受け取れます（未処理 %(waiting)s件）。", waiting=queue.waiting())
        raise Refused(
            said("注文通知は別のキューに送られています。そのキューのURLを登録するか、以前の購読を解除してください。")
        )
    directive = {"eventFilter": {"eventFilterType": KIND, "orderChangeTypes": list(CHANGES)}}
    body = {
        "payloadVersion": "1.0",
        "destinationId": _destination(api, arn),
        "processingDirective": directive,
    }
    api.call("POST", f"{PATH}/subscriptions/{KIND}", "createSubscription", body=body, idempotent=False)
    return said("注文通知の受け取りを開始しました。")


def _subscription(api: Api) -> Mapping[str, Any] | None:
    try:
        answer = api.call("GET", f"{PATH}/subscriptions/{KIND}", "getSubscription", query={"payloadVersion": "1.0"})
    except NotFound:
        return None
    found: Mapping[str, Any] = need(answer, "payload")
    return found


def _destinations(api: Api) -> dict[str, str]:
    """The queue's name by the destination's id."""
    answer = api.call("GET", f"{PATH}/destinations", "getDestinations", grantless=True)
    return {
        str(one["destinationId"]): str(((one.get("resource") or {}).get("sqs") or {}).get("arn", ""))
        for one in answer.get("payload") or ()
    }


def _arn_of(api: Api, destination_id: str) -> str:
    return _destinations(api).get(destination_id, "")


def _destination(api: Api, arn: str) -> str:
    """The destination of this queue, made when there is none."""
    for destination_id, known in _destinations(api).items():
        if known == arn:
            return destination_id
    body = {"name": "order-desk", "resourceSpecification": {"sqs": {"arn": arn}}}
    made = api.call("POST", f"{PATH}/destinations", "createDestination", body=body, idempotent=False, grantless=True)
    return str(need(made, "payload")["destinationId"])
