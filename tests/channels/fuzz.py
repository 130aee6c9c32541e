"""Payloads as they might come one day: keys gone, added, in another order, values of another kind."""

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from channels.connectors.contract import Unreadable
from orders.channel_order import ChannelOrder

ODD: tuple[Any, ...] = (
    None, "", "0", "?", "１２", 0, -9999, 10**30, -1, 1.5, float("nan"), float("inf"), True, [], {}, [None], [[]],
    ["x"], {"x": {"y": []}}, "2026-13-45", "9999-12-31T23:59:59+0900", "\ud800", "𠮷" * 400,
)  # fmt: skip


def varied(sample: Any, rng: random.Random, changes: int) -> Any:
    """A copy of the sample with so many random changes, and keys of objects in a random order."""
    value = json.loads(json.dumps(sample))
    for _ in range(changes):
        _change(value, rng)
    return _shuffled(value, rng)


def _change(value: Any, rng: random.Random) -> None:
    places = list(_containers(value))
    where = rng.choice(places)
    if isinstance(where, dict):
        key = rng.choice([*where, "neverSeenBefore"]) if where else "neverSeenBefore"
        if rng.random() < 0.4:
            where.pop(key, None)
        else:
            where[key] = deepcopy(rng.choice(ODD))
    elif where and rng.random() < 0.4:
        del where[rng.randrange(len(where))]
    else:
        where.insert(rng.randint(0, len(where)), deepcopy(rng.choice(ODD)))


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for one in value.values() if isinstance(value, dict) else value:
            yield from _containers(one)


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _shuffled(value[key], rng) for key in keys}
    return [_shuffled(one, rng) for one in value] if isinstance(value, list) else value


def survives(parse: Callable[[str], ChannelOrder], sample: Any, *, runs: int, seed: int) -> tuple[int, int]:
    """(orders read, payloads refused) over so many variations; anything else than Unreadable fails the test."""
    rng, read, refused = random.Random(seed), 0, 0
    for run in range(runs):
        payload = json.dumps(varied(sample, rng, changes=1 + run % 6))
        try:
            parse(payload)
            read += 1
        except Unreadable as unreadable:
            assert unreadable.cause
            refused += 1
        except Exception as error:
            pytest.fail(f"{type(error).__name__} from {payload}")
    return read, refused


def without_each_key(sample: Any) -> Iterator[tuple[str, str]]:
    """(path of the key, payload without it) for every key of every object."""
    for path in list(_paths(sample, ())):
        copy = json.loads(json.dumps(sample))
        where = copy
        for step in path[:-1]:
            where = where[step]
        del where[path[-1]]
        yield ".".join(map(str, path)), json.dumps(copy)


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield (*path, key)
            yield from _paths(one, (*path, key))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _paths(one, (*path, place))
