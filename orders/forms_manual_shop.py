"""What a company says of the shop that typed orders belong to."""

from typing import Any, ClassVar

from django import forms

from orders.models import Shop

RETURNS = ("exchange_ships", "exchange_watch_days")
FIELDS = (
    "name", "mail_from", "letterhead_name", "letterhead_address", "letterhead_phone", "registration_no",
    "delivery_note_message", "ship_within_days", "exchange_ships", "exchange_tag", "exchange_watch_days",
)  # fmt: skip


class PhoneShopForm(forms.ModelForm):
    """What has a default and was left out stays as it is."""

    class Meta:
        model = Shop
        fields = FIELDS
        widgets: ClassVar = {"delivery_note_message": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in RETURNS:
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in RETURNS:
            if name in data and data[name] in {"", None}:
                data[name] = getattr(self.instance, name)
        return data
