"""送信箱: what is on its way out, what failed and why; with the order each effect is about."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oms.kernel.models import Effect, EffectEvent
from oms.kernel.search import matching
from oms.kernel.services.outbox import KINDS
from orders.models import Mail, Order

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

BY_KIND = """
SELECT kind, count(*) FROM (SELECT kind FROM kernel_effect WHERE state = ANY(%(states)s) AND state IN
       ('failed', 'waiting', 'running') LIMIT %(cap)s) few GROUP BY kind ORDER BY count(*) DESC, kind
"""
AHEAD = """
SELECT e.id, count(*), bool_or(earlier.state = 'failed')
  FROM kernel_effect e JOIN kernel_effect earlier ON earlier.subject = e.subject AND earlier.id < e.id
 WHERE e.id = ANY(%s) AND earlier.state IN ('waiting', 'running', 'failed')
 GROUP BY e.id
"""
FOUND, QUEUE = 200, 30


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


def effects(
    tab: str, *, kind: str = "", shop_id: int | None = None, order_id: int | None = None, typed: str = ""
) -> "QuerySet[Effect]":
    """Effects of a tab, narrowed by kind, by the shop whose order it is about, to one order, or to the orders that a
    search finds (by number, name, phone: as the desk's search; the newest `FOUND`)."""
    rows = Effect.objects.filter(state__in=TABS[tab].states)
    if kind:
        rows = rows.filter(kind=kind)
    if order_id is not None:
        rows = rows.filter(subject__in=subjects_of([order_id]))
    if typed:
        found = matching(Order.objects.order_by("-ordered_at", "-id"), "search", typed)
        rows = rows.filter(subject__in=subjects_of(found.values_list("pk", flat=True)[:FOUND]))
    if shop_id is not None:
        about = RawSQL("substring(kernel_effect.subject from '^order:([0-9]+)')::bigint", [])
        rows = rows.annotate(about=about).filter(Exists(Order.objects.filter(pk=OuterRef("about"), shop=shop_id)))
    return rows


def subjects_of(order_ids: Iterable[int]) -> list[str]:
    """Every subject about these orders; each mail is one of its own, so that none waits for another that failed."""
    ids = list(order_ids)
    mails = Mail.objects.filter(order__in=ids).values_list("order_id", "pk")
    return [
        *(f"order:{pk}{part}" for pk in ids for part in (":channel", ":mail", "")),
        *(f"order:{order_id}:mail:{pk}" for order_id, pk in mails),
    ]


def by_kind(tab: str) -> list[tuple[str, str, int]]:
    """(code, label, count up to the cap) of the kinds in a tab that has few rows; a finished one has none."""
    states = TABS[tab].states
    if State.DONE in states:
        return []
    with connection.cursor() as cursor:
        cursor.execute(BY_KIND, {"states": list(states), "cap": CAP})
        return [(code, label_of(code), count) for code, count in cursor.fetchall()]


def label_of(code: str) -> str:
    return str(KINDS[code].label) if code in KINDS else code


def journal(effect: Effect) -> "QuerySet[EffectEvent]":
    return EffectEvent.objects.filter(effect=effect).select_related("by").order_by("-id")


def queue_of(effect: Effect) -> list[Effect]:
    """Everything of the same subject in order of delivery, the latest `QUEUE`."""
    return list(Effect.objects.filter(subject=effect.subject).order_by("-id")[:QUEUE])[::-1]


@dataclass(frozen=True, slots=True)
class Row:
    """`ahead` effects of the same subject go out first; `held_up`: one of them failed, so this one waits for a
    person."""

    effect: Effect
    kind: str
    order: Order | None
    held_up: bool
    ahead: int = 0


def rows(found: Sequence[Effect]) -> list[Row]:
    """Two queries for any number of effects."""
    order_of = {effect.pk: order_id_of(effect) for effect in found}
    wanted = {order_id for order_id in order_of.values() if order_id is not None}
    orders = Order.objects.select_related("shop").only("channel_order_no", "shop__name").in_bulk(wanted)
    waiting = _ahead([effect.pk for effect in found if effect.state == State.WAITING])
    return [
        Row(
            effect,
            label_of(effect.kind),
            orders.get(order_of[effect.pk] or 0),
            held_up=waiting.get(effect.pk, (0, False))[1],
            ahead=waiting.get(effect.pk, (0, False))[0],
        )
        for effect in found
    ]


def order_id_of(effect: Effect) -> int | None:
    """The order an effect is about, from its subject `order:<id>…`."""
    named = re.match(r"order:(\d+)(?::|$)", effect.subject)
    return int(named[1]) if named else None


def _ahead(ids: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """Id → (unfinished effects of its subject that go first, whether one of them failed)."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(AHEAD, [list(ids)])
        return {pk: (ahead, bool(failed)) for pk, ahead, failed in cursor.fetchall()}


def kinds() -> list[tuple[str, str]]:
    return sorted(((code, str(kind.label)) for code, kind in KINDS.items()), key=lambda pair: pair[1])
