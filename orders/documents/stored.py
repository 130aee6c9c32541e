"""Papers' values as JSON and back, so that a paper can be made again years later.

A key that is no longer known is refused, a key that is missing has its default: old papers stay readable.
"""

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


def plain(value: Any) -> Any:
    """Dataclasses as objects, tuples as lists, days in ISO. What has its default value is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = {f.name: getattr(value, f.name) for f in fields(value)}
        return {name: plain(one) for name, one in kept.items() if one != _defaults(type(value)).get(name, _NOTHING)}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def restored(kind: Any, value: Any) -> Any:
    """The inverse of `plain` for a type. Raises TypeError or ValueError for what does not fit."""
    if isinstance(kind, UnionType):
        return None if value is None else restored(next(one for one in get_args(kind) if one is not NoneType), value)
    if get_origin(kind) is tuple:
        return tuple(restored(get_args(kind)[0], one) for one in value)
    if isinstance(kind, type) and is_dataclass(kind):
        types = _types(kind)
        return kind(**{name: restored(types[name], one) for name, one in value.items()})
    if kind in {date, datetime}:
        return kind.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return value


def digest(content: Any) -> str:
    """SHA-256 of the values, written in one way only."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_NOTHING = object()


@cache
def _defaults(kind: type) -> dict[str, Any]:
    return {f.name: f.default for f in fields(kind)}


@cache
def _types(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
