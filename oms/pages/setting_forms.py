"""What the changes of settings are searched for, and why somebody goes back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.setting_kinds import Kind
from oms.kernel.typed import DayField, DayInput
from oms.pages.queries.setting_history import Wanted

USUAL_DAYS, MOST_DAYS = 31, 366


class ChangesForm(forms.Form):
    """Everything in the address; without days, the last month."""

    since = DayField(label=lazy("開始日"), required=False, widget=DayInput)
    until = DayField(label=lazy("終了日"), required=False, widget=DayInput)
    person = forms.ModelChoiceField(
        User.objects.order_by("username"), label=lazy("人"), required=False, empty_label=lazy("全員")
    )
    kind = forms.ChoiceField(label=lazy("設定"), required=False)
    words = forms.CharField(label=lazy("対象・値・理由に含む言葉"), required=False, max_length=60)

    def __init__(self, data: Any, *, kinds: Sequence[Kind]) -> None:
        super().__init__(data)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            ("", _("すべて")),
            *((kind.code, kind.label) for kind in kinds),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        until = data.get("until") or clock.today()
        since = data.get("since") or until - timedelta(days=USUAL_DAYS - 1)
        if since > until:
            raise forms.ValidationError(_("開始日は終了日以前にしてください。"))
        if (until - since).days > MOST_DAYS:
            raise forms.ValidationError(_("期間は1年までで指定してください。"))
        return data | {"since": since, "until": until}

    @property
    def wanted(self) -> Wanted:
        """What the address asks for; what cannot be read gives the last month."""
        data = self.cleaned_data if self.is_valid() else {}
        today = clock.today()
        person = data.get("person")
        return Wanted(
            since=data.get("since") or today - timedelta(days=USUAL_DAYS - 1),
            until=data.get("until") or today,
            person=person.pk if person else None,
            kind=data.get("kind") or "",
            words=(data.get("words") or "").strip(),
        )


class BackForm(forms.Form):
    note = forms.CharField(label=lazy("戻す理由"), required=False, max_length=200)
