"""出荷カレンダー: what people type of working days, cut-off times, days of transit and release times."""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from django import forms
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from orders.decide.ship_plan import ISLANDS
from orders.forms import PREFECTURES
from orders.models import ShippingPlan
from orders.models.order import Carrier
from orders.services import ship_plans

WEEKDAYS = (
    (0, lazy("月曜")), (1, lazy("火曜")), (2, lazy("水曜")), (3, lazy("木曜")), (4, lazy("金曜")),
    (5, lazy("土曜")), (6, lazy("日曜")),
)  # fmt: skip
MOST_DAYS, MOST_LINES, MOST_LEAD = 30, 500, 14
CLOCK = re.compile(r"(\d{1,2})[:：](\d{2})")
DAY = re.compile(r"(20\d\d)[-/年.](\d{1,2})[-/月.](\d{1,2})日?")
TRANSIT_EXAMPLE = "北海道 2\n沖縄県 3\n離島 5\n佐川急便 沖縄県 4\n9071 7"


def carriers() -> dict[str, str]:
    """Names that may be typed → code: the carrier's own name in either language, and its code."""
    found = {code: code for code in Carrier.values}
    for language, _name in settings.LANGUAGES:  # versions are kept in Japanese, and English readers go back to them
        with translation.override(language):
            found |= {str(label): code for code, label in Carrier.choices}
    return found


def _lines(text: str) -> list[str]:
    found = [" ".join(line.replace("\u3000", " ").split()) for line in text.splitlines()]
    return [line for line in found if line]


class PlanForm(forms.Form):
    """`values` is the plan that the form describes, as `orders.services.ship_plans.save` takes it."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    cutoffs = forms.CharField(
        label=lazy("締め時刻"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "15:00\n佐川急便 16:30", "lang": "ja"}),
        help_text=lazy(
            "この時刻を過ぎて入った受注は、次の出荷日の扱いになります。"
            "配送会社ごとに違うときは「佐川急便 16:30」のように書きます。"
        ),
    )
    lead_days = forms.IntegerField(
        label=lazy("出荷予定日の何日前から出荷指示できるか"), min_value=0, max_value=MOST_LEAD, initial=0
    )
    closed_weekdays = forms.TypedMultipleChoiceField(
        label=lazy("出荷しない曜日"), choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    closed_on_holidays = forms.BooleanField(label=lazy("祝日は出荷しない"), required=False)
    closed_days = forms.CharField(
        label=lazy("臨時に休む日"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "2026-12-31"}),
        help_text=lazy("1行に1日。"),
    )
    open_days = forms.CharField(
        label=lazy("休みの曜日・祝日でも出荷する日"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "2026-12-06"}),
    )
    transit = forms.CharField(
        label=lazy("お届け所要日数"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 8, "placeholder": TRANSIT_EXAMPLE, "lang": "ja"}),
        help_text=lazy(
            "1行に「都道府県 日数」「離島 日数」「郵便番号のはじめの数字 日数」。"
            "先頭に配送会社を書くとその会社だけの日数です。"
            "書かない地域は、関東から発送したときの日数（翌日、北海道・中国西部・四国・九州は2日、沖縄は3日）で計算します。"
        ),
    )

    def clean_cutoffs(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in _lines(self.cleaned_data["cutoffs"]):
            name, _space, clock_text = line.rpartition(" ")
            match = CLOCK.fullmatch(clock_text)
            carrier = carriers().get(name) if name else ""
            if match is None or carrier is None or int(match[1]) > 23 or int(match[2]) > 59:
                raise forms.ValidationError(_("「%(line)s」が読み取れません。例: 佐川急便 16:30") % {"line": line})
            found[carrier] = f"{time(int(match[1]), int(match[2])):%H:%M}"
        return found

    def clean_closed_days(self) -> list[date]:
        return self._days("closed_days")

    def clean_open_days(self) -> list[date]:
        return self._days("open_days")

    def _days(self, name: str) -> list[date]:
        found = set()
        for line in _lines(self.cleaned_data[name]):
            match = DAY.fullmatch(line)
            try:
                found.add(date(int(match[1]), int(match[2]), int(match[3])) if match else date.fromisoformat(line))
            except ValueError as error:
                raise forms.ValidationError(_("「%(line)s」は日付として読み取れません。") % {"line": line}) from error
        return sorted(found)

    def clean_transit(self) -> list[list[Any]]:
        lines = _lines(self.cleaned_data["transit"])
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(_("%(n)s行までです。") % {"n": MOST_LINES})
        return [self._transit(line) for line in lines]

    @staticmethod
    def _transit(line: str) -> list[Any]:
        *before, days = line.split(" ")
        *named, area = before or [""]
        carrier = carriers().get(" ".join(named)) if named else ""
        area = ISLANDS if area.lower() == "islands" else area
        known = area in PREFECTURES or area == ISLANDS or (area.isascii() and area.isdigit() and len(area) <= 7)
        if carrier is None or not known or not days.isdecimal() or int(days) > MOST_DAYS:
            raise forms.ValidationError(_("「%(line)s」が読み取れません。例: 佐川急便 沖縄県 4") % {"line": line})
        return [carrier, area, int(days)]

    @property
    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


def typed(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A stored plan (`ship_plans.document`) as the form shows it."""
    labels = {code: str(label) for code, label in Carrier.choices}

    def named(carrier: str, *rest: object) -> str:
        return " ".join([*([labels.get(carrier, carrier)] if carrier else []), *map(str, rest)])

    return {
        **plan,
        "cutoffs": "\n".join(named(carrier, at) for carrier, at in sorted(plan.get("cutoffs", {}).items())),
        "closed_days": "\n".join(plan.get("closed_days", ())),
        "open_days": "\n".join(plan.get("open_days", ())),
        "transit": "\n".join(named(*row) for row in plan.get("transit", ())),
    }


def starting(row: ShippingPlan | None) -> dict[str, Any]:
    """What the form begins with."""
    return {**typed(ship_plans.document(row)), "version": row.version if row else 0}


class ReleaseTimeForm(forms.Form):
    at = forms.TimeField(label=lazy("時刻"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))

    def clean_at(self) -> time:
        at: time = self.cleaned_data["at"]
        return at.replace(second=0, microsecond=0)


class TimesField(forms.MultipleChoiceField):
    """Times of day as texts, `14:00`."""

    def valid_value(self, value: str) -> bool:
        try:
            time.fromisoformat(value)
        except ValueError:
            return False
        return True


class ReleaseTimesForm(forms.Form):
    """All release times, as their versions keep them."""

    times = TimesField(label=lazy("時刻"), required=False)

    @property
    def wanted(self) -> list[time]:
        return [time.fromisoformat(text) for text in self.cleaned_data["times"]]
