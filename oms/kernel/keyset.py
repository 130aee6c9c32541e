"""Keyset pages: any depth costs the same, nothing is counted, rows with equal or empty keys are not lost or doubled.

The cursor in the URL holds the sort keys of the row at the page's edge. It gives no access to anything,
so it is readable, not signed; one that does not fit the order is ignored and the first page comes.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Q, QuerySet
from django.http import HttpRequest

CURSORS = ("after", "before")


@dataclass(frozen=True)
class KeysetPage:
    """One page. The URLs keep the request's other parameters; None where there is no such page."""

    rows: list[Any]
    next_url: str | None
    prev_url: str | None
    first_url: str

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Key:
    """One sort key. PostgreSQL's own order of NULLs holds: NULL is larger than every value."""

    name: str
    descending: bool
    nullable: bool
    field: "Field[Any, Any]"

    @property
    def ordering(self) -> str:
        return f"-{self.name}" if self.descending else self.name

    def flipped(self) -> "Key":
        return Key(self.name, not self.descending, self.nullable, self.field)

    def equals(self, value: object) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})

    def beyond(self, value: object) -> Q | None:
        """Rows that come later than `value` in this key's order; None where there can be none."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.descending else None
        if self.descending:
            return Q(**{f"{self.name}__lt": value})
        larger = Q(**{f"{self.name}__gt": value})
        return larger | Q(**{f"{self.name}__isnull": True}) if self.nullable else larger

    def bound(self, value: object) -> Q:
        """A redundant condition on the leading key that lets PostgreSQL start its index scan at the cursor."""
        if value is None or (self.nullable and not self.descending):
            return Q()
        return Q(**{f"{self.name}__{'lte' if self.descending else 'gte'}": value})


def keyset_page(
    request: HttpRequest, rows: "QuerySet[Any, Any]", *, order: Sequence[str] = ("-id",), size: int = 50
) -> KeysetPage:
    """The page of `rows` that `?after=` or `?before=` asks for, else the first one. One query, two at the front edge.

    `order` is like `order_by`, and ends with a unique, never empty column. Works on model rows and on `.values()`
    that contain the keys.
    """
    keys = [_key(rows, name) for name in order]
    if (cursor := _decode(request.GET.get("before"), keys)) is not None:
        page = _before(request, rows, keys, cursor, size)
        if page is not None:
            return page
    return _after(request, rows, keys, _decode(request.GET.get("after"), keys), size)


def chosen_order(request: HttpRequest, allowed: Mapping[str, Sequence[str]], default: str) -> Sequence[str]:
    """The order that `?sort=` names, for `keyset_page`. `allowed` maps the words in the URL ("-ship_by") to orders."""
    return allowed.get(request.GET.get("sort", ""), allowed[default])


def _after(
    request: HttpRequest, rows: "QuerySet[Any, Any]", keys: list[Key], cursor: list[object] | None, size: int
) -> KeysetPage:
    found = _fetch(rows, keys, cursor, size + 1)
    shown, more = found[:size], len(found) > size
    return KeysetPage(
        rows=shown,
        next_url=_url(request, "after", _encode(shown[-1], keys)) if more else None,
        prev_url=_back_url(request, shown, keys) if cursor is not None else None,
        first_url=_url(request),
    )


def _before(
    request: HttpRequest, rows: "QuerySet[Any, Any]", keys: list[Key], cursor: list[object], size: int
) -> KeysetPage | None:
    """The page that ends before the cursor; None at the front edge: the caller shows a full first page then."""
    found = _fetch(rows, [key.flipped() for key in keys], cursor, size + 1)
    if len(found) <= size:
        return None
    shown = found[:size][::-1]
    return KeysetPage(
        rows=shown,
        next_url=_url(request, "after", _encode(shown[-1], keys)),
        prev_url=_back_url(request, shown, keys),
        first_url=_url(request),
    )


def _back_url(request: HttpRequest, shown: list[Any], keys: list[Key]) -> str:
    """Behind the end of the list (its rows may have gone since) the way back leads to the front."""
    return _url(request, "before", _encode(shown[0], keys)) if shown else _url(request)


def _fetch(rows: "QuerySet[Any, Any]", keys: list[Key], cursor: list[object] | None, limit: int) -> list[Any]:
    if cursor is not None:
        rows = rows.filter(_beyond(keys, cursor))
    return list(rows.order_by(*(key.ordering for key in keys))[:limit])


def _beyond(keys: list[Key], cursor: list[object]) -> Q:
    """(a, b, c) beyond (x, y, z)  =  a beyond x  or  a = x and (b beyond y  or  b = y and c beyond z)."""
    alternatives: list[Q] = []
    equal = Q()
    for key, value in zip(keys, cursor, strict=True):
        step = key.beyond(value)
        if step is not None:
            alternatives.append(equal & step)
        equal &= key.equals(value)
    condition = alternatives[0]
    for alternative in alternatives[1:]:
        condition |= alternative
    return keys[0].bound(cursor[0]) & condition


def _key(rows: "QuerySet[Any, Any]", ordering: str) -> Key:
    name = ordering.removeprefix("-")
    if name in rows.query.annotations:
        return Key(name, ordering.startswith("-"), True, rows.query.annotations[name].output_field)
    model, nullable = rows.model, False
    *path, last = name.split("__")
    for step in path:
        relation = model._meta.get_field(step)
        nullable = nullable or bool(getattr(relation, "null", True))
        model = relation.related_model
    field = model._meta.pk if last == "pk" else model._meta.get_field(last)
    if not isinstance(field, Field):
        raise FieldDoesNotExist(f"{name} is no column to sort by")
    return Key(name, ordering.startswith("-"), nullable or field.null, field)


def _encode(row: Any, keys: list[Key]) -> str:
    text = json.dumps([_plain(_value(row, key.name)) for key in keys], ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _value(row: Any, name: str) -> Any:
    if isinstance(row, Mapping):
        return row[name]
    for step in name.split("__"):
        row = getattr(row, step) if row is not None else None
    return row


def _plain(value: Any) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def _decode(cursor: str | None, keys: list[Key]) -> list[object] | None:
    """The keys' values, or None for a cursor that is absent, damaged, or made for another order."""
    if not cursor:
        return None
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(keys) or values[-1] is None:
            return None
        return [_parsed(key, value) for key, value in zip(keys, values, strict=True)]
    except (ValueError, TypeError, ValidationError):
        return None


def _parsed(key: Key, value: object) -> object:
    if value is not None and not isinstance(value, bool | int | str | float):
        raise ValueError("a cursor holds plain values")
    parsed = key.field.to_python(value)
    key.field.run_validators(parsed)  # an integer beyond the column's range would be a database error
    return parsed


def _url(request: HttpRequest, name: str | None = None, cursor: str = "") -> str:
    query = request.GET.copy()
    for old in CURSORS:
        query.pop(old, None)
    if name is not None:
        query[name] = cursor
    return f"{request.path}?{query.urlencode()}" if query else request.path
