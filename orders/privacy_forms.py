"""What 個人情報の保存期間 asks."""

from datetime import date, timedelta

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.typed import DayField, DayInput

REPORT_DAYS = 366


class DaysForm(forms.Form):
    """The days of one shop; empty for ever."""

    days = forms.IntegerField(label=lazy("保存する日数"), required=False)


class HoldForm(forms.Form):
    number = forms.CharField(label=lazy("受注番号"), max_length=64)
    reason = forms.CharField(label=lazy("消去しない理由"), max_length=200)


class ReportForm(forms.Form):
    """The days of 消去の報告; without them, or where they make no sense, the last year."""

    since = DayField(label=lazy("開始日"), required=False, widget=DayInput)
    until = DayField(label=lazy("終了日"), required=False, widget=DayInput)

    @property
    def span(self) -> tuple[date, date]:
        self.is_valid()
        until = self.cleaned_data.get("until") or clock.today()
        since = self.cleaned_data.get("since") or until - timedelta(days=REPORT_DAYS - 1)
        return min(since, until), max(since, until)
