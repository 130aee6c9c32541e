"""The numbers of the dashboards: which orders each counts, and by which of their days.

One definition serves the sums and the lists behind them, so that a number and its list cannot drift apart.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ORDERED, SHIPPED, CANCELLED = "ordered", "shipped", "cancelled"
DAY_OF: Mapping[str, str] = {ORDERED: "ordered_on", SHIPPED: "shipped_on", CANCELLED: "cancelled_on"}


@dataclass(frozen=True, slots=True)
class Number:
    """`condition` speaks of `OrderFigure`; `amount` names the column whose sum is kept beside the count."""

    label: str | Promise
    basis: str
    condition: Q
    amount: str = ""


# The same orders four times: a day keeps one sum for each name.
COSTED = Q(freight__isnull=False)
PROFITED = Q(profit__isnull=False)

NUMBERS: Mapping[str, Number] = {
    "orders": Number(_("受注"), ORDERED, Q()),
    "sold": Number(_("売上のある受注"), ORDERED, Q(cancelled=False), "total"),
    "own": Number(_("自社出荷の受注"), ORDERED, Q(by_channel=False)),
    "touched": Number(_("人が操作した受注"), ORDERED, Q(touches__gt=0), "touches"),
    "oversold": Number(_("売り越した受注"), ORDERED, Q(oversold=True)),
    "known": Number(_("会員の受注"), ORDERED, Q(known=True)),
    "shipped": Number(_("出荷した受注"), SHIPPED, Q(), "parcels"),
    "touchless": Number(_("人の操作なしで出荷"), SHIPPED, Q(touches=0)),
    "untouched_ne": Number(_("1件ずつの操作なしで出荷"), SHIPPED, Q(single_touches=0)),
    "costed": Number(_("送料のわかる出荷"), SHIPPED, COSTED, "freight"),
    "costed_parcels": Number(_("送料のわかる出荷（個口）"), SHIPPED, COSTED, "parcels"),
    "costed_card_s": Number(_("送料のわかる出荷（判断の時間）"), SHIPPED, COSTED, "card_s"),
    "costed_touches": Number(_("送料のわかる出荷（操作）"), SHIPPED, COSTED, "other_touches"),
    "profited": Number(_("粗利のわかる出荷"), SHIPPED, PROFITED, "profit"),
    "profited_net": Number(_("粗利のわかる出荷（税抜売上）"), SHIPPED, PROFITED, "net_sales"),
    "late": Number(_("期限に遅れて出荷"), SHIPPED, Q(late=True)),
    "split": Number(_("分けて出荷"), SHIPPED, Q(parcels__gt=1)),
    "returned": Number(_("返品のあった受注"), SHIPPED, Q(returned=True)),
    "released": Number(_("出荷指示までの時間がわかる受注"), SHIPPED, Q(release_s__isnull=False)),
    "cancelled": Number(_("キャンセルした受注"), CANCELLED, Q()),
    "fault": Number(_("店舗都合のキャンセル"), CANCELLED, Q(fault=True)),
}

# Events that are no touch though they name a person: goods on their way, and stages, which follow from what was done.
NO_TOUCH = ("shipped", "stage")

# Times whose spread is kept: name → (basis, column in seconds).
TIMES: Mapping[str, tuple[str, str]] = {"import_s": (ORDERED, "import_s"), "release_s": (SHIPPED, "release_s")}

STEPS_PER_E = 20  # one step is 5 % of a time


def step_of(seconds: float) -> int:
    """Where a time stands on the logarithmic scale."""
    return math.floor(math.log1p(max(0.0, seconds)) * STEPS_PER_E)


def seconds_of(step: int) -> float:
    """The middle of a step."""
    return 0.0 if step == 0 else math.expm1((step + 0.5) / STEPS_PER_E)


def quantile(counted: Sequence[tuple[int, int]], share: float) -> float | None:
    """Seconds below which this share of the times lie. `counted`: (step, how many), any order; None without any."""
    total = sum(n for _step, n in counted)
    if not total:
        return None
    wanted, passed = math.ceil(share * total), 0
    for step, n in sorted(counted):
        passed += n
        if passed >= wanted:
            return seconds_of(step)
    raise AssertionError("the counts add up to their total")


def listed(code: str, since: Any, until: Any) -> Q:
    """The orders of one number, asked of `OrderFigure`; days included, None for no bound."""
    number = NUMBERS[code]
    day = DAY_OF[number.basis]
    wanted = number.condition & Q(**{f"{day}__isnull": False})
    if since:
        wanted &= Q(**{f"{day}__gte": since})
    if until:
        wanted &= Q(**{f"{day}__lte": until})
    return wanted
