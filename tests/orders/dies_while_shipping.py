"""A service process that ships orders and works the outbox, and kills itself at one named point.

Run by test_story_12.py as `python -m tests.orders.dies_while_shipping POINT SMTP_PORT ORDER_ID…`, with the database and
the clock of the test in its environment. POINT `none`: it lives until nothing is due.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django

POINT, SMTP_PORT = sys.argv[1], int(sys.argv[2])
ORDERS = [int(value) for value in sys.argv[3:]]


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


def around_mail(deliver: Callable[..., None]) -> Callable[..., None]:
    """Dies with the mail that says that goods have left, at one of three moments of its handing over."""

    def dying(message: Any, *, last_word: Callable[[], None], relay: str = "") -> None:
        if "発送しました" not in message.subject:
            return deliver(message, last_word=last_word, relay=relay)
        words = {"before_mark": before(last_word), "after_mark": after(last_word)}
        deliver(message, last_word=words.get(POINT, last_word), relay=relay)
        return die() if POINT == "after_accept" else None

    return dying


def main() -> None:
    django.setup()
    from django.conf import settings  # noqa: PLC0415 - needs the set-up

    settings.EMAIL_BACKEND = "oms.kernel.mailer.Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", SMTP_PORT, False

    from channels.services import notices  # noqa: PLC0415
    from fulfillment.services import ship  # noqa: PLC0415
    from oms.kernel import mailer  # noqa: PLC0415
    from oms.kernel.services import outbox  # noqa: PLC0415
    from orders.services import mail_send  # noqa: PLC0415

    if POINT == "in_confirm":
        ship._tell = after(ship._tell)
    if POINT in {"before_mark", "after_mark", "after_accept"}:
        mailer.deliver = around_mail(mailer.deliver)
    if POINT == "before_close":
        mail_send._sent = before(mail_send._sent)
    if POINT == "after_close":
        mail_send._sent = after(mail_send._sent)
    if POINT == "before_notice":
        notices.TELL["channel_ship"] = before(notices.TELL["channel_ship"])
    if POINT == "after_notice":
        notices.TELL["channel_ship"] = after(notices.TELL["channel_ship"])
    confirm(ORDERS)
    if POINT == "after_confirm":
        die()
    for _round in range(40):
        if not outbox.deliver_due():
            return


def confirm(order_ids: list[int]) -> None:
    """出荷確定 of what has not left yet."""
    from fulfillment.models import Shipment  # noqa: PLC0415
    from fulfillment.services.ship import Departure, confirm_shipments  # noqa: PLC0415
    from orders.services.journal import Actor  # noqa: PLC0415

    waiting = Shipment.objects.filter(lines__order_line__order__in=order_ids, state="instructed").distinct()
    departures = [Departure(one.pk, "yamato", tracking(one.pk)) for one in waiting.order_by("pk")]
    if departures:
        confirm_shipments(departures, actor=Actor())


def tracking(number: int) -> str:
    """Twelve digits, the last a check digit."""
    body = 47120000000 + number
    return f"{body}{body % 7}"


if __name__ == "__main__":
    main()
