"""What the screens around signing in show: roles with their rules, browsers, the journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from oms.kernel.agents import described
from oms.kernel.models import Device, SecondStep, SignInEvent, User
from oms.kernel.roles import ROLES, label_of
from oms.kernel.services import devices
from oms.pages.queries.store_devices import named
from orders.filter_ranges import midnight


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; days in Tokyo, both included. Empty words and None do not narrow."""

    since: date
    until: date
    person: int | None = None
    kind: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role with its rule; `people` may log in, `set_up` of them have a second step."""

    group: Group
    label: str
    second_step: bool
    networks: list[str]
    people: int
    set_up: int


@dataclass(frozen=True, slots=True)
class Browser:
    device: Device
    name: str
    here: bool
    store: str  # the store's device, where the person came in by PIN


def roles() -> list[RoleRow]:
    """The seven roles in the order of the day's work, then groups of the company's own. One query."""
    has = Exists(SecondStep.objects.filter(user=OuterRef("user")).exclude(confirmed_at=None))
    active = Q(user__is_active=True)
    groups = (
        Group.objects.select_related("sign_in_rule")
        .annotate(people=Count("user", filter=active), set_up=Count("user", filter=active & Q(has)))
        .order_by("name")
    )
    order = {role.code: place for place, role in enumerate(ROLES)}
    rows = []
    for group in sorted(groups, key=lambda group: order.get(group.name, len(order))):
        rule = getattr(group, "sign_in_rule", None)
        second, networks = (rule.second_step, rule.networks.splitlines()) if rule else (False, [])
        rows.append(RoleRow(group, label_of(group), second, networks, group.people, group.set_up))
    return rows


def browsers(user: User, request: HttpRequest) -> list[Browser]:
    """Where a person is signed in, or is trusted; the browser that asks is `here`, and stands first."""
    here = request.session.session_key
    found = list(devices.standing(user))
    by_pin = [row.store_device_id for row in found if row.store_device_id]
    stores = {device.pk: device.told for device in named().filter(pk__in=by_pin)} if by_pin else {}
    rows = [
        Browser(row, described(row.agent), row.session_key == here, stores.get(row.store_device_id or 0, ""))
        for row in found
    ]
    return sorted(rows, key=lambda row: not row.here)


def journal(wanted: Wanted) -> QuerySet[SignInEvent]:
    """Entries about a person or by them, for pages by time."""
    first, last = midnight(wanted.since), midnight(wanted.until + timedelta(days=1))
    rows = SignInEvent.objects.filter(at__gte=first, at__lt=last).select_related("person", "by")
    if wanted.person is not None:
        rows = rows.filter(Q(person=wanted.person) | Q(by=wanted.person))
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.words:
        rows = rows.filter(Q(text__icontains=wanted.words) | Q(address__icontains=wanted.words))
    return rows


TONES: Mapping[str, str] = {
    SignInEvent.Kind.CODE_REFUSED: "attention",
    SignInEvent.Kind.ADDRESS_REFUSED: "danger",
    SignInEvent.Kind.RECOVERY_USED: "attention",
    SignInEvent.Kind.SWITCHED_OFF: "attention",
    SignInEvent.Kind.RESET: "attention",
    SignInEvent.Kind.DEVICE_ENDED: "attention",
    SignInEvent.Kind.PIN_REFUSED: "attention",
    SignInEvent.Kind.PIN_LOCKED: "danger",
    SignInEvent.Kind.PIN_RESET: "attention",
    SignInEvent.Kind.STORE_DEVICE_ENDED: "attention",
    SignInEvent.Kind.SIGNED_IN: "done",
    SignInEvent.Kind.PIN_SIGNED_IN: "done",
    SignInEvent.Kind.STORE_DEVICE_ADDED: "done",
    SignInEvent.Kind.SET_UP: "done",
}


def told(rows: list[SignInEvent]) -> list[dict[str, Any]]:
    return [
        {"event": row, "label": SignInEvent.Kind(row.kind).label, "tone": TONES.get(row.kind, "neutral")}
        for row in rows
    ]
