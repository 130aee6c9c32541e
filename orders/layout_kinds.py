"""Layouts of files that go out or come in, with versions (`oms.kernel.setting_kinds`)."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.models import User
from oms.kernel.setting_kinds import Kind, Refused, Who
from orders.decide.export_columns import COLUMNS
from orders.decide.moving_in import FIELDS
from orders.export_forms import LayoutForm
from orders.models import BankPreset, ExportLayout, MoveInPreset
from orders.models.moving_in import MoveInKind
from orders.payment_forms import COLUMN_LABELS
from orders.services import bank_files, export_layouts, moving_in

# ---- files of orders that go out


class LayoutContentForm(LayoutForm):
    """A layout as one content: whose it is, and its columns in their order."""

    owner = forms.ModelChoiceField(User.objects.all(), label=lazy("作成者"))
    columns = forms.MultipleChoiceField(
        label=lazy("列"), choices=[(code, one.label) for code, one in COLUMNS.items()], required=False
    )

    def __init__(self, data: Any, *, may_see: bool, initial: dict[str, Any]) -> None:
        super().__init__(data, may_see=may_see, initial=initial)
        if data is not None:
            self.codes = [code for code in data.getlist("columns") if code in COLUMNS]


def _layout(ref: str) -> ExportLayout | None:
    return ExportLayout.objects.filter(pk=ref).select_related("owner").first()


def _layout_form(ref: str, data: Any, who: Who | None) -> LayoutContentForm:
    stored = _layout(ref)
    names = ("name", "grain", "format", "keep_zeros", "shared", "columns", "owner")
    initial = {name: getattr(stored, name) for name in names} if stored else {}
    may_see = who is None or who.by.has_perm(export_layouts.PERSONAL)
    return LayoutContentForm(data, may_see=may_see, initial=initial)


def _save_layout(ref: str, form: LayoutContentForm, who: Who) -> None:
    values = dict(form.cleaned_data)
    owner = values.pop("owner")
    if owner != who.by:
        raise Refused([_("レイアウトを変えられるのは、作成者だけです。")])
    try:
        export_layouts.save(owner, _layout(ref) or int(ref), values)
    except export_layouts.NameTaken as error:
        raise Refused([_("同じ名前のレイアウトがあります。別の名前にしてください。")]) from error
    except export_layouts.TooMany as error:
        text = _("保存できるのは %(n)s個までです。使わないものを消してください。")
        raise Refused([text % {"n": export_layouts.MOST}]) from error


def _remove_layout(ref: str, who: Who) -> None:
    if stored := _layout(ref):
        if stored.owner != who.by:
            raise Refused([_("レイアウトを変えられるのは、作成者だけです。")])
        export_layouts.remove(stored)


# ---- files of banks


class BankContentForm(forms.Form):
    """Which column, counted from 1, holds what."""

    skip = forms.IntegerField(label=lazy("読み飛ばす行数（見出しなど）"), min_value=0, max_value=50)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        for name, label in COLUMN_LABELS.items():
            self.fields[name] = forms.IntegerField(
                label=label, min_value=1, max_value=40, required=name in {"on", "amount", "payer"}
            )

    @property
    def columns(self) -> dict[str, int]:
        return {name: at - 1 for name in COLUMN_LABELS if (at := self.cleaned_data[name]) is not None}


def _bank_form(ref: str, data: Any, _who: Who | None) -> BankContentForm:
    row = BankPreset.objects.filter(name=ref).first()
    initial = {"skip": row.skip_rows, **{name: at + 1 for name, at in row.columns.items()}} if row else {}
    return BankContentForm(data, initial=initial)


# ---- files of systems used before


class HeadsForm(forms.Form):
    """Field → the head of its column."""

    def __init__(self, data: Any = None, *, kind: str, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial)
        for name, one in FIELDS[kind].items():
            self.fields[name] = forms.CharField(label=str(one.label), max_length=200, required=False)

    @property
    def heads(self) -> dict[str, str]:
        return {name: head for name, head in self.cleaned_data.items() if head}


def _heads(ref: str) -> MoveInPreset | None:
    kind, _slash, name = ref.partition("/")
    return MoveInPreset.objects.filter(kind=kind, name=name).first()


def _heads_form(ref: str, data: Any, _who: Who | None) -> HeadsForm:
    row = _heads(ref)
    return HeadsForm(data, kind=ref.partition("/")[0], initial=dict(row.heads) if row else {})


def _heads_name(ref: str) -> str:
    kind, _slash, name = ref.partition("/")
    return f"{MoveInKind(kind).label}・{name}"


def _keep_heads(ref: str, form: HeadsForm, who: Who) -> None:
    kind, _slash, name = ref.partition("/")
    moving_in.keep_preset(kind, name, form.heads, by=who.by)


def _forget_heads(ref: str, who: Who) -> None:
    kind, _slash, name = ref.partition("/")
    moving_in.forget_preset(kind, name, by=who.by)


KINDS = (
    Kind(
        code=export_layouts.KIND,
        label=lazy("書き出しのレイアウト"),
        rights=("orders.view_order", "orders.export_order"),
        name=lambda ref: str(_layout(ref) or ""),
        url=lambda ref: reverse("orders:export-layouts"),
        form=_layout_form,
        save=_save_layout,
        exists=lambda ref: _layout(ref) is not None,
        reset=_remove_layout,
    ),
    Kind(
        code=bank_files.KIND,
        label=lazy("銀行CSVの読み方"),
        rights=("orders.record_payment",),
        name=lambda ref: ref,
        url=lambda ref: reverse("orders:matching"),
        form=_bank_form,
        save=lambda ref, form, who: bank_files.keep_preset(ref, form.columns, form.cleaned_data["skip"], by=who.by),
        exists=lambda ref: BankPreset.objects.filter(name=ref).exists(),
        reset=lambda ref, who: bank_files.forget_preset(ref, by=who.by),
    ),
    Kind(
        code=moving_in.KIND,
        label=lazy("データ移行の列の対応"),
        rights=("orders.move_in",),
        name=_heads_name,
        url=lambda ref: reverse("orders:move-in"),
        form=_heads_form,
        save=_keep_heads,
        exists=lambda ref: _heads(ref) is not None,
        reset=_forget_heads,
    ),
)
