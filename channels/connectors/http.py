"""HTTP for connectors: one call, with limits shared between processes, timeouts, and errors as `ChannelError` kinds.

Retries of harmless calls happen here; what may have been done at the other side is never repeated blindly.
"""

import random
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import requests

from channels.connectors.contract import ChannelDown, ChannelError, CredentialsRefused, RateLimited
from channels.connectors.limits import Limiter
from oms.kernel import clock
from oms.kernel.said import said

TIMEOUT_S = (5, 60)
UNSPEAKABLE = (requests.exceptions.InvalidHeader, UnicodeError)
NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)
CUT = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)

_last_sent: ContextVar[datetime | None] = ContextVar("last_sent", default=None)


@dataclass(frozen=True, slots=True)
class Call:
    """One try of one request, for the log: the recorder decides what of it may be kept."""

    at: datetime
    operation: str
    method: str
    url: str
    attempt: int
    duration_s: float
    bucket: str  # the allowance it was counted in, and how many seconds of it it used
    limit_s: float
    sent: Mapping[str, Any]  # the arguments of the request
    response: requests.Response | None
    error: ChannelError | None


# Set around each method of a connector by whoever keeps the log; must never raise.
recorder: ContextVar[Callable[[Call], None] | None] = ContextVar("recorder", default=None)


def last_sent_at() -> datetime | None:
    """When this thread last put a request on the wire, after any wait for a limit: the publisher measures with it."""
    return _last_sent.get()


@dataclass
class Http:
    """Calls of one connector. `classify` turns a channel's answer into an error, or returns None when it is good."""

    shop_code: str
    classify: Callable[[requests.Response], ChannelError | None]
    limiter: Limiter
    session: requests.Session = field(default_factory=requests.Session)

    def call(
        self,
        method: str,
        url: str,
        *,
        operation: str,
        idempotent: bool,
        tries: int = 4,
        **kwargs: Any,
    ) -> requests.Response:
        """One call under the limit of `operation`. `idempotent` calls are tried again after passing troubles.

        Raises the kind that `classify` names, `RateLimited`, or `ChannelDown` (with `uncertain` for a call that
        is not idempotent and whose answer was lost).
        """
        for attempt in range(1, tries + 1):
            self.limiter.wait(self.shop_code, operation)
            error, response = None, None
            at, started = clock.now(), time.perf_counter()
            _last_sent.set(at)
            try:
                response = self.session.request(method, url, timeout=TIMEOUT_S, allow_redirects=False, **kwargs)
                error = self.classify(response)
            except UNSPEAKABLE:
                # `from None`: the original names the header's value
                raise CredentialsRefused(
                    said("認証情報に使えない文字（全角文字や改行）が含まれています。店舗の画面で入力し直してください。")
                ) from None
            except NO_ADDRESS as wrong:
                raise ChannelError(
                    said("店舗に登録したURLが正しくありません。店舗の画面で確かめてください。"),
                    detail=type(wrong).__name__,
                ) from wrong
            except (requests.Timeout, requests.ConnectionError, *CUT) as lost:
                error = ChannelDown(
                    said("モールにつながりません。通信の回復後に自動で再試行します。"),
                    detail=type(lost).__name__,
                )
            taken_s = time.perf_counter() - started
            self._record(Call(at, operation, method, url, attempt, taken_s, "", 0.0, kwargs, response, error))
            if error is None and response is not None:
                return response
            assert error is not None
            if isinstance(error, ChannelDown):
                error.uncertain = not idempotent
            may_repeat = isinstance(error, RateLimited) or (idempotent and error.retry)
            if not may_repeat or attempt == tries:
                raise error
            if isinstance(error, RateLimited):
                self.limiter.slow_down(self.shop_code, operation)
            clock.sleep(pause_s(attempt, error))
        raise AssertionError("unreachable: tries must be at least 1")

    def _record(self, call: Call) -> None:
        if (keep := recorder.get()) is not None:
            bucket = call.operation if call.operation in self.limiter.plans else "*"
            plan = self.limiter.plans.get(bucket)
            keep(replace(call, bucket=bucket, limit_s=plan.interval_s) if plan else call)


def pause_s(attempt: int, error: ChannelError) -> float:
    """Seconds before the next try: what the channel asked for, else 1, 2, 4 … with ±25 % jitter."""
    return error.retry_after_s or 2 ** (attempt - 1) * random.uniform(0.75, 1.25)


def headers(**values: str) -> Mapping[str, str]:
    return {"User-Agent": "OrderDesk/0.1 (Language=Python)", **values}
