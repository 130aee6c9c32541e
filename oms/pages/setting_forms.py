"""What the changes of settings are searched for, and why somebody goes back."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.days_form import HappenedForm
from oms.kernel.setting_kinds import Kind
from oms.pages.queries.setting_history import Wanted


class ChangesForm(HappenedForm):
    usual_days = 31

    kind = forms.ChoiceField(label=lazy("設定"), required=False)
    words = forms.CharField(label=lazy("対象・値・理由に含む言葉"), required=False, max_length=60)

    def __init__(self, data: Any, *, kinds: Sequence[Kind]) -> None:
        super().__init__(data, kinds=[(kind.code, kind.label) for kind in kinds])

    @property
    def wanted(self) -> Wanted:
        return Wanted(**self.asked)


class BackForm(forms.Form):
    note = forms.CharField(label=lazy("戻す理由"), required=False, max_length=200)
