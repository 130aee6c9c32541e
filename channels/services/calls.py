"""The log of calls: every request of a connector is noted without secrets and personal data, in batches.

A connector is wrapped once (`watched`); its calls are collected while one of its methods runs and written when the
method ends. Writing waits for nobody and may fail: it never breaks the call that it is about.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import structlog
from django.db import Error as DatabaseTrouble
from django.db import connection as database
from django.db import transaction

from channels.connectors import http
from channels.connectors.contract import ChannelError, Connector
from channels.models import ApiCall, Connection
from oms.kernel import clock
from oms.kernel.observability.redact import MASK, clean_text
from oms.kernel.privacy import HIDDEN
from oms.kernel.said import together
from oms.kernel.sql import copy_rows

log = structlog.get_logger(__name__)

Purpose = ApiCall.Purpose
PURPOSES = {
    "fetch_orders": Purpose.IMPORT,
    "fetch_order": Purpose.IMPORT,
    "list_listings": Purpose.STOCK,
    "push_stock": Purpose.STOCK,
    "read_stock": Purpose.STOCK,
    "adjust_stock": Purpose.STOCK,
    "confirm": Purpose.NOTICE,
    "confirm_all": Purpose.NOTICE,
    "ship": Purpose.NOTICE,
    "ship_all": Purpose.NOTICE,
    "cancel": Purpose.NOTICE,
    "cancel_lines": Purpose.NOTICE,
    "answer_cancel": Purpose.NOTICE,
    "report_payment": Purpose.NOTICE,
    "write_memo": Purpose.NOTICE,
    "check": Purpose.TEST,
    "take_consent": Purpose.RENEWAL,
}
BATCH = 200
KEEP_DAYS = 14
LEAST_SECRET = 6  # shorter values would blacken ordinary words
REQUEST_IDS = ("x-amzn-RequestId", "X-Request-Id", "x-amz-request-id", "X-Trace-Id", "traceId")
NOBODY_WAITS_MS = 2000

# Fields of requests and answers whose values must not come back inside an error's words.
PERSONAL_FIELD = (
    r"\w*(?:name|kana|address|addr|phone|tel|mail|zip|postal|city|prefecture|street|氏名|住所)\w*"  # in whatever case
)
PERSONAL_VALUES = (
    re.compile(rf'"{PERSONAL_FIELD}"\s*:\s*"([^"]{{2,80}})"', re.IGNORECASE),
    re.compile(rf"<{PERSONAL_FIELD}>(?:<!\[CDATA\[)?([^<\]]{{2,80}})", re.IGNORECASE),
)
# Narrower than the mask of free text: order numbers stay readable.
PHONE = re.compile(r"(?<![\w./:-])(?:\+81[- ]?|0)(?:\d{9,10}|\d{1,4}[- ]\d{1,4}[- ]\d{3,4})(?![\w-])")
CALLED_BY_NAME = re.compile(
    r"[^\s、。,:：「」()（）]{1,12}(?:[ 　][^\s、。,:：「」()（）]{1,12})?(?=\s?(?:様|さま|殿))"
)
NOTE_USES = """
INSERT INTO channels_credentialuse AS u (connection_id, purpose, read_at, succeeded_at, host, key, reads)
SELECT %s, %s, %s, %s, %s, key, n FROM unnest(%s::text[], %s::bigint[]) AS r(key, n)
ON CONFLICT (connection_id, key, purpose) DO UPDATE
   SET reads = u.reads + excluded.reads, read_at = greatest(u.read_at, excluded.read_at),
       succeeded_at = coalesce(excluded.succeeded_at, u.succeeded_at), host = excluded.host
"""
COLUMNS = (
    "shop_id", "at", "purpose", "operation", "method", "address", "status", "duration_ms", "attempt", "ok", "error",
    "request_id", "bucket", "limit_s",
)  # fmt: skip


class ReadLog(Mapping[str, str]):
    """Credentials that remember which keys were read since they were last asked."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self.read: dict[str, int] = {}

    def __getitem__(self, key: str) -> str:
        value = self._values[key]
        if value:
            self.read[key] = self.read.get(key, 0) + 1
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def secrets(self) -> list[str]:
        """Every value long enough to be recognised, the longest first."""
        return sorted((value for value in self._values.values() if len(value) >= LEAST_SECRET), key=len, reverse=True)


def watched(
    make: Callable[[Mapping[str, str]], Connector],
    connection: Connection,
    values: Mapping[str, str],
    *,
    purpose: str = "",
) -> Connector:
    """The connector that `make` builds from these credentials, with its calls and its reading of keys on record."""
    credentials = ReadLog(values)
    watch = Watch(connection.pk, connection.shop_id, credentials, purpose)
    return cast(Connector, Watched(make(credentials), watch))


class Watched:
    """Stands in front of a connector: the same attributes; methods run with the recorder on."""

    def __init__(self, connector: Connector, watch: "Watch") -> None:
        self._connector, self._watch = connector, watch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connector, name)
        if not callable(found) or name in {"parse", "consent_url"}:
            return found
        return lambda *args, **options: self._watch.run(name, lambda: found(*args, **options))


class Watch:
    """Collects the calls of one connector."""

    def __init__(self, connection_id: int, shop_id: int, credentials: ReadLog, purpose: str) -> None:
        self.connection_id, self.shop_id = connection_id, shop_id
        self.credentials, self.fixed_purpose = credentials, purpose
        self.calls: list[tuple[Any, ...]] = []
        self.good_at: datetime | None = None
        self.host = ""

    def run(self, method: str, call: Callable[[], Any]) -> Any:
        """What the method returns; pages of an iterator are fetched with the recorder on, too."""
        purpose = self.fixed_purpose or PURPOSES.get(method, Purpose.OTHER)
        with self._recording(purpose):
            result = call()
        return self._pages(result, purpose) if isinstance(result, Iterator) else result

    def _pages(self, pages: Iterator[Any], purpose: str) -> Iterator[Any]:
        while True:
            with self._recording(purpose, whole=False):
                try:
                    page = next(pages)
                except StopIteration:
                    break
            yield page
        self._write(purpose)

    @contextmanager
    def _recording(self, purpose: str, *, whole: bool = True) -> Iterator[None]:
        token = http.recorder.set(lambda call: self._note(call, purpose))
        try:
            yield
        except Exception:
            whole = True
            raise
        finally:
            http.recorder.reset(token)
            if whole or len(self.calls) >= BATCH:
                self._write(purpose)

    def _note(self, call: http.Call, purpose: str) -> None:
        try:
            self.calls.append(row_of(call, self.shop_id, purpose, self.credentials.secrets()))
            self.host = urlsplit(call.url).netloc.rpartition("@")[2][:120]
            if call.error is None:
                self.good_at = call.at
        except Exception as trouble:  # whatever is odd about a call: the call itself goes on
            log.warning("call_not_noted", error=type(trouble).__name__)

    def _write(self, purpose: str) -> None:
        if not self.calls:  # keys that were read for no call (a connector was only built) are no use yet
            return
        rows, self.calls = self.calls, []
        read, self.credentials.read = self.credentials.read, {}
        good_at, self.good_at = self.good_at, None
        try:
            with transaction.atomic(), database.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{NOBODY_WAITS_MS}ms"])
                copy_rows("channels_apicall", COLUMNS, rows)
                if read:
                    values: list[Any] = [self.connection_id, purpose, clock.now(), good_at, self.host]
                    keys = sorted(read)  # two writers take the rows in one order
                    cursor.execute(NOTE_USES, [*values, keys, [read[key] for key in keys]])
        except DatabaseTrouble as trouble:
            log.warning("calls_not_written", calls=len(rows), error=type(trouble).__name__)


def row_of(call: http.Call, shop_id: int, purpose: str, secrets: list[str]) -> tuple[Any, ...]:
    """The columns of one call, clean of secrets and personal data."""
    response, error = call.response, call.error
    words = _words(error, call, secrets) if error else ""
    return (
        shop_id, call.at, str(purpose), call.operation[:80], call.method.upper()[:8],
        without(secrets, address_of(call.url))[:300], response.status_code if response is not None else None,
        max(0, round(call.duration_s * 1000)), call.attempt, error is None, words[:300],
        without(secrets, request_id(response))[:80], call.bucket[:80], call.limit_s,
    )  # fmt: skip


def _words(error: ChannelError, call: http.Call, secrets: list[str]) -> str:
    """A sentence of ours stays one while there is nothing in it to hide."""
    cause, detail = clean_words(error.cause, call, secrets), clean_words(error.detail, call, secrets)
    return together([error.cause if cause == error.cause else cause, detail], " ")


def address_of(url: str) -> str:
    """Host and path: no user, no query, and no segment that is a person's word (mail address, name, phone)."""
    parts = urlsplit(url)
    segments = [
        HIDDEN if not (word := unquote(part)).isascii() or "@" in word or PHONE.fullmatch(word) else part
        for part in parts.path.split("/")
    ]
    return parts.netloc.rpartition("@")[2] + "/".join(segments)


def clean_words(text: str, call: http.Call, secrets: list[str]) -> str:
    """An error's words without secrets, and without personal values that the request or the answer held."""
    seen = [str(call.sent.get(name, "")) for name in ("data", "json", "params")]
    body = call.sent.get("data")
    if isinstance(body, bytes):
        seen.append(body.decode("utf-8", "replace"))
    if call.response is not None:
        seen.append(call.response.content[:200_000].decode("utf-8", "replace"))
    personal = {value for part in seen for pattern in PERSONAL_VALUES for value in pattern.findall(part)}
    for value in sorted(personal, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return CALLED_BY_NAME.sub(HIDDEN, PHONE.sub(HIDDEN, clean_text(without(secrets, text))))


def without(secrets: list[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def request_id(response: Any) -> str:
    if response is None:
        return ""
    return next((str(response.headers[name]) for name in REQUEST_IDS if name in response.headers), "")


def forget_old(*, batch: int = 10_000) -> int:
    """Delete what is older than it is kept, in batches; returns how many rows went."""
    limit, gone = clock.now() - timedelta(days=KEEP_DAYS), 0
    while True:
        with database.cursor() as cursor:
            cursor.execute(
                "DELETE FROM channels_apicall WHERE id IN "
                "(SELECT id FROM channels_apicall WHERE at < %s ORDER BY at LIMIT %s)",
                [limit, batch],
            )
            gone += cursor.rowcount
            if cursor.rowcount < batch:
                return gone
