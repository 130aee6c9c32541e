"""Two members that look like one: their sure keys met in one person. Found while people are matched, decided by people.

A decision is remembered: the same two never ask again. Joining two members into one is not done here.
"""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise

from customers.models import Identity, Member, MemberPair
from customers.signals import pair_decided
from oms.kernel import clock
from oms.kernel.models import User


def note(met: Collection[tuple[int, int, str]]) -> None:
    """Remember (member, member, kinds of the keys that met). Known pairs stay as somebody decided them."""
    now = clock.now()
    rows = {(min(one, other), max(one, other)): kinds for one, other, kinds in met}
    MemberPair.objects.bulk_create(
        [
            MemberPair(first_id=first, second_id=second, met_on=kinds, found_at=now)
            for (first, second), kinds in sorted(rows.items())
        ],
        ignore_conflicts=True,
    )


def open_pairs(member_ids: Collection[int]) -> dict[int, list[MemberPair]]:
    """Member → the pairs nobody has decided about. One query, none without members."""
    if not member_ids:
        return {}
    found: dict[int, list[MemberPair]] = {}
    rows = MemberPair.objects.filter(Q(first__in=member_ids) | Q(second__in=member_ids), state=MemberPair.State.OPEN)
    for pair in rows.order_by("pk"):
        for member in (pair.first_id, pair.second_id):
            found.setdefault(member, []).append(pair)
    return found


def in_words(kinds: str) -> str:
    """氏名＋電話番号・メール: the keys that met."""
    return "・".join(str(label) for label in labels_of(kinds))


def labels_of(kinds: str) -> list[str | Promise]:
    """The same one by one."""
    return [Identity.Kind(kind).label for kind in kinds.split(",") if kind in Identity.Kind.values]


def others_of(member_id: int) -> Sequence[tuple[MemberPair, Member]]:
    """The pairs of one member with the other member of each, undecided ones first. Two queries."""
    pairs = list(MemberPair.objects.filter(Q(first=member_id) | Q(second=member_id)).order_by("-state", "pk"))
    other = {pair.pk: pair.second_id if pair.first_id == member_id else pair.first_id for pair in pairs}
    members = Member.objects.select_related("rank").defer("search").in_bulk(other.values())
    return [(pair, members[other[pair.pk]]) for pair in pairs]


@transaction.atomic
def are_different(pair_id: int, *, by: User) -> MemberPair | None:
    """Two people: the doubt is over for good. None when somebody has said so before. Raises MemberPair.DoesNotExist."""
    pair = MemberPair.objects.select_for_update(no_key=True).order_by("pk").get(pk=pair_id)
    if pair.state != MemberPair.State.OPEN:
        return None
    pair.state, pair.decided_at, pair.decided_by = MemberPair.State.DIFFERENT, clock.now(), by
    pair.save(update_fields=["state", "decided_at", "decided_by"])
    pair_decided.send(sender=MemberPair, member_ids=[pair.first_id, pair.second_id])
    return pair
