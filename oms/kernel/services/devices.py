"""Browsers in which people are signed in: one row each, tied to its session; ending one deletes the session.

Locks: devices by pk, then their sessions.
"""

import secrets
import time
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from oms.kernel import clock
from oms.kernel.agents import described
from oms.kernel.models import Device, SignInEvent, SignInSettings, StoreDevice, User
from oms.kernel.services import sign_in_journal as journal
from oms.kernel.whence import address_of

Kind = SignInEvent.Kind
PIN_SESSION = "store_device"  # in the session of who is in on a store's device (oms.kernel.services.pin_sessions)
COOKIE, SALT = "oms_browser", "oms.kernel.browser"
COOKIE_DAYS, TRUST_DAYS = 400, 30
SEEN_EVERY_S = 300
MOST_REMEMBERED = 20_000

# Session → (when, from where) this process last noted it. Each process notes a device once in five minutes at most, so
# an ordinary request costs no query.
_noted: dict[str, tuple[float, str]] = {}


# ---- coming and going (receivers of Django's own signals, so that no way in passes them by)


@transaction.atomic
def signed_in(sender: type[User], request: HttpRequest, user: User, **_more: object) -> None:
    """Tie the new session to the row of this person's browser, and journal it."""
    if request.session.session_key is None:  # somebody else was signed in here: Django has thrown that session away
        request.session.cycle_key()
    now, key, address = clock.now(), request.session.session_key, address_of(request)
    browser = browser_of(request) or secrets.token_urlsafe(32)
    request.browser = browser  # type: ignore[attr-defined]  # for `remember`
    agent = agent_of(request)
    # Signing in twice keeps the session, and a browser that lost its cookie is another one: the session goes along.
    Device.objects.filter(session_key=key).exclude(user=user, browser=browser).update(session_key=None)
    store: StoreDevice | None = getattr(request, "store_device", None)  # by PIN, on this one
    values = {"session_key": key, "agent": agent, "address": address[:45], "last_seen_at": now, "store_device": store}
    device = Device.objects.select_for_update(no_key=True).filter(user=user, browser=browser).order_by("pk").first()
    if device is None:
        device, _created = Device.objects.update_or_create(
            user=user, browser=browser, defaults=values, create_defaults={**values, "first_seen_at": now}
        )
    else:
        if device.session_key and device.session_key != key:
            Session.objects.filter(session_key=device.session_key).delete()
        Device.objects.filter(pk=device.pk).update(**values)
    _note(str(key), address)
    journal.write(
        Kind.PIN_SIGNED_IN if store else Kind.SIGNED_IN,
        person=user,
        by=user,
        address=address,
        text="・".join(part for part in (store.told if store else "", told(agent)) if part),
        store_device=store,
    )


@transaction.atomic
def signed_out(sender: type[User] | None, request: HttpRequest, user: User | None, **_more: object) -> None:
    """The session goes with Django's logout; the row stays, for the browser's next sign-in and its trust."""
    if user is None:
        return
    Device.objects.filter(session_key=request.session.session_key).update(session_key=None, last_seen_at=clock.now())
    held, why = request.session.get(PIN_SESSION) or {}, getattr(request, "left_because", "")
    parts = (held.get("told", ""), told(agent_of(request)), why)
    journal.write(
        Kind.SIGNED_OUT,
        person=user,
        by=None if why else user,
        address=address_of(request),
        text="・".join(part for part in parts if part),
        store_device=held.get("device"),
    )


def seen(request: HttpRequest) -> bool:
    """Note that the signed-in browser is in use. False when its session belongs to no device (any more)."""
    key, address = str(request.session.session_key), address_of(request)
    at, where = _noted.get(key, (-SEEN_EVERY_S, ""))
    # A sign-in by program knows no address: the next note of the device brings it.
    if where in {address, ""} and time.monotonic() - at < SEEN_EVERY_S:
        return True
    known = Device.objects.filter(session_key=key).update(last_seen_at=clock.now(), address=address[:45])
    if known:
        _note(key, address)
    return bool(known)


def once(what: str) -> bool:
    """Whether this process has not noted `what` within the last five minutes; from now on it has."""
    if time.monotonic() - _noted.get(what, (-SEEN_EVERY_S, ""))[0] < SEEN_EVERY_S:
        return False
    _note(what, "")
    return True


def _note(key: str, address: str) -> None:
    if len(_noted) >= MOST_REMEMBERED:
        _noted.clear()
    _noted[key] = (time.monotonic(), address)


def keep_session(request: HttpRequest, user: User) -> None:
    """After a change of one's own password: this browser stays signed in, its device goes along with the new key."""
    before = request.session.session_key
    update_session_auth_hash(request, user)
    Device.objects.filter(session_key=before).update(session_key=request.session.session_key)


# ---- the browser's own cookie


def browser_of(request: HttpRequest) -> str:
    """What the cookie says; empty when there is none, or it is not ours."""
    try:
        return signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
    except signing.BadSignature:
        return ""


def remember(response: HttpResponse, request: HttpRequest) -> None:
    """Give the browser that has just signed in its cookie."""
    response.set_cookie(
        COOKIE,
        signing.dumps(request.browser, salt=SALT),  # type: ignore[attr-defined]
        max_age=COOKIE_DAYS * 24 * 3600,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def may_trust() -> bool:
    """Whether the company lets people leave out the code on browsers they trust."""
    return SignInSettings.objects.filter(may_trust=True).exists()


def is_trusted(request: HttpRequest, user: User) -> bool:
    """Whether this person has trusted this browser, within the last 30 days, and nobody took it back."""
    browser = browser_of(request)
    return (
        bool(browser)
        and Device.objects.filter(user=user, browser=browser, trusted_until__gt=clock.now()).exists()
        and may_trust()
    )


@transaction.atomic
def trust(request: HttpRequest, user: User) -> None:
    """Leave out the code in this browser for 30 days, where the company allows it. Call it after the sign-in."""
    if not may_trust():
        return
    until = clock.now() + timedelta(days=TRUST_DAYS)
    Device.objects.filter(session_key=request.session.session_key).update(trusted_until=until)
    journal.write(Kind.DEVICE_TRUSTED, person=user, by=user, address=address_of(request), text=told(agent_of(request)))


def told(agent: str) -> str:
    """The browser as the journal names it, whatever language the reader has; nothing where it does not say."""
    if not agent:
        return ""
    with translation.override(settings.LANGUAGE_CODE):
        return described(agent)


def agent_of(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "").replace("\0", "")[:300]


# ---- lists, and ending


def standing(user: User) -> QuerySet[Device]:
    """A person's browsers that are signed in or trusted, the last used first; each with `signed_in`."""
    return (
        Device.objects.with_state()
        .filter(Q(signed_in=True) | Q(trusted_until__gt=clock.now()), user=user)
        .order_by("-last_seen_at", "-pk")
    )


@transaction.atomic
def end(devices: "QuerySet[Device]", *, by: User | None, address: str = "", why: str = "") -> int:
    """Sign these browsers out and take their trust back; how many that were. What has ended already stays as it is."""
    rows = list(devices.exclude(session_key=None, trusted_until=None).select_for_update(no_key=True).order_by("pk"))
    ids = [row.pk for row in rows]
    Session.objects.filter(session_key__in=[row.session_key for row in rows if row.session_key]).delete()
    Device.objects.filter(pk__in=ids).update(session_key=None, trusted_until=None)
    SignInEvent.objects.bulk_create(
        journal.entry(
            Kind.DEVICE_ENDED,
            person=row.user_id,
            by=by,
            address=address,
            text="・".join(part for part in (told(row.agent), row.address, why) if part),
        )
        for row in rows
    )
    return len(rows)


def end_all(
    people: Iterable[int], *, by: User | None, keep: str | None = None, address: str = "", why: str = ""
) -> int:
    """All browsers of these people, but for the one whose session is `keep`."""
    devices = Device.objects.filter(user_id__in=list(people))
    return end(devices.exclude(session_key=keep) if keep else devices, by=by, address=address, why=why)
