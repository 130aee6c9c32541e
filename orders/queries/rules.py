"""What the screens of the rules show."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Location
from oms.kernel import clock
from oms.kernel.said import heard
from orders.decide.reasons import CATALOGUE
from orders.decide.rules import sentence as words
from orders.decide.rules.fields import FIELDS, SUMMABLE
from orders.models import Order, OrderTag, Rule, RuleList, RuleMark, RuleTally, RuleTrace, RuleVersion
from orders.queries import visible
from orders.services.rules import names

SPAN = timedelta(days=30)


# What makes a rule worth a look, with what it is called.
SIGNS = {
    "never": lazy("30日該当なし"),
    "overruled": lazy("ほかが優先"),
    "errors": lazy("エラーあり"),
    "draft": lazy("下書きあり"),
    "paused": lazy("停止中"),
}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule on the list. `hits` of the last 30 days; `state` with its tone."""

    rule: Rule
    document: Mapping[str, Any]
    when: str
    scope: Sequence[str]
    state: str
    tone: str
    draft: RuleVersion | None
    hits: int
    overruled: int
    errors: int
    last_at: datetime | None

    @property
    def signs(self) -> set[str]:
        found = {
            "never": self.rule.is_active and not self.hits,
            "overruled": self.overruled > 0,
            "errors": self.errors > 0,
            "draft": self.draft is not None,
            "paused": self.rule.paused,
        }
        return {sign for sign, is_so in found.items() if is_so}


def rule_rows() -> list[RuleRow]:
    """Every rule in the order in which they run. Four queries."""
    versions: dict[int, dict[int, RuleVersion]] = defaultdict(dict)
    for version in RuleVersion.objects.select_related("created_by"):
        versions[version.rule_id][version.number] = version
    figures, called = tallies(), names.names(("channel", "shop", "location"))
    rows = [_rule_row(rule, versions[rule.pk], figures, called) for rule in Rule.objects.select_related("owner")]
    return sorted(rows, key=lambda row: (row.rule.published is None, row.document["priority"], row.rule.pk))


def _rule_row(
    rule: Rule, versions: Mapping[int, RuleVersion], figures: Mapping[int, dict[str, Any]], called: words.Names
) -> RuleRow:
    newest = versions[max(versions)]
    shown = versions.get(rule.published or 0, newest)
    figure = figures.get(rule.pk, {})
    state, tone = state_of(rule)
    return RuleRow(
        rule,
        shown.document,
        words.when_text(words.spoken(shown.document, called)["when"]),
        words.scope_texts(shown.document, places_of(called)),
        state,
        tone,
        newest if newest.is_draft else None,
        figure.get("hits") or 0,
        figure.get("overruled") or 0,
        figure.get("errors") or 0,
        figure.get("last_at"),
    )


def state_of(rule: Rule) -> tuple[str, str]:
    if rule.published is None:
        return _("下書き"), "neutral"
    return (_("停止中"), "attention") if rule.paused else (_("公開中"), "done")


def tallies() -> dict[int, dict[str, Any]]:
    """Figures of the last 30 days, and the last hit ever, by rule."""
    recent = Q(day__gte=clock.today() - SPAN)
    rows = (
        RuleTally.objects.filter(rival=None)
        .values("rule")
        .annotate(
            last_at=Max("last_at", filter=Q(hits__gt=0)),
            **{f"{name}_sum": Sum(name, filter=recent, default=0) for name in ("hits", "overruled", "errors")},
        )
    )
    return {row["rule"]: {name.removesuffix("_sum"): value for name, value in row.items()} for row in rows}


def rivals_of(rule: Rule) -> list[dict[str, Any]]:
    """Which rules overruled this one in the last 30 days, and how often."""
    rows = RuleTally.objects.filter(rule=rule, day__gte=clock.today() - SPAN, rival__isnull=False)
    counted = rows.values("rival", "rival__name").annotate(times=Sum("overruled")).order_by("-times")
    return [{**row} for row in counted]


def days_of(rule: Rule) -> list[dict[str, Any]]:
    """Hits per day of the last 30 days, every day named; `height` in percent of the busiest."""
    since = clock.today() - SPAN
    found: dict[Any, dict[str, Any]] = {
        row["day"]: dict(row)
        for row in RuleTally.objects.filter(rule=rule, rival=None, day__gt=since)
        .values("day")
        .annotate(hits=Sum("hits"), overruled=Sum("overruled"))
    }
    days = [since + timedelta(days=n) for n in range(1, SPAN.days + 1)]
    most = max((row["hits"] for row in found.values()), default=0) or 1
    return [
        {
            "day": day,
            "hits": found.get(day, {}).get("hits", 0),
            "overruled": found.get(day, {}).get("overruled", 0),
            "x": place * 10,
            "height": (height := round(found.get(day, {}).get("hits", 0) * 100 / most)),
            "top": 100 - height,
        }
        for place, day in enumerate(days)
    ]


def places_of(called: words.Names) -> dict[str, Any]:
    """Codes of channels, shops and locations, as a rule's scope holds them, by name."""
    return {**called["channel"], **called["shop"], **called["location"]}


# ---- one rule


def version_rows(rule: Rule) -> list[dict[str, Any]]:
    """Newest first, each with what differs from the one before."""
    versions = list(rule.versions.select_related("created_by", "published_by"))
    called = names.names()
    rows = []
    for before, version in zip([None, *versions], versions, strict=False):
        rows.append(
            {
                "version": version,
                "current": version.number == rule.published,
                "diff": difference(before.document, version.document, called) if before else [],
                "may_return": not version.is_draft and version.number != rule.published,
            }
        )
    return rows[::-1]


def difference(old: Mapping[str, Any], new: Mapping[str, Any], called: words.Names) -> list[tuple[str, str]]:
    """(sign, line) of what went (−) and came (＋), as people read it."""
    before, after = _lines(words.spoken(old, called), called), _lines(words.spoken(new, called), called)
    gone = [("−", line) for line in before if line not in after]
    return gone + [("＋", line) for line in after if line not in before]


def _lines(document: Mapping[str, Any], called: words.Names) -> list[str]:
    head = [
        words.when_text(document["when"]),
        *words.scope_texts(document, places_of(called)),
        _("優先順位: %(n)s") % {"n": document["priority"]},
    ]
    then = [_("すること: %(text)s") % {"text": words.action_text(action)} for action in document["then"]]
    otherwise = [_("そうでなければ: %(text)s") % {"text": words.action_text(action)} for action in document["else"]]
    stop = [_("当てはまれば、あとのルールは判定しません。")] if document["stop"] else []
    return [*head, *_flat(words.tree(document["if"])), *then, *otherwise, *stop]


def _flat(part: words.Part) -> list[str]:
    found = [part.text]
    for one in part.parts:
        found += [f"{part.text} › {line}" for line in _flat(one)]
    return found


def recent_orders(most: int = 10) -> list[Order]:
    """To try a rule on."""
    return list(visible.orders().select_related("shop").only("channel_order_no", "shop__name").order_by("-pk")[:most])


# ---- the builder's choices


def builder_names() -> dict[str, list[tuple[str, Any]]]:
    """What the builder offers where the code knows no choices."""
    called = {kind: list(own.items()) for kind, own in names.names().items()}
    active_places = set(Location.objects.filter(active=True).values_list("code", flat=True))
    reasons = [(code, reason.label) for code, reason in CATALOGUE.items()]
    return {
        **called,
        "member_channels": called["channel"],
        "location": [(code, name) for code, name in called["location"] if code in active_places],
        "assignee": called["user"],
        "rules_matched": called["rule"],
        "reason": reasons,
        "reasons": reasons,
        "lists": [(name, name) for name in RuleList.objects.values_list("name", flat=True)],
        "tags": [],
        "of": [(name, name) for name in own_field_names()],
    }


def own_field_names() -> list[str]:
    """The names that SKUs' own fields have by now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT jsonb_object_keys(custom) FROM inventory_sku WHERE custom <> '{}' ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


def field_groups(*, lines: bool) -> list[tuple[Any, list[Any]]]:
    """The fields to choose from, by group."""
    found: dict[str, tuple[Any, list[Any]]] = {}
    for one in FIELDS.values():
        if one.line == lines:
            found.setdefault(str(one.group), (one.group, []))[1].append(one)
    return list(found.values())


def summable() -> list[tuple[str, Any]]:
    return [(name, FIELDS[code].label) for code, name in SUMMABLE.items()]


def known_tags() -> list[str]:
    return list(OrderTag.objects.values_list("name", flat=True))


# ---- an order's trace


@dataclass(frozen=True, slots=True)
class TraceRow:
    """What one rule said of the order. `result` with its tone; `deeds` are (text, status, note)."""

    rule: Rule
    version: int
    result: str
    tone: str
    deeds: Sequence[tuple[str, str, str]]
    note: str


def trace_of(order_id: int) -> dict[str, Any]:
    """The rules that looked at the order last, what they did and did not, and the marks that remain."""
    trace = RuleTrace.objects.filter(order=order_id).first()
    rules = {rule.pk: rule for rule in Rule.objects.all()}
    marks = {(mark.rule_id, mark.key): mark for mark in RuleMark.objects.filter(order=order_id)}
    called = names.names_in(mark.params | {"do": mark.action} for mark in marks.values())
    rows = [_trace_row(row, rules, marks, called) for row in (trace.rows if trace else []) if row["rule"] in rules]
    return {
        "at": trace.at if trace else None,
        "matched": [row for row in rows if row.tone == "done" or row.deeds],
        "others": [row for row in rows if not (row.tone == "done" or row.deeds)],
        "old": [mark for mark in marks.values() if mark.state != RuleMark.State.APPLIED],
        "rules": rules,
    }


def _trace_row(
    row: Mapping[str, Any],
    rules: Mapping[int, Rule],
    marks: Mapping[tuple[int, str], RuleMark],
    called: words.Names,
) -> TraceRow:
    if row.get("error"):
        result, tone = _("エラー"), "danger"
    elif row["matched"] is None:
        result, tone = _("判定せず"), "neutral"
    else:
        result, tone = (_("当てはまる"), "done") if row["matched"] else (_("当てはまらない"), "neutral")
    deeds = [_deed(one, row["rule"], rules, marks, called) for one in row["actions"]]
    return TraceRow(rules[row["rule"]], row["version"], result, tone, deeds, _row_note(row, rules))


def _deed(
    action: Mapping[str, Any],
    rule: int,
    rules: Mapping[int, Rule],
    marks: Mapping[tuple[int, str], RuleMark],
    called: words.Names,
) -> tuple[str, str, str]:
    mark = marks.get((rule, action["key"]))
    text = words.action_text(words.spoken_action({"do": action["do"], **(mark.params if mark else {})}, called))
    if action["status"] == "overruled":
        by = rules.get(action["by"])
        return text, "attention", _("「%(name)s」が優先されました") % {"name": by.name if by else action["by"]}
    if action["status"] == "late":
        return text, "neutral", _("出荷指示のあとのため、しませんでした")
    if action.get("note"):
        return text, "neutral", heard(action["note"])
    return text, "done", mark.get_state_display() if mark else ""


def _row_note(row: Mapping[str, Any], rules: Mapping[int, Rule]) -> str:
    note = row.get("note", "")
    if note.startswith("stopped:"):
        stopper = rules.get(int(note.partition(":")[2]))
        return _("「%(name)s」が以降の判定を止めました") % {"name": stopper.name if stopper else "?"}
    return row.get("error", "")
