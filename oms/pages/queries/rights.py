"""The table of rights by role, and what one person may do."""

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count, Q

from oms.kernel.models import User
from oms.kernel.rights import AREAS, told
from oms.kernel.roles import ROLES, label_of
from oms.kernel.services.roles import PRESETS, named


def matrix() -> dict[str, Any]:
    """Presets in the order of the day's work, then own roles; each right with who of them has it. Three queries."""
    groups = list(
        Group.objects.annotate(people=Count("user", filter=Q(user__is_active=True)))
        .prefetch_related("permissions__content_type")
        .order_by("name")
    )
    order = {role.code: place for place, role in enumerate(ROLES)}
    groups.sort(key=lambda group: (order.get(group.name, len(order)), group.name))
    held = {group.pk: {named(one) for one in group.permissions.all()} for group in groups}
    return {
        "roles": [
            {"group": group, "label": label_of(group), "own": group.name not in PRESETS, "people": group.people}
            for group in groups
        ],
        "areas": [
            {
                "label": area.label,
                "rights": [
                    (label, [code in held[group.pk] for group in groups]) for code, label in area.rights.items()
                ],
            }
            for area in AREAS
        ],
    }


def of_person(person: User) -> list[tuple[Any, list[Any]]]:
    """What this person may do, by area; as far as their shops and places go."""
    return told(person.get_all_permissions())
