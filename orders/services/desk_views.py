"""Saving lists of 受注一覧 under names, and putting them in order."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from oms.kernel.models import User
from orders.models import DeskView

MOST = 50


class TooMany(Exception):
    """This person has `MOST` views already."""


@transaction.atomic
def save(owner: User, name: str, query: str, *, shared: bool, pinned: bool) -> DeskView:
    """Save a list; under a name that exists it takes the old one's place. Raises TooMany."""
    User.objects.select_for_update(no_key=True).order_by("pk").get(pk=owner.pk)  # two clicks, one place each
    own = DeskView.objects.filter(owner=owner)
    if own.count() >= MOST and not own.filter(name=name).exists():
        raise TooMany
    last = own.aggregate(last=Max("position"))["last"] or 0
    values: Mapping[str, Any] = {"query": query, "shared": shared, "pinned": pinned}
    view, _created = DeskView.objects.update_or_create(
        owner=owner, name=name, defaults=values, create_defaults={**values, "position": last + 1}
    )
    return view


def visible_to(user: User) -> Sequence[DeskView]:
    """One's own in their order, then what others share."""
    rows = DeskView.objects.filter(Q(owner=user) | Q(shared=True)).select_related("owner")
    return sorted(rows, key=lambda view: (view.owner_id != user.pk, view.position, view.pk))


@transaction.atomic
def move(view: DeskView, step: int) -> None:
    """Change places with the neighbour above (-1) or below (1); at the end nothing happens."""
    own = list(DeskView.objects.select_for_update(no_key=True).filter(owner=view.owner_id).order_by("pk"))
    own.sort(key=lambda one: (one.position, one.pk))
    at = next(place for place, one in enumerate(own) if one.pk == view.pk)
    to = at + step
    if not 0 <= to < len(own):
        return
    own[at], own[to] = own[to], own[at]
    for place, one in enumerate(own, start=1):
        one.position = place
    DeskView.objects.bulk_update(own, ["position"])
