"""The shop's own SQS queue, in which Amazon puts its notifications. Errors are `ChannelError` kinds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from channels.connectors.contract import ChannelDown, ChannelError, RateLimited, Refused
from oms.kernel.said import said

REGION = "us-west-2"  # where Amazon's Far East service lives
BATCH = 10  # the most of one call
WAIT_S = 1  # any wait makes SQS ask all its servers; a longer one would keep a worker from its other shops
HIDDEN_S = 120  # must outlast the handling of one batch; then what was not deleted comes again
TRIES = 3

REGION_IN_ADDRESS = re.compile(r"//sqs\.([a-z0-9-]+)\.amazonaws\.com")
NO_RIGHT = {
    "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "IncompleteSignature", "AccessDenied", "AccessDeniedException", "AccessDeniedFault", "InvalidSecurity",
    "KmsAccessDenied", "MissingAuthenticationToken", "AuthFailure", "OptInRequired",
}  # fmt: skip
TOO_FAST = {"RequestThrottled", "ThrottlingException", "Throttling", "OverLimit", "RequestLimitExceeded"}
GONE = {"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"}


@dataclass(frozen=True, slots=True)
class Message:
    """`tries` counts how often it was received, this time included."""

    id: str
    handle: str
    body: str
    tries: int


@dataclass(frozen=True, slots=True)
class Queue:
    url: str
    region: str
    key_id: str
    secret: str
    endpoint: str

    def receive(self) -> list[Message]:
        """Some messages, hidden from others for a while; none after a moment of waiting."""
        answer = self._call(
            "receive_message",
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=WAIT_S,
            VisibilityTimeout=HIDDEN_S,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [_message(raw) for raw in answer.get("Messages") or ()]

    def delete(self, messages: Sequence[Message]) -> None:
        """A message whose deletion fails comes again, which is harmless."""
        for start in range(0, len(messages), BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": message.handle}
                for number, message in enumerate(messages[start : start + BATCH])
            ]
            self._call("delete_message_batch", Entries=entries)

    def arn(self) -> str:
        """The queue's name in AWS, which Amazon wants for a destination."""
        answer = self._call("get_queue_attributes", AttributeNames=["QueueArn"])
        return str((answer.get("Attributes") or {}).get("QueueArn", ""))

    def waiting(self) -> int:
        answer = self._call("get_queue_attributes", AttributeNames=["ApproximateNumberOfMessages"])
        return int((answer.get("Attributes") or {}).get("ApproximateNumberOfMessages", 0))

    def _call(self, name: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError  # noqa: PLC0415 - see _client

        client = _client(self.endpoint, self.region, self.key_id, self.secret)
        try:
            return getattr(client, name)(QueueUrl=self.url, **arguments)
        except ClientError as told:
            raise _kind(told.response) from told
        except (ParamValidationError, ValueError) as wrong:
            raise Refused(WRONG_ADDRESS, detail=type(wrong).__name__) from wrong
        except BotoCoreError as lost:
            raise ChannelDown(
                said("注文通知のキュー(SQS)につながりません。自動で再試行します。"), detail=type(lost).__name__
            ) from lost


WRONG_ADDRESS = said("注文通知のキュー(SQS)が見つかりません。キューのURLとリージョンを確認してください。")


def queue_of(credentials: Mapping[str, str]) -> Queue | None:
    """The queue these credentials name, or None when there is none."""
    url = credentials.get("sqs_queue_url", "").strip()
    if not url:
        return None
    found = REGION_IN_ADDRESS.search(url)
    return Queue(
        url=url,
        region=credentials.get("sqs_region") or (found.group(1) if found else REGION),
        key_id=credentials.get("sqs_access_key_id", ""),
        secret=credentials.get("sqs_secret_access_key", ""),
        endpoint=credentials.get("sqs_endpoint", ""),
    )


@lru_cache(maxsize=16)
def _client(endpoint: str, region: str, key_id: str, secret: str) -> Any:
    """Made once per process: it costs a tenth of a second, and boto3 some megabytes that only listeners need."""
    import boto3.session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    return boto3.session.Session().client(
        "sqs",
        endpoint_url=endpoint or None,
        region_name=region,
        # Given even when empty: boto3 would otherwise look for keys on this machine and in its network.
        aws_access_key_id=key_id or "missing",
        aws_secret_access_key=secret or "missing",
        config=Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": TRIES}),
    )


def _message(raw: Mapping[str, Any]) -> Message:
    tries = str((raw.get("Attributes") or {}).get("ApproximateReceiveCount", "1"))
    return Message(
        id=raw.get("MessageId", ""),
        handle=raw["ReceiptHandle"],
        body=raw.get("Body", ""),
        tries=int(tries) if tries.isdecimal() else 1,
    )


def _kind(answer: Mapping[str, Any]) -> ChannelError:
    """Trouble with the queue never stops the shop (`CredentialsRefused`): its orders still come by search."""
    error = answer.get("Error") or {}
    status = (answer.get("ResponseMetadata") or {}).get("HTTPStatusCode", 0)
    names = {str(error.get("Code", "")), str(error.get("QueryErrorCode", ""))}
    detail = f"HTTP {status} SQS {error.get('Code', '')}"
    if names & TOO_FAST or status == 429:
        return RateLimited(
            said("注文通知のキュー(SQS)の呼び出しが多すぎます。しばらく待って再試行します。"), detail=detail
        )
    if status >= 500:
        return ChannelDown(said("注文通知のキュー(SQS)が応答できません。自動で再試行します。"), detail=detail)
    if names & NO_RIGHT or status == 403:
        return Refused(
            said("注文通知のキュー(SQS)を読む権限がありません。SQSのアクセスキーと権限を確認してください。"),
            detail=detail,
        )
    unreadable = said("注文通知のキュー(SQS)を読めません。設定を確認してください。")
    return Refused(WRONG_ADDRESS if names & GONE else unreadable, detail=detail)
