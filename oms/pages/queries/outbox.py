"""送信箱: what is on its way out, what failed and why; with the order each effect is about."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oms.kernel.models import Effect
from oms.kernel.services.outbox import KINDS
from orders.models import Order

State = Effect.State
CAP = 1001


@dataclass(frozen=True)
class Tab:
    """`order` is the keyset order of the tab; the last column is unique."""

    label: str | Promise
    states: Sequence[str]
    order: Sequence[str]


TABS: Mapping[str, Tab] = {
    "failed": Tab(_("失敗"), (State.FAILED,), ("-id",)),
    "waiting": Tab(_("送信待ち"), (State.WAITING,), ("next_try_at", "id")),
    "running": Tab(_("送信中"), (State.RUNNING,), ("id",)),
    "done": Tab(_("完了"), (State.DONE, State.MANUAL_DONE, State.CANCELLED), ("-id",)),
}

COUNTS = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM kernel_effect WHERE state = 'failed' LIMIT %(cap)s) f),
       (SELECT count(*) FROM (SELECT 1 FROM kernel_effect WHERE state IN ('waiting', 'running') AND state = 'waiting'
                               LIMIT %(cap)s) w),
       (SELECT count(*) FROM (SELECT 1 FROM kernel_effect WHERE state IN ('waiting', 'running') AND state = 'running'
                               LIMIT %(cap)s) r),
       (SELECT min(created_at) FROM kernel_effect WHERE state = 'failed')
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Counted up to 1,001. `oldest_failure` is when the oldest effect that failed was written."""

    failed: int
    waiting: int
    running: int
    oldest_failure: datetime | None

    def of(self, tab: str) -> int | None:
        return {"failed": self.failed, "waiting": self.waiting, "running": self.running}.get(tab)


def counts() -> Counts:
    """One query over the two partial indexes, cheap however many effects are done."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"cap": CAP})
        return Counts(*cursor.fetchone())


def effects(tab: str, *, kind: str = "", shop_id: int | None = None, order_id: int | None = None) -> "QuerySet[Effect]":
    """Effects of a tab, narrowed by kind, by the shop whose channel is told, or to everything about one order."""
    rows = Effect.objects.filter(state__in=TABS[tab].states)
    if kind:
        rows = rows.filter(kind=kind)
    if order_id is not None:
        rows = rows.filter(subject__in=[f"order:{order_id}:channel", f"order:{order_id}:mail", f"order:{order_id}"])
    if shop_id is not None:
        told = Cast(KeyTextTransform("order", OuterRef("payload")), BigIntegerField())
        rows = rows.filter(Q(kind__startswith="channel_"), Exists(Order.objects.filter(pk=told, shop=shop_id)))
    return rows


@dataclass(frozen=True, slots=True)
class Row:
    """`held_up`: an earlier failed effect of the same subject goes first, so this one waits for a person."""

    effect: Effect
    kind: str
    order: Order | None
    held_up: bool


def rows(found: Sequence[Effect]) -> list[Row]:
    """Two queries for any number of effects."""
    order_of = {effect.pk: order_id_of(effect) for effect in found}
    wanted = {order_id for order_id in order_of.values() if order_id is not None}
    orders = Order.objects.select_related("shop").only("channel_order_no", "shop__name").in_bulk(wanted)
    blocked = _first_failures({effect.subject for effect in found if effect.state == State.WAITING})
    return [
        Row(
            effect,
            str(KINDS[effect.kind].label) if effect.kind in KINDS else effect.kind,
            orders.get(order_of[effect.pk] or 0),
            blocked.get(effect.subject, effect.pk) < effect.pk,
        )
        for effect in found
    ]


def order_id_of(effect: Effect) -> int | None:
    """The order an effect is about, from its subject `order:<id>…`."""
    named = re.match(r"order:(\d+)(?::|$)", effect.subject)
    return int(named[1]) if named else None


def _first_failures(subjects: set[str]) -> dict[str, int]:
    """Subject → its oldest failed effect."""
    if not subjects:
        return {}
    failed = Effect.objects.filter(subject__in=subjects, state=State.FAILED).order_by("-id")
    return dict(failed.values_list("subject", "pk"))


def kinds() -> list[tuple[str, str]]:
    return sorted(((code, str(kind.label)) for code, kind in KINDS.items()), key=lambda pair: pair[1])
