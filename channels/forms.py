"""Forms of the channels' screens. Credentials are write-only: no form ever holds a stored one."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from channels.connectors.registry import connector_class
from channels.models import Listing
from inventory.models import Sku
from orders.documents.registration import normal_registration_number, registration_fault
from orders.models import Shop

SECRET_PREFIX = "credential_"
LONG_SECRETS = {"public_key"}  # a key in several lines

SETTINGS = (
    "name",
    "active",
    "auto_confirm",
    "follow_up_days",
    "mail_from",
    "letterhead_name",
    "letterhead_address",
    "letterhead_phone",
    "registration_no",
    "delivery_note_message",
)
ADDRESSES = ("base_url", "auth_url")

# A host without a dot is welcome: a company's own test server may have one.
is_web_address = RegexValidator(
    r"^https?://[^\s/]+(/\S*)?$", lazy("http:// か https:// で始まるURLを入力してください。")
)


class ShopForm(forms.ModelForm):
    """A registered shop: settings, addresses, and the credentials its connector declares.

    `stored` maps a credential's key to what may be shown of it ("••••1234").
    """

    registration_no = forms.CharField(
        label=lazy("登録番号（インボイス）"), required=False, max_length=30, help_text=lazy("T と数字13桁")
    )
    base_url = forms.CharField(
        label=lazy("APIのURL"), required=False, max_length=300, validators=[is_web_address],
        help_text=lazy("空欄なら、モールの本番サービスに接続します。"),
    )  # fmt: skip
    auth_url = forms.CharField(label=lazy("認証のURL"), required=False, max_length=300, validators=[is_web_address])

    class Meta:
        model = Shop
        fields = SETTINGS
        widgets = {"delivery_note_message": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, channel: str, stored: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, label, secret in connector_class(channel).credential_fields:
            self.fields[SECRET_PREFIX + key] = _credential_field(key, label, secret, (stored or {}).get(key, ""))

    def clean_registration_no(self) -> str:
        number = normal_registration_number(self.cleaned_data["registration_no"])
        if number and registration_fault(number) == "form":
            raise forms.ValidationError(_("T と数字13桁で入力してください。"))
        return number

    @property
    def registration_looks_wrong(self) -> bool:
        """The digits are no corporate number. Allowed: a sole proprietor's number follows no rule."""
        number = self.cleaned_data.get("registration_no", "")
        return bool(number) and registration_fault(number) == "check_digit"

    def settings(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in SETTINGS}

    def addresses(self) -> dict[str, str]:
        return {name: self.cleaned_data[name].rstrip("/") for name in ADDRESSES}

    def secrets(self) -> dict[str, str]:
        """Credential key → what was typed; an empty value keeps what is stored."""
        return {
            name.removeprefix(SECRET_PREFIX): value
            for name, value in self.cleaned_data.items()
            if name.startswith(SECRET_PREFIX)
        }

    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields as the page groups them; addresses stand apart."""
        head = ("code", "name", "active", "auto_confirm", "follow_up_days")
        paper = ("mail_from", "letterhead_name", "letterhead_address", "letterhead_phone", "registration_no")
        return [
            (_("店舗"), [self[name] for name in head if name in self.fields]),
            (_("認証情報"), [self[name] for name in self.fields if name.startswith(SECRET_PREFIX)]),
            (_("メールと帳票"), [self[name] for name in (*paper, "delivery_note_message")]),
        ]

    def address_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ADDRESSES]


class NewShopForm(ShopForm):
    class Meta:
        model = Shop
        fields = ("code", *SETTINGS)
        widgets = ShopForm.Meta.widgets


def _credential_field(key: str, label: str, secret: bool, shown: str) -> forms.CharField:
    """Browsers must neither fill it in nor remember it; what was typed wrongly is typed again."""
    widget: forms.Widget
    if key in LONG_SECRETS:
        widget = _Forgetful(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"})
    elif secret:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"})
    else:
        widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    text = _("登録済み %(shown)s。変えるときだけ入力してください。") % {"shown": shown} if shown else ""
    return forms.CharField(label=_(label), required=False, max_length=8000, widget=widget, help_text=text)


class _Forgetful(forms.Textarea):
    """A text area that, like a password field, never shows what was typed before."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class ListingForm(forms.ModelForm):
    """How one listing is told its stock."""

    class Meta:
        model = Listing
        fields = ("mode", "fixed_quantity", "buffer", "share", "cap")
        help_texts = {
            "fixed_quantity": lazy("「固定数」のとき、いつもこの数を出します。"),
            "buffer": lazy("販売可能数からこの数を引いて出します。空欄なら店舗の設定に従います。"),
            "share": lazy("販売可能数のうち出す割合。空欄なら店舗の設定に従います。"),
            "cap": lazy("出す数の上限。空欄なら店舗の設定に従います。"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["share"].validators.append(MaxValueValidator(100))


class MapForm(forms.Form):
    """The SKU that a shop's code stands for, and how many of it."""

    sku = forms.ModelChoiceField(
        Sku.objects.all(), error_messages={"required": lazy("SKUを選んでください。")}, label="SKU"
    )
    units = forms.IntegerField(label=lazy("入数"), min_value=1, max_value=999, initial=1)
