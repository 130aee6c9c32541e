"""Devices of stores as screens show them: with the store's name, who is in, and since when nobody was."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from inventory.models import Location
from inventory.queries import places
from oms.kernel.agents import described
from oms.kernel.models import Device, StoreDevice
from oms.kernel.services import store_devices

STATE = StoreDevice.State
TONES = {STATE.WAITING: "info", STATE.REGISTERED: "done"}


@dataclass(frozen=True, slots=True)
class DeviceRow:
    device: StoreDevice
    label: str
    tone: str
    browser: str
    used_at: datetime | None
    people: list[str]  # who is in


def stores() -> "QuerySet[Location]":
    """The stores for which the person who asks may register devices."""
    return places.own().filter(active=True, kind=Location.Kind.STORE).order_by("priority", "pk")


def named() -> "QuerySet[StoreDevice]":
    """Every device, with what its store is called."""
    name: dict[str, Any] = {"place_name": Subquery(Location.objects.filter(pk=OuterRef("place_id")).values("name"))}
    return StoreDevice.objects.annotate(**name)


def own() -> "QuerySet[StoreDevice]":
    """Those of the stores of the person who asks."""
    return named().filter(place_id__in=places.own().values("pk"))


def known(request: HttpRequest) -> StoreDevice | None:
    """The registered device that asks, if it is one; without a cookie no query."""
    return store_devices.known(request, named())


def rows(found: "QuerySet[StoreDevice]") -> list[DeviceRow]:
    """Those in use first, by store and name; of the ended ones the last twenty. A fixed number of queries."""
    standing = sorted(found.filter(ended_at=None), key=lambda device: (device.place_name, device.name, device.pk))
    ended = list(found.exclude(ended_at=None).order_by("-ended_at", "-pk")[:20])
    devices = [*standing, *ended]
    here: dict[int | None, list[str]] = {}
    used: dict[int | None, datetime] = {}
    sessions = Device.objects.filter(store_device__in=[device.pk for device in devices])
    for row in sessions.with_state().exclude(session_key=None).select_related("user").order_by("pk"):
        if getattr(row, "signed_in", False):
            here.setdefault(row.store_device_id, []).append(str(row.user))
    for pk, at in sessions.values_list("store_device").annotate(at=Max("last_seen_at")):
        used[pk] = at
    return [_row(device, here.get(device.pk, []), used.get(device.pk)) for device in devices]


def _row(device: StoreDevice, people: list[str], used_at: datetime | None) -> DeviceRow:
    moments: Iterable[datetime] = [at for at in (device.last_seen_at, used_at) if at is not None]
    return DeviceRow(
        device,
        str(device.state.label),
        TONES.get(device.state, "neutral"),
        described(device.agent) if device.agent else "",
        max(moments, default=None),
        people,
    )
