"""Being in by PIN: a session that belongs to a person and to one device of their store, and ends soon when left alone.

It opens only with the cookie of that device. Each request is checked without a query; while people work, the session
is written once in half a minute. What the screens ask by themselves (`X-Live`) keeps nobody in. A session by password
on such a device ends as soon: the device is everybody's.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from oms.kernel.models import StoreDevice, User
from oms.kernel.services import pins, store_devices
from oms.kernel.services.devices import PIN_SESSION

BACKEND = "oms.kernel.sign_in.PinBackend"
WRITTEN_EVERY_S = 30
SLACK_S = 60  # the session's row outlives the wait, so that its end is told and journaled


@transaction.atomic
def sign_in(request: HttpRequest, device: StoreDevice, user_id: int, typed: str, *, address: str) -> pins.Answer:
    """Look at a PIN; a right one signs its person in, and whoever was in before out.

    The caller has asked whether the person may be here at all. Under the device's lock: it cannot end in between.
    """
    answer = pins.check(device, user_id, typed, address=address)
    if answer.outcome is not pins.Outcome.GOOD or answer.user is None:
        return answer
    if request.user.is_authenticated:
        logout(request)
    request.session.flush()
    request.store_device = device  # type: ignore[attr-defined]  # for the journal of coming and going
    login(request, answer.user, backend=BACKEND)
    share(request, device)
    return answer


def share(request: HttpRequest, device: StoreDevice) -> None:
    """The session that has just begun, by PIN or password, is on a device of a store: it ends when left alone."""
    request.session[PIN_SESSION] = {
        "device": device.pk,
        "cookie": store_devices.mark_of(request),
        "place": device.place_id,
        "told": device.told,
        "at": time.time(),
    }
    request.session.set_expiry(settings.PIN_IDLE_S + SLACK_S)


def is_shared(request: HttpRequest) -> bool:
    return PIN_SESSION in request.session


def stands(request: HttpRequest, user: User) -> bool:
    """Whether the session may go on. By PIN: from its own device, by somebody who still works there. On any device of
    a store: in time.

    Says where somebody by PIN is (`at_place`), and notes that they are at work. No query but for the note.
    """
    held: dict[str, Any] = request.session.get(PIN_SESSION) or {}
    if user.by_pin:
        if not held or not constant_time_compare(store_devices.mark_of(request), held["cookie"]):
            return _left(request, "別の端末からの利用")
        if user.place_ids and held["place"] not in user.place_ids:
            return _left(request, "担当する拠点の変更")
        user.at_place = held["place"]
    return not held or _is_awake(request, held)


def _is_awake(request: HttpRequest, held: dict[str, Any]) -> bool:
    now = time.time()
    if now - held["at"] > settings.PIN_IDLE_S:
        return _left(request, "操作がなかったため")
    if now - held["at"] > WRITTEN_EVERY_S and "X-Live" not in request.headers:
        request.session[PIN_SESSION] = held | {"at": now}
    return True


def _left(request: HttpRequest, because: str) -> bool:
    request.left_because = because  # type: ignore[attr-defined]
    return False
