"""A company's own words for what the product names: a stage called 印刷待ち, a reason by the name the desk uses.

The words are stored by the app that owns them and published to Redis; a serving process reads them again every few
seconds, so that a label costs no query. Without Redis, and outside of serving, the standard words stand.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise, lazy
from redis.exceptions import RedisError

from oms.kernel.observability import heartbeat

KEY = "own-words"
READ_EVERY_S = 10.0


class _Known:
    words: Mapping[str, str] = {}
    edition = 0
    read_at: float = float("-inf")


def edition() -> int:
    """A number that changes with the words: what is kept by it is kept for as long as it is true."""
    return _Known.edition


def _learn(words: Mapping[str, str]) -> None:
    if words != _Known.words:
        _Known.words, _Known.edition = words, _Known.edition + 1


def _word(key: str, standard: Any) -> str:
    return _Known.words.get(key) or str(standard)


_lazy_word = lazy(_word, str)


def own_word(key: str, standard: str | Promise) -> Promise:
    """The company's word for `key`, decided whenever it is shown; else the standard one in the reader's language."""
    return cast(Promise, _lazy_word(key, standard))


def publish(words: Mapping[str, str]) -> None:
    """Tell every serving process; this one knows at once. Without Redis the next publication tells the others."""
    _Known.read_at = time.monotonic()
    _learn(dict(words))
    try:
        heartbeat.client().set(KEY, json.dumps(words, ensure_ascii=False))
    except RedisError:
        return


def refresh() -> None:
    """Read the words again when they are old."""
    if time.monotonic() - _Known.read_at < READ_EVERY_S:
        return
    _Known.read_at = time.monotonic()
    try:
        text: Any = heartbeat.client().get(KEY)
    except RedisError:
        return
    _learn(json.loads(text) if text else {})


class OwnWordsMiddleware:
    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refresh()
        response: HttpResponse = self.get_response(request)
        return response
