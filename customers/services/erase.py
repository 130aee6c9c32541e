"""Forgetting a person: the member stays as a number, so that counts stay true."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Q

from customers.models import Identity, Member, MemberChange, MemberNote, MemberPair, MemberTag


def forget(member_ids: Sequence[int], *, name: str) -> int:
    """Erase what is known of these members and the keys by which they are found; `name` stands in their place.

    Returns how many. Locks them by pk, in the caller's transaction. Who buys again is a new member.
    """
    rows = Member.objects.select_for_update(no_key=True).filter(pk__in=member_ids).order_by("pk")
    ids = list(rows.values_list("pk", flat=True))
    Identity.objects.filter(member__in=ids).delete()
    MemberTag.objects.filter(member__in=ids).delete()
    MemberNote.objects.filter(member__in=ids).delete()
    MemberPair.objects.filter(Q(first__in=ids) | Q(second__in=ids)).delete()
    _empty_journal(ids)
    return Member.objects.filter(pk__in=ids).update(
        name=name, kana="", phone="", email="", postal_code="", prefecture="", search="", member_no="", birthday=None,
        rank=None, store_member=False,
    )  # fmt: skip


def _empty_journal(ids: Sequence[int]) -> None:
    """That something was changed stays, by whom and when; the values go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('oms.privacy_purge', 'on', true)")
    MemberChange.objects.filter(member__in=ids).update(before={}, after={}, source="")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('oms.privacy_purge', 'off', true)")
