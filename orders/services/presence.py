"""Who has an order open, and who is changing it: kept in the cache for seconds, said again by every open page.

It is a courtesy, not a lock: what two people write is kept apart by `orders.services.edit`. A cache that cannot be
reached means that nobody is seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from redis.exceptions import RedisError

from oms.kernel import clock
from oms.kernel.models import User

FORGOTTEN = timedelta(seconds=35)  # three beats of ten seconds, and some air
VIEW, EDIT = "view", "edit"
# (user id, mode) → (name, since when, seen last)
Beats = dict[tuple[int, str], tuple[str, datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Present:
    """One person at an order. `since`: when they began what they do."""

    user_id: int
    name: str
    editing: bool
    since: datetime


def beat(order_id: int, user: User, mode: str) -> list[Present]:
    """Say that this person looks at, or edits, the order; returns the others who do.

    Two beats in the same moment may lose one of them until the next.
    """
    now, mine = clock.now(), (user.pk, mode)
    try:
        known = _fresh(cache.get(_key(order_id), {}), now)
        _name, since, _seen = known.get(mine, ("", now, now))
        known[mine] = (str(user), since, now)
        cache.set(_key(order_id), known, int(FORGOTTEN.total_seconds()))
    except RedisError:
        return []
    return _standing(known, but=user.pk)


def present_at(order_ids: Iterable[int], *, but: int) -> dict[int, list[Present]]:
    """The others at each of these orders; one question to the cache."""
    keys = {_key(id_): id_ for id_ in order_ids}
    try:
        known = cache.get_many(keys)
    except RedisError:
        return {}
    now = clock.now()
    found = {keys[key]: _standing(_fresh(people, now), but=but) for key, people in known.items()}
    return {id_: people for id_, people in found.items() if people}


def _fresh(known: Beats, now: datetime) -> Beats:
    return {who: beat for who, beat in known.items() if now - beat[2] < FORGOTTEN}


def _standing(known: Beats, *, but: int) -> list[Present]:
    """The others, once each: who edits also looks. Editors first."""
    editors = {user_id for user_id, mode in known if mode == EDIT}
    found = [
        Present(user_id, name, mode == EDIT, since)
        for (user_id, mode), (name, since, _seen) in known.items()
        if user_id != but and (mode == EDIT or user_id not in editors)
    ]
    return sorted(found, key=lambda one: (not one.editing, one.since))


def _key(order_id: int) -> str:
    return f"presence:{order_id}"
