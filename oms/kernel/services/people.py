"""People of the company and their roles."""

from collections.abc import Sequence

import structlog
from django.contrib.auth.models import Group
from django.db import transaction

from oms.kernel.models import SignInEvent, User
from oms.kernel.scope import EVERYTHING, Scope
from oms.kernel.services import devices, setting_versions, sign_in_journal

log = structlog.get_logger(__name__)


@transaction.atomic
def save_person(
    person: User,
    *,
    groups: Sequence[Group],
    password: str,
    by: User,
    scope: Scope = EVERYTHING,
    session: str | None = None,
    address: str = "",
) -> User:
    """Store a person with these roles, limited to these shops and places. An empty password keeps the old one.

    A new password, or that the person may no longer log in, signs all their browsers out, but for the one of `session`.
    """
    known = person.pk is not None
    if known:
        setting_versions.begin("person", person.pk)
    person.shop_ids, person.place_ids = list(scope.shops), list(scope.places)
    person.is_staff = any(group.name == "administrator" for group in groups)
    if password:
        person.set_password(password)
    person.save()
    person.groups.set(groups)
    if known and password:
        password_changed(person, by=by, session=session, address=address)
    elif known and not person.is_active:
        devices.end_all([person.pk], by=by, address=address, why="利用の停止")
    setting_versions.keep("person", person.pk, by=by)
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


@transaction.atomic
def change_password(person: User, password: str, *, session: str | None, address: str) -> None:
    """One's own new password (the caller has asked for the old one): all other browsers are signed out."""
    person.set_password(password)
    person.save(update_fields=["password"])
    password_changed(person, by=person, session=session, address=address)


def password_changed(person: User, *, by: User | None, session: str | None, address: str) -> None:
    """Whoever knew the old password is out, also where the browser was trusted; but for the session `session`."""
    sign_in_journal.write(SignInEvent.Kind.PASSWORD_CHANGED, person=person, by=by, address=address)
    devices.end_all([person.pk], by=by, keep=session, address=address, why="パスワードの変更")
