"""The lives of credentials: when each begins and ends, from when on to renew it, and who looks after it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from channels.connectors.contract import CredentialTerm
from channels.connectors.registry import connector_class
from channels.models import Connection, Credential, CredentialEvent
from oms.kernel import clock
from oms.kernel.models import User

LONGEST_NOTICE_DAYS = 30


def terms_of(channel: str) -> Mapping[str, CredentialTerm]:
    """What the channel's connector declares of the credentials that end."""
    return connector_class(channel).credential_terms


def overlaps(channel: str, keys: Iterable[str]) -> bool:
    """Whether the old values of all these keys work beside the new ones."""
    terms = terms_of(channel)
    return all(terms[key].overlap for key in keys if key in terms)


def renew_from(expires_at: datetime, days: int) -> datetime:
    """A quarter of its life before the end, at most thirty days."""
    return expires_at - timedelta(days=min(LONGEST_NOTICE_DAYS, days // 4))


def begin(connection: Connection, keys: Sequence[str], *, by: User | None) -> None:
    """These credentials have new values from now on. In the caller's transaction; owners stay who they are."""
    now, terms = clock.now(), terms_of(connection.shop.channel)
    for key in sorted(keys):
        term = terms.get(key)
        ends = now + timedelta(days=term.days) if term else None
        Credential.objects.update_or_create(
            connection=connection,
            key=key,
            defaults={
                "issued_at": now,
                "expires_at": ends,
                "renew_from": renew_from(ends, term.days) if term and ends else None,
                "changed_at": now,
                "changed_by": by,
            },
        )


def ensure(connection: Connection, keys: Iterable[str]) -> None:
    """Rows for credentials that were stored before anybody kept their dates: they began when they were last changed."""
    known = set(Credential.objects.filter(connection=connection, key__in=list(keys)).values_list("key", flat=True))
    terms, began = terms_of(connection.shop.channel), connection.secrets_changed_at
    fresh = []
    for key in sorted(set(keys) - known):
        term = terms.get(key)
        ends = began + timedelta(days=term.days) if term and began else None
        fresh.append(
            Credential(
                connection=connection,
                key=key,
                issued_at=began,
                expires_at=ends,
                renew_from=renew_from(ends, term.days) if term and ends else None,
                changed_at=began,
                changed_by_id=connection.secrets_changed_by_id,
            )
        )
    Credential.objects.bulk_create(fresh, ignore_conflicts=True)


@transaction.atomic
def set_dates(
    credential_id: int,
    *,
    issued_at: datetime | None,
    expires_at: datetime | None,
    renew_from: datetime | None,
    owners: Sequence[User],
    by: User | None,
) -> bool:
    """What an administrator knows better. Journaled; False when nothing differs."""
    credential = (
        Credential.objects.select_for_update(no_key=True, of=("self",))
        .select_related("connection")
        .get(pk=credential_id)
    )
    given = {"issued_at": issued_at, "expires_at": expires_at, "renew_from": renew_from}
    changed = [name for name, value in given.items() if getattr(credential, name) != value]
    for name in changed:
        setattr(credential, name, given[name])
    if changed:
        credential.save(update_fields=changed)
    people = {person.pk for person in owners}
    if people != set(credential.owners.values_list("pk", flat=True)):
        credential.owners.set(people)
        changed.append("owners")
    if changed:
        CredentialEvent.objects.create(
            connection=credential.connection, at=clock.now(), kind="dates", keys=credential.key, by=by
        )
    return bool(changed)


def dates_of(connection: Connection, keys: Iterable[str]) -> dict[str, dict[str, str]]:
    """The dates of these credentials as JSON, to bring them back later."""
    rows = Credential.objects.filter(connection=connection, key__in=list(keys))
    return {row.key: {name: at.isoformat() for name in DATES if (at := getattr(row, name)) is not None} for row in rows}


def bring_back(connection: Connection, dates: Mapping[str, Mapping[str, str]]) -> None:
    """Give these credentials the dates that `dates_of` remembered."""
    for key, kept in dates.items():
        values = {name: datetime.fromisoformat(kept[name]) if name in kept else None for name in DATES}
        Credential.objects.filter(connection=connection, key=key).update(**values)


DATES = ("issued_at", "expires_at", "renew_from")
