"""The text of each object of a JSON list, as it came: payloads are archived as the channel wrote them."""

import json
import re
from collections.abc import Iterator
from typing import Any

DECODER = json.JSONDecoder()
SPACE = re.compile(r"[ \t\r\n]*")


def objects_of(document: str, key: str) -> Iterator[tuple[Any, str]]:
    """(decoded, text) of each element of the list under `key` of the top object.

    Nothing when the key is absent or null. Raises ValueError when the document is not such an object.
    """
    start = _list_start(document, key)
    if start is None:
        return
    at = _skip(document, start + 1)
    while document[at : at + 1] != "]":
        value, end = DECODER.raw_decode(document, at)
        yield value, document[at:end]
        at = _skip(document, end)
        if document[at : at + 1] == ",":
            at = _skip(document, at + 1)
        elif document[at : at + 1] != "]":
            raise ValueError("list is cut off")


def _list_start(document: str, key: str) -> int | None:
    """Where the list under `key` begins."""
    at = _skip(document, 0)
    if document[at : at + 1] != "{":
        raise ValueError("not an object")
    at = _skip(document, at + 1)
    while document[at : at + 1] == '"':
        name, end = DECODER.raw_decode(document, at)
        at = _skip(document, end)
        if document[at : at + 1] != ":":
            raise ValueError("not an object")
        at = _skip(document, at + 1)
        if name == key and document[at : at + 1] == "[":
            return at
        _, end = DECODER.raw_decode(document, at)
        at = _skip(document, end)
        if document[at : at + 1] == ",":
            at = _skip(document, at + 1)
    return None


def _skip(document: str, at: int) -> int:
    found = SPACE.match(document, at)
    return found.end() if found else at
