"""200 scarce SKUs on five channels for ten simulated minutes: the product against polling syncs and fixed buffers, on
the same buyers. What must hold is decisions on oversell cases, lost sales and publish delay; the rest is for the eye.

Orders are imported at the rhythm each connector declares; Amazon's search allows one in four minutes.
"""

from collections.abc import Sequence

from bench.flash_world import ITEMS_A_CALL, FixedBuffer, Ours, Result, draw, play
from bench.row import Row
from channels.connectors.registry import connector_class

SEED = 1
CASES_PER_CENT = 0.1
DELAY_S = 5.0
BUFFERS = range(6)
LARGER = range(6, 41)


def run() -> list[Row]:
    """About ten seconds."""
    demand = draw(SEED)
    ours = play(demand, Ours())
    fixed = {buffer: play(demand, FixedBuffer(buffer)) for buffer in [*BUFFERS, *LARGER]}
    polling = {minutes: play(demand, FixedBuffer(0, minutes * 60.0)) for minutes in (5, 10)}
    as_safe = next((b for b, result in fixed.items() if result.rate <= max(ours.rate, CASES_PER_CENT / 100)), 40)
    return [
        _row("flash sale: oversell cases", ours.rate * 100, "%", CASES_PER_CENT, judged=True),
        _row(f"… lost units (fixed buffer {as_safe} is as safe)", ours.lost, "units", fixed[as_safe].lost, judged=True),
        *[
            _row(f"… oversold by polling every {minutes} min", result.oversold, "orders", max(1, ours.oversold))
            for minutes, result in polling.items()
        ],
        *[row for buffer in BUFFERS for row in _against(f"fixed buffer {buffer}", fixed[buffer], ours)],
        *_against("the product, nothing prepared", play(demand, Ours(mode="normal", hot_below=3)), ours),
        *_delays(ours),
        _spread("… mall sale → every other mall", ours.mall_to_mall_s, polling[5].mall_to_mall_s, 0.5),
        _spread("… mall sale → every other mall, 95 %", ours.mall_to_mall_s, polling[5].mall_to_mall_s, 0.95),
    ]


def _against(name: str, result: Result, ours: Result) -> list[Row]:
    return [
        _row(f"… oversold by {name}", result.oversold, "orders", max(1, ours.oversold)),
        _row(f"… lost by {name}", result.lost, "units", max(1, ours.lost)),
    ]


def _delays(ours: Result) -> list[Row]:
    """Commit of the change → request. Where a channel's own limit takes longer than the goal, that is the bar."""
    rows = []
    for channel, delays in ours.publish_s.items():
        floor = 1.1 * _at(_paced(ours.asked[channel], channel), 0.95)  # a tenth for putting the scarce ones first
        label = connector_class(channel).label
        rows += [
            _row(f"… publish delay {label}, median", _at(delays, 0.5), "s", DELAY_S),
            _row(f"… publish delay {label}, 95 %", _at(delays, 0.95), "s", max(DELAY_S, floor), judged=True),
            _row(f"… publish delay {label}, worst", max(delays), "s", DELAY_S),
        ]
    return rows


def _paced(asked: Sequence[float], channel: str) -> list[float]:
    """The delays that the channel's limit alone makes, of the same changes, first come first served."""
    capabilities = connector_class(channel).capabilities
    size, free_at, delays = ITEMS_A_CALL.get(channel, capabilities.stock_batch), 0.0, []
    waiting = sorted(asked)
    while waiting:
        start = max(free_at, waiting[0])
        batch = [at for at in waiting[:size] if at <= start]
        delays += [start - at for at in batch]
        waiting, free_at = waiting[len(batch) :], start + capabilities.publish_interval_s
    return delays


def _spread(name: str, ours: Sequence[float], theirs: Sequence[float], part: float) -> Row:
    return _row(name, _at(ours, part), "s", _at(theirs, part))


def _at(values: Sequence[float], part: float) -> float:
    ordered = sorted(values) or [0.0]
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def _row(name: str, value: float, unit: str, baseline: float, *, judged: bool = False) -> Row:
    base = max(baseline, 1e-9)
    return Row(name, value, unit, baseline, value / base, 1.0 if judged else 0.0, 0.5, lower_is_better=True)
