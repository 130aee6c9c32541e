"""Deciding: rules over the plain values of a batch of orders. Pure; no clock but the one it is given, no database.

Facts are dictionaries: a field's code (with its argument) → value; texts as the channel wrote them, sets folded,
`lines` a list of such dictionaries. Rules run in order of priority; what an earlier rule tags, a later one sees.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from time import monotonic
from typing import Any

from orders.decide.rules.actions import SPECS, key_of
from orders.decide.rules.conditions import asks_lines, conditions
from orders.decide.rules.document import actions_of
from orders.decide.rules.fields import FIELDS, SET, TEXT
from orders.decide.rules.operators import Lists, digits, fold, test_for

Facts = dict[str, Any]
Check = Callable[[Facts], bool]

TIME_LIMIT_S = 2.0  # of one rule for one batch
TIMED = frozenset({"stage_waited", "date_reached", "schedule"})
# What happens to one rule alone, so that its event bears the rule's number.
OWN = TIMED | {"stock_level"}
COUNTED = frozenset({"rule_count", "rule_count_member"})


@dataclass(frozen=True)
class Compiled:
    """A version ready to run. `needs` holds the conditions' fact keys, `watched` those asked for "changed"."""

    id: int
    version: int
    name: str
    document: Mapping[str, Any]
    check: Check
    needs: frozenset[str]
    watched: frozenset[str]
    keys: Mapping[str, Sequence[tuple[str, str, Mapping[str, Any]]]]  # branch → (key, slot, action)

    event: str  # "stage_entered:ready"; moments and levels are the rule's own
    counts: bool
    scope: tuple[frozenset[str], frozenset[str], frozenset[str]]  # channels, shops, locations; empty: everywhere

    @property
    def order(self) -> tuple[int, int]:
        return (self.document["priority"], self.id)


def event_of(rule_id: int, when: Mapping[str, Any]) -> str:
    if when["event"] in OWN:
        return f"rule:{rule_id}"
    return f"{when['event']}:{when['stage']}" if when["event"] == "stage_entered" else str(when["event"])


def compile_rule(
    id_: int, version: int, name: str, document: Mapping[str, Any], *, lists: Lists, today: Callable[[], date]
) -> Compiled:
    """A faultless document as a rule. A list that is gone is an empty one."""
    needs = {fact_key(condition) for condition in conditions(document["if"])}
    if asks_lines(document["if"]):
        needs.add("lines")
    watched = {fact_key(one) for one in conditions(document["if"]) if one["op"] == "changed"}
    keys = {
        branch: [(key_of(action), SPECS[action["do"]].slot(action), action) for action in document[branch]]
        for branch in ("then", "else")
    }
    check = compile_group(document["if"], lists, today, salt=f"{id_}")
    return Compiled(
        id=id_,
        version=version,
        name=name,
        document=document,
        check=check,
        needs=frozenset(needs),
        watched=frozenset(watched),
        keys=keys,
        event=event_of(id_, document["when"]),
        counts=bool(needs & COUNTED),
        scope=(frozenset(document["channels"]), frozenset(document["shops"]), frozenset(document["locations"])),
    )


def fact_key(condition: Mapping[str, Any]) -> str:
    """Where the facts hold a condition's value: `total`, `stock:GIFT-1`, `stock:GIFT-1⇥W1`, `line.custom:素材`."""
    asked = FIELDS[condition["field"]]
    argument = condition.get(asked.arg) if asked.arg else None
    if argument in (None, ""):
        return asked.code
    more = condition.get(asked.also) if asked.also else None
    return f"{asked.code}:{argument}\t{more}" if more else f"{asked.code}:{argument}"


def compile_group(group: Mapping[str, Any], lists: Lists, today: Callable[[], date], *, salt: str) -> Check:
    checks = [
        compile_group(item, lists, today, salt=salt)
        if "match" in item
        else compile_condition(item, lists, today, salt=salt)
        for item in group["items"]
    ]
    if group["match"] in {"all", "any", "none"}:
        return _joined(group["match"], checks)
    each = _joined("all", checks)
    if group["match"] == "lines_any":
        return lambda facts: any(each(line) for line in facts["lines"])
    if group["match"] == "lines_all":
        return lambda facts: bool(facts["lines"]) and all(each(line) for line in facts["lines"])
    if group["match"] == "lines_none":
        return lambda facts: not any(each(line) for line in facts["lines"])
    compare = test_for("number", group["op"], group["value"], lists, today)
    of = f"line.{group['of']}"
    return lambda facts: compare(sum(line[of] or 0 for line in facts["lines"] if each(line)))


def _joined(match: str, checks: Sequence[Check]) -> Check:
    """All, any or none of the checks. Loops, because this is the innermost place of a large import."""
    if len(checks) == 1 and match != "none":
        return checks[0]
    wanted = match == "all"

    def joined(facts: Facts) -> bool:
        for check in checks:
            if check(facts) is not wanted:
                return not wanted
        return wanted

    return joined if match != "none" else lambda facts: not joined(facts)


def compile_condition(
    condition: Mapping[str, Any], lists: Lists, today: Callable[[], date], *, salt: str
) -> Check:  # fmt: skip
    key, kind = fact_key(condition), FIELDS[condition["field"]].kind
    if condition["op"] == "changed":
        seen = f"seen:{key}"
        return lambda facts: seen in facts and facts[seen] != print_of(facts[key])
    ready = digits if FIELDS[condition["field"]].digits else fold
    test = test_for(kind, condition["op"], condition.get("value"), lists, today, ready)
    if key == "random_percent":
        return lambda facts: test(drawn(salt, facts["order_key"]))
    if kind != TEXT:
        return lambda facts: test(facts[key])
    folded_key = f"≈{key}"

    def check(facts: Facts) -> bool:
        folded = facts.get(folded_key)
        if folded is None:
            folded = facts[folded_key] = ready(facts[key] or "")
        return test(folded)

    return check


def drawn(salt: str, order_key: str) -> float:
    """A number from 0 to 100 that is the same whenever this rule asks of this order."""
    digest = hashlib.blake2b(f"{salt}\0{order_key}".encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48 * 100


def print_of(value: Any) -> str:
    """A short print of a value, for comparing with what was seen before without keeping it."""
    words = sorted(value) if isinstance(value, frozenset | set) else value
    return hashlib.blake2b(repr(words).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


# ---- one batch


@dataclass(slots=True)
class Chosen:
    """One action that a rule wants. `status`: "do", or "overruled" with the rule that came first."""

    key: str
    action: Mapping[str, Any]
    status: str = "do"
    by: int = 0


@dataclass(slots=True)
class Verdict:
    """What one rule said of one order. `matched` None: not asked (`note`), or it failed (`error`)."""

    rule: int
    version: int
    matched: bool | None
    chosen: Sequence[Chosen] = ()
    note: str = ""
    error: str = ""

    @property
    def row(self) -> dict[str, Any]:
        """As a trace keeps it."""
        actions = [{"do": c.action["do"], "key": c.key, "status": c.status, "by": c.by} for c in self.chosen]
        row = {"rule": self.rule, "version": self.version, "matched": self.matched, "actions": actions}
        return row | {name: text for name, text in (("note", self.note), ("error", self.error)) if text}


@dataclass(frozen=True, slots=True)
class Subject:
    """One order of a batch: which rules may look at it is decided by event, scope and period. `late`: the shipping
    instruction is out, so only actions that still make sense are chosen."""

    id: int
    facts: Facts
    events: frozenset[str]
    considered: frozenset[int] = frozenset()  # rules that have looked at it before
    had: frozenset[int] = frozenset()  # rules that have done something to it
    late: bool = False


@dataclass
class Counters:
    """How often each counting rule has worked, for all and by member; grows within the batch."""

    total: dict[int, int] = field(default_factory=dict)
    member: dict[tuple[int, int], int] = field(default_factory=dict)


def decide(
    rules: Sequence[Compiled], subjects: Sequence[Subject], *, today: date, counters: Counters | None = None
) -> dict[int, list[Verdict]]:
    """Verdicts per order. A rule that fails on an order says so in its verdict; the others go on."""
    ordered = sorted(rules, key=lambda rule: rule.order)
    day, counts = today.isoformat(), counters or Counters()
    in_force = [rule for rule in ordered if (rule.document["from"] or day) <= day <= (rule.document["until"] or day)]
    states = [_State(subject) for subject in subjects]
    for rule in in_force:
        _one_rule(rule, states, counts)
    return {state.subject.id: state.verdicts for state in states}


@dataclass(slots=True)
class _State:
    """Where one order stands while rules pass over it: who filled which slot, and who stopped the rest."""

    subject: Subject
    verdicts: list[Verdict] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    stopped_by: int = 0


def _one_rule(rule: Compiled, states: Sequence[_State], counters: Counters) -> None:
    """One rule over all orders: they do not depend on each other, and so the rule's time is easily watched."""
    scoped = any(rule.scope)
    stop, event, id_, version, check = rule.document["stop"], rule.event, rule.id, rule.version, rule.check
    then, otherwise = rule.keys["then"], rule.keys["else"]
    at_import = event == "imported"
    ends = monotonic() + TIME_LIMIT_S
    for state in states:
        subject = state.subject
        if not (event in subject.events or (at_import and not subject.late) or id_ in subject.considered) or (
            scoped and not _in_scope(rule, subject.facts)
        ):
            continue
        verdict = Verdict(id_, version, None)
        state.verdicts.append(verdict)
        if state.stopped_by:
            verdict.note = f"stopped:{state.stopped_by}"
            continue
        if monotonic() > ends:
            verdict.error = "time_limit"
            continue
        if rule.counts:
            _put_counts(rule, subject, counters)
        try:
            matched = verdict.matched = check(subject.facts)
        except Exception as error:  # whatever a rule stumbles over concerns this rule and this order only
            verdict.error = type(error).__name__
            continue
        if matched and "rules_matched" in subject.facts:
            subject.facts["rules_matched"] |= {str(id_)}
        if matched and rule.counts:
            _count(rule, subject, counters)
        if actions := then if matched else otherwise:
            verdict.chosen = _choose(id_, actions, state)
        if stop and matched:
            state.stopped_by = id_


def _in_scope(rule: Compiled, facts: Facts) -> bool:
    channels, shops, locations = rule.scope
    if (channels and facts["channel"] not in channels) or (shops and facts["shop"] not in shops):
        return False
    return not locations or not locations.isdisjoint(facts["location_codes"])


def _put_counts(rule: Compiled, subject: Subject, counters: Counters) -> None:
    """How often the rule has worked on other orders."""
    had, member = rule.id in subject.had, subject.facts.get("member_id") or 0
    subject.facts["rule_count"] = counters.total.get(rule.id, 0) - had
    subject.facts["rule_count_member"] = counters.member.get((rule.id, member), 0) - had


def _count(rule: Compiled, subject: Subject, counters: Counters) -> None:
    if rule.id in subject.had:
        return
    counters.total[rule.id] = counters.total.get(rule.id, 0) + 1
    if member := subject.facts.get("member_id"):
        counters.member[rule.id, member] = counters.member.get((rule.id, member), 0) + 1


def _choose(rule_id: int, actions: Sequence[tuple[str, str, Mapping[str, Any]]], state: _State) -> list[Chosen]:
    """The branch's actions; a slot that an earlier rule filled stays as that rule wants it."""
    taken = state.taken
    chosen: list[Chosen] = []
    for key, slot, action in actions:
        if state.subject.late and not SPECS[action["do"]].late:
            chosen.append(Chosen(key, action, "late"))
        elif slot and taken.get(slot, rule_id) != rule_id:
            chosen.append(Chosen(key, action, "overruled", taken[slot]))
        else:
            if slot:
                taken[slot] = rule_id
            chosen.append(Chosen(key, action))
            _echo(action, state.subject.facts)
    return chosen


def _echo(action: Mapping[str, Any], facts: Facts) -> None:
    """What later rules of the same pass see of an action."""
    match action["do"]:
        case "add_tag":
            facts["tags"] = facts.get("tags", frozenset()) | {fold(action["tag"])}
        case "remove_tag":
            facts["tags"] = facts.get("tags", frozenset()) - {fold(action["tag"])}
        case "add_member_tag":
            facts["member_tags"] = facts.get("member_tags", frozenset()) | {fold(action["tag"])}
        case "flag":
            facts["important"] = True
        case "hold":
            facts["held"] = True
        case "set_method":
            _put(facts, {"delivery_method": action["method"], "carrier": action["carrier"]})
        case "set_slot":
            _put(facts, {"wish_slot": action["slot"]})
        case "assign":
            _put(facts, {"assignee": action["user"]})
        case "set_priority":
            facts["priority"] = action["priority"]


def _put(facts: Facts, values: Facts) -> None:
    """Texts are folded once; a new one is folded anew."""
    for name, value in values.items():
        facts[name] = value
        facts.pop(f"≈{name}", None)


# ---- one order, in the open


@dataclass(frozen=True, slots=True)
class Explained:
    """A condition or a group with what came of it. `value` is what the order has."""

    node: Mapping[str, Any]
    result: bool | None
    value: Any = None
    items: Sequence["Explained"] = ()


def explain(
    group: Mapping[str, Any],
    facts: Facts,
    *,
    lists: Lists,
    today: Callable[[], date],
    salt: str,
    of_lines: bool = False,
) -> Explained:
    """Every part of a tree by itself. Conditions on lines show each line's value; they hold when one line fulfils them,
    and so do groups of them (`of_lines`)."""
    over_lines = of_lines or group["match"].startswith("lines_")
    items = [
        explain(item, facts, lists=lists, today=today, salt=salt, of_lines=over_lines)
        if "match" in item
        else _explain_one(item, facts, over_lines=over_lines, lists=lists, today=today, salt=salt)
        for item in group["items"]
    ]
    check = compile_group(group, lists, today, salt=salt)
    result = any(_safe(check, line) for line in facts["lines"]) if of_lines else _safe(check, facts)
    return Explained(group, result, None, items)


def _explain_one(
    condition: Mapping[str, Any], facts: Facts, *, over_lines: bool, lists: Lists, today: Callable[[], date], salt: str
) -> Explained:
    check, key = compile_condition(condition, lists, today, salt=salt), fact_key(condition)
    if over_lines or FIELDS[condition["field"]].line:
        values = [_told(line.get(key)) for line in facts["lines"]]
        return Explained(condition, any(_safe(check, line) for line in facts["lines"]), values)
    value: Any = drawn(salt, facts["order_key"]) if key == "random_percent" else facts.get(key)
    return Explained(condition, _safe(check, facts), sorted(value) if FIELDS[condition["field"]].kind == SET else value)


def _told(value: Any) -> Any:
    return "・".join(sorted(value)) if isinstance(value, frozenset) else value


def _safe(check: Check, facts: Facts) -> bool | None:
    try:
        return check(facts)
    except Exception:  # shown as "could not be judged"
        return None


def fields_of(rules: Sequence[Compiled]) -> frozenset[str]:
    """Fact keys that these rules need, with those every order has anyway left to the loader."""
    return frozenset().union(*(rule.needs for rule in rules)) if rules else frozenset()


def actions_named(rules: Sequence[Compiled]) -> frozenset[str]:
    return frozenset(action["do"] for rule in rules for action in actions_of(rule.document))
