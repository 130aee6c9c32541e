"""A SKU's tags and fields of the company's own, as people type them. Pure.

Tags stand one after another (綿、手洗い); fields as name and value (素材=綿；原産国=日本), or one on each line.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

BETWEEN_TAGS = re.compile(r"[\n,、;；]+")
BETWEEN_FIELDS = re.compile(r"[\n;；]+")
NAME_AND_VALUE = re.compile(r"\s*([^=＝:：]+?)\s*[=＝:：]\s*(.*?)\s*")
LONGEST_TAG, LONGEST_NAME, LONGEST_VALUE, MOST = 40, 40, 200, 30


class Unreadable(ValueError):
    """The piece that cannot be read."""


def read_tags(text: str) -> list[str]:
    """Each tag once, as first written. Raises Unreadable for one that is too long, or for too many."""
    tags = list(dict.fromkeys(one.strip() for one in BETWEEN_TAGS.split(text) if one.strip()))
    _refuse(next((one for one in tags if len(one) > LONGEST_TAG), tags[-1] if len(tags) > MOST else ""))
    return tags


def read_fields(text: str) -> dict[str, str]:
    """Name → value; a name with an empty value is left out, the last value of a name wins. Raises Unreadable."""
    found: dict[str, str] = {}
    for piece in filter(str.strip, BETWEEN_FIELDS.split(text)):
        match = NAME_AND_VALUE.fullmatch(piece)
        if match is None:
            raise Unreadable(piece.strip())
        name, value = unicodedata.normalize("NFKC", match[1]), match[2]
        _refuse(piece if len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE else "")
        found[name] = value
        _refuse(piece if len(found) > MOST else "")
    return {name: value for name, value in found.items() if value}


def _refuse(piece: str) -> None:
    if piece:
        raise Unreadable(piece.strip())


def tags_text(tags: Sequence[str]) -> str:
    return "、".join(tags)


def fields_text(custom: Mapping[str, str]) -> str:
    """One on each line, in the order of their names."""
    return "\n".join(f"{name}={custom[name]}" for name in sorted(custom))
