"""What people type about the blacklist."""

from datetime import date
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from customers.models import Severity
from customers.services import blacklist
from oms.kernel import clock
from oms.kernel.postal import postal_digits
from oms.kernel.text import match_address
from oms.kernel.typed import DayField


class EntryForm(forms.Form):
    phone = forms.CharField(label=lazy("電話番号"), max_length=20, required=False)
    email = forms.EmailField(label=lazy("メールアドレス"), max_length=254, required=False)
    name = forms.CharField(label=lazy("氏名"), max_length=120, required=False)
    postal_code = forms.CharField(
        label=lazy("郵便番号"), max_length=8, required=False, help_text=lazy("氏名は、郵便番号と合わせて照合します。")
    )
    address = forms.CharField(
        label=lazy("住所"),
        max_length=200,
        required=False,
        help_text=lazy("都道府県から部屋番号まで。住所だけの一致は、類似として知らせます。"),
    )
    reason = forms.CharField(label=lazy("理由"), max_length=200, help_text=lazy("確認待ちのカードに表示します。"))
    severity = forms.ChoiceField(
        label=lazy("扱い"),
        choices=Severity.choices,
        initial=Severity.BLOCK,
        required=False,
        help_text=lazy("一致した受注をどう扱うか。確認理由の設定のほうがゆるければ、そちらに従います。"),
    )
    shops = forms.MultipleChoiceField(
        label=lazy("対象の店舗"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=lazy("選ばなければ、すべての店舗が対象です。"),
    )
    payments = forms.MultipleChoiceField(
        label=lazy("対象の支払方法"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=lazy("選ばなければ、すべての支払方法が対象です。"),
    )
    until = DayField(
        label=lazy("期限"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=lazy("この日を過ぎると照合しません。空欄なら無期限です。"),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for kind in ("shops", "payments"):
            cast("forms.MultipleChoiceField", self.fields[kind]).choices = list(blacklist.CHOICES[kind]())

    def clean_severity(self) -> str:
        return self.cleaned_data["severity"] or Severity.BLOCK

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        if until and until < clock.today():
            raise forms.ValidationError(_("期限には、今日からあとの日を入れてください。"))
        return until

    def clean_postal_code(self) -> str:
        digits = postal_digits(self.cleaned_data["postal_code"])
        if digits and len(digits) != 7:
            raise forms.ValidationError(_("郵便番号は7桁で入力してください。"))
        return digits

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        if address and not any(char.isdigit() for char in match_address(address)):
            raise forms.ValidationError(_("番地まで入力してください。町名だけでは、近所の方まで一致します。"))
        return address


class LiftForm(forms.Form):
    why = forms.CharField(label=lazy("解除の理由"), max_length=200)
