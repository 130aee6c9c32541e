"""What 閲覧履歴 may be narrowed by, and how long it is kept."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.days_form import MOST_DAYS, DaysForm
from orders.queries.personal_views import Wanted
from orders.services.personal_views import LEAST_MONTHS, MOST_MONTHS

LARGEST = 2**63 - 1


class ViewsForm(DaysForm):
    """Without days, the last week, or the last year of one order or member."""

    number = forms.CharField(label=lazy("受注番号"), required=False, max_length=64)
    member = forms.IntegerField(label=lazy("会員番号"), required=False, min_value=1, max_value=LARGEST)
    order = forms.IntegerField(required=False, min_value=1, max_value=LARGEST, widget=forms.HiddenInput)

    def days_meant(self, data: dict[str, Any]) -> int:
        one = any(data.get(name) for name in ("order", "number", "member"))
        return MOST_DAYS if one else self.usual_days

    @property
    def wanted(self) -> Wanted | None:
        """What the address asks for; None when it cannot be read."""
        if not self.is_valid():
            return None
        data = self.cleaned_data
        return Wanted(
            since=data["since"],
            until=data["until"],
            person=data["person"].pk if data["person"] else None,
            order=data["order"],
            number=data["number"].strip(),
            member=data["member"],
        )


class MonthsForm(forms.Form):
    months = forms.IntegerField(
        label=lazy("閲覧履歴を保存する月数"),
        min_value=LEAST_MONTHS,
        max_value=MOST_MONTHS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
