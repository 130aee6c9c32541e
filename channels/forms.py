"""Forms of the channels' screens. Credentials are write-only: no form ever holds a stored one."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from channels.connectors.registry import connector_class
from channels.models import Connection, Credential, Listing, ServiceLimit
from channels.services import credentials
from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.typed import DayField
from orders.documents.registration import normal_registration_number, registration_fault
from orders.filters import DayInput
from orders.models import Shop
from orders.models.shop import PreorderPolicy

SECRET_PREFIX = "credential_"
LONG_SECRETS = {"public_key"}  # a key in several lines

SETTINGS = (
    "name",
    "active",
    "auto_confirm",
    "channel_changes",
    "ship_within_days",
    "follow_up_days",
    "mail_from",
    "letterhead_name",
    "letterhead_address",
    "letterhead_phone",
    "registration_no",
    "delivery_note_message",
    "merge_policy",
    "merge_group",
    "merge_cod_prepaid",
    "merge_refunds_shipping",
    "merge_until_min",
    "preorder_policy",
    "split_fee",
    "cod_collects",
    "exchange_ships",
    "exchange_tag",
    "exchange_watch_days",
)
# Policies with a default: what a form left out stays as it is.
PARCELS = ("merge_policy", "merge_group", "merge_cod_prepaid", "merge_refunds_shipping", "merge_until_min",
           "preorder_policy", "split_fee", "cod_collects"
)  # fmt: skip
RETURNS = ("exchange_ships", "exchange_tag", "exchange_watch_days")
MAY_BE_EMPTY = {"merge_group", "exchange_tag"}
NOTICES = ("told_number",)
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

    def __init__(
        self, *args: Any, channel: str, stored: Mapping[str, str] | None = None, secrets: bool = True, **kwargs: Any
    ) -> None:
        """Without `secrets` the person may not change credentials, nor where they are sent."""
        super().__init__(*args, **kwargs)
        for name in (*PARCELS, *RETURNS, "channel_changes"):
            self.fields[name].required = False
        if connector_class(channel).capabilities.one_number_per_line:
            column = Connection._meta.get_field("told_number")
            self.fields["told_number"] = forms.ChoiceField(
                label=column.verbose_name,
                help_text=column.help_text,
                choices=Connection.ToldNumber.choices,
                required=False,
            )
        if not prices_are_ours(channel):
            self._leave_buyers_freight_out()
        for name in ADDRESSES:
            self.fields[name].disabled = not secrets
        fields = connector_class(channel).credential_fields if secrets else []
        self.must_be_typed_again = {key for key, _label, secret in fields if secret and (stored or {}).get(key)}
        for key, label, secret in fields:
            self.fields[SECRET_PREFIX + key] = _credential_field(key, label, secret, (stored or {}).get(key, ""))

    def _leave_buyers_freight_out(self) -> None:
        """A mall's total binds, so no buyer of its orders pays for parcels more."""
        field = self.fields["preorder_policy"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [row for row in PreorderPolicy.choices if row[0] != PreorderPolicy.CUSTOMER]
        field.help_text = _("このモールの合計はモールが決めるため、分割の送料をお客様に請求する選択肢はありません。")
        del self.fields["split_fee"]

    def clean_registration_no(self) -> str:
        number = normal_registration_number(self.cleaned_data["registration_no"])
        if number and registration_fault(number) == "form":
            raise forms.ValidationError(_("T と数字13桁で入力してください。"))
        return number

    def clean(self) -> dict[str, Any]:
        """Stored secrets never go to another address: who moves a shop types them again."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in (*PARCELS, *RETURNS, "channel_changes"):
            if name in data and data[name] in {"", None} and name not in MAY_BE_EMPTY:
                data[name] = getattr(self.instance, name)
        moved = [name for name in ADDRESSES if name in data and name in self.initial and self._moves(name, data[name])]
        missing = [key for key in sorted(self.must_be_typed_again) if not data.get(SECRET_PREFIX + key)]
        if moved and missing:
            for key in missing:
                self.add_error(SECRET_PREFIX + key, _("接続先を変えるときは、もう一度入力してください。"))
            self.add_error(
                moved[0],
                _("接続先を変えるには、認証情報をすべて入力し直してください。今の値は新しい接続先へ送りません。"),
            )
        return data

    def _moves(self, name: str, typed: str) -> bool:
        return typed.rstrip("/") != str(self.initial[name]).rstrip("/")

    @property
    def registration_looks_wrong(self) -> bool:
        """The digits are no corporate number. Allowed: a sole proprietor's number follows no rule."""
        number = self.cleaned_data.get("registration_no", "")
        return bool(number) and registration_fault(number) == "check_digit"

    def settings(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in SETTINGS if name in self.fields}

    def notices(self) -> dict[str, Any]:
        """How this channel is told of parcels; nothing where it leaves no choice."""
        return {name: self.cleaned_data[name] for name in NOTICES if self.cleaned_data.get(name)}

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
        head = ("code", "name", "active", "auto_confirm", "channel_changes", "ship_within_days", "follow_up_days")
        paper = ("mail_from", "letterhead_name", "letterhead_address", "letterhead_phone", "registration_no")
        sections = [
            (_("店舗"), [self[name] for name in head if name in self.fields]),
            (_("認証情報"), [self[name] for name in self.fields if name.startswith(SECRET_PREFIX)]),
            (_("同梱と分割"), [self[name] for name in PARCELS if name in self.fields]),
            (_("返品・交換"), [self[name] for name in RETURNS]),
            (_("出荷通知"), [self[name] for name in NOTICES if name in self.fields]),
            (_("メールと帳票"), [self[name] for name in (*paper, "delivery_note_message")]),
        ]
        return [(title, fields) for title, fields in sections if fields]

    def address_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ADDRESSES]


class NewShopForm(ShopForm):
    class Meta:
        model = Shop
        fields = ("code", *SETTINGS)
        widgets = ShopForm.Meta.widgets


def prices_are_ours(channel: str) -> bool:
    """Orders of this channel may be made dearer by us."""
    can = connector_class(channel).capabilities
    return can.own_payments or can.amount_change == "both"


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


class RenewalForm(forms.Form):
    """New values of a shop's credentials; empty ones stay as they are. Nothing stored is ever in it."""

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = credentials.last_four(connection)
        for key, label, secret in connector_class(connection.shop.channel).credential_fields:
            self.fields[SECRET_PREFIX + key] = _credential_field(key, label, secret, stored.get(key, ""))

    def secrets(self) -> dict[str, str]:
        return {name.removeprefix(SECRET_PREFIX): value for name, value in self.cleaned_data.items()}


class CredentialDatesForm(forms.Form):
    """When a credential began and ends, from when on to renew it, and whom to tell. Days in Tokyo."""

    issued_on = DayField(label=lazy("発行日"), required=False, widget=DayInput)
    expires_on = DayField(
        label=lazy("期限"),
        required=False,
        widget=DayInput,
        help_text=lazy("この日の終わりまで使えます。空欄なら期限なし。"),
    )
    renew_on = DayField(label=lazy("更新を始める日"), required=False, widget=DayInput)
    owners = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True).order_by("username"), label=lazy("担当者"), required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=lazy("期限の30・14・7・3・1日前にメールで知らせます。だれも選ばなければ、管理者全員に知らせます。"),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, credential: Credential) -> None:
        self.credential = credential
        initial = {
            "issued_on": _day(credential.issued_at),
            "expires_on": _day(credential.expires_at - timedelta(seconds=1) if credential.expires_at else None),
            "renew_on": _day(credential.renew_from),
            "owners": list(credential.owners.values_list("pk", flat=True)) if credential.pk else [],
        }
        super().__init__(data, initial=initial)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        issued, expires, renew = (data.get(name) for name in ("issued_on", "expires_on", "renew_on"))
        if issued and expires and expires < issued:
            self.add_error("expires_on", _("期限は発行日より後の日にしてください。"))
        if renew and expires and renew > expires:
            self.add_error("renew_on", _("期限より前の日にしてください。"))
        return data

    def dates(self) -> dict[str, datetime | None]:
        """The moments to store; a day that was not touched keeps its hour."""
        data = self.cleaned_data
        kept = {
            "issued_at": ("issued_on", self.credential.issued_at, 0),
            "expires_at": ("expires_on", self.credential.expires_at, 1),
            "renew_from": ("renew_on", self.credential.renew_from, 0),
        }
        return {
            column: stored if data[name] == self.initial[name] else _midnight(data[name], after_days)
            for column, (name, stored, after_days) in kept.items()
        }


class LimitsForm(forms.Form):
    """Both limits of a shop. An empty share means what the connector declares."""

    def __init__(self, *args: Any, limits: Mapping[tuple[int, str], Any], shop: Shop, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        declared = connector_class(shop.channel).service_terms
        for kind, label in ServiceLimit.Kind.choices:
            limit, term = limits[shop.pk, kind], declared.get(kind)
            text = (
                _("空欄ならモールの公表値（%(percent)g%%、%(days)d日）を使います。")
                % {"percent": term.percent, "days": term.days}
                if term
                else _("空欄なら上限なし。")
            )
            self.fields[f"{kind}_percent"] = forms.FloatField(
                label=_("%(label)sの上限（％）") % {"label": label}, required=False, min_value=0, max_value=100,
                initial=limit.percent if limit.own else None, help_text=text,
            )  # fmt: skip
            self.fields[f"{kind}_days"] = forms.IntegerField(
                label=_("%(label)sを数える期間（日）") % {"label": label},
                min_value=1,
                max_value=365,
                initial=limit.days,
            )

    def values(self) -> dict[str, tuple[float, int] | None]:
        data = self.cleaned_data
        return {
            kind: None if data[f"{kind}_percent"] is None else (data[f"{kind}_percent"], data[f"{kind}_days"])
            for kind in ServiceLimit.Kind.values
        }


def _day(moment: datetime | None) -> date | None:
    return clock.in_tokyo(moment).date() if moment else None


def _midnight(day: date | None, after_days: int) -> datetime | None:
    return datetime.combine(day + timedelta(days=after_days), time.min, clock.TOKYO) if day else None
