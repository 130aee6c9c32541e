"""What an export asks: which layout, which format, why; and the columns of a layout."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.models import User
from oms.kernel.typed import DayField, DayInput
from orders.decide.export_columns import ALL, COLUMNS, ExportColumn, Group, Layout, is_personal, misplaced
from orders.models import ExportFormat, ExportGrain
from orders.queries.exports import Wanted

LAST = 999


class ExportForm(forms.Form):
    """`layouts` are those that the person may use."""

    layout = forms.ChoiceField(label=lazy("レイアウト"), widget=forms.RadioSelect)
    kind = forms.ChoiceField(label=lazy("ファイルの形式"), required=False)
    reason = forms.CharField(
        label=lazy("何に使いますか"),
        max_length=200,
        required=False,
        help_text=lazy("個人情報を含むときは必ず書いてください。だれが、いつ、何件を、なぜ書き出したかを記録します。"),
    )

    def __init__(self, data: Any = None, *, layouts: Sequence[Layout]) -> None:
        super().__init__(data, initial={"layout": layouts[0].code})
        self.layouts = {layout.code: layout for layout in layouts}
        self.fields["layout"].choices = [(one.code, one.name) for one in layouts]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [("", _("レイアウトのとおり")), *ExportFormat.choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        layout = self.layouts.get(said.get("layout", ""))
        said["reason"] = said.get("reason", "").strip()
        if layout and not layout.columns:
            self.add_error("layout", _("このレイアウトには列がありません。列を選び直してください。"))
        if layout and layout.personal and not said["reason"]:
            self.add_error("reason", _("個人情報を含むレイアウトです。何に使うかを書いてください。"))
        return said

    @property
    def chosen(self) -> Layout:
        return self.layouts[self.cleaned_data["layout"]]

    @property
    def chosen_kind(self) -> str:
        return self.cleaned_data["kind"] or self.chosen.format


class LogForm(forms.Form):
    """What the log of exports is narrowed by; everything in the address."""

    since = DayField(label=lazy("開始日"), required=False, widget=DayInput)
    until = DayField(label=lazy("終了日"), required=False, widget=DayInput)
    person = forms.ModelChoiceField(
        User.objects.order_by("username"), label=lazy("人"), required=False, empty_label=lazy("全員")
    )
    words = forms.CharField(label=lazy("理由・レイアウトに含む言葉"), required=False, max_length=60)
    personal = forms.BooleanField(label=lazy("個人情報を含むものだけ"), required=False)

    @property
    def wanted(self) -> Wanted:
        """What cannot be read does not narrow."""
        self.is_valid()
        data = self.cleaned_data
        person = data.get("person")
        return Wanted(
            since=data.get("since"),
            until=data.get("until"),
            person=person.pk if person else None,
            personal=bool(data.get("personal")),
            words=(data.get("words") or "").strip(),
        )


class LayoutForm(forms.Form):
    """Name and shape; the columns come as `col`, their places as `place-<code>`."""

    name = forms.CharField(label=lazy("名前"), max_length=40)
    grain = forms.ChoiceField(
        label=lazy("1行の単位"),
        choices=ExportGrain.choices,
        help_text=lazy("受注の金額は、その受注の最初の行にだけ入ります。列を合計しても二重になりません。"),
    )
    format = forms.ChoiceField(label=lazy("ファイルの形式"), choices=ExportFormat.choices)
    keep_zeros = forms.BooleanField(
        label=lazy("Excelで開いても先頭の0を残す（CSV）"),
        required=False,
        help_text=lazy('郵便番号・電話番号・番号を ="…" の形で書きます。ほかのソフトに取り込むCSVでは外してください。'),
    )
    shared = forms.BooleanField(label=lazy("全員に共有する"), required=False)

    def __init__(self, data: Any = None, *, may_see: bool, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.may_see = may_see
        self.codes = _posted(data) if data is not None else list((initial or {}).get("columns", ()))

    @classmethod
    def as_filled_in(cls, data: Any) -> dict[str, Any]:
        """What stands in the form, its columns put in order; nothing is judged yet."""
        ticked = {name: name in data for name in ("keep_zeros", "shared")}
        return {
            **{name: data.get(name, "") for name in ("name", "grain", "format")},
            **ticked,
            "columns": _posted(data),
        }

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        said["columns"] = self.codes
        if "name" in said and not said["name"].strip():
            self.add_error("name", _("名前を入れてください。"))
        if not self.codes:
            self.add_error(None, _("列を1つ以上選んでください。"))
        if wrong := misplaced(self.codes, said.get("grain", "")):
            names = _("、").join(str(column.label) for column in wrong)
            text = _("「%(names)s」は、明細ごとに1行のときだけ使えます。外すか、1行の単位を変えてください。")
            self.add_error(None, text % {"names": names})
        if is_personal(self.codes) and not self.may_see:
            self.add_error(None, _("個人情報の列を使う権限がありません。その列を外してください。"))
        return said

    @property
    def picked(self) -> list[ExportColumn]:
        return [COLUMNS[code] for code in self.codes]

    @property
    def groups(self) -> list[tuple[Any, list[ExportColumn]]]:
        """What can be added, by subject."""
        rest = [one for one in ALL if one.code not in self.codes and (self.may_see or not one.personal)]
        found = [(group.value, [one for one in rest if one.group is group]) for group in Group]
        return [(label, columns) for label, columns in found if columns]


def _posted(data: Any) -> list[str]:
    """The ticked columns by their places; those without one last, as they stand in the list."""
    codes = [code for code in dict.fromkeys(data.getlist("col")) if code in COLUMNS]
    return sorted(codes, key=lambda code: _place(data.get(f"place-{code}", "")))


def _place(typed: str) -> int:
    return int(typed) if typed.isdecimal() and len(typed) < 4 else LAST
