"""A document's conditions: their shape, checked strictly; walking over them. Pure."""

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory.own_fields import LONGEST_NAME
from orders.decide.rules.checked import Checked, Known, day_or_none, integer, time_of_day
from orders.decide.rules.fields import DATE, FIELDS, MOMENT, NUMBER, OPERATORS, SET, SUMMABLE, TIME, Field
from orders.decide.rules.operators import LONGEST_PATTERN, BadPattern, compile_pattern

MATCHES: dict[str, str | Promise] = {
    "all": lazy("次のすべてに当てはまる"),
    "any": lazy("次のいずれかに当てはまる"),
    "none": lazy("次のどれにも当てはまらない"),
}
LINE_MATCHES: dict[str, str | Promise] = {
    "lines_any": lazy("次のすべてに当てはまる行がある"),
    "lines_all": lazy("どの行も次のすべてに当てはまる"),
    "lines_none": lazy("次のすべてに当てはまる行がない"),
    "lines_sum": lazy("次のすべてに当てはまる行の合計"),
}
DEEPEST, MOST_NODES, MOST_VALUES = 6, 100, 1000
LONGEST_VALUE = 200


def group(raw: Any, place: str, known: Known, result: Checked, *, depth: int, lines: bool = False) -> dict[str, Any]:
    """A group of conditions; `lines`: it stands inside a group over lines, so it asks lines only."""
    if not isinstance(raw, Mapping):
        result.fault(place, _("条件の形が正しくありません。"))
        return {"match": "all", "items": []}
    match = raw.get("match", "all")
    of_lines = match in LINE_MATCHES
    if match not in MATCHES and not of_lines:
        result.fault(place, _("条件のまとめ方を選んでください。"))
        match = "all"
    if of_lines and lines:
        result.fault(place, _("明細行の条件の中に、明細行の条件は入れられません。"))
    if depth > DEEPEST:
        result.fault(place, _("条件の入れ子が深すぎます。"))
        return {"match": match, "items": []}
    extra = {"of", "op", "value"} if match == "lines_sum" else set()
    for name in sorted(set(raw) - {"match", "items"} - extra):
        result.fault(place, _("「%(name)s」という項目はありません。") % {"name": name})
    items = raw.get("items", [])
    group: dict[str, Any] = {
        "match": match,
        "items": [
            _node(item, f"{place}.{number}", known, result, depth, lines=lines or of_lines)
            for number, item in enumerate(items if isinstance(items, list) else [])
        ],
    }
    if match == "lines_sum":
        group |= _sum(raw, place, result)
    if match in {"any", "none"} and not group["items"]:
        result.fault(place, _("条件を一つ以上入れてください。"))
    return group


def _sum(raw: Mapping[str, Any], place: str, result: Checked) -> dict[str, Any]:
    of, op = raw.get("of", ""), raw.get("op", "")
    if of not in SUMMABLE.values():
        result.fault(place, _("合計する項目を選んでください。"))
    if op not in {"is", "gt", "ge", "lt", "le"}:
        result.fault(place, _("比べ方を選んでください。"))
    return {"of": of, "op": op, "value": _value(raw.get("value"), "one", NUMBER, place, result)}


def _node(
    raw: Any, place: str, known: Known, result: Checked, depth: int, *, lines: bool
) -> dict[str, Any]:  # fmt: skip
    result.nodes += 1
    if result.nodes == MOST_NODES + 1:
        result.fault(place, _("条件は %(n)s 個までです。") % {"n": MOST_NODES})
    if isinstance(raw, Mapping) and "match" in raw:
        return group(raw, place, known, result, depth=depth + 1, lines=lines)
    return _condition(raw, place, known, result, lines=lines)


def _condition(raw: Any, place: str, known: Known, result: Checked, *, lines: bool) -> dict[str, Any]:
    asked = FIELDS.get(raw.get("field", "")) if isinstance(raw, Mapping) else None
    if asked is None:
        result.fault(place, _("条件の項目を選んでください。"))
        return {"field": "", "op": "is", "value": ""}
    if asked.line != lines:
        text = (
            _("「%(field)s」は明細行の条件の中で使ってください。")
            if asked.line
            else _("ここでは明細行の項目を選んでください。")
        )
        result.fault(place, text % {"field": asked.label} if asked.line else text)
    op = OPERATORS.get(raw.get("op", ""))
    if op is None or asked.kind not in op.kinds or (lines and op.code == "changed"):
        result.fault(place, _("「%(field)s」の比べ方を選んでください。") % {"field": asked.label})
        return {"field": asked.code, "op": "", "value": ""}
    condition: dict[str, Any] = {"field": asked.code, "op": op.code}
    allowed = {"field", "op"} | ({asked.arg, asked.also} - {""}) | ({"value"} if op.takes != "nothing" else set())
    for name in sorted(set(raw) - allowed):
        result.fault(place, _("「%(name)s」という項目はありません。") % {"name": name})
    if asked.arg:
        condition[asked.arg] = _argument(raw.get(asked.arg), asked, place, known, result)
    if asked.also and raw.get(asked.also):
        condition[asked.also] = _place(raw[asked.also], place, known, result)
    if op.takes != "nothing":
        value = _value(raw.get("value"), op.takes, asked.kind, place, result)
        condition["value"] = value
        _check_names(value, op.takes, asked, place, known, result)
    return condition


def _argument(value: Any, asked: Field, place: str, known: Known, result: Checked) -> Any:
    if asked.arg == "sku":
        if value not in known.skus:
            result.fault(place, _("SKU「%(code)s」は見つかりません。") % {"code": value or ""})
        return str(value or "")
    if asked.arg == "location":
        if value not in known.locations:
            result.fault(place, _("「%(field)s」の拠点を選んでください。") % {"field": asked.label})
        return str(value or "")
    if asked.arg == "of":
        name = unicodedata.normalize("NFKC", str(value or "")).strip()[:LONGEST_NAME]
        if not name:
            result.fault(place, _("「%(field)s」の項目名を入力してください。") % {"field": asked.label})
        return name
    return None if value in (None, "") else integer(value, place, result, 1, 3650)


def _place(value: Any, place: str, known: Known, result: Checked) -> str:
    if value not in known.locations:
        result.fault(place, _("「%(name)s」は見つかりません。") % {"name": value})
    return str(value)


def _check_names(  # noqa: PLR0917
    value: Any, takes: str, asked: Field, place: str, known: Known, result: Checked
) -> None:
    """Codes that a condition names must exist: a rule that asks for a mistyped shop would never say so."""
    if takes == "list_name":
        if value not in known.lists:
            result.fault(place, _("リスト「%(name)s」は見つかりません。") % {"name": value})
        return
    names = {str(code) for code, _label in asked.choices} or {
        "channel": known.channels,
        "member_rank": known.ranks,
        "shop": known.shops,
        "location": known.locations,
        "rules_matched": known.rules,
        "reasons": known.reasons,
        "assignee": known.users,
        "member_skus": known.skus,
        "member_gifts": known.skus,
        "member_channels": known.channels,
    }.get(asked.code, set())
    if not names or takes not in {"one", "list"}:
        return
    for one in value if isinstance(value, list) else [value]:
        if one not in names and not (asked.code == "assignee" and one == ""):
            result.fault(place, _("「%(name)s」は見つかりません。") % {"name": one})


def _value(value: Any, takes: str, kind: str, place: str, result: Checked) -> Any:
    if takes == "list":
        many = value if isinstance(value, list) else [value]
        many = [one for one in many if one not in (None, "")]
        if not many or len(many) > MOST_VALUES:
            result.fault(place, _("値を一つ以上、%(n)s 個までで入力してください。") % {"n": MOST_VALUES})
        return [_one(one, kind, place, result) for one in many[:MOST_VALUES]]
    if takes == "pair":
        if not isinstance(value, list) or len(value) != 2:
            result.fault(place, _("範囲の始まりと終わりを入力してください。"))
            return ["", ""]
        pair = [_one(one, kind, place, result) for one in value]
        if not result.faults and pair[0] > pair[1]:
            result.fault(place, _("範囲の始まりは終わり以下にしてください。"))
        return pair
    if takes == "number":
        return integer("" if value is None else value, place, result, 0, 100_000)
    if takes == "pattern":
        return _pattern(value, place, result)
    return _one(value, kind, place, result)


def _pattern(value: Any, place: str, result: Checked) -> str:
    text = str(value or "")
    try:
        if not text:
            raise BadPattern(text)
        compile_pattern(text)
    except BadPattern:
        result.fault(
            place,
            _("パターンが正しくありません（%(n)s 字まで、後方参照と先読みは使えません）。") % {"n": LONGEST_PATTERN},
        )
    return text[:LONGEST_PATTERN]


def _one(value: Any, kind: str, place: str, result: Checked) -> Any:
    if kind == NUMBER:
        try:
            number = float(str(value).replace(",", ""))
        except ValueError:
            number = float("nan")
        if not abs(number) < 1e12:  # also not a number
            result.fault(place, _("数を入力してください。"))
            return 0
        return int(number) if number == int(number) else number
    if kind == DATE:
        day = day_or_none(value, place, result)
        if day is None and not value:
            result.fault(place, _("日付は 2026-06-01 の形で入力してください。"))
        return day or ""
    if kind == TIME:
        return time_of_day(value, place, result)
    if kind == MOMENT:
        return _moment(value, place, result)
    text = "" if value is None else str(value)
    if len(text) > LONGEST_VALUE:
        result.fault(place, _("値は %(n)s 字までです。") % {"n": LONGEST_VALUE})
    if not text and kind == SET:
        result.fault(place, _("値を入力してください。"))
    return text[:LONGEST_VALUE]


def _moment(value: Any, place: str, result: Checked) -> str:
    """In Tokyo, to the minute."""
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None).isoformat("T", "minutes")
    except ValueError:
        result.fault(place, _("日時は 2026-06-01 20:00 の形で入力してください。"))
        return ""


# ---- walking


def conditions(group: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every condition of a tree, sums included as they stand."""
    for item in group["items"]:
        if "match" in item:
            yield from conditions(item)
        else:
            yield item


def asks_lines(group: Mapping[str, Any]) -> bool:
    return group["match"] in LINE_MATCHES or any(asks_lines(item) for item in group["items"] if "match" in item)
