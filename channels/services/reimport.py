"""受注番号を指定して取込: orders that somebody asks for by number, fetched one by one, each with its own answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from channels.connectors.contract import ChannelError, Unreadable
from channels.models import Connection, Reimport
from channels.services import intake
from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.said import said
from orders.models import Order

MOST = 1000
SEPARATORS = re.compile(r"[\s,、，;；\"'\u3000]+")


@dataclass(frozen=True, slots=True)
class Pasted:
    """Numbers as they were pasted; `wrong` are words that can be no order number."""

    numbers: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def numbers_in(text: str) -> Pasted:
    """Each number once, in the order of the text, full-width digits and hyphens made plain."""
    plain = text.translate(WIDTHS)
    words = list(dict.fromkeys(word for word in SEPARATORS.split(plain) if word))
    ok = [word for word in words if re.fullmatch(r"[0-9A-Za-z_-]{3,64}", word)]
    return Pasted(ok, [word for word in words if word not in set(ok)])


WIDTHS = {0xFF10 + n: str(n) for n in range(10)} | {
    **{0xFF21 + n: chr(65 + n) for n in range(26)},
    **{0xFF41 + n: chr(97 + n) for n in range(26)},
    **dict.fromkeys(map(ord, "‐‑–—−－ー"), "-"),
}


@transaction.atomic
def ask(connection: Connection, numbers: Sequence[str], *, by: User | None) -> Reimport:
    """Write the wish down and wake a worker; a lost wake-up is found by `unfinished`."""
    row = Reimport.objects.create(shop_id=connection.shop_id, numbers=list(numbers)[:MOST], at=clock.now(), by=by)
    later("channels.tasks.intake_by_number", row.pk)
    return row


def ask_for_orders(order_ids: Sequence[int]) -> None:
    """The same for stored orders, shop by shop; orders of shops without a connection have no channel to ask."""
    numbers: dict[int, list[str]] = {}
    rows = Order.objects.filter(pk__in=order_ids).order_by("pk").values_list("shop", "channel_order_no")
    for shop_id, no in rows:
        numbers.setdefault(shop_id, []).append(no)
    for connection in Connection.objects.filter(shop__in=numbers).order_by("pk"):
        ask(connection, numbers[connection.shop_id], by=None)


def unfinished() -> list[int]:
    return list(Reimport.objects.filter(ended_at__isnull=True).order_by("pk").values_list("pk", flat=True))


def work_off(reimport_id: int) -> Reimport:
    """Fetch what has no result yet. Safe to run twice and to be killed: what is fetched again changes nothing."""
    row = Reimport.objects.select_related("shop").get(pk=reimport_id)
    connection = Connection.objects.select_related("shop").get(shop=row.shop_id)
    for no in row.numbers:
        if no not in row.results:
            row.results[no] = list(bring(connection, no))
            row.save(update_fields=["results"])
    if row.ended_at is None:
        row.ended_at = clock.now()
        row.save(update_fields=["ended_at"])
    return row


def bring(connection: Connection, no: str) -> tuple[str, str]:
    """(outcome, sentence) of one number."""
    try:
        pulled = intake.pull_order(connection, no)
    except Unreadable as unknown:
        return "unknown", unknown.cause
    except ChannelError as error:
        return "failed", error.cause
    if pulled.quarantined:
        return "failed", said("内容を読み取れないため、隔離しました。")
    if pulled.created:
        return "created", said("取り込みました。")
    if pulled.updated:
        return "updated", said("モールの変更を取り込みました。")
    return "unchanged", said("モールの内容と同じです。")
