"""What 個人情報の保存期間 asks."""

from django import forms
from django.utils.translation import gettext_lazy as lazy


class DaysForm(forms.Form):
    """The days of one shop; empty for ever."""

    days = forms.IntegerField(label=lazy("保存する日数"), required=False)


class HoldForm(forms.Form):
    number = forms.CharField(label=lazy("受注番号"), max_length=64)
    reason = forms.CharField(label=lazy("消去しない理由"), max_length=200)
