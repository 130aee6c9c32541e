"""The one door to stock, as other apps see it: `stock.grant(…)`, `stock.ship(…)`.

How it works is told in `docs/stock.md`. Orders reserve (`requests_for`, `grant`, `regrant`, `release`), fulfilment
places and ships (`free_by_location`, `allocate`, `unallocate`, `ship`), goods come and go as facts (`receive`,
`correct`, `count`, `transfer`, `record`), channels read (`available`, `bundles_of`).
Call what writes once, last in the transaction.
"""

from inventory.queries.availability import (
    FreePlace,
    all_pool_ids,
    available,
    available_at,
    free_by_location,
    place_ids,
    pool_ids,
)
from inventory.queries.bundles import bundles_of, components, once_bundles_of
from inventory.queries.holdings import Held, held_at, held_by
from inventory.queries.whole_sets import Places, kept_whole, places_of, sets_among, whole_sets
from inventory.services.door import (
    Change,
    OutOfStock,
    PoolApart,
    Request,
    StockError,
    UnknownPlace,
    apply,
    grant,
    set_overcommit,
)
from inventory.services.facts import Counted, Fact, ShortPick, correct, count, receive, record, short_pick, transfer
from inventory.services.moves import (
    NotHeld,
    Part,
    StockMoved,
    Want,
    allocate,
    regrant,
    regrant_at,
    release,
    replace_parts,
    requests_for,
    reserve,
    ship,
    unallocate,
    unplace,
    unship,
)
from inventory.services.places import ensure_balances, ensure_pools
from inventory.services.settlement import Outcome
from inventory.services.special_places import aside_place, place_of_kind, set_aside

__all__ = [
    "Change",
    "Counted",
    "Fact",
    "FreePlace",
    "Held",
    "NotHeld",
    "OutOfStock",
    "Outcome",
    "Part",
    "Places",
    "PoolApart",
    "Request",
    "ShortPick",
    "StockError",
    "StockMoved",
    "UnknownPlace",
    "Want",
    "all_pool_ids",
    "allocate",
    "apply",
    "aside_place",
    "available",
    "available_at",
    "bundles_of",
    "components",
    "correct",
    "count",
    "ensure_balances",
    "ensure_pools",
    "free_by_location",
    "grant",
    "held_at",
    "held_by",
    "kept_whole",
    "once_bundles_of",
    "place_ids",
    "place_of_kind",
    "places_of",
    "pool_ids",
    "receive",
    "record",
    "regrant",
    "regrant_at",
    "release",
    "replace_parts",
    "requests_for",
    "reserve",
    "set_aside",
    "set_overcommit",
    "sets_among",
    "ship",
    "short_pick",
    "transfer",
    "unallocate",
    "unplace",
    "unship",
    "whole_sets",
]
