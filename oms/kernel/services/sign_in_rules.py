"""What roles ask of a sign-in: a second step, and from where. It holds from the next request of everybody concerned."""

from collections.abc import Sequence

from django.contrib.auth.models import Group
from django.db import transaction

from oms.kernel.models import Device, SignInEvent, SignInRule, SignInSettings, User
from oms.kernel.roles import label_of
from oms.kernel.services import setting_versions
from oms.kernel.services import sign_in_journal as journal
from oms.kernel.whence import admits

Kind = SignInEvent.Kind
ADMINISTRATOR = "administrator"


class LocksOut(ValueError):
    """The list would shut out the person who saves it."""


def holds(user: User, group: Group) -> bool:
    """Whether the role's rule is for this person; a superuser counts as an administrator."""
    if user.is_superuser and group.name == ADMINISTRATOR:
        return True
    return user.groups.filter(pk=group.pk).exists()


@transaction.atomic
def save_rule(group: Group, *, second_step: bool, networks: Sequence[str], by: User, address: str) -> bool:
    """Store a role's rule; whether it differs from before. `networks` as `whence.networks_of` returns them.

    Raises LocksOut when `by` holds the role and the list leaves out the `address` they are at.
    """
    with setting_versions.kept("sign_in_rule", group.pk, by=by):
        Group.objects.select_for_update(no_key=True).order_by("pk").get(pk=group.pk)  # one change of a rule at a time
        wanted = "\n".join(networks)
        if holds(by, group) and not admits([wanted], address):
            raise LocksOut(address)
        rule, _created = SignInRule.objects.get_or_create(group=group)
        changes = []
        if rule.second_step != second_step:
            changes.append("二段階認証：" + ("任意 → 必須" if second_step else "必須 → 任意"))
        if rule.networks != wanted:
            changes.append(f"許可する接続元：{_told(rule.networks)} → {_told(wanted)}")
        if not changes:
            return False
        SignInRule.objects.filter(pk=rule.pk).update(second_step=second_step, networks=wanted)
        text = f"{label_of(group)}・{'、'.join(changes)}"
        journal.write(Kind.RULE_CHANGED, person=None, by=by, address=address, text=text)
        return True


@transaction.atomic
def lift_networks(group: Group, *, by: User | None) -> bool:
    """Let a role in from anywhere again; whether it was limited."""
    with setting_versions.kept("sign_in_rule", group.pk, by=by):
        rule = SignInRule.objects.select_for_update(no_key=True).order_by("pk").filter(group=group).first()
        if rule is None or not rule.networks:
            return False
        text = f"{label_of(group)}・許可する接続元：{_told(rule.networks)} → {_told('')}"
        SignInRule.objects.filter(pk=rule.pk).update(networks="")
        journal.write(Kind.RULE_CHANGED, person=None, by=by, text=text)
        return True


@transaction.atomic
def save_trust(may_trust: bool, *, by: User, address: str) -> bool:
    """Whether people may leave out the code on browsers they trust. Switched off, all trust given so far ends."""
    with setting_versions.kept("sign_in_trust", "-", by=by):
        SignInSettings.objects.get_or_create(pk=1)
        row = SignInSettings.objects.select_for_update(no_key=True).order_by("pk").get(pk=1)
        if row.may_trust == may_trust:
            return False
        SignInSettings.objects.filter(pk=1).update(may_trust=may_trust)
        if not may_trust:
            trusting = Device.objects.exclude(trusted_until=None).select_for_update(no_key=True).order_by("pk")
            Device.objects.filter(pk__in=list(trusting.values_list("pk", flat=True))).update(trusted_until=None)
        text = "信頼した端末でのコードの省略：" + ("不可 → 可" if may_trust else "可 → 不可")
        journal.write(Kind.RULE_CHANGED, person=None, by=by, address=address, text=text)
        return True


def _told(networks: str) -> str:
    return "、".join(networks.splitlines()) or "すべて"
