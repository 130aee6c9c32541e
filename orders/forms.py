"""What people type on the order screens."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oms.kernel import clock
from oms.kernel.typed import DayField, DayInput
from orders.services.edit import (
    BUYER_FIELDS,
    CONTACT_FIELDS,
    DELIVERY_FIELDS,
    NOTE_FIELDS,
    RECIPIENT_FIELDS,
    TEXT_FIELDS,
    Seen,
    differing,
    fingerprint,
)
from orders.services.mail_send import is_address

PREFECTURES = [
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
]
SLOTS = (
    ("", _("指定なし")),
    ("am", _("午前中")),
    ("1214", "12–14"),
    ("1416", "14–16"),
    ("1618", "16–18"),
    ("1820", "18–20"),
    ("1921", "19–21"),
    ("2021", "20–21"),
)


class SeenForm(forms.Form):
    """A form that remembers what its fields held when it was shown, so that nobody's change is overwritten unseen."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    fingerprint = forms.CharField(widget=forms.HiddenInput)

    # (field, its label, what one typed, what it holds now) for each field that two hands changed differently
    conflicts: Sequence[tuple[str, str, str, str]] = ()
    # (label, value) of fields that only another hand changed: the form has taken theirs over
    taken_over: Sequence[tuple[str, str]] = ()

    @classmethod
    def opened(cls, values: Mapping[str, Any], version: int, **kwargs: Any) -> "SeenForm":
        return cls(initial={**values, "version": version, "fingerprint": fingerprint(values)}, **kwargs)

    @property
    def seen(self) -> Seen:
        return Seen(self.cleaned_data["version"], self.cleaned_data["fingerprint"])

    def show_conflict(self, current: Mapping[str, Any], version: int, clashing: Collection[str]) -> None:
        """Keep what was typed, show it beside what the fields hold now, and let the next save go through. Fields that
        only another hand changed take the new value."""
        typed = {name: str(self.cleaned_data.get(name) or "") for name in current}
        theirs = differing(current, self.cleaned_data["fingerprint"]) - set(clashing)
        taken = {name: str(current[name] or "") for name in current if name in theirs}
        self.data = {
            **dict(self.data.items()), **taken, "version": str(version), "fingerprint": fingerprint(current)
        }  # fmt: skip
        self.conflicts = [
            (name, str(self.fields[name].label), typed[name], str(value or ""))
            for name, value in current.items()
            if name in clashing
        ]
        self.taken_over = [(str(self.fields[name].label), value) for name, value in taken.items()]


class RecipientForm(SeenForm):
    """Address and phone of one recipient."""

    name = forms.CharField(label=_("氏名"), max_length=120)
    kana = forms.CharField(label=_("カナ"), max_length=120, required=False)
    company = forms.CharField(label=_("会社・部署"), max_length=120, required=False)
    phone = forms.CharField(label=_("電話番号"), max_length=30, required=False)
    postal_code = forms.CharField(label=_("郵便番号"), max_length=10, required=False)
    prefecture = forms.CharField(
        label=_("都道府県"), max_length=20, required=False, widget=forms.TextInput(attrs={"list": "prefectures"})
    )
    city = forms.CharField(label=_("市区町村"), max_length=100, required=False)
    address = forms.CharField(label=_("番地・建物"), max_length=300, required=False)

    fields_of = RECIPIENT_FIELDS


class ContactForm(SeenForm):
    """How to reach who bought: what may be corrected at any time."""

    buyer_phone = forms.CharField(label=_("電話番号"), max_length=30, required=False)
    buyer_email = forms.CharField(
        label=_("メール"), max_length=254, required=False, widget=forms.EmailInput,
        help_text=_("まだ送っていないメールの宛先も変わります。"),
    )  # fmt: skip

    fields_of: Sequence[str] = CONTACT_FIELDS

    def clean_buyer_email(self) -> str:
        text = str(self.cleaned_data["buyer_email"]).strip()
        if text and not is_address(text):
            raise forms.ValidationError(_("メールアドレスの形が正しくありません。"), code="mail")
        return text


class BuyerForm(ContactForm):
    """Who bought, as papers and mails say it."""

    buyer_name = forms.CharField(label=_("氏名"), max_length=120)
    buyer_kana = forms.CharField(label=_("カナ"), max_length=120, required=False)
    buyer_company = forms.CharField(label=_("会社・部署"), max_length=120, required=False)
    buyer_postal_code = forms.CharField(label=_("郵便番号"), max_length=10, required=False)
    buyer_prefecture = forms.CharField(
        label=_("都道府県"), max_length=20, required=False, widget=forms.TextInput(attrs={"list": "prefectures"})
    )
    buyer_city = forms.CharField(label=_("市区町村"), max_length=100, required=False)
    buyer_address = forms.CharField(label=_("番地・建物"), max_length=300, required=False)

    field_order = BUYER_FIELDS
    fields_of = BUYER_FIELDS


class DeliveryForm(SeenForm):
    """Delivery wish and the note for packers."""

    wish_date = DayField(
        label=_("配達希望日"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    wish_slot = forms.CharField(label=_("希望時間帯"), max_length=20, required=False)
    packing_note = forms.CharField(
        label=_("出荷メモ"), required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=1000,
        help_text=_("ピッキングリストに印刷します。"),
    )  # fmt: skip

    fields_of = DELIVERY_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = str(self.data.get("wish_slot") or self.initial.get("wish_slot") or "")
        own = () if held in dict(SLOTS) else ((held, held),)  # a slot only the channel knows stays choosable
        self.fields["wish_slot"].widget = forms.Select(choices=[*SLOTS, *own])


class TextsForm(SeenForm):
    """What is printed for one reader only."""

    text_delivery_note = forms.CharField(
        label=_("納品書に載せる文"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("お客様が読みます。"),
    )  # fmt: skip
    text_label = forms.CharField(
        label=_("送り状に載せる文"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("配送会社が読みます。"),
    )  # fmt: skip
    text_pick_list = forms.CharField(
        label=_("ピッキングの指示"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("倉庫が読みます。ピッキングリストに印刷します。"),
    )  # fmt: skip

    fields_of = tuple(TEXT_FIELDS)


class NoteForm(SeenForm):
    internal_note = forms.CharField(
        label=_("社内メモ"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )

    fields_of = NOTE_FIELDS


def after_today(day: date | None) -> None:
    if day is not None and day <= clock.today():
        raise forms.ValidationError(_("明日からの日付にしてください。"), code="past")


class HoldForm(forms.Form):
    reason = forms.CharField(
        label=_("保留の理由"), max_length=200, widget=forms.TextInput(attrs={"placeholder": _("例: お客様の返事待ち")})
    )
    until = DayField(
        label=_("この日まで（当日に自動で解除）"), required=False, widget=DayInput, validators=[after_today]
    )


class SnoozeForm(HoldForm):
    """Later, on a day: a hold that ends by itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["until", "reason"])
        self.fields["until"].required = True
        self.fields["until"].initial = clock.today() + timedelta(days=1)
        self.fields["reason"].initial = SNOOZED


SNOOZED = _("後日あらためて確認")


class PaymentForm(forms.Form):
    note = forms.CharField(
        label=_("メモ"), max_length=200, required=False, help_text=_("入金の方法や振込名義など。履歴に残ります。")
    )
