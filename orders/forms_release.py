"""What people type to move a pre-ordered SKU's release day."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Sku
from oms.kernel.typed import DayField, DayInput
from orders.services.release_days import refusal


class ReleaseDayForm(forms.Form):
    """The new day, and what becomes of the mails."""

    day = DayField(label=lazy("新しい発売日"), widget=DayInput)
    draft = forms.BooleanField(
        label=lazy("お知らせメールを下書きにする（承認してから送る）"), required=False,
        help_text=lazy("選ばないと、店舗のメールテンプレートの設定どおりに送ります。"),
    )  # fmt: skip

    def __init__(self, *args: Any, sku: Sku, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sku = sku

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "day" in data and (cause := refusal(self.sku, data["day"])):
            self.add_error("day", cause)
        return data


class ReleaseMoveForm(ReleaseDayForm):
    """The same after the preview; `key` makes a second click the same move."""

    key = forms.UUIDField(
        widget=forms.HiddenInput, initial=uuid4, error_messages={"invalid": lazy("画面を読み直してください。")}
    )

    def clean(self) -> dict[str, Any]:
        return forms.Form.clean(self) or self.cleaned_data  # the service refuses, knowing whether the key is known


def sentence(orders: int, mails: int) -> str:
    return _("発売日を変更しました。受注 %(orders)s件を移し、お知らせメール %(mails)s件を作成しました。") % {
        "orders": f"{orders:,}",
        "mails": f"{mails:,}",
    }
