"""What people type about customers who pay by the month."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from customers.models import Member
from oms.kernel import clock
from oms.kernel.typed import DayField
from orders.filters import DayInput
from orders.models import BillingAccount, Order, Shop
from orders.queries import visible
from orders.queries.papers import buyer_of


class AccountForm(forms.ModelForm):
    class Meta:
        model = BillingAccount
        fields = (
            "name", "attention", "postal_code", "address", "closing_day", "pay_months", "pay_day", "qualified",
            "credit_limit",
        )  # fmt: skip


class NewAccountForm(AccountForm):
    """With the shop, for a member who has not bought on account here yet."""

    shop = forms.ModelChoiceField(label=lazy("店舗"), queryset=Shop.objects.none())
    field_order = ["shop"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shop"].queryset = visible.own_shops()  # type: ignore[attr-defined]


class OpeningForm(forms.Form):
    """`amount` as the other system said it, at the end of the day `on`. Below zero: the customer had paid too much."""

    on = DayField(label=lazy("残高の基準日"), widget=DayInput)
    amount = forms.IntegerField(
        label=lazy("基準日の終わりの残高（円・税込）"), min_value=-999_999_999, max_value=999_999_999
    )
    note = forms.CharField(label=lazy("メモ"), max_length=200, required=False)

    def __init__(self, *args: Any, begun: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].help_text = _("この日までに出荷した受注は、残高に含まれるものとして請求しません。")
        self.fields["amount"].help_text = _("最初の合計請求書に、前回ご請求額として載ります。")
        if begun:
            self.fields["note"] = forms.CharField(label=_("訂正の理由"), max_length=200)
            self.fields["amount"].help_text = _("正しい残高を入れてください。差額を新しく記帳し、前の記帳は残ります。")


class CameForm(forms.Form):
    """Money for what an account owes beside its orders; `key` makes a form that is sent twice enter it once."""

    came_on = DayField(label=lazy("入金日"), widget=DayInput)
    amount = forms.IntegerField(label=lazy("金額（円）"), min_value=1, max_value=999_999_999)
    note = forms.CharField(label=lazy("メモ"), max_length=200, required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=lambda: uuid4().hex)


class CloseForm(forms.Form):
    on = DayField(label=lazy("締日"), widget=DayInput)

    def clean_on(self) -> Any:
        if self.cleaned_data["on"] > clock.today():
            raise forms.ValidationError(_("今日までの日にしてください。"))
        return self.cleaned_data["on"]


def values_of_member(member: Member) -> dict[str, str]:
    """An account's name and address, as a member has them."""
    return {"name": member.name, "postal_code": member.postal_code, "address": member.prefecture}


def values_of(order: Order) -> dict[str, str]:
    """An account's name and address, as an order has them."""
    buyer = buyer_of(order)
    return {
        "name": buyer.company or buyer.name,
        "attention": buyer.name if buyer.company else "",
        "postal_code": buyer.postal_code,
        "address": buyer.address,
    }
