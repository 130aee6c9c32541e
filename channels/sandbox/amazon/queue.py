"""The SQS queue of the shop, over SQS's JSON protocol. Amazon puts a notification into it for each changed order.

What happened in the world becomes messages when somebody asks for them; nobody can tell the difference. Delivery is
at least once: after a restart, what was not deleted yet is told again.
"""

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from werkzeug import Request, Response

from channels.sandbox.amazon.notices import order_change
from channels.sandbox.amazon.signature import signature_fault
from channels.sandbox.simulator import Simulator

ACCESS_KEY_ID = "AKIASANDBOXAKARISHOP"
SECRET_ACCESS_KEY = "sandbox/secret/access/key/of/akari/shoten"
REGION = "us-west-2"
ACCOUNT = "000000000000"
NAME = "akari-orders"
PREFIX = "/sqs"
PATH = f"{PREFIX}/{ACCOUNT}/{NAME}"
LOOK_S = 0.05  # wall seconds between two looks of a long poll
LONGEST_POLL_S = 20
MOST = 10
NO_SUCH_QUEUE = "The specified queue does not exist."

Json = dict[str, Any]


@dataclass(slots=True)
class Waiting:
    """A message that nobody has deleted yet."""

    id: str
    body: str
    at: datetime  # when what it tells happened
    visible_at: datetime
    received: int = 0
    handle: str = ""


class QueueRefusal(Exception):
    def __init__(self, code: str, text: str, *, status: int = 400, query_code: str = "") -> None:
        super().__init__(text)
        self.code, self.text, self.status, self.query_code = code, text, status, query_code or code

    def response(self) -> Response:
        body = json.dumps({"__type": f"com.amazonaws.sqs#{self.code}", "message": self.text})
        headers = {"x-amzn-query-error": f"{self.query_code};Sender", "x-amzn-RequestId": str(uuid4())}
        return Response(body, self.status, content_type="application/x-amz-json-1.0", headers=headers)


class QueueCalls:
    """`visibility_s` is the queue's own time to hide a received message; `copies` how often each event is told;
    `shuffled` lets them come newest first."""

    def __init__(self, simulator: Simulator, subscribed: Callable[[], bool]) -> None:
        self.simulator, self._subscribed = simulator, subscribed
        self.visibility_s = 30.0
        self.copies = 1
        self.shuffled = False
        self._messages: dict[str, Waiting] = {}
        self._told: dict[str, int] = {}  # order number → the version that was told
        self._lock = threading.Lock()
        floor = simulator.world.recall("amazon", "queue_floor")
        self._floor: datetime | None = datetime.fromisoformat(floor) if floor else None
        self._latest = self._floor  # when the last change happened that was told

    def credentials(self, base_url: str) -> dict[str, str]:
        return {
            "sqs_queue_url": f"{base_url}{PATH}",
            "sqs_access_key_id": ACCESS_KEY_ID,
            "sqs_secret_access_key": SECRET_ACCESS_KEY,
            "sqs_region": REGION,
            "sqs_endpoint": f"{base_url}{PREFIX}",
        }

    def handle(self, request: Request) -> Response:
        try:
            if fault := signature_fault(request, ACCESS_KEY_ID, SECRET_ACCESS_KEY):
                raise QueueRefusal(*fault, status=403)
            operation = request.headers.get("X-Amz-Target", "").removeprefix("AmazonSQS.")
            call = self._calls().get(operation)
            if request.method != "POST" or call is None:
                raise QueueRefusal("UnknownOperationException", "The requested operation is not known.")
            answer = call(_body(request))
        except QueueRefusal as refusal:
            return refusal.response()
        headers = {"x-amzn-RequestId": str(uuid4())}
        text = json.dumps(answer, ensure_ascii=False)
        return Response(text, content_type="application/x-amz-json-1.0", headers=headers)

    def put(self, body: str) -> str:
        """A message from somebody else; for tests of what a connector makes of it."""
        now = self.simulator.now()
        with self._lock:
            message = Waiting(str(uuid4()), body, now, now)
            self._messages[message.id] = message
        return message.id

    def waiting(self) -> int:
        """Messages that are not deleted yet."""
        with self._lock:
            self._tell_changes()
            return len(self._messages)

    # ---- calls -------------------------------------------------------------------------------------------------

    def _calls(self) -> dict[str, Callable[[Json], Json]]:
        return {
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete_one,
            "DeleteMessageBatch": self._delete_batch,
            "ChangeMessageVisibility": self._hide,
            "GetQueueAttributes": self._attributes,
            "GetQueueUrl": lambda body: {"QueueUrl": body["QueueUrl"]},
            "SendMessage": self._send,
        }

    def _receive(self, body: Json) -> Json:
        most = _integer(body, "MaxNumberOfMessages", 1, 1, MOST)
        wait_s = _integer(body, "WaitTimeSeconds", 0, 0, LONGEST_POLL_S)
        hidden_s = _integer(body, "VisibilityTimeout", int(self.visibility_s), 0, 43_200)
        end = self.simulator.now() + timedelta(seconds=wait_s)
        # A test's own clock may stand still; a real client gives up waiting after a while, too.
        patience_end = time.monotonic() + wait_s
        while True:
            found = self._take(most, hidden_s)
            if found or self.simulator.now() >= end or time.monotonic() >= patience_end:
                return {"Messages": found} if found else {}
            time.sleep(LOOK_S)

    def _take(self, most: int, hidden_s: int) -> list[Json]:
        with self._lock:
            self._tell_changes()
            now = self.simulator.now()
            ready = [one for one in self._messages.values() if one.visible_at <= now]
            ready = (ready[::-1] if self.shuffled else ready)[:most]
            for message in ready:
                message.received += 1
                message.visible_at = now + timedelta(seconds=hidden_s)
                message.handle = f"{message.id}#{secrets.token_urlsafe(16)}"
            return [_wire(message) for message in ready]

    def _delete_one(self, body: Json) -> Json:
        with self._lock:
            self._delete(str(body.get("ReceiptHandle", "")))
            self._keep_floor()
        return {}

    def _delete(self, handle: str) -> None:
        """As SQS does, an old receipt of a message that was received again since deletes nothing."""
        message = self._messages.get(handle.partition("#")[0])
        if "#" not in handle:
            raise QueueRefusal("ReceiptHandleIsInvalid", "The input receipt handle is not a valid receipt handle.")
        if message is not None and message.handle == handle:
            del self._messages[message.id]

    def _delete_batch(self, body: Json) -> Json:
        entries = body.get("Entries") or []
        if not entries:
            raise QueueRefusal("EmptyBatchRequest", "There should be at least one entry in the request.")
        if len(entries) > MOST:
            raise QueueRefusal("TooManyEntriesInBatchRequest", f"Maximum number of entries per request are {MOST}.")
        if len({entry["Id"] for entry in entries}) != len(entries):
            raise QueueRefusal("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.")
        done: list[Json] = []
        failed: list[Json] = []
        with self._lock:
            for entry in entries:
                try:
                    if self.simulator.row_fails():
                        raise QueueRefusal("InternalFailure", "We encountered an internal error.")
                    self._delete(entry["ReceiptHandle"])
                    done.append({"Id": entry["Id"]})
                except QueueRefusal as refusal:
                    failed.append({"Id": entry["Id"], "SenderFault": True, "Code": refusal.code})
            self._keep_floor()
        return {"Successful": done, "Failed": failed}

    def _hide(self, body: Json) -> Json:
        hidden_s = _integer(body, "VisibilityTimeout", 0, 0, 43_200)
        with self._lock:
            message = self._messages.get(str(body.get("ReceiptHandle", "")).partition("#")[0])
            if message is None or message.handle != body["ReceiptHandle"]:
                raise QueueRefusal("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
            message.visible_at = self.simulator.now() + timedelta(seconds=hidden_s)
        return {}

    def _attributes(self, body: Json) -> Json:
        now = self.simulator.now()
        with self._lock:
            self._tell_changes()
            visible = sum(1 for one in self._messages.values() if one.visible_at <= now)
            hidden = len(self._messages) - visible
        known = {
            "QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}",
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
            "VisibilityTimeout": str(int(self.visibility_s)),
        }
        names = body.get("AttributeNames") or []
        return {"Attributes": {name: text for name, text in known.items() if "All" in names or name in names}}

    def _send(self, body: Json) -> Json:
        text = str(body.get("MessageBody", ""))
        return {"MessageId": self.put(text), "MD5OfMessageBody": _md5(text)}

    # ---- what happened -----------------------------------------------------------------------------------------

    def _tell_changes(self) -> None:
        """A message for each order that is new or changed since the last look. Caller holds the lock."""
        if not self._subscribed():
            return
        world = self.simulator.world
        for order in world.orders("amazon", updated_from=self._floor):
            self._latest = max(self._latest or order.updated_at, order.updated_at)
            if self._told.get(order.number) == order.version:
                continue
            self._told[order.number] = order.version
            for _copy in range(self.copies):
                notice = order_change(order, world.next_id("amazon", "notice"))
                body = json.dumps(notice, ensure_ascii=False, separators=(",", ":"))
                message = Waiting(str(uuid4()), body, order.updated_at, self.simulator.now())
                self._messages[message.id] = message
        self._keep_floor()

    def _keep_floor(self) -> None:
        """Remember from when on changes have to be told after a restart."""
        undone = [message.at for message in self._messages.values()]
        floor = min([*undone, *([self._latest] if self._latest else [])], default=None)
        if floor is not None and floor != self._floor:
            self._floor = floor
            self.simulator.world.remember("amazon", "queue_floor", floor.isoformat())


def fault_of(kind: str) -> QueueRefusal:
    """The queue's own way to be in trouble."""
    if kind == "429":
        return QueueRefusal("RequestThrottled", "The request was denied due to request throttling.")
    if kind == "revoked":
        return QueueRefusal(
            "InvalidClientTokenId", "The security token included in the request is invalid.", status=403
        )
    if kind == "500":
        return QueueRefusal("InternalFailure", "We encountered an internal error. Please try again.", status=500)
    return QueueRefusal("ServiceUnavailable", "The service is unavailable.", status=503)


def _wire(message: Waiting) -> Json:
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.handle,
        "MD5OfBody": _md5(message.body),
        "Body": message.body,
        "Attributes": {"ApproximateReceiveCount": str(message.received)},
    }


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _body(request: Request) -> Json:
    try:
        body = json.loads(request.get_data())
    except ValueError as wrong:
        raise QueueRefusal("SerializationException", "The body is no JSON.") from wrong
    if not isinstance(body, dict):
        raise QueueRefusal("SerializationException", "The body is no JSON object.")
    asked = str(body.get("QueueUrl", body.get("QueueName", "")))
    if asked.rpartition("/")[2] != NAME or ("QueueUrl" in body and not asked.endswith(PATH)):
        raise QueueRefusal("QueueDoesNotExist", NO_SUCH_QUEUE, query_code="AWS.SimpleQueueService.NonExistentQueue")
    body.setdefault("QueueUrl", f"{request.root_url.rstrip('/')}{PATH}")
    return body


def _integer(body: Json, name: str, default: int, least: int, most: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        text = f"Value {value} for parameter {name} is invalid. Reason: Must be between {least} and {most}."
        raise QueueRefusal("InvalidParameterValue", text)
    return value
