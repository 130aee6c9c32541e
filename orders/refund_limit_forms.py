"""One field for each role: how many yen its people may give back alone; empty for any amount."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.roles import ROLES
from orders.services.refund_limits import RoleLimit

MOST = 100_000_000
LABELS = {role.code: role.label for role in ROLES}


class LimitsForm(forms.Form):
    def __init__(self, data: Any = None, *, limits: Sequence[RoleLimit]) -> None:
        super().__init__(data)
        self.limits = limits
        for one in limits:
            self.fields[self._name(one)] = forms.IntegerField(
                label=str(LABELS.get(one.group.name, one.group.name)),
                required=False,
                min_value=0,
                max_value=MOST,
                initial=one.amount,
                widget=forms.NumberInput(attrs={"inputmode": "numeric", "step": 1, "placeholder": lazy("上限なし")}),
                help_text="" if one.own else lazy("標準"),
            )

    @staticmethod
    def _name(one: RoleLimit) -> str:
        return f"limit-{one.group.pk}"

    @property
    def wanted(self) -> dict[int, int | None]:
        """Group id → yen, None for any amount."""
        return {one.group.pk: self.cleaned_data[self._name(one)] for one in self.limits}
