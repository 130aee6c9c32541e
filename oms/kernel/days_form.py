"""What a record of the past is searched for, all of it in the address: a range of days, a person, a kind, words."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.typed import DayField, DayInput

MOST_DAYS = 366


class DaysForm(forms.Form):
    """Days, both included, and who. Without days: the last `days_meant`."""

    usual_days: ClassVar[int] = 7

    since = DayField(label=lazy("開始日"), required=False, widget=DayInput)
    until = DayField(label=lazy("終了日"), required=False, widget=DayInput)
    person = forms.ModelChoiceField(
        User.objects.order_by("username"), label=lazy("人"), required=False, empty_label=lazy("全員")
    )

    def days_meant(self, data: dict[str, Any]) -> int:
        """How many days to look back where none are given."""
        return self.usual_days

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        until = data.get("until") or clock.today()
        since = data.get("since") or _back(until, self.days_meant(data))
        if since > until:
            raise forms.ValidationError(_("開始日は終了日以前にしてください。"))
        if (until - since).days > MOST_DAYS:
            raise forms.ValidationError(_("期間は1年までで指定してください。"))
        return data | {"since": since, "until": until}


class HappenedForm(DaysForm):
    """Days and a person, and what happened: a kind of event, words in it."""

    kind = forms.ChoiceField(label=lazy("出来事"), required=False)
    words = forms.CharField(label=lazy("内容に含む言葉"), required=False, max_length=60)

    def __init__(self, data: Any, *, kinds: Iterable[tuple[Any, Any]]) -> None:
        super().__init__(data)
        self.fields["kind"].choices = [("", _("すべて")), *kinds]  # type: ignore[attr-defined]

    @property
    def asked(self) -> dict[str, Any]:
        """What the address asks for, by the fields' names; what cannot be read gives the usual days alone."""
        data = self.cleaned_data if self.is_valid() else {}
        today = clock.today()
        person = data.get("person")
        texts = {name: (data.get(name) or "").strip() for name in self.fields if name not in DaysForm.base_fields}
        return texts | {
            "since": data.get("since") or _back(today, self.usual_days),
            "until": data.get("until") or today,
            "person": person.pk if person else None,
        }


def _back(until: date, days: int) -> date:
    return until - timedelta(days=days - 1)
