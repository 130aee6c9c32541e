"""A rule as people read it. Pure; in the language of whoever asks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.said import said, together
from orders.decide.reasons import CATALOGUE
from orders.decide.rules.actions import SPECS, Param
from orders.decide.rules.conditions import LINE_MATCHES, MATCHES
from orders.decide.rules.document import DATE_FIELDS, EVENTS
from orders.decide.rules.fields import FIELDS, FLAG, OPERATORS, SUMMABLE, WEEKDAYS, Field
from orders.decide.rules.operators import fold
from orders.models.order import Stage


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a condition tree; `parts` are below it. `plain`: of a single part only the part need be said."""

    text: str
    parts: Sequence["Part"] = field(default_factory=tuple)
    plain: bool = False


# What a code names: in a condition by its field, in an action by its parameter's kind.
Names = Mapping[str, Mapping[str, Any]]
NAMED_FIELDS = {
    "channel": "channel", "member_channels": "channel", "shop": "shop", "member_rank": "member_rank",
    "location": "location", "assignee": "user", "rules_matched": "rule",
}  # fmt: skip
NAMED_PARAMS = frozenset({"user", "team", "location", "mail_text"})


def spoken(document: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """The document with names in the place of codes (`names`: kind → code → name), to be put into words."""
    places, when = names.get("location", {}), dict(document["when"])
    if when.get("location"):
        when["location"] = places.get(when["location"], when["location"])
    return {
        **document,
        "when": when,
        "if": spoken_node(document["if"], names),
        **{branch: [spoken_action(action, names) for action in document[branch]] for branch in ("then", "else")},
    }


def spoken_node(node: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A group or a condition, named."""
    if "match" in node:
        return {**node, "items": [spoken_node(item, names) for item in node["items"]]}
    named = {name: names.get("location", {}).get(node[name], node[name]) for name in ("location",) if node.get(name)}
    own, value = names.get(NAMED_FIELDS.get(node["field"], ""), {}), node.get("value")
    if own and value is not None:
        named["value"] = [own.get(one, one) for one in value] if isinstance(value, list) else own.get(value, value)
    return {**node, **named}


def spoken_action(action: Mapping[str, Any], names: Names) -> dict[str, Any]:
    params = SPECS[action["do"]].params if action.get("do") in SPECS else ()
    named = {
        param.name: names.get(param.kind, {}).get(action[param.name], action[param.name])
        for param in params
        if param.kind in NAMED_PARAMS and action.get(param.name)
    }
    return {**action, **named}


def value_text(code: str, value: Any, names: Names) -> str:
    """What an order has in a field, in the words of its choices; sets and the values of lines are lists."""
    if isinstance(value, bool):
        return _("はい") if value else _("いいえ")
    if isinstance(value, list):
        return _("、").join(value_text(code, one, names) for one in value) or _("（なし）")
    if value in (None, ""):
        return _("（なし）")
    labels = dict(FIELDS[code].choices) | dict(names.get(NAMED_FIELDS.get(code, ""), {}))
    if code == "reasons":
        labels = {key: reason.label for key, reason in CATALOGUE.items()}
    folded = {fold(str(key)): str(label) for key, label in labels.items()}
    return folded.get(fold(str(value)), str(value))


def when_text(when: Mapping[str, Any]) -> str:
    event = when["event"]
    if event == "stage_entered":
        return _("ステータスが「%(stage)s」になったとき") % {"stage": _stage(when["stage"])}
    if event == "stage_waited":
        return _("「%(stage)s」で %(hours)s 時間待ったとき") % {"stage": _stage(when["stage"]), "hours": when["hours"]}
    if event == "date_reached":
        return _days(str(DATE_FIELDS.get(when["date"], when["date"])), when["days"])
    if event == "schedule":
        days = "".join(str(label)[:3] + " " for code, label in WEEKDAYS if code in when["weekdays"]).strip()
        every = days or _("毎日")
        return _("%(days)s %(at)s に") % {"days": every, "at": when["at"]}
    return _level_text(when) if event == "stock_level" else str(EVENTS[event])


def _level_text(when: Mapping[str, Any]) -> str:
    words = {"sku": when["sku"], "level": when["level"], "place": when["location"] or _("販売できる数")}
    if when["side"] == "above":
        return _("「%(sku)s」の在庫（%(place)s）が %(level)s を上回ったとき") % words
    return _("「%(sku)s」の在庫（%(place)s）が %(level)s を下回ったとき") % words


def _days(date_field: str, days: int) -> str:
    if days < 0:
        return _("%(date)sの %(days)s 日前になったとき") % {"date": date_field, "days": -days}
    if days > 0:
        return _("%(date)sから %(days)s 日たったとき") % {"date": date_field, "days": days}
    return _("%(date)sになったとき") % {"date": date_field}


def _stage(code: str) -> str:
    return str(Stage(code).label) if code in Stage.values else code


def scope_texts(document: Mapping[str, Any], shops: Mapping[str, str]) -> list[str]:
    """Where and when the rule applies; empty for everywhere and always."""
    found = [shops.get(code, code) for code in [*document["channels"], *document["shops"], *document["locations"]]]
    texts = [_("対象: %(places)s") % {"places": _("、").join(found)}] if found else []
    if document["from"] or document["until"]:
        texts.append(
            _("期間: %(from)s 〜 %(until)s") % {"from": document["from"] or "", "until": document["until"] or ""}
        )
    return texts


def tree(group: Mapping[str, Any]) -> Part:
    """The conditions as nested lines."""
    match = group["match"]
    head = str(MATCHES.get(match) or LINE_MATCHES.get(match) or match)
    if match == "lines_sum":
        code = next((code for code, name in SUMMABLE.items() if name == group["of"]), "line.quantity")
        head = f"{head} ({condition_text({'field': code, 'op': group['op'], 'value': group['value']})})"
    if not group["items"]:
        return Part(_("どの受注にも") if match == "all" else head)
    parts = [tree(item) if "match" in item else Part(condition_text(item)) for item in group["items"]]
    return Part(head, parts, plain=match in {"all", "any"})


def condition_text(condition: Mapping[str, Any]) -> str:
    asked, operator = FIELDS.get(condition["field"]), OPERATORS.get(condition["op"])
    if asked is None or operator is None:
        return _("（まだ選ばれていません）")
    name = _asked_text(asked, condition)
    if asked.kind == FLAG:
        name = _("「%(text)s」") % {"text": name}
    return str(operator.phrase) % {"field": name, "value": _value_text(condition.get("value"), condition["field"])}


def _asked_text(asked: Field, condition: Mapping[str, Any]) -> str:
    """The field with what else the condition says: 90日間の…, GIFT-1 (W1) 在庫…, 自由項目「素材」."""
    name, argument = str(asked.label), condition.get(asked.arg) if asked.arg else None
    if argument in (None, ""):
        return name
    if asked.arg == "of":
        return name + _("「%(text)s」") % {"text": argument}
    words = _("%(days)s日間の") if asked.arg == "days" else "%(days)s "
    more = condition.get(asked.also) if asked.also else None
    return words % {"days": f"{argument} ({more})" if more else argument} + name


def _value_text(value: Any, code: str) -> str:
    labels = {str(key): str(label) for key, label in FIELDS[code].choices}
    if code == "reasons":
        labels = {key: str(reason.label) for key, reason in CATALOGUE.items()}
    if isinstance(value, list):
        return _("・").join(_shown(one, labels) for one in value)
    return "" if value is None else _shown(value, labels)


def _shown(value: Any, labels: Mapping[str, str]) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    return _("「%(text)s」") % {"text": labels.get(str(value), value)}


def action_text(action: Mapping[str, Any]) -> str:
    """タグを付ける: 先日付"""
    spec = SPECS.get(action.get("do", ""))
    if spec is None:
        return _("（まだ選ばれていません）")
    shown = params_text(action)
    return f"{spec.label}: {' / '.join(shown)}" if shown else str(spec.label)


def params_text(action: Mapping[str, Any]) -> list[str]:
    """What an action asks, in the words of its choices."""
    return [str(text) for text in params_said(action)]


def params_said(action: Mapping[str, Any]) -> list[str]:
    """The same for a journal, which everybody reads in their own language."""
    whole, inside = _with_number(action)
    found = (
        whole.get(param.name) or _param_said(action.get(param.name), param)
        for param in SPECS[action["do"]].params
        if param.name not in inside
    )
    return [text for text in found if text]


def _with_number(action: Mapping[str, Any]) -> tuple[dict[str, str], set[str]]:
    """A choice that has a gap for a number, said with it: by parameter, and which parameters that takes in."""
    mode, days = action.get("mode"), action.get("days")
    if mode in NUMBERED and isinstance(days, int):
        text = said(NUMBERED[mode] if days >= 0 else NUMBERED_BEFORE[mode], n=abs(days))
        return {"mode": text}, {"days", "date"}
    if action["do"] == "send_mail" and action.get("when") == "hours" and action.get("hours"):
        return {"when": said("%(n)s時間後に送る", n=action["hours"])}, {"hours"}
    return {}, set()


NUMBERED = {
    "today": lazy("今日から%(n)s日後"),
    "shift": lazy("今の日付から%(n)s日あと"),
    "planned": lazy("出荷予定日の%(n)s日後"),
    "wish": lazy("配達希望日の%(n)s日後"),
}
NUMBERED_BEFORE = {
    "today": lazy("今日の%(n)s日前"),
    "shift": lazy("今の日付から%(n)s日まえ"),
    "planned": lazy("出荷予定日の%(n)s日前"),
    "wish": lazy("配達希望日の%(n)s日前"),
}


def _param_said(value: Any, param: Param) -> str:
    if value in (None, ""):
        return ""
    if param.kind == "reason" and value in CATALOGUE:
        return said(CATALOGUE[value].label)
    if param.kind == "number":
        return together([param.label, str(value)], " ")
    if isinstance(value, Promise):  # a name of ours that waits for its language
        return said(value)
    return next((said(label) for code, label in param.choices if str(code) == str(value)), str(value))


def sentence(document: Mapping[str, Any]) -> str:
    """The whole rule in one breath."""
    parts = {
        "when": when_text(document["when"]),
        "if": _("、").join(_inline(tree(document["if"]))),
        "then": _("、").join(map(action_text, document["then"])) or _("何もしません"),
    }
    text = (
        _("%(when)s、%(if)sなら、%(then)s。") % parts
        if document["if"]["items"]
        else _("%(when)s、いつも、%(then)s。") % parts
    )
    if document["else"]:
        text += _("そうでなければ、%(else)s。") % {"else": _("、").join(map(action_text, document["else"]))}
    return text + (_("当てはまれば、あとのルールは判定しません。") if document["stop"] else "")


def _inline(part: Part) -> Iterator[str]:
    if part.plain and len(part.parts) == 1:
        yield from _inline(part.parts[0])
    elif not part.parts:
        yield part.text
    else:
        yield _("%(head)s（%(parts)s）") % {
            "head": part.text,
            "parts": _("；").join(" ".join(_inline(one)) for one in part.parts),
        }
