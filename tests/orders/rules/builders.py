"""Small builders for rules."""

from typing import Any

from orders.decide.rules.document import blank
from orders.models import Rule
from orders.services.rules import publish


def cond(field: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    found = {"field": field, "op": op, **more}
    return found if value is None else found | {"value": value}


def group(match: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"match": match, "items": list(items), **more}


def do(code: str, /, **params: Any) -> dict[str, Any]:
    return {"do": code, **params}


def document(*conditions: dict[str, Any], then: Any = (), otherwise: Any = (), **more: Any) -> dict[str, Any]:
    """All conditions must hold; `then` and `otherwise` are one action or several."""
    return blank() | {
        "if": group("all", *conditions),
        "then": [then] if isinstance(then, dict) else list(then),
        "else": [otherwise] if isinstance(otherwise, dict) else list(otherwise),
        **more,
    }


def make_rule(name: str, *conditions: dict[str, Any], then: Any = (), otherwise: Any = (), **more: Any) -> Rule:
    """A rule in force."""
    draft = publish.create(name, document(*conditions, then=then, otherwise=otherwise, **more), by=None)
    return publish.publish(draft.pk, by=None)


def change_rule(rule: Rule, *conditions: dict[str, Any], then: Any = (), otherwise: Any = (), **more: Any) -> Rule:
    """The next version of a rule, in force."""
    draft = publish.save_draft(
        rule.pk, rule.name, document(*conditions, then=then, otherwise=otherwise, **more), by=None
    )
    return publish.publish(draft.pk, by=None)
