"""What people type on the mail screens."""

from functools import partial
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from orders.models import MailPolicy, MailTemplate
from orders.models.mail import MailEvent
from orders.services.mail_policies import FIELDS
from orders.services.mail_templates import unknown_placeholders


def no_unknown(text: str) -> None:
    """Refuse what stands in braces and cannot be filled."""
    if unknown := unknown_placeholders(text):
        raise ValidationError(_("使えない差し込みがあります: %(names)s"), params={"names": "、".join(unknown)})


class TemplateForm(forms.Form):
    """A mail's texts and how they go out. What stands in double braces must be known."""

    subject = forms.CharField(label=_("件名"), max_length=200, validators=[no_unknown])
    body = forms.CharField(
        label=_("本文"),
        max_length=20_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 22}),
        validators=[no_unknown],
    )
    look = forms.ChoiceField(label=_("形式"), choices=MailTemplate.Look.choices, required=False, initial="both")
    html = forms.CharField(
        label="HTML", max_length=50_000, strip=False, required=False, widget=forms.Textarea(attrs={"rows": 8}),
        validators=[no_unknown], help_text=_("形式で「下のHTML」を選んだときに使います。"),
    )  # fmt: skip
    active = forms.BooleanField(label=_("このメールを送る"), required=False)
    review = forms.BooleanField(label=_("担当者が承認してから送る"), required=False)
    delay_s = forms.IntegerField(
        label=_("送るまでの時間（秒）"), min_value=0, max_value=30 * 86_400, required=False,
        help_text=_("空欄のときは店舗の設定に従います。"),
    )  # fmt: skip
    number = forms.CharField(
        label=_("試し表示に使う受注番号"), required=False, max_length=64,
        help_text=_("空欄のときは最新の受注で表示します。"),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["look"] = cleaned.get("look") or MailTemplate.Look.BOTH
        if cleaned["look"] == MailTemplate.Look.OWN and not (cleaned.get("html") or "").strip():
            self.add_error("html", _("HTMLを入力するか、別の形式を選んでください。"))
        return cleaned

    @property
    def values(self) -> dict[str, Any]:
        """What is saved."""
        return {name: value for name, value in self.cleaned_data.items() if name != "number"}


class PolicyForm(forms.ModelForm):
    """How a shop sends mails."""

    off_events = forms.MultipleChoiceField(
        label=_("送らない種類"), choices=MailEvent.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    quiet_marks = forms.CharField(
        label=_("送らない受注の印・タグ"),
        required=False,
        max_length=400,
        help_text=_("複数あるときは読点かコンマで区切ります。"),
    )

    class Meta:
        model = MailPolicy
        fields = list(FIELDS)
        field_classes = {"law_url": partial(forms.URLField, assume_scheme="https")}
        widgets = {
            "signature": forms.Textarea(attrs={"rows": 5}),
            "bank_account": forms.Textarea(attrs={"rows": 3}),
            "cancel_rule": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "signature": _(
                "空欄のときは、帳票の発行者名・運営会社・住所・電話番号とメール、受付時間、表記のURLから作ります。"
            ),
            "cancel_rule": _("受注確認メールに載せます。空欄なら載せません。"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["quiet_marks"] = "、".join(self.instance.quiet_marks)

    def clean_quiet_marks(self) -> list[str]:
        text = self.cleaned_data["quiet_marks"].replace(",", "、").replace("，", "、")
        marks = [mark.strip() for mark in text.split("、") if mark.strip()]
        if long := next((mark for mark in marks if len(mark) > 40), None):
            raise ValidationError(_("「%(mark)s」が長すぎます（40文字まで）。"), params={"mark": long})
        return marks


class RewriteForm(forms.Form):
    """The text of one mail that waits."""

    subject = forms.CharField(label=_("件名"), max_length=200)
    body = forms.CharField(label=_("本文"), max_length=20_000, strip=False, widget=forms.Textarea(attrs={"rows": 18}))


class DraftForm(forms.Form):
    """A mail that a person wants to write about an order. One form makes one mail: `key` lives in it."""

    key = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)
    event = forms.ChoiceField(label=_("メールの種類"), choices=MailEvent.choices, initial=MailEvent.INQUIRY)
    message = forms.CharField(
        label=_("添える文"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("テンプレートの「mail.message」に入ります。送る前に全文を確かめて直せます。"),
    )  # fmt: skip


class StopForm(forms.Form):
    """An address that wants no advertising."""

    address = forms.EmailField(label=_("メールアドレス"), max_length=254)
    reason = forms.CharField(label=_("理由"), max_length=200, required=False)
