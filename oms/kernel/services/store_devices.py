"""Devices that a store shares: a code that is good once makes a browser one of them, a cookie keeps it one.

Whoever holds the cookie sees the names of the store's people and may try their PINs; it opens nothing else.
Locks: store devices by pk → PINs → browsers (`devices`) → their sessions.
"""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from oms.kernel import clock, codes
from oms.kernel.models import Device, SignInEvent, StoreDevice, User
from oms.kernel.roles import STORE_ROLES
from oms.kernel.services import devices
from oms.kernel.services import sign_in_journal as journal

Kind = SignInEvent.Kind
COOKIE, COOKIE_DAYS = "oms_store_device", 400  # browsers keep no cookie longer
CODE_LENGTH, CODE_GOOD_FOR = 8, timedelta(minutes=15)
SEEN_EVERY = timedelta(minutes=5)


class OtherDevice(ValueError):
    """The key of the form belongs to a device of another store."""


# ---- asking for a device, and becoming it


@transaction.atomic
def add(key: UUID, place_id: int, name: str, *, place: str, by: User, address: str) -> tuple[StoreDevice, str]:
    """A device that waits, and the code that registers it: shown once, good for a quarter of an hour, once.

    The same key again is the same device, with a new code; without one ("") where it is registered by now.
    """
    row, _created = StoreDevice.objects.get_or_create(
        key=key, defaults={"place_id": place_id, "name": name, "created_at": clock.now()}
    )
    if row.place_id != place_id:
        raise OtherDevice(key)
    row.place_name = place
    return row, renew_code(row, by=by, address=address)


@transaction.atomic
def renew_code(device: StoreDevice, *, by: User, address: str) -> str:
    """Another code for a device that still waits; the one before is worth nothing. "" where it does not wait."""
    code = codes.fresh(CODE_LENGTH)
    device.code_digest, device.code_until = _digest(code), clock.now() + CODE_GOOD_FOR
    waits = StoreDevice.objects.filter(pk=device.pk, token_digest=None, ended_at=None)
    if not waits.update(code_digest=device.code_digest, code_until=device.code_until):
        return ""
    journal.write(Kind.STORE_DEVICE_CODE, person=None, by=by, address=address, text=device.told, store_device=device)
    return codes.shown(code)


@transaction.atomic
def register(typed: str, *, before: StoreDevice | None, agent: str, address: str) -> tuple[int, str] | None:
    """Make this browser the device whose code was typed: (its pk, what its cookie says); None: no such code.

    What the browser was `before` has ended: one browser is one device.
    """
    now = clock.now()
    waiting = StoreDevice.objects.filter(code_digest=_digest(codes.meant(typed)), code_until__gt=now, ended_at=None)
    row = waiting.select_for_update(no_key=True).order_by("pk").first()
    if row is None:
        return None
    token = secrets.token_urlsafe(32)
    row.token_digest, row.code_digest, row.code_until = _digest(token), None, None
    row.agent, row.registered_at, row.last_seen_at = agent, now, now
    row.save(update_fields=["token_digest", "code_digest", "code_until", "agent", "registered_at", "last_seen_at"])
    text = "・".join(part for part in (row.name, devices.told(agent)) if part)
    journal.write(Kind.STORE_DEVICE_ADDED, person=None, by=None, address=address, text=text, store_device=row)
    if before is not None:
        end(before, by=None, address=address, why="同じ端末の登録し直し")
    return row.pk, token


# ---- being it


def known(request: HttpRequest, rows: "QuerySet[StoreDevice]") -> StoreDevice | None:
    """The device of `rows` that asks, by its cookie; noted as in use. One not used for long has ended with that.

    No cookie, no query.
    """
    token = request.COOKIES.get(COOKIE, "")
    if not token:
        return None
    device = rows.filter(token_digest=_digest(token), ended_at=None).first()
    if device is None:
        return None
    if device.is_disused:
        end(device, by=None, why=f"{settings.STORE_DEVICE_DAYS}日使われなかったため")
        return None
    now = clock.now()
    if device.last_seen_at is None or now - device.last_seen_at > SEEN_EVERY:
        StoreDevice.objects.filter(pk=device.pk).update(last_seen_at=now, agent=devices.agent_of(request))
    return device


def mark_of(request: HttpRequest) -> str:
    """What a session remembers of the cookie of its device, so that it goes with no other. No query."""
    token = request.COOKIES.get(COOKIE, "")
    return _digest(token) if token else ""


def remember(response: HttpResponse, token: str) -> None:
    """Give the browser its cookie, or the same for longer."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=COOKIE_DAYS * 24 * 3600,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite=settings.SESSION_COOKIE_SAMESITE,
    )


def staff_of(place_id: int) -> QuerySet[User]:
    """Who works at this store: people limited to places of which it is one, and the store roles' people without such
    limits."""
    everywhere = Q(place_ids=[], groups__name__in=STORE_ROLES)
    found = User.objects.filter(Q(place_ids__contains=[place_id]) | everywhere, is_active=True).values("pk")
    return User.objects.filter(pk__in=found).order_by("display_name", "username")


# ---- ending


@transaction.atomic
def end(device: StoreDevice, *, by: User | None, address: str = "", why: str = "") -> bool:
    """Take its code and cookie away and sign out whoever is in; whether it had not ended before."""
    row = StoreDevice.objects.select_for_update(no_key=True).order_by("pk").get(pk=device.pk)
    if row.ended_at is not None:
        return False
    row.ended_at, row.code_digest, row.code_until, row.token_digest = clock.now(), None, None, None
    row.save(update_fields=["ended_at", "code_digest", "code_until", "token_digest"])
    text = "・".join(part for part in (device.told, why) if part)
    journal.write(Kind.STORE_DEVICE_ENDED, person=None, by=by, address=address, text=text, store_device=row)
    devices.end(Device.objects.filter(store_device=row), by=by, address=address, why="店舗端末の取り消し")
    return True


def _digest(secret: str) -> str:
    """Random secrets need no slow hash."""
    return hashlib.sha256(f"store device:{secret}".encode("utf-8", "surrogatepass")).hexdigest()
