"""Forms of the mapping screens."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from channels.decide.matching import fault_in
from channels.models import MatchRule

FAULTS = {
    "empty": lazy("文字か正規表現を入れてください。"),
    "pattern": lazy("正規表現として読めません。かっこの数を確かめてください。"),
    "replacement": lazy("置き換え後の番号（\\1 など）が、正規表現のかっこと合いません。"),
}


class RuleForm(forms.ModelForm):
    """One rule of matching; a pattern that cannot work is refused here, so that no import stumbles over it."""

    class Meta:
        model = MatchRule
        fields = ("shop", "kind", "pattern", "replacement", "position", "active")
        help_texts = {
            "shop": lazy("空欄なら、すべての店舗に使います。"),
            "pattern": lazy("例：先頭の文字 shop1- ／ 正規表現 ^A-(\\d+)$ ／ 入数 -(\\d+)set$"),
            "replacement": lazy("「正規表現で置き換える」のときだけ使います。例：\\1"),
            "position": lazy("小さい順に、前の結果へ続けて当てはめます。"),
        }

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "kind" in values and "pattern" in values:
            fault = fault_in(values["kind"], values["pattern"], values.get("replacement", ""))
            if fault:
                self.add_error("replacement" if fault == "replacement" else "pattern", str(FAULTS[fault]))
        return values


class CsvForm(forms.Form):
    """The file; what is in it is judged by the service."""

    file = forms.FileField(
        label=lazy("CSVファイル"),
        help_text=lazy("UTF-8 と Shift_JIS は自動で見分けます。見出しは出力したCSVと同じにしてください。"),
        error_messages={
            "required": lazy("CSVファイルを選んでください。"),
            "empty": lazy("ファイルが空です。"),
        },
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > 30_000_000:
            raise forms.ValidationError(_("ファイルが大きすぎます（30MBまで）。分けて取り込んでください。"))
        return file
