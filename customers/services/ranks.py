"""The master of 会員ランク: made, renamed, put in order, taken away while nobody bears it."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from customers.models import Rank
from customers.signals import ranks_changed


@dataclass(frozen=True, slots=True)
class Wanted:
    code: str
    name: str
    level: int
    is_vip: bool


class Refused(Exception):
    """Why not: `used` by members, or a `double` of another rank's code, name or place."""


@transaction.atomic
def save(pk: int | None, wanted: Wanted) -> Rank:
    """A new rank, or an old one changed but for its code. Raises Refused("double"), Rank.DoesNotExist."""
    rank = Rank(code=wanted.code) if pk is None else _locked(pk)
    rank.name, rank.level, rank.is_vip = wanted.name, wanted.level, wanted.is_vip
    try:
        with transaction.atomic():
            if pk is None:
                rank.save(force_insert=True)
            else:
                rank.save(update_fields=["name", "level", "is_vip"])
    except IntegrityError as error:
        raise Refused("double") from error
    ranks_changed.send(sender=Rank)
    return rank


def _locked(pk: int) -> Rank:
    return Rank.objects.select_for_update(no_key=True).order_by("pk").get(pk=pk)


@transaction.atomic
def remove(pk: int) -> None:
    """Raises Refused("used") while a member has it."""
    try:
        Rank.objects.filter(pk=pk).delete()
    except ProtectedError as error:
        raise Refused("used") from error
