"""Writing the journal of coming and going."""

from oms.kernel import clock
from oms.kernel.models import SignInEvent, User

Kind = SignInEvent.Kind


def entry(kind: Kind, *, person: User | int | None, by: User | None, address: str = "", text: str = "") -> SignInEvent:
    """One entry, not stored yet. Texts are Japanese, as everything that stands in the database."""
    return SignInEvent(
        at=clock.now(),
        kind=kind,
        person_id=person.pk if isinstance(person, User) else person,
        by_id=by.pk if by else None,
        address=address[:45],
        text=text,
    )


def write(kind: Kind, *, person: User | int | None, by: User | None, address: str = "", text: str = "") -> None:
    entry(kind, person=person, by=by, address=address, text=text).save(force_insert=True)
