"""Writing the journal of coming and going."""

from oms.kernel import clock
from oms.kernel.models import SignInEvent, StoreDevice, User

Kind = SignInEvent.Kind


def entry(
    kind: Kind,
    *,
    person: User | int | None,
    by: User | None,
    address: str = "",
    text: str = "",
    store_device: StoreDevice | int | None = None,
) -> SignInEvent:
    """One entry, not stored yet. Texts are Japanese, as everything that stands in the database."""
    return SignInEvent(
        at=clock.now(),
        kind=kind,
        person_id=person.pk if isinstance(person, User) else person,
        by_id=by.pk if by else None,
        address=address[:45],
        store_device_id=store_device.pk if isinstance(store_device, StoreDevice) else store_device,
        text=text,
    )


def write(
    kind: Kind,
    *,
    person: User | int | None,
    by: User | None,
    address: str = "",
    text: str = "",
    store_device: StoreDevice | int | None = None,
) -> None:
    row = entry(kind, person=person, by=by, address=address, text=text, store_device=store_device)
    row.save(force_insert=True)
