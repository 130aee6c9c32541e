"""Ids and days as addresses and forms bring them: ours, typed by hand, or forged."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _

LONGEST = 18  # digits of the largest id that a bigint column surely holds
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)


def row_id(typed: str) -> int | None:
    """The id, or None for what can be nobody's: no digits, or more than a column holds."""
    return int(typed) if typed.isdecimal() and len(typed) <= LONGEST else None


def row_ids(typed: Iterable[str]) -> list[int]:
    """The ids among these, in their order."""
    return [found for one in typed if (found := row_id(one)) is not None]


def typed_day(typed: str) -> date | None:
    """An ISO date, or None for what is none, or is no day of this business."""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


class DayInput(forms.DateInput):
    """The browser's own calendar, which wants ISO dates in whatever language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A day that can be meant: a year typed too short or too long would be counted with for ever."""

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(_("日付の年を確かめてください（2000年から2100年まで）。"), code="year")
        return day
