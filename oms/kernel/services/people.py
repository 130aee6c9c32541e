"""People of the company and their roles."""

from collections.abc import Sequence

import structlog
from django.contrib.auth.models import Group
from django.db import transaction

from oms.kernel.models import User
from oms.kernel.roles import ROLES
from oms.kernel.scope import EVERYTHING, Scope

log = structlog.get_logger(__name__)


@transaction.atomic
def save_person(person: User, *, groups: Sequence[Group], password: str, by: User, scope: Scope = EVERYTHING) -> User:
    """Store a person with these roles, limited to these shops and places; groups of the company's own making stay. An
    empty password keeps the old one."""
    person.shop_ids, person.place_ids = list(scope.shops), list(scope.places)
    person.is_staff = any(group.name == "administrator" for group in groups)
    if password:
        person.set_password(password)
    person.save()
    own = person.groups.exclude(name__in=[role.code for role in ROLES])
    person.groups.set([*own, *groups])
    log.info(
        "person_saved",
        person=person.username,
        roles=[group.name for group in groups],
        active=person.is_active,
        shops=person.shop_ids,
        places=person.place_ids,
        password_changed=bool(password),
        by=by.username,
    )
    return person
