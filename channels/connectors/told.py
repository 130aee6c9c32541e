"""What a channel accepted a moment ago and does not show yet: a refusal of the same again says that it was done."""

from dataclasses import dataclass

import redis

from channels.connectors.seen import digest_of
from oms.kernel import clock

SHOWS_WITHIN_S = 300


@dataclass
class Told:
    """One word to one order. Kept in Redis for some minutes; losing it turns a "not yet" into a refusal, no more."""

    client: redis.Redis
    channel: str
    shop_code: str
    word: object  # anything with a stable `repr`

    @property
    def lately(self) -> bool:
        kept = self.client.get(self._key)
        return isinstance(kept, bytes) and clock.now().timestamp() - float(kept) < SHOWS_WITHIN_S

    def keep(self) -> None:
        self.client.set(self._key, f"{clock.now().timestamp()}", ex=SHOWS_WITHIN_S)

    @property
    def _key(self) -> str:
        return f"{self.channel}:told:{digest_of((self.shop_code, self.word))}"
