"""What people type about customers who pay by the month."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.typed import DayField
from orders.filters import DayInput
from orders.models import BillingAccount, Order
from orders.queries.papers import buyer_of


class AccountForm(forms.ModelForm):
    class Meta:
        model = BillingAccount
        fields = (
            "name", "attention", "postal_code", "address", "closing_day", "pay_months", "pay_day", "qualified",
            "credit_limit",
        )  # fmt: skip


class CloseForm(forms.Form):
    on = DayField(label=lazy("締日"), widget=DayInput)

    def clean_on(self) -> Any:
        if self.cleaned_data["on"] > clock.today():
            raise forms.ValidationError(_("今日までの日にしてください。"))
        return self.cleaned_data["on"]


def values_of(order: Order) -> dict[str, str]:
    """An account's name and address, as an order has them."""
    buyer = buyer_of(order)
    return {
        "name": buyer.company or buyer.name,
        "attention": buyer.name if buyer.company else "",
        "postal_code": buyer.postal_code,
        "address": buyer.address,
    }
