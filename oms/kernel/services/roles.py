"""Roles of the company's own making: groups beside the seven of `oms.kernel.roles`, made of rights by action."""

from collections.abc import Collection

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from oms.kernel.models import User
from oms.kernel.rights import ALL
from oms.kernel.roles import ROLES
from oms.kernel.services import setting_versions

PRESETS = frozenset(role.code for role in ROLES)


class Held(Exception):
    """People hold the role; it cannot be deleted. `people` are their names."""

    def __init__(self, people: list[str]) -> None:
        super().__init__(people)
        self.people = people


@transaction.atomic
def save(role: Group, rights: Collection[str], *, by: User) -> Group:
    """Store an own role, new or changed. Rights that `oms.kernel.rights` does not name are left as they are."""
    if role.name in PRESETS:
        raise ValueError(role.name)
    if role.pk is not None:
        setting_versions.begin("own_role", role.pk)
    role.save()
    existing = {
        f"{one.content_type.app_label}.{one.codename}": one for one in Permission.objects.select_related("content_type")
    }
    others = [one for one in role.permissions.select_related("content_type") if named(one) not in ALL]
    role.permissions.set([*others, *(existing[code] for code in rights if code in ALL and code in existing)])
    setting_versions.keep("own_role", role.pk, by=by)
    return role


@transaction.atomic
def delete(role_id: int, *, by: User) -> bool:
    """False when it is gone. Raises Held."""
    with setting_versions.kept("own_role", role_id, by=by):
        role = Group.objects.select_for_update(no_key=True).order_by("pk").filter(pk=role_id).first()
        if role is None or role.name in PRESETS:
            return False
        if people := [str(person) for person in User.objects.filter(groups=role).order_by("username")]:
            raise Held(people)
        role.delete()
        return True


def rights_of(role: Group) -> list[str]:
    """What an own role allows, in the order of `oms.kernel.rights`."""
    held = {named(one) for one in role.permissions.select_related("content_type")}
    return sorted(held & ALL)


def named(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"
