"""Frozen dataclasses to JSON-able values and back, by their type hints. Listings are kept by channel and key."""

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from channels.sandbox.goods import Listing
from channels.sandbox.model import Channel, SandboxOrder

FindListing = Callable[[Channel, str], Listing]


def encode(value: Any) -> Any:
    """JSON-able; dates as ISO text, sets and tuples as lists, listings as [channel, key]."""
    if isinstance(value, Listing):
        value = [value.channel, value.key]
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    elif isinstance(value, datetime | date):
        value = value.isoformat()
    elif isinstance(value, Mapping):
        value = {str(key): encode(item) for key, item in value.items()}
    elif isinstance(value, frozenset | set):
        value = sorted(encode(item) for item in value)
    elif isinstance(value, list | tuple):
        value = [encode(item) for item in value]
    return value


def decode_order(value: Mapping[str, Any], find_listing: FindListing) -> SandboxOrder:
    """The order that `encode` made this of."""
    order = _decode(SandboxOrder, value, find_listing)
    assert isinstance(order, SandboxOrder)
    return order


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _decode(hint: Any, value: Any, find: FindListing) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if value is None or hint is Any or origin is Literal:
        return value
    if origin in (types.UnionType, Union):
        return _decode(next(arg for arg in args if arg is not type(None)), value, find)
    if origin is not None:
        return _decode_many(origin, args, value, find)
    if hint is Listing:
        return find(*value)
    if hint in (datetime, date):
        return hint.fromisoformat(value)
    return _decode_fields(hint, value, find) if dataclasses.is_dataclass(hint) else value


def _decode_many(origin: Any, args: tuple[Any, ...], value: Any, find: FindListing) -> Any:
    if origin is frozenset:
        return frozenset(value)
    if origin is tuple:
        kinds = [args[0]] * len(value) if args[-1] is Ellipsis else args
        return tuple(_decode(kind, item, find) for kind, item in zip(kinds, value, strict=True))
    return {args[0](key): _decode(args[1], item, find) for key, item in value.items()}


def _decode_fields(cls: Any, value: Mapping[str, Any], find: FindListing) -> Any:
    hints = _hints(cls)
    return cls(**{name: _decode(hints[name], item, find) for name, item in value.items() if name in hints})
