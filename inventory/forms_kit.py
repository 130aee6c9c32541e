"""What people type about kits: the parts, and how many to build or take apart."""

import re
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory.forms import LARGEST, PlaceForm

MOST = 10_000
LINE = re.compile(r"(?P<code>\S+)(?:\s+[×xX*]?\s*(?P<count>\d{1,6}))?")


class KitPartsForm(forms.Form):
    """One part per line: its SKU code, a space, and how many go into one kit (1 where none is given)."""

    parts = forms.CharField(
        label=lazy("構成品"), required=False, max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "CUP-001 2\nTEA-100 1"}),
        help_text=lazy("1行に1つ、SKUコードと数量を空白で区切って入力します。空にすると普通の商品に戻ります。"),
    )  # fmt: skip

    def clean_parts(self) -> dict[str, int]:
        parts: dict[str, int] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["parts"].splitlines())):
            match = LINE.fullmatch(line)
            count = int(match["count"] or 1) if match else 0
            if match is None or not 0 < count <= MOST:
                raise forms.ValidationError(
                    _("「%(line)s」を読み取れません。「SKUコード 数量」と入力してください。") % {"line": line}
                )
            parts[match["code"]] = parts.get(match["code"], 0) + count
        return parts


class BuildForm(PlaceForm):
    """`key` makes a second click the same work."""

    HOW = (("build", lazy("組む")), ("unbuild", lazy("ばらす")))

    how = forms.ChoiceField(label=lazy("作業"), choices=HOW, initial="build", widget=forms.RadioSelect)
    units = forms.IntegerField(label=lazy("セット数"), min_value=1, max_value=LARGEST)
    note = forms.CharField(label=lazy("メモ"), max_length=200, required=False)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    @property
    def kits(self) -> int:
        data: dict[str, Any] = self.cleaned_data
        return int(data["units"]) * (1 if data["how"] == "build" else -1)
