"""Forms around the devices of stores: asking for one, its code, a person's own PIN."""

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import pgettext_lazy

from inventory.models import Location
from oms.kernel.services import pins
from oms.pages.queries import store_devices as queries
from oms.pages.sign_in_forms import AskedForPassword


class StoreDeviceForm(forms.Form):
    """A device of one of the person's own stores."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    place = forms.ModelChoiceField(
        queryset=Location.objects.none(), label=pgettext_lazy("place", "店舗"), empty_label=None
    )
    name = forms.CharField(
        label=lazy("端末名"),
        max_length=40,
        help_text=lazy("見て分かる名前にします。例：レジ横のタブレット、バックヤードのPC"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = queries.stores()  # type: ignore[attr-defined]


def pin_field(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=50,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class PinForm(AskedForPassword):
    """A new PIN, typed twice, by somebody who knows their password."""

    new = pin_field(
        lazy("新しいPIN"), lazy("4〜8桁の数字。誕生日・電話番号や、1111・1234のような並びは避けてください。")
    )
    again = pin_field(lazy("新しいPIN（確認）"))

    def clean_new(self) -> str:
        pin = pins.tidy(self.cleaned_data["new"])
        if not pins.is_well_formed(pin):
            raise ValidationError(_("4〜8桁の数字にしてください。"))
        if pins.is_guessable(pin, self.user.username):
            raise ValidationError(
                _("このPINはすぐに当てられます。同じ数字・連番・日付・西暦・キーの並びではない数字にしてください。")
            )
        return pin

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "new" in data and "again" in data and data["new"] != pins.tidy(data["again"]):
            self.add_error("again", _("2つの新しいPINが違います。同じものを入力してください。"))
        return data
