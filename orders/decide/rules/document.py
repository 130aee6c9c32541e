"""A rule's document: its shape, checked strictly with a sentence for each fault. Pure but for `Known`.

{"priority": 100, "channels": [], "shops": [], "locations": [], "from": "2026-06-01", "until": null,
 "when": {"event": "imported"},
 "if": {"match": "all", "items": [{"field": "total", "op": "ge", "value": 50000}, {"match": "any", "items": […]}]},
 "then": [{"do": "add_tag", "tag": "高額", "undo": true}], "else": [], "stop": false}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from orders.decide.rules.actions import SPECS, Param
from orders.decide.rules.fields import DATE, FIELDS, MOMENT, NUMBER, OPERATORS, SET, SUMMABLE, TIME, Field
from orders.decide.rules.operators import LONGEST_PATTERN, BadPattern, compile_pattern
from orders.models.order import Stage

Document = dict[str, Any]

EVENTS: dict[str, str | Promise] = {
    "imported": lazy("取り込んだとき"),
    "confirmed": lazy("モールへ確定したとき"),
    "paid": lazy("入金したとき"),
    "allocated": lazy("引き当てたとき"),
    "shipment_planned": lazy("出荷伝票ができたとき"),
    "instructed": lazy("出荷を指示したとき"),
    "shipped": lazy("出荷したとき"),
    "stage_entered": lazy("ステータスに入ったとき"),
    "stage_waited": lazy("ステータスで待ち続けたとき"),
    "date_reached": lazy("日付になったとき"),
    "channel_changed": lazy("モールが変更したとき"),
    "parcel_returned": lazy("荷物が持ち戻られたとき"),
    "schedule": lazy("毎日決まった時刻"),
    "stock_level": lazy("在庫が決めた数を越えたとき"),
}
SIDES: dict[str, str | Promise] = {"below": lazy("下回ったとき"), "above": lazy("上回ったとき")}
DATE_FIELDS: dict[str, str | Promise] = {
    "wish_date": lazy("配達希望日"),
    "planned_ship_date": lazy("出荷予定日"),
    "ship_by": lazy("出荷期限"),
    "release_date": lazy("発売日"),
}
WHEN_KEYS: dict[str, tuple[str, ...]] = {
    "stage_entered": ("stage",),
    "stage_waited": ("stage", "hours"),
    "date_reached": ("date", "days"),
    "schedule": ("at", "weekdays"),
    "stock_level": ("sku", "location", "side", "level"),
}
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
TOP = {"priority", "channels", "shops", "locations", "from", "until", "when", "if", "then", "else", "stop"}
DEEPEST, MOST_NODES, MOST_ACTIONS, MOST_VALUES = 6, 100, 20, 1000
LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Known:
    """The names a document may refer to. Empty sets of `tags` never matter: a new tag is fine."""

    channels: frozenset[str] = frozenset()
    shops: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    mail_texts: frozenset[str] = frozenset()


@dataclass
class Checked:
    """The document in its normal form, and (place, sentence) for each fault. Only a faultless one may be stored."""

    document: Document
    faults: list[tuple[str, str]] = field(default_factory=list)
    nodes: int = 0

    def fault(self, place: str, text: str) -> None:
        self.faults.append((place, text))


def blank() -> Document:
    """A new rule before anyone wrote in it."""
    return {
        "priority": 100, "channels": [], "shops": [], "locations": [], "from": None, "until": None,
        "when": {"event": "imported"}, "if": {"match": "all", "items": []}, "then": [], "else": [], "stop": False,
    }  # fmt: skip


def check(raw: Any, known: Known) -> Checked:
    """Read a document from outside. What is missing gets its default; what is unknown or wrong is a fault."""
    if not isinstance(raw, Mapping):
        return Checked(blank(), [("", _("ルールの形が正しくありません。"))])
    result = Checked(blank())
    for name in sorted(set(raw) - TOP):
        result.fault(str(name), _("「%(name)s」という項目はありません。") % {"name": name})
    document = result.document
    document["priority"] = _integer(raw.get("priority", 100), "priority", result, 1, 9999)
    for name, names in (("channels", known.channels), ("shops", known.shops), ("locations", known.locations)):
        document[name] = _names(raw.get(name, []), name, names, result)
    document["from"] = _day_or_none(raw.get("from"), "from", result)
    document["until"] = _day_or_none(raw.get("until"), "until", result)
    if document["from"] and document["until"] and document["from"] > document["until"]:
        result.fault("until", _("終了日は開始日以降にしてください。"))
    document["when"] = _when(raw.get("when", {}), known, result)
    document["if"] = _group(raw.get("if", {}), "if", known, result, depth=0)
    for branch in ("then", "else"):
        document[branch] = _actions(raw.get(branch, []), branch, known, result)
    document["stop"] = raw.get("stop", False) is True
    if not document["then"] and not document["else"] and not document["stop"]:
        result.fault("then", _("することを一つ以上選んでください。"))
    return result


def _integer(value: Any, place: str, result: Checked, least: int, most: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        result.fault(
            place, _("%(least)s から %(most)s までの整数を入力してください。") % {"least": least, "most": most}
        )
        return max(least, min(most, number))
    return number


def _names(value: Any, place: str, names: frozenset[str], result: Checked) -> list[str]:
    if not isinstance(value, list):
        result.fault(place, _("一覧の形で指定してください。"))
        return []
    for name in value:
        if name not in names:
            result.fault(place, _("「%(name)s」は見つかりません。") % {"name": name})
    return [str(name) for name in value]


def _day_or_none(value: Any, place: str, result: Checked) -> str | None:
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        result.fault(place, _("日付は 2026-06-01 の形で入力してください。"))
        return None


# ---- when


def _when(raw: Any, known: Known, result: Checked) -> dict[str, Any]:
    event = raw.get("event") if isinstance(raw, Mapping) else None
    if event not in EVENTS:
        result.fault("when", _("いつ判定するかを選んでください。"))
        return {"event": "imported"}
    wanted = WHEN_KEYS.get(event, ())
    for name in sorted(set(raw) - {"event", *wanted}):
        result.fault("when", _("「%(name)s」という項目はありません。") % {"name": name})
    when: dict[str, Any] = {"event": event}
    if "stage" in wanted:
        when["stage"] = raw.get("stage", "")
        if when["stage"] not in Stage.values:
            result.fault("when", _("ステータスを選んでください。"))
    if "hours" in wanted:
        when["hours"] = _integer(raw.get("hours", ""), "when", result, 1, 24 * 60)
    if "date" in wanted:
        when["date"] = raw.get("date", "")
        if when["date"] not in DATE_FIELDS:
            result.fault("when", _("日付の項目を選んでください。"))
        when["days"] = _integer(raw.get("days", 0), "when", result, -60, 365)
    if "at" in wanted:
        when["at"] = _clock(raw.get("at", ""), "when", result)
        when["weekdays"] = [day for day in raw.get("weekdays", []) if str(day) in set("0123456")]
    if "level" in wanted:
        when |= _level(raw, known, result)
    return when


def _level(raw: Mapping[str, Any], known: Known, result: Checked) -> dict[str, Any]:
    """Which stock is watched (no place: what may still be promised of the SKU), and at what number."""
    found = {name: str(raw.get(name) or "").strip() for name in ("sku", "location", "side")}
    if found["sku"] not in known.skus:
        result.fault("when", _("SKU「%(code)s」は見つかりません。") % {"code": found["sku"]})
    if found["location"] and found["location"] not in known.locations:
        result.fault("when", _("「%(name)s」は見つかりません。") % {"name": found["location"]})
    if found["side"] not in SIDES:
        result.fault("when", _("下回ったときか、上回ったときかを選んでください。"))
    return {**found, "level": _integer(raw.get("level", ""), "when", result, 0, 1_000_000)}


def _clock(value: Any, place: str, result: Checked) -> str:
    try:
        return time.fromisoformat(str(value)).strftime("%H:%M")
    except ValueError:
        result.fault(place, _("時刻は 09:30 の形で入力してください。"))
        return "00:00"


# ---- if


def _group(raw: Any, place: str, known: Known, result: Checked, *, depth: int, lines: bool = False) -> dict[str, Any]:
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
        return _group(raw, place, known, result, depth=depth + 1, lines=lines)
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
    allowed = {"field", "op"} | ({asked.arg} if asked.arg else set()) | ({"value"} if op.takes != "nothing" else set())
    for name in sorted(set(raw) - allowed):
        result.fault(place, _("「%(name)s」という項目はありません。") % {"name": name})
    if asked.arg:
        condition[asked.arg] = _argument(raw.get(asked.arg), asked, place, known, result)
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
    return None if value in (None, "") else _integer(value, place, result, 1, 3650)


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
        "shop": known.shops,
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
        return _integer("" if value is None else value, place, result, 0, 100_000)
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
        day = _day_or_none(value, place, result)
        if day is None and not value:
            result.fault(place, _("日付は 2026-06-01 の形で入力してください。"))
        return day or ""
    if kind == TIME:
        return _clock(value, place, result)
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


# ---- then


def _actions(raw: Any, branch: str, known: Known, result: Checked) -> list[dict[str, Any]]:
    if not isinstance(raw, list):
        result.fault(branch, _("一覧の形で指定してください。"))
        return []
    if len(raw) > MOST_ACTIONS:
        result.fault(branch, _("することは %(n)s 個までです。") % {"n": MOST_ACTIONS})
    return [_action(item, f"{branch}.{number}", known, result) for number, item in enumerate(raw[:MOST_ACTIONS])]


def _action(raw: Any, place: str, known: Known, result: Checked) -> dict[str, Any]:
    spec = SPECS.get(raw.get("do", "")) if isinstance(raw, Mapping) else None
    if spec is None:
        result.fault(place, _("することを選んでください。"))
        return {"do": ""}
    for name in sorted(set(raw) - {"do", "undo"} - {param.name for param in spec.params}):
        result.fault(place, _("「%(name)s」という項目はありません。") % {"name": name})
    action: dict[str, Any] = {"do": spec.code}
    for param in spec.params:
        value = raw.get(param.name)
        if value in (None, ""):
            if param.required:
                result.fault(place, _("「%(name)s」を入力してください。") % {"name": param.label})
            action[param.name] = "" if param.kind != "number" else None
        else:
            action[param.name] = _param(value, param, place, known, result)
    if spec.undoable:
        action["undo"] = raw.get("undo", True) is True
    _check_dates(action, place, result)
    _check_sense(action, place, result)
    return action


def _check_dates(action: Mapping[str, Any], place: str, result: Checked) -> None:
    """What the chosen way of deciding needs."""
    mode = action.get("mode", "")
    if mode == "fixed" and not action.get("date"):
        result.fault(place, _("日付を入力してください。"))
    if mode in {"today", "shift", "planned", "wish"} and action.get("days") is None:
        result.fault(place, _("日数を入力してください。"))
    if action.get("when") == "hours" and action.get("hours") is None:
        result.fault(place, _("時間を入力してください。"))


def _check_sense(action: Mapping[str, Any], place: str, result: Checked) -> None:
    """What each part allows but the whole does not."""
    if action.get("mode") == "percent" and (action.get("amount") or 0) > 100:
        result.fault(place, _("割合は 100％までです。"))
    if action["do"] == "set_delivery_note" and not (action["text"] or action["prices"] or action["paper"]):
        result.fault(place, _("納品書の文・金額・用紙のどれかを選んでください。"))
    if action["do"] == "set_reminder" and not (action["team"] or action["user"]):
        result.fault(place, _("だれに知らせるか、チームか担当を選んでください。"))


def _param(value: Any, param: Param, place: str, known: Known, result: Checked) -> Any:
    if param.kind == "number":
        return _integer(value, place, result, param.least, param.most)
    if param.kind == "date":
        return _day_or_none(value, place, result) or ""
    text = str(value).strip()
    names: Mapping[str, frozenset[str]] = {
        "user": known.users,
        "team": known.teams,
        "sku": known.skus,
        "location": known.locations,
        "reason": known.reasons,
        "mail_text": known.mail_texts,
        "choice": frozenset(str(code) for code, _label in param.choices),
    }
    if param.kind in names and text not in names[param.kind]:
        result.fault(place, _("「%(name)s」は見つかりません。") % {"name": text})
    if param.kind == "url" and not _is_web_address(text):
        result.fault(place, _("https:// で始まるアドレスを入力してください。"))
    if len(text) > param.longest:
        result.fault(place, _("「%(name)s」は %(n)s 字までです。") % {"name": param.label, "n": param.longest})
    return text[: param.longest]


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        return False


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


def actions_of(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [*document["then"], *document["else"]]
