"""Layouts of export files: the ready-made ones, one's own, and those that others share."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from oms.kernel.models import User
from orders.decide.export_columns import COLUMNS, READY_MADE, Layout, is_personal
from orders.models import ExportFormat, ExportGrain, ExportLayout

MOST = 50
PERSONAL = "orders.view_personal_data"


class TooMany(Exception):
    """This person has `MOST` layouts already."""


class NameTaken(Exception):
    """This person has another layout of that name."""


def as_layout(stored: ExportLayout) -> Layout:
    columns = [code for code in stored.columns if code in COLUMNS]
    return Layout(
        str(stored.pk),
        stored.name,
        ExportGrain(stored.grain),
        columns,
        ExportFormat(stored.format),
        stored.keep_zeros,
    )


def stored_for(user: User) -> Sequence[ExportLayout]:
    """One's own by name, then what others share; those with personal data only for who may see it."""
    rows = ExportLayout.objects.filter(Q(owner=user) | Q(shared=True)).select_related("owner")
    seen = [one for one in rows if user.has_perm(PERSONAL) or not is_personal(one.columns)]
    return sorted(seen, key=lambda one: (one.owner_id != user.pk, one.name, one.pk))


def offered_to(user: User) -> list[Layout]:
    """Every layout this person may write a file with. One query."""
    ready = [one for one in READY_MADE if user.has_perm(PERSONAL) or not one.personal]
    return [*ready, *(as_layout(one) for one in stored_for(user))]


@transaction.atomic
def save(owner: User, layout: ExportLayout | None, values: dict[str, Any]) -> ExportLayout:
    """Save a new layout, or change one's own. Raises TooMany, NameTaken."""
    User.objects.select_for_update(no_key=True).order_by("pk").get(pk=owner.pk)  # two clicks, one layout
    own = ExportLayout.objects.filter(owner=owner)
    if own.filter(name=values["name"]).exclude(pk=layout.pk if layout else 0).exists():
        raise NameTaken
    if layout is None and own.count() >= MOST:
        raise TooMany
    saved = layout or ExportLayout(owner=owner)
    for name, value in values.items():
        setattr(saved, name, value)
    saved.save(update_fields=list(values) if layout else None)
    return saved
