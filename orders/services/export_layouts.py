"""Layouts of export files: the ready-made ones, one's own, and those that others share."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q

from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.decide.export_columns import COLUMNS, READY_MADE, Layout, is_personal
from orders.models import ExportFormat, ExportGrain, ExportLayout

KIND = "export_layout"  # of its versions
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
def save(owner: User, layout: ExportLayout | int | None, values: dict[str, Any]) -> ExportLayout:
    """Save a new layout, or change one's own. An id is that of one's own that was removed, and comes back. Raises
    TooMany, NameTaken."""
    known, old_id = (layout, None) if isinstance(layout, ExportLayout) else (None, layout)
    if known:
        setting_versions.begin(KIND, known.pk)
    User.objects.select_for_update(no_key=True).order_by("pk").get(pk=owner.pk)  # two clicks, one layout
    own = ExportLayout.objects.filter(owner=owner)
    if own.filter(name=values["name"]).exclude(pk=known.pk if known else 0).exists():
        raise NameTaken
    if known is None and own.count() >= MOST:
        raise TooMany
    saved = known or ExportLayout(pk=old_id, owner=owner)
    for name, value in values.items():
        setattr(saved, name, value)
    saved.save(update_fields=list(values)) if known else saved.save(force_insert=True)
    setting_versions.keep(KIND, saved.pk, by=owner)
    return saved


def remove(layout: ExportLayout) -> None:
    """Files that were written with it stay as they are."""
    with setting_versions.kept(KIND, layout.pk, by=layout.owner):
        ExportLayout.objects.filter(pk=layout.pk).delete()
