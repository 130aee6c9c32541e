"""What a poll has handed over already, for channels that cannot be asked for changes.

Such a connector reads short rows of everything recent and hands over what differs from last time. Entries are kept in
Redis under the cursor of their fetch and written after the caller came back for more, which says that the page before
is stored. Losing the memory costs calls, no orders; asking from an earlier time reads everything again.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import redis

# Callers begin a little before their cursor; within this much a digest still counts as handed over.
SLACK = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Entry:
    """`digest` "" is never equal to another; `cursor` is unix time; `notes` are the connector's own."""

    digest: str
    cursor: float
    notes: tuple[str, ...] = ()


@dataclass
class Seen:
    """The memory of one shop. `name` is unique per store and address; entries older than `keep` are dropped."""

    client: redis.Redis
    name: str
    keep: timedelta
    known: dict[str, Entry] = field(default_factory=dict)
    _changed: dict[str, Entry] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"seen:{self.name}"

    def load(self, since: datetime) -> None:
        oldest = (since - self.keep).timestamp()
        forgotten = []
        for no, value in self.client.hgetall(self.key).items():
            digest, cursor, *notes = json.loads(value)
            if cursor < oldest:
                forgotten.append(no)
            else:
                self.known[_text(no)] = Entry(digest, cursor, tuple(notes))
        if forgotten:
            self.client.hdel(self.key, *forgotten)

    def has(self, no: str, digest: str, since: datetime) -> bool:
        """Whether the caller, who begins at `since`, has got this state of the order."""
        entry = self.known.get(no)
        return entry is not None and entry.digest == digest and entry.cursor <= (since + SLACK).timestamp()

    def note(self, no: str, digest: str, cursor: datetime, notes: Sequence[str] = ()) -> None:
        self._changed[no] = Entry(digest, cursor.timestamp(), tuple(notes))

    def note_failed(self, no: str, cursor: datetime) -> None:
        """It could not be read: the next fetch asks for it again."""
        self.note(no, "", cursor, self.known[no].notes if no in self.known else ())

    def save(self) -> None:
        """To be called when the caller has come back for more."""
        if not self._changed:
            return
        rows: dict[Any, Any] = {
            no: json.dumps([entry.digest, entry.cursor, *entry.notes]) for no, entry in self._changed.items()
        }
        self.client.hset(self.key, mapping=rows)
        self.known.update(self._changed)
        self._changed = {}

    def entries(self) -> Iterator[tuple[str, Entry]]:
        yield from list(self.known.items())


def digest_of(value: Any) -> str:
    """Of anything with a stable `repr`."""
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def store_name(channel: str, *parts: str) -> str:
    """A name that tells nothing about the store."""
    return f"{channel}:{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:32]}"


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
