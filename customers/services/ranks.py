"""The master of 会員ランク: made, renamed, put in order, taken away while nobody bears it."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from customers.models import Rank
from customers.signals import ranks_changed
from oms.kernel.models import User
from oms.kernel.services import setting_versions

KIND = "rank"  # its versions go by the code, so a rank that comes back goes on with them


@dataclass(frozen=True, slots=True)
class Wanted:
    code: str
    name: str
    level: int
    is_vip: bool


class Refused(Exception):
    """Members have the rank, or another one has its code, name or place; `cause` says so."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@transaction.atomic
def save(pk: int | None, wanted: Wanted, *, by: User | None) -> Rank:
    """A new rank, or an old one changed but for its code. Raises Refused, Rank.DoesNotExist."""
    if pk is not None:
        setting_versions.begin(KIND, Rank.objects.values_list("code", flat=True).get(pk=pk))
    rank = Rank(code=wanted.code) if pk is None else _locked(pk)
    rank.name, rank.level, rank.is_vip = wanted.name, wanted.level, wanted.is_vip
    try:
        with transaction.atomic():
            if pk is None:
                rank.save(force_insert=True)
            else:
                rank.save(update_fields=["name", "level", "is_vip"])
    except IntegrityError as error:
        raise Refused(_("コード・名前・順位のどれかが、ほかの会員ランクと同じです。")) from error
    setting_versions.keep(KIND, rank.code, by=by)
    ranks_changed.send(sender=Rank)
    return rank


def _locked(pk: int) -> Rank:
    return Rank.objects.select_for_update(no_key=True).order_by("pk").get(pk=pk)


@transaction.atomic
def remove(pk: int, *, by: User | None) -> bool:
    """False when it is gone. Raises Refused while a member has it."""
    code = Rank.objects.filter(pk=pk).values_list("code", flat=True).first()
    if code is None:
        return False
    with setting_versions.kept(KIND, code, by=by):
        try:
            return bool(Rank.objects.filter(pk=pk).delete()[0])
        except ProtectedError as error:
            raise Refused(_("この会員ランクの会員がいます。先にその会員のランクを変えてください。")) from error
