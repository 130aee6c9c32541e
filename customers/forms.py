"""What people type about a member, and the master of ranks."""

import re
from datetime import date
from typing import Any
from uuid import uuid4

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from customers.models import Rank
from oms.kernel import clock

SEPARATORS = re.compile(r"[\n,、]+")
OLDEST = date(1900, 1, 1)
LONGEST_TAG = 40


class FactsForm(forms.Form):
    """`seen` is how the member stood when the form was shown (`customers.services.profile.seen`)."""

    member_no = forms.CharField(label=lazy("会員番号"), max_length=40, required=False)
    rank = forms.ModelChoiceField(
        Rank.objects.all(), label=lazy("会員ランク"), required=False, to_field_name="code", empty_label=lazy("（なし）")
    )
    birthday = forms.DateField(
        label=lazy("生年月日"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    store_member = forms.BooleanField(label=lazy("店舗会員"), required=False)
    tags = forms.CharField(
        label=lazy("会員のタグ"),
        required=False,
        max_length=400,
        help_text=lazy("「、」で区切って、いくつでも書けます。"),
    )
    seen = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False)

    def clean_birthday(self) -> date | None:
        day: date | None = self.cleaned_data["birthday"]
        if day and not OLDEST <= day <= clock.today():
            raise forms.ValidationError(_("1900年から今日までの日付を入力してください。"))
        return day

    def clean_tags(self) -> list[str]:
        tags = list(dict.fromkeys(tag.strip() for tag in SEPARATORS.split(self.cleaned_data["tags"]) if tag.strip()))
        if any(len(tag) > LONGEST_TAG for tag in tags):
            raise forms.ValidationError(_("タグは 40 字までです。"))
        return tags

    @property
    def values(self) -> dict[str, object]:
        """As `profile.edit` takes them."""
        rank = self.cleaned_data["rank"]
        return {
            "member_no": self.cleaned_data["member_no"].strip(),
            "rank": rank.code if rank else "",
            "birthday": self.cleaned_data["birthday"],
            "store_member": self.cleaned_data["store_member"],
        }


class NoteForm(forms.Form):
    """A note; `key` keeps one form from writing it twice."""

    text = forms.CharField(label=lazy("メモ"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}), strip=True)
    promise = forms.BooleanField(label=lazy("次の注文時に行う約束"), required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False, initial=lambda: uuid4().hex)


class RankForm(forms.Form):
    """One rank of the master. An old one keeps its code."""

    code = forms.CharField(
        label=lazy("コード"),
        max_length=20,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]+$", lazy("半角の英数字で入力してください。"))],
        help_text=lazy("半角の英数字。ルールやCSVで使い、あとから変えられません。"),
    )
    name = forms.CharField(label=lazy("名前"), max_length=40, strip=True)
    level = forms.IntegerField(label=lazy("順位（大きいほど上位）"), min_value=1, max_value=999)
    is_vip = forms.BooleanField(label=lazy("上位会員として扱う（確認理由「上位会員」）"), required=False)

    def __init__(self, *args: object, old: bool = False, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if old:
            del self.fields["code"]


def old_form(rank: Rank, data: Any = None) -> RankForm:
    """The form of a rank that there is, or (as its versions hold it) was."""
    return RankForm(data, initial={"name": rank.name, "level": rank.level, "is_vip": rank.is_vip}, old=True)
