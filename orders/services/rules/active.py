"""The rules in force, compiled once per change and process."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection

from customers.models import Rank
from inventory.models import Location, Sku
from oms.kernel import clock
from oms.kernel.models import User
from orders.decide.reasons import CATALOGUE
from orders.decide.rules import document as documents
from orders.decide.rules.actions import SPECS
from orders.decide.rules.checked import Known
from orders.decide.rules.engine import Compiled, actions_named, compile_rule, fields_of
from orders.decide.rules.operators import Lists, fold
from orders.models import MailTemplate, Rule, RuleList, Shop

STAMP = """
SELECT (SELECT md5(string_agg(concat_ws(':', id, published, paused, changed_at), ',' ORDER BY id)) FROM orders_rule),
       (SELECT md5(string_agg(concat_ws(':', id, changed_at), ',' ORDER BY id)) FROM orders_rulelist),
       current_database()
"""
IN_FORCE = """
SELECT r.id, v.number, r.name, v.document FROM orders_rule r
  JOIN orders_ruleversion v ON v.rule_id = r.id AND v.number = r.published WHERE NOT r.paused ORDER BY r.id
"""


@dataclass(frozen=True)
class Active:
    """`rules` in force, what they need, and what they listen to beyond the import."""

    stamp: Any = None
    rules: Sequence[Compiled] = ()
    keys: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    by_id: dict[int, Compiled] = field(default_factory=dict)


_held = Active()


def active() -> Active:
    """The rules in force now: one small query, and the documents only when something changed."""
    global _held  # noqa: PLW0603 - this process's copy of what the stamp says
    with connection.cursor() as cursor:
        cursor.execute(STAMP)
        stamp = cursor.fetchone()
        if stamp == _held.stamp:
            return _held
        cursor.execute(IN_FORCE)
        rows = cursor.fetchall()
    _held = bundle([compiled(*row) for row in rows], stamp)
    return _held


def bundle(rules: Sequence[Compiled], stamp: Any = None) -> Active:
    named = actions_named(rules)
    awaited = {SPECS[action].waits_for for action in named} - {""}
    return Active(
        stamp,
        rules,
        fields_of(rules),
        frozenset(rule.event for rule in rules) | awaited,
        named,
        {rule.id: rule for rule in rules},
    )


def compiled(id_: int, version: int, name: str, document: Any) -> Compiled:
    read = documents.blank() | (document if isinstance(document, dict) else json.loads(document))
    return compile_rule(id_, version, name, read, lists=lists(), today=clock.today)


def lists() -> Lists:
    """The uploaded lists, folded for comparing."""
    return {name: frozenset(map(fold, values)) for name, values in RuleList.objects.values_list("name", "values")}


def known() -> Known:
    """Every name a document may refer to. For the screens and for publishing, not for each order."""
    shops = list(Shop.objects.values_list("code", "channel"))
    return Known(
        channels=frozenset(channel for _code, channel in shops),
        shops=frozenset(code for code, _channel in shops),
        locations=frozenset(Location.objects.values_list("code", flat=True)),
        skus=frozenset(Sku.objects.values_list("code", flat=True)),
        users=frozenset(User.objects.filter(is_active=True).values_list("username", flat=True)),
        teams=frozenset(Group.objects.values_list("name", flat=True)),
        reasons=frozenset(CATALOGUE),
        lists=frozenset(RuleList.objects.values_list("name", flat=True)),
        ranks=frozenset(Rank.objects.values_list("code", flat=True)),
        rules=frozenset(str(pk) for pk in Rule.objects.values_list("pk", flat=True)),
        mail_texts=frozenset(f"{event}:{name}" for event, name in mail_texts()),
    )


def mail_texts() -> list[tuple[str, str]]:
    """(event, name) of the mail texts that can be chosen for an order, each once."""
    rows = MailTemplate.objects.exclude(variant="").order_by("event", "variant")
    return list(rows.values_list("event", "variant").distinct())


def changed(rule: Rule) -> None:
    """What is in force changed: every process notices at its next batch."""
    Rule.objects.filter(pk=rule.pk).update(changed_at=clock.now())
