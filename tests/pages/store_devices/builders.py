"""A store with its device, for tests: made by the same services and pages as anybody's."""

from typing import Any
from uuid import uuid4

from django.test import Client

from inventory.models import Location
from oms.kernel.models import StoreDevice, User
from oms.kernel.services import pins, store_devices
from tests.conftest import person

PIN = "4917"


def make_store(name: str = "渋谷店", **more: Any) -> Location:
    return Location.objects.create(code=f"S-{uuid4().hex[:8]}", name=name, kind="store", **more)


def works_at(store: Location, username: str, name: str, *, role: str = "store_staff", pin: str = PIN) -> User:
    """Somebody of this store alone; with a PIN, unless it is empty."""
    one = person(username, name, role=role)
    one.place_ids = [store.pk]
    one.save(update_fields=["place_ids"])
    if pin:
        pins.set_pin(one, pin, address="")
    return one


def waiting_code(store: Location, by: User, name: str = "レジ横") -> tuple[StoreDevice, str]:
    return store_devices.add(uuid4(), store.pk, name, place=store.name, by=by, address="203.0.113.1")


def tablet_of(store: Location, by: User, name: str = "レジ横", **client: Any) -> Client:
    """A browser that is a registered device of this store, by its page."""
    device, code = waiting_code(store, by, name)
    tablet = Client(**client)
    answer = tablet.post("/login/device/", {"code": code})
    assert answer.status_code == 302 and StoreDevice.objects.registered().filter(pk=device.pk).exists()
    return tablet


def device_of(tablet: Client) -> StoreDevice:
    return StoreDevice.objects.get(token_digest=store_devices._digest(tablet.cookies[store_devices.COOKIE].value))


def enter(tablet: Client, who: User, pin: str = PIN, **more: Any) -> Any:
    return tablet.post(f"/login/pin/{who.pk}/", {"pin": pin, **more})


def is_in(tablet: Client) -> bool:
    return tablet.get("/").status_code == 200
