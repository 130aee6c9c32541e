"""What a company says of the shop that typed orders belong to."""

from typing import ClassVar

from django import forms

from orders.models import Shop

FIELDS = (
    "name", "mail_from", "letterhead_name", "letterhead_address", "letterhead_phone", "registration_no",
    "delivery_note_message", "ship_within_days",
)  # fmt: skip


class PhoneShopForm(forms.ModelForm):
    class Meta:
        model = Shop
        fields = FIELDS
        widgets: ClassVar = {"delivery_note_message": forms.Textarea(attrs={"rows": 3})}
