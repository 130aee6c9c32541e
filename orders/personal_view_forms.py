"""What 閲覧履歴 may be narrowed by, and how long it is kept."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.typed import DayField, DayInput
from orders.queries.personal_views import Wanted
from orders.services.personal_views import LEAST_MONTHS, MOST_MONTHS

USUAL_DAYS, MOST_DAYS = 7, 366
LARGEST = 2**63 - 1


class ViewsForm(forms.Form):
    """Everything in the address; without days, the last week, or the last year of one order or member."""

    since = DayField(label=lazy("開始日"), required=False, widget=DayInput)
    until = DayField(label=lazy("終了日"), required=False, widget=DayInput)
    person = forms.ModelChoiceField(
        User.objects.order_by("username"), label=lazy("人"), required=False, empty_label=lazy("全員")
    )
    number = forms.CharField(label=lazy("受注番号"), required=False, max_length=64)
    member = forms.IntegerField(label=lazy("会員番号"), required=False, min_value=1, max_value=LARGEST)
    order = forms.IntegerField(required=False, min_value=1, max_value=LARGEST, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        one = any(data.get(name) for name in ("order", "number", "member"))
        until = data.get("until") or clock.today()
        since = data.get("since") or until - timedelta(days=MOST_DAYS - 1 if one else USUAL_DAYS - 1)
        if since > until:
            raise forms.ValidationError(_("開始日は終了日以前にしてください。"))
        if (until - since).days > MOST_DAYS:
            raise forms.ValidationError(_("期間は1年までで指定してください。"))
        return data | {"since": since, "until": until}

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
