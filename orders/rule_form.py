"""The builder's form: posted fields ⇄ a rule's document, and the buttons that change its shape.

Every part of the document has a place ("if.0.1", "then.2"), which leads the names of its fields. The document that
comes out is as it was typed; `orders.decide.rules.document.check` judges it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.models import User
from oms.kernel.typed import row_id
from orders.decide.rules.actions import SPECS
from orders.decide.rules.checked import Document
from orders.decide.rules.conditions import LINE_MATCHES
from orders.decide.rules.document import WHEN_KEYS, blank
from orders.decide.rules.fields import FIELDS, OPERATORS, operators_of

BACKEND = "oms.kernel.sign_in.Backend"
SEPARATORS = re.compile(r"[\n,、]+")


def read(posted: QueryDict) -> Document:
    """The document as the form has it now."""
    document = blank() | {name: posted.getlist(name) for name in ("channels", "shops", "locations")}
    document |= {name: posted.get(name) or None for name in ("from", "until")}
    document["priority"] = posted.get("priority", "100")
    document["when"] = _when(posted)
    nodes = posted.getlist("node")
    document["if"] = _node("if", nodes, posted) if "if" in nodes else document["if"]
    for branch in ("then", "else"):
        places = [place for place in posted.getlist("act") if place.split(".")[0] == branch]
        document[branch] = [_action(place, posted) for place in places]
    document["stop"] = "stop" in posted
    return document


def _when(posted: QueryDict) -> dict[str, Any]:
    event = posted.get("event", "imported")
    when: dict[str, Any] = {"event": event}
    for name in WHEN_KEYS.get(event, ()):
        when[name] = posted.getlist("weekdays") if name == "weekdays" else posted.get(f"when_{name}", "")
    if "days" in when:
        when["days"] = when["days"] or 0
    return when


def _node(place: str, nodes: Sequence[str], posted: QueryDict) -> dict[str, Any]:
    if f"match-{place}" not in posted:
        return _condition(place, posted)
    below = [one for one in nodes if one.rpartition(".")[0] == place]
    group: dict[str, Any] = {
        "match": posted[f"match-{place}"],
        "items": [_node(one, nodes, posted) for one in below],
    }
    if group["match"] == "lines_sum":
        group |= {
            "of": posted.get(f"of-{place}", "quantity"),
            "op": posted.get(f"sumop-{place}", "ge"),
            "value": posted.get(f"sumvalue-{place}", ""),
        }
    return group


def _condition(place: str, posted: QueryDict) -> dict[str, Any]:
    asked = FIELDS.get(posted.get(f"field-{place}", ""))
    if asked is None:
        return {"field": "", "op": "", "value": ""}
    codes = [operator.code for operator in operators_of(asked.kind)]
    op = posted.get(f"op-{place}", "")
    op = op if op in codes else codes[0]
    condition: dict[str, Any] = {"field": asked.code, "op": op}
    if asked.arg:
        condition[asked.arg] = posted.get(f"arg-{place}", "")
    if asked.also and (more := posted.get(f"also-{place}", "")):
        condition[asked.also] = more
    takes = OPERATORS[op].takes
    if takes != "nothing":
        condition["value"] = _value(posted.getlist(f"value-{place}"), posted.get(f"value2-{place}", ""), takes)
    return condition


def _value(values: Sequence[str], second: str, takes: str) -> Any:
    if takes == "list":
        return [part.strip() for value in values for part in SEPARATORS.split(value) if part.strip()]
    first = values[0] if values else ""
    return [first, second] if takes == "pair" else first


def _action(place: str, posted: QueryDict) -> dict[str, Any]:
    spec = SPECS.get(posted.get(f"do-{place}", ""))
    if spec is None:
        return {"do": ""}
    action: dict[str, Any] = {"do": spec.code}
    action |= {param.name: posted.get(f"p-{place}-{param.name}", "") for param in spec.params}
    if spec.undoable:
        action["undo"] = f"undo-{place}" in posted or posted.get(f"seen-{place}") != spec.code
    return action


# ---- buttons


def change(document: Document, button: str) -> Document:
    """Do what a button says: "add-condition:if.0", "remove:if.0.1", "add-action:then", "up:then.2". An unknown one
    changes nothing."""
    verb, _colon, place = button.partition(":")
    if verb in {"add-condition", "add-group", "add-lines"}:
        group = _at(document, place)
        if group is not None and "items" in group:
            group["items"].append(_fresh(verb, in_lines=_in_lines(document, place)))
    elif verb == "add-action" and place in {"then", "else"}:
        document[place].append({"do": ""})
    elif verb in {"remove", "up"}:
        _move(document, place, verb)
    return document


def _fresh(verb: str, *, in_lines: bool) -> dict[str, Any]:
    if verb == "add-condition":
        return {"field": "line.sku" if in_lines else "", "op": "is", "value": ""}
    return {"match": "any" if verb == "add-group" else "lines_any", "items": []}


def _in_lines(document: Document, place: str) -> bool:
    """The place stands inside a group over lines, or is one."""
    parts = place.split(".")
    places = [".".join(parts[: depth + 1]) for depth in range(len(parts))]
    return any((_at(document, one) or {}).get("match") in LINE_MATCHES for one in places)


def _at(document: Document, place: str) -> dict[str, Any] | None:
    node: Any = document["if"]
    for part in place.split(".")[1:]:
        items = node.get("items", [])
        at = row_id(part)
        if at is None or at >= len(items):
            return None
        node = items[at]
    return node if place.split(".", maxsplit=1)[0] == "if" else None


def _move(document: Document, place: str, verb: str) -> None:
    above, _dot, last = place.rpartition(".")
    parent = document.get(above) if above in {"then", "else"} else (_at(document, above) or {}).get("items")
    number = row_id(last)
    if not isinstance(parent, list) or number is None or number >= len(parent):
        return
    if verb == "remove":
        del parent[number]
    elif number:
        parent[number - 1], parent[number] = parent[number], parent[number - 1]


# ---- showing


def node_rows(
    group: Mapping[str, Any], place: str, faults: Mapping[str, list[str]], names: Mapping[str, Sequence[Any]], *,
    lines: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """A condition tree as the templates print it: each node with its place, its choices and its faults."""
    if "match" not in group:
        return _condition_row(group, place, faults, names, lines=lines)
    over_lines = group["match"] in LINE_MATCHES
    return {
        "place": place,
        "group": True,
        "match": group["match"],
        "over_lines": over_lines,
        "inside_lines": lines,
        "of": group.get("of", ""),
        "op": group.get("op", ""),
        "value": group.get("value", ""),
        "errors": faults.get(place, []),
        "top": place == "if",
        "items": [
            node_rows(item, f"{place}.{number}", faults, names, lines=lines or over_lines)
            for number, item in enumerate(group["items"])
        ],
    }


def _condition_row(
    condition: Mapping[str, Any], place: str, faults: Mapping[str, list[str]], names: Mapping[str, Sequence[Any]], *,
    lines: bool,
) -> dict[str, Any]:  # fmt: skip
    asked = FIELDS.get(condition.get("field", ""))
    operators = operators_of(asked.kind) if asked else []
    operator = OPERATORS.get(condition.get("op", "")) or (operators[0] if operators else None)
    takes = operator.takes if operator else "one"
    options = list(asked.choices) if asked else []
    if asked and not options:
        options = list(names.get(asked.code, ()))
    if takes == "list_name":
        options = list(names["lists"])
    value = condition.get("value", "")
    values = value if isinstance(value, list) else [value]
    return {
        "place": place,
        "field": asked.code if asked else "",
        "lines": lines,
        "arg": asked.arg if asked else "",
        "arg_value": condition.get(asked.arg, "") if asked and asked.arg else "",
        "arg_options": names.get(asked.arg, ()) if asked else (),
        "also": asked.also if asked else "",
        "also_value": condition.get(asked.also, "") if asked and asked.also else "",
        "also_options": names.get(asked.also, ()) if asked else (),
        "operators": operators,
        "op": operator.code if operator else "",
        "widget": _widget(asked.kind if asked else "text", takes, bool(options)),
        "options": [(str(code), label) for code, label in options],
        "values": [str(one) for one in values if one is not None],
        "text": "\n".join(str(one) for one in values if one is not None),
        "errors": faults.get(place, []),
    }


def _widget(kind: str, takes: str, has_options: bool) -> str:
    if takes in {"nothing", "number", "pattern"}:
        return {"nothing": "none", "number": "number", "pattern": "text"}[takes]
    plain = {"number": "number", "date": "date", "time": "time", "moment": "datetime-local"}.get(kind, "text")
    if takes == "pair":
        return f"pair-{plain}"
    if takes == "list":
        return "many" if has_options else "list"
    return "select" if has_options else plain


def action_rows(
    document: Document, branch: str, faults: Mapping[str, list[str]], names: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    rows = []
    for number, action in enumerate(document[branch]):
        place, spec = f"{branch}.{number}", SPECS.get(action.get("do", ""))
        rows.append(
            {
                "place": place,
                "do": action.get("do", ""),
                "undoable": bool(spec and spec.undoable),
                "undo": action.get("undo", True),
                "errors": faults.get(place, []),
                "first": number == 0,
                "params": [
                    {
                        "name": f"p-{place}-{param.name}",
                        "label": param.label,
                        "kind": param.kind,
                        "required": param.required,
                        "value": "" if action.get(param.name) is None else str(action.get(param.name, "")),
                        "options": [(str(code), label) for code, label in (param.choices or names.get(param.kind, ()))],
                        "longest": param.longest,
                        "leads": param.name in LEADS,
                    }
                    for param in (spec.params if spec else ())
                    if _is_asked(param.name, action)
                ],
            }
        )
    return rows


# Choices that decide what else is asked.
LEADS = frozenset({"mode", "when"})


def _is_asked(name: str, action: Mapping[str, Any]) -> bool:
    """A date, a number of days or hours only where the chosen way of deciding needs it."""
    mode, when = action.get("mode"), action.get("when")
    if mode is not None and name in {"date", "days"}:
        return mode == "fixed" if name == "date" else mode in {"today", "shift", "planned", "wish"}
    return not (when is not None and name == "hours") or when == "hours"


def by_place(faults: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place, text in faults:
        found.setdefault(place, []).append(text)
    return found


class OwnerForm(forms.Form):
    """Who answers for a rule: somebody who may manage rules, or whoever does so by now."""

    owner = forms.ModelChoiceField(
        label=lazy("責任者"), queryset=User.objects.none(), required=False, empty_label=lazy("なし"),
        help_text=lazy("自動処理ルールを管理できる人から選びます。働き方と版は変わりません。"),
    )  # fmt: skip

    def __init__(self, data: Any, *, owner: User | None) -> None:
        super().__init__(data, initial={"owner": owner})
        able = User.objects.with_perm("orders.manage_rules", backend=BACKEND)
        self.fields["owner"].queryset = User.objects.filter(  # type: ignore[attr-defined]
            Q(pk__in=able.values("pk")) | Q(pk=owner.pk if owner else None)
        )
