"""Writing rules: drafts, publishing now or at a time, going back. A published version never changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.services import setting_versions
from orders.decide.rules.checked import Document
from orders.decide.rules.document import check
from orders.models import Rule, RuleList, RuleListVersion, RuleVersion
from orders.services.rules import active, stock_levels

LONGEST_LIST = 50_000


class Faulty(Exception):
    """The document has faults: (place, sentence) each."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{place}: {text}" for place, text in faults))
        self.faults = faults


@transaction.atomic
def create(name: str, document: Mapping[str, Any], *, by: User | None, template: str = "") -> RuleVersion:
    """A new rule with its first draft. Raises Faulty. A template is made into a rule once; again gives that rule's
    newest version."""
    clean = checked(document)
    now = clock.now()
    if template and (known := Rule.objects.filter(template=template).first()):
        return newest(known)
    rule = Rule.objects.create(name=name, owner=by, template=template, created_at=now, changed_at=now)
    return RuleVersion.objects.create(rule=rule, number=1, document=clean, created_at=now, created_by=by)


@transaction.atomic
def save_draft(
    rule_id: int, name: str, document: Mapping[str, Any], *, by: User | None, note: str = ""
) -> RuleVersion:  # fmt: skip
    """Write the rule's draft: the newest version while it is one, else the next. Raises Faulty."""
    clean = checked(document)
    rule = _locked(rule_id)
    if rule.name != name:
        rule.name = name
        rule.save(update_fields=["name"])
        active.changed(rule)
    last = newest(rule)
    if last.is_draft:
        last.document, last.note, last.created_at, last.created_by = clean, note, clock.now(), by
        last.publish_at = None
        last.save(update_fields=["document", "note", "created_at", "created_by", "publish_at"])
        return last
    return RuleVersion.objects.create(
        rule=rule, number=last.number + 1, document=clean, note=note, created_at=clock.now(), created_by=by
    )


@transaction.atomic
def publish(version_id: int, *, by: User | None) -> Rule:
    """Put a version in force. Raises Faulty when what it names is gone by now. Twice does nothing."""
    version = RuleVersion.objects.get(pk=version_id)
    rule = _locked(version.rule_id)
    version.refresh_from_db()
    checked(version.document)
    if version.is_draft:
        version.published_at, version.published_by, version.publish_at = clock.now(), by, None
        version.save(update_fields=["published_at", "published_by", "publish_at"])
    rule.published, rule.paused = version.number, False
    rule.save(update_fields=["published", "paused"])
    active.changed(rule)
    stock_levels.watch()
    return rule


@transaction.atomic
def schedule(version_id: int, at: datetime | None) -> bool:
    """Have a draft published at a time; None calls that off. False when it is no draft."""
    return bool(RuleVersion.objects.filter(pk=version_id, published_at=None).update(publish_at=at))


def publish_due() -> int:
    """Publish the drafts whose time has come; returns how many. A draft that has become faulty stays one, and its
    note says so."""
    done = 0
    for version in RuleVersion.objects.filter(publish_at__lte=clock.now(), published_at=None).order_by("publish_at"):
        try:
            publish(version.pk, by=version.created_by)
            done += 1
        except Faulty as faulty:
            RuleVersion.objects.filter(pk=version.pk).update(
                publish_at=None, note=said("公開できませんでした: %(fault)s", fault=faulty.faults[0][1])
            )
    return done


@transaction.atomic
def roll_back(rule_id: int, number: int, *, by: User | None) -> Rule:
    """Publish an earlier version again, as a new one. Raises Faulty, RuleVersion.DoesNotExist."""
    rule = _locked(rule_id)
    old = RuleVersion.objects.get(rule=rule, number=number)
    note = said("第%(n)s版に戻しました。", n=number)
    draft = RuleVersion.objects.filter(rule=rule, published_at=None).first()
    if draft is not None:
        draft.delete()
    version = RuleVersion.objects.create(
        rule=rule,
        number=newest(rule).number + 1,
        document=old.document,
        note=note,
        created_at=clock.now(),
        created_by=by,
    )
    return publish(version.pk, by=by)


@transaction.atomic
def drop_draft(rule_id: int) -> bool:
    """Throw the rule's draft away, and the rule with it when nothing of it was ever published. Returns whether the rule
    is still there. Without a draft nothing happens."""
    rule = _locked(rule_id)
    RuleVersion.objects.filter(rule=rule, published_at=None).delete()
    if rule.versions.exists():
        return True
    rule.delete()
    return False


@transaction.atomic
def set_paused(rule_id: int, *, paused: bool, by: User | None = None) -> bool:
    """Stop a rule, or let it go on. What it did stays. False when it was so already."""
    with setting_versions.kept("rule_paused", rule_id, by=by):
        rule = _locked(rule_id)
        if rule.paused == paused or rule.published is None:
            return False
        rule.paused = paused
        rule.save(update_fields=["paused"])
        active.changed(rule)
        stock_levels.watch()
        return True


@transaction.atomic
def set_owner(rule_id: int, owner: User | None, *, by: User | None) -> bool:
    """Who answers for a rule. What it does stays, and no version of that is made. False when it was so already."""
    with setting_versions.kept("rule_owner", rule_id, by=by):
        rule = _locked(rule_id)
        if rule.owner_id == (owner.pk if owner else None):
            return False
        rule.owner = owner
        rule.save(update_fields=["owner"])
        return True


@transaction.atomic
def save_list(name: str, values: Sequence[str], *, by: User | None = None) -> RuleList:
    """Write a list that conditions name: its values cleaned, each once, kept as its next version. The same values
    again write nothing. Raises ValueError beyond `LONGEST_LIST`."""
    clean = list(dict.fromkeys(text for value in values if (text := value.strip()[:200])))
    if len(clean) > LONGEST_LIST:
        raise ValueError(len(clean))
    now = clock.now()
    RuleList.objects.get_or_create(name=name, defaults={"values": [], "changed_at": now})
    saved = RuleList.objects.select_for_update(no_key=True).order_by("pk").get(name=name)
    versions = RuleListVersion.objects.filter(rule_list=saved)
    if saved.values == clean and versions.exists():
        return saved
    number = versions.aggregate(last=Max("number"))["last"] or 0
    if number == 0 and saved.values:  # written before versions were kept
        number = 1
        RuleListVersion.objects.create(rule_list=saved, number=number, values=saved.values, at=saved.changed_at)
    RuleListVersion.objects.create(rule_list=saved, number=number + 1, values=clean, at=now, by=by)
    saved.values, saved.changed_at = clean, now
    saved.save(update_fields=["values", "changed_at"])
    return saved


def list_back(name: str, number: int, *, by: User | None) -> RuleList:
    """Make an earlier version of a list its present one, as a new version. Raises RuleListVersion.DoesNotExist."""
    version = RuleListVersion.objects.get(rule_list__name=name, number=number)
    return save_list(name, version.values, by=by)


def newest(rule: Rule) -> RuleVersion:
    return RuleVersion.objects.filter(rule=rule).latest("number")


def checked(document: Mapping[str, Any]) -> Document:
    """The document in its normal form. Raises Faulty."""
    result = check(document, active.known())
    if result.faults:
        raise Faulty(result.faults)
    return result.document


def _locked(rule_id: int) -> Rule:
    return Rule.objects.select_for_update(no_key=True).order_by("pk").get(pk=rule_id)
