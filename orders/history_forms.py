"""What 操作の記録 may be narrowed by."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.days_form import HappenedForm
from orders.queries.history import Wanted, kinds


class HistoryForm(HappenedForm):
    number = forms.CharField(label=lazy("受注番号"), required=False, max_length=64)

    field_order = ["since", "until", "person", "kind", "number", "words"]

    def __init__(self, data: Any) -> None:
        super().__init__(data, kinds=kinds())

    @property
    def wanted(self) -> Wanted:
        return Wanted(**self.asked)
