"""How a shop sends mails: saved with a journal of who set what to what."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.models import MailPolicy, ReviewSettingChange, Shop

FIELDS = (
    "send_delay_s", "wait_for_review", "off_events", "quiet_marks", "signature", "bank_account", "hours", "law_url",
    "cancel_rule",
)  # fmt: skip


def subject_of(shop: Shop) -> str:
    """Where the shop's changes stand among the stored changes of settings."""
    return f"mail:{shop.code}"


@transaction.atomic
def save_policy(shop: Shop, values: Mapping[str, Any], *, by: User | None) -> bool:
    """Write the shop's mail settings and keep what changed. The same values again do nothing and return False.

    Takes the policy's lock.
    """
    with setting_versions.kept("mail_policy", shop.pk, by=by):
        policy, _made = MailPolicy.objects.select_for_update(no_key=True, of=("self",)).get_or_create(shop=shop)
        before = {name: getattr(policy, name) for name in FIELDS}
        changed = [name for name in FIELDS if name in values and values[name] != before[name]]
        if not changed:
            return False
        for name in changed:
            setattr(policy, name, values[name])
        policy.save(update_fields=changed)
        subject = subject_of(shop)
        ReviewSettingChange.objects.create(
            subject=subject, version=ReviewSettingChange.objects.filter(subject=subject).count() + 1,
            before={name: before[name] for name in changed}, after={name: values[name] for name in changed},
            at=clock.now(), by=by,
        )  # fmt: skip
        return True
