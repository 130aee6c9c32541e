"""閲覧履歴: who saw the personal data of which order or member, kept for a time of its own.

Only what shows one subject, or papers with addresses, is written down: the lists, which show names by the dozen and
are asked for every few seconds, are not (`docs/privacy.md`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.services import setting_versions
from orders.models import PersonalView, PrivacyEvent, ViewRetention
from orders.models.personal_view import VIEW_MONTHS
from orders.services.journal import Actor

Where = PersonalView.Where
SLOT_S = 15 * 60
BATCH = 5_000
LEAST_MONTHS, MOST_MONTHS = 3, 120

SAW = """
INSERT INTO orders_personalview (by_id, {column}, "where", at, slot)
SELECT %(by)s, subject, %(where)s, %(at)s, %(slot)s FROM unnest(%(ids)s::bigint[]) subject ORDER BY subject
ON CONFLICT DO NOTHING
"""


def saw_orders(order_ids: Sequence[int], where: str, *, by: User) -> None:
    """This person saw the personal data of these orders now. One statement, whatever their number; a second look
    within the same quarter of an hour writes nothing."""
    _saw("order_id", order_ids, where, by)


def saw_member(member_id: int, *, by: User) -> None:
    _saw("member_id", [member_id], Where.MEMBER, by)


def _saw(column: str, ids: Sequence[int], where: str, by: User) -> None:
    if not ids:
        return
    now = clock.now()
    slot = int(now.timestamp()) // SLOT_S
    values: dict[str, Any] = {"by": by.pk, "where": str(where), "at": now, "slot": slot, "ids": sorted(set(ids))}
    with connection.cursor() as cursor:
        cursor.execute(SAW.format(column=column), values)


class BadMonths(Exception):
    """Says in Japanese which number of months is possible."""


def kept_months() -> int:
    return ViewRetention.objects.values_list("months", flat=True).first() or VIEW_MONTHS


@transaction.atomic
def set_months(months: int, *, actor: Actor) -> bool:
    """Keep views so long; False when it is so already. The change is on record with what was before."""
    if not LEAST_MONTHS <= months <= MOST_MONTHS:
        raise BadMonths(
            _("閲覧履歴を保存する月数は %(least)s から %(most)s までで入力してください。")
            % {"least": LEAST_MONTHS, "most": MOST_MONTHS}
        )
    with setting_versions.kept("view_months", "-", by=actor.by):
        row, _made = ViewRetention.objects.select_for_update(no_key=True).order_by("pk").get_or_create(pk=1)
        before = row.months
        if before == months:
            return False
        row.months = months
        row.save(update_fields=["months"])
        text = said("%(before)sか月 → %(after)sか月", before=before, after=months)
        PrivacyEvent.objects.create(kind=PrivacyEvent.Kind.VIEWS, text=text, at=clock.now(), by=actor.by)
        return True


FORGET = """
DELETE FROM orders_personalview
 WHERE id IN (SELECT id FROM orders_personalview WHERE at < %s ORDER BY at, id LIMIT %s)
"""


def forget_old(limit: int = 200_000) -> int:
    """Delete views older than their months, batch by batch; returns how many."""
    before = clock.now() - timedelta(days=kept_months() * 365.25 / 12)
    total = 0
    while total < limit and (gone := _forget(before)):
        total += gone
    return total


@transaction.atomic
def _forget(before: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('oms.privacy_purge', 'on', true)")
        cursor.execute(FORGET, [before, BATCH])
        gone = cursor.rowcount
        cursor.execute("SELECT set_config('oms.privacy_purge', 'off', true)")
    return gone
