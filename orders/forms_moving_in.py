from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Location
from orders.decide.moving_in import FIELDS
from orders.models import Shop
from orders.models.moving_in import MoveInKind
from orders.services.moving_in import MOST_BYTES


class MoveInForm(forms.Form):
    """A file and what is in it."""

    kind = forms.ChoiceField(label=lazy("種類"), choices=MoveInKind.choices)
    file = forms.FileField(
        label=lazy("CSVファイル"),
        help_text=lazy("UTF-8・UTF-16・Shift_JIS と、カンマ・タブ・セミコロンは自動で見分けます。"),
        error_messages={"required": lazy("CSVファイルを選んでください。"), "empty": lazy("ファイルが空です。")},
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("ファイルが大きすぎます（200MBまで）。分けて取り込んでください。"))
        return file


class MappingForm(forms.Form):
    """Field → column. One choice per field of the kind; empty for "not in this file"."""

    shop = forms.ModelChoiceField(Shop.objects.order_by("code"), label=lazy("受注を入れる店舗"), required=False)
    location = forms.ModelChoiceField(
        Location.objects.filter(active=True).order_by("code"), label=lazy("取り込む拠点"), required=False
    )
    preset = forms.CharField(
        label=lazy("この対応を保存する名前"),
        max_length=60,
        required=False,
        help_text=lazy("次のファイルで選べます。空欄なら保存しません。"),
    )

    def __init__(self, data: Any, *, kind: str, heads: Sequence[str]) -> None:
        super().__init__(data)
        columns = [
            ("", _("（なし）")),
            *((str(i), head or _("%(n)d列目") % {"n": i + 1}) for i, head in enumerate(heads)),
        ]
        self.kind = kind
        for name, one in FIELDS[kind].items():
            self.fields[f"col_{name}"] = forms.ChoiceField(label=str(one.label), choices=columns, required=False)
        if kind != "orders":
            del self.fields["shop"]
        if kind != "stock":
            del self.fields["location"]

    @property
    def mapping(self) -> dict[str, int]:
        found = {name: self.cleaned_data.get(f"col_{name}", "") for name in FIELDS[self.kind]}
        return {name: int(column) for name, column in found.items() if column}
