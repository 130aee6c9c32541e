"""Small charts as SVG, drawn on the server: bars, stacked bars, lines. No script, no inline style.

Colours are classes (`static/css/numbers.css`), so that dark mode and print follow. Each drawing has a sentence for
screen readers; the page puts the same values into a table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 480, 140
LEFT, BOTTOM, TOP = 44, 20, 10
SPARK_WIDTH, SPARK_HEIGHT = 132, 30


@dataclass(frozen=True, slots=True)
class Series:
    """`tone` is the colour's number, 1 to 8. A value of None is a day without data."""

    label: str
    values: Sequence[float | None]
    tone: int = 1


def stacked_bars(labels: Sequence[str], series: Sequence[Series], *, said: str, unit: str = "") -> SafeString:
    """One bar a day, its parts on top of each other in the order of `series`."""
    sums = [sum(one.values[i] or 0 for one in series) for i in range(len(labels))]
    top = nice_top(max(sums, default=0))
    slot = (WIDTH - LEFT) / max(1, len(labels))
    parts = []
    for i, label in enumerate(labels):
        height_so_far = 0.0
        for one in series:
            if not (value := one.values[i] or 0):
                continue
            tall = _scaled(value, top)
            y = HEIGHT - BOTTOM - height_so_far - tall
            tip = f"{label} {one.label} {value:,.0f}{unit}"
            place = (LEFT + i * slot + slot * 0.12, y, slot * 0.76, max(tall - 0.6, 0.4))
            parts.append((one.tone, *(round(part, 1) for part in place), tip))
            height_so_far += tall
    drawn = format_html_join(
        "",
        '<rect class="c{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
        parts,
    )
    return _frame(labels, top, drawn, said, unit)


def lines(labels: Sequence[str], series: Sequence[Series], *, said: str, top: float, unit: str = "") -> SafeString:
    """One line each; days without data are gaps. Lines differ by dashes too, not by colour alone."""
    step = (WIDTH - LEFT) / max(1, len(labels))
    drawn = []
    for place, one in enumerate(series):
        points = [
            (LEFT + (i + 0.5) * step, HEIGHT - BOTTOM - _scaled(value, top), labels[i], value)
            for i, value in enumerate(one.values)
            if value is not None
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _label, _value in points)
        dots = format_html_join(
            "",
            '<circle class="c{}" cx="{}" cy="{}" r="3"><title>{}</title></circle>',
            [
                (one.tone, round(x, 1), round(y, 1), f"{label} {one.label} {value:,.1f}{unit}")
                for x, y, label, value in points
            ],
        )
        drawn.append(
            format_html('<polyline class="l{} dash{}" points="{}" fill="none"/>{}', one.tone, place, path, dots)
        )
    return _frame(labels, top, format_html_join("", "{}", ((part,) for part in drawn)), said, unit)


def sparkline(values: Sequence[float | None], *, said: str, tone: int = 1) -> SafeString:
    """The course of one number, as wide as a word."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return SafeString("")
    low, high = min(known), max(known)
    span = (high - low) or 1
    step = SPARK_WIDTH / (len(values) - 1)
    points = [
        (i * step, SPARK_HEIGHT - 3 - (value - low) / span * (SPARK_HEIGHT - 6))
        for i, value in enumerate(values)
        if value is not None
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}"><polyline class="l{}" points="{}" '
        'fill="none"/><circle class="c{}" cx="{}" cy="{}" r="2.5"/></svg>',
        SPARK_WIDTH, SPARK_HEIGHT, said, tone, path,
        tone, round(min(points[-1][0], SPARK_WIDTH - 3), 1), round(points[-1][1], 1),
    )  # fmt: skip


def share_bar(parts: Sequence[tuple[str, int, int]], *, whole: int, said: str) -> SafeString:
    """One lying bar of (label, value, tone), as long as its sum is of `whole`."""
    x, rects = 0.0, []
    for label, value, tone in parts:
        wide = 100 * value / whole if whole else 0
        if wide:
            rects.append((tone, round(x, 2), round(max(wide - 0.3, 0.2), 2), f"{label} {value:,}"))
        x += wide
    drawn = format_html_join(
        "", '<rect class="c{}" x="{}" y="0" width="{}" height="10"><title>{}</title></rect>', rects
    )
    return format_html(
        '<svg class="share-bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="track" width="100" height="10"/>{}</svg>',
        said,
        drawn,
    )


def nice_top(highest: float) -> float:
    """The next round number, for the axis."""
    if highest <= 5:
        return 5.0
    size = 10.0 ** (len(str(int(highest))) - 1)
    return next(step * size for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * size >= highest)


def _scaled(value: float, top: float) -> float:
    return (HEIGHT - BOTTOM - TOP) * value / top if top else 0.0


def _frame(labels: Sequence[str], top: float, drawn: SafeString, said: str, unit: str) -> SafeString:
    base, middle = HEIGHT - BOTTOM, (HEIGHT - BOTTOM + TOP) / 2
    step = (WIDTH - LEFT) / max(1, len(labels))
    every = max(1, -(-len(labels) // 8))
    days = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="middle">{}</text>',
        [(round(LEFT + (i + 0.5) * step, 1), HEIGHT - 5, label) for i, label in enumerate(labels) if i % every == 0],
    )
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><g class="axis">'
        '<line x1="{}" x2="{}" y1="{}" y2="{}"/><line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>'
        '<text x="{}" y="{}" text-anchor="end">{}</text><text x="{}" y="{}" text-anchor="end">0</text>{}</g>{}</svg>',
        WIDTH, HEIGHT, said,
        LEFT, WIDTH, base, base, LEFT, WIDTH, middle, middle, LEFT, WIDTH, TOP, TOP,
        LEFT - 5, TOP + 4, short(top) + unit, LEFT - 5, middle + 4, short(top / 2) + unit, LEFT - 5, base + 4,
        days, drawn,
    )  # fmt: skip


def short(value: float) -> str:
    """1,500,000 → 1.5M: the axis has room for seven characters."""
    return f"{value / 1_000_000:g}M" if value >= 1_000_000 else f"{value:,.0f}" if value >= 10 else f"{value:g}"
