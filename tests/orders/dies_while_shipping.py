"""Service processes that ship orders and work the outbox, and kill themselves at one named point.

Run by test_story_12.py as `python -m tests.orders.dies_while_shipping`, with the database and the clock of the test in
its environment. Each line of its input, `POINT SMTP_PORT ORDER_ID…`, starts one process; its exit code (negative: the
signal that killed it) is the answer. POINT `none`: it lives until nothing is due. The processes are forked from one
that has loaded everything and connected to nothing, which saves three seconds each.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - all of these need the set-up

from channels.services import notices  # noqa: E402
from fulfillment.models import Shipment  # noqa: E402
from fulfillment.services import ship  # noqa: E402
from oms.kernel import mailer  # noqa: E402
from oms.kernel.services import outbox  # noqa: E402
from orders.services import mail_send  # noqa: E402
from orders.services.journal import Actor  # noqa: E402

PATIENCE_S = 120


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(call: Callable[..., Any]) -> Callable[..., Any]:
    def dying(*args: Any, **kwargs: Any) -> Any:
        die()
        return call(*args, **kwargs)

    return dying


def after(call: Callable[..., Any]) -> Callable[..., Any]:
    def dying(*args: Any, **kwargs: Any) -> Any:
        call(*args, **kwargs)
        die()

    return dying


def around_mail(deliver: Callable[..., None], point: str) -> Callable[..., None]:
    """Dies with the mail that says that goods have left, at one of three moments of its handing over."""

    def dying(message: Any, *, last_word: Callable[[], None], relay: str = "") -> None:
        if "発送しました" not in message.subject:
            return deliver(message, last_word=last_word, relay=relay)
        words = {"before_mark": before(last_word), "after_mark": after(last_word)}
        deliver(message, last_word=words.get(point, last_word), relay=relay)
        return die() if point == "after_accept" else None

    return dying


def live(point: str, smtp_port: int, order_ids: list[int]) -> None:
    """Ship, then work the outbox until nothing is due or the point is reached."""
    settings.EMAIL_BACKEND = "oms.kernel.mailer.Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", smtp_port, False
    if point == "in_confirm":
        ship._tell = after(ship._tell)
    if point in {"before_mark", "after_mark", "after_accept"}:
        mailer.deliver = around_mail(mailer.deliver, point)
    if point == "before_close":
        mail_send._sent = before(mail_send._sent)
    if point == "after_close":
        mail_send._sent = after(mail_send._sent)
    if point == "before_notice":
        notices.TELL["channel_ship"] = before(notices.TELL["channel_ship"])
    if point == "after_notice":
        notices.TELL["channel_ship"] = after(notices.TELL["channel_ship"])
    confirm(order_ids)
    if point == "after_confirm":
        die()
    for _round in range(40):
        if not outbox.deliver_due():
            return


def confirm(order_ids: list[int]) -> None:
    """出荷確定 of what has not left yet."""
    waiting = Shipment.objects.filter(lines__order_line__order__in=order_ids, state="instructed").distinct()
    departures = [ship.Departure(one.pk, "yamato", tracking(one.pk)) for one in waiting.order_by("pk")]
    if departures:
        ship.confirm_shipments(departures, actor=Actor())


def tracking(number: int) -> str:
    """Twelve digits, the last a check digit."""
    body = 47120000000 + number
    return f"{body}{body % 7}"


def end_of(point: str, smtp_port: int, order_ids: list[int]) -> int:
    """How a process of its own ends."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(PATIENCE_S)
    try:
        live(point, smtp_port, order_ids)
    except BaseException:  # the child must never read the next line
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    while line := sys.stdin.readline():
        point, smtp_port, *order_ids = line.split()
        print(end_of(point, int(smtp_port), [int(value) for value in order_ids]), flush=True)


if __name__ == "__main__":
    main()
