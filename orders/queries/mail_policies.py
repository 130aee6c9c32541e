"""Who changed a shop's mail settings, in words."""

from typing import Any

from django.utils.translation import gettext as _

from orders.models import MailPolicy, ReviewSettingChange, Shop
from orders.models.mail import MailEvent
from orders.queries.reasons import SettingChange
from orders.services.mail_policies import subject_of

SHOWN = 30


def policy_changes(shop: Shop) -> list[SettingChange]:
    """Newest first. One query."""
    rows = ReviewSettingChange.objects.filter(subject=subject_of(shop)).select_related("by")[:SHOWN]
    return [
        SettingChange(row.version, row.at, str(row.by) if row.by else _("自動"), _differences(row.before, row.after))
        for row in rows
    ]


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(_label(name), _words(before.get(name)), _words(value)) for name, value in after.items()]


def _label(name: str) -> str:
    return str(getattr(MailPolicy._meta.get_field(name), "verbose_name", name))


def _words(value: Any) -> str:
    """A stored value for people; kinds of mail by their names."""
    if isinstance(value, bool):
        return _("はい") if value else _("いいえ")
    if isinstance(value, list):
        known = {event.value: str(event.label) for event in MailEvent}
        return _("、").join(str(known.get(one, one)) for one in value) or _("（なし）")
    return _("（なし）") if value in (None, "") else str(value)
