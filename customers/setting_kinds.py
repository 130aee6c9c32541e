"""Masters of the members with versions (`oms.kernel.setting_kinds`)."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from customers.forms import RankForm, old_form
from customers.models import Rank
from customers.services import ranks
from oms.kernel.setting_kinds import Kind, Refused, Who, register


def _rank(ref: str) -> Rank | None:
    return Rank.objects.filter(code=ref).first()


def _url(ref: str) -> str:
    rank = _rank(ref)
    return reverse("customers:rank", args=[rank.pk]) if rank else reverse("customers:ranks")


def _save(ref: str, form: RankForm, who: Who) -> None:
    rank, asked = _rank(ref), form.cleaned_data
    wanted = ranks.Wanted(ref, asked["name"], asked["level"], asked["is_vip"])
    try:
        ranks.save(rank.pk if rank else None, wanted, by=who.by)
    except ranks.Refused as refused:
        raise Refused([refused.cause]) from refused


def _remove(ref: str, who: Who) -> None:
    try:
        if rank := _rank(ref):
            ranks.remove(rank.pk, by=who.by)
    except ranks.Refused as refused:
        raise Refused([refused.cause]) from refused


def register_kinds() -> None:
    register(
        Kind(
            code=ranks.KIND,
            label=lazy("会員ランク"),
            rights=("customers.change_rank",),
            name=lambda ref: str(_rank(ref) or ""),
            url=_url,
            form=lambda ref, data, who: old_form(_rank(ref) or Rank(code=ref), data),
            save=_save,
            exists=lambda ref: _rank(ref) is not None,
            reset=_remove,
        )
    )
