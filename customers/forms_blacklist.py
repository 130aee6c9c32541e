"""What people type about the blacklist."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.text import clean_text


class EntryForm(forms.Form):
    phone = forms.CharField(label=lazy("電話番号"), max_length=20, required=False)
    name = forms.CharField(label=lazy("氏名"), max_length=120, required=False)
    postal_code = forms.CharField(
        label=lazy("郵便番号"), max_length=8, required=False, help_text=lazy("氏名は、郵便番号と合わせて照合します。")
    )
    reason = forms.CharField(label=lazy("理由"), max_length=200, help_text=lazy("確認待ちのカードに表示します。"))

    def clean_postal_code(self) -> str:
        digits = "".join(char for char in clean_text(self.cleaned_data["postal_code"]) if char.isdecimal())
        if digits and len(digits) != 7:
            raise forms.ValidationError(_("郵便番号は7桁で入力してください。"))
        return digits


class LiftForm(forms.Form):
    why = forms.CharField(label=lazy("解除の理由"), max_length=200)
