"""What people type about money."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.typed import DayField
from orders.decide.bank_formats import FIELDS
from orders.decide.payment_fees import MOST_STEPS, FeeTable, problem_of
from orders.decide.payments import Terms
from orders.forms_returns import PiecesForm, Row
from orders.models import BankPreset, PaymentGate
from orders.services import payment_gates
from orders.services.refunds import Wish

LARGEST_FILE = 5_000_000


class LoadForm(forms.Form):
    """A bank's file, or lines pasted from its page."""

    file = forms.FileField(label=lazy("銀行のファイル（全銀形式・CSV）"), required=False)
    text = forms.CharField(
        label=lazy("貼り付け"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "2026/11/20 12,345 ヤマダ タロウ"}),
    )
    account = forms.CharField(
        label=lazy("口座"),
        max_length=60,
        required=False,
        help_text=lazy("全銀形式では口座番号がファイルにあるため不要です。"),
    )
    preset = forms.ModelChoiceField(
        BankPreset.objects.all(), label=lazy("CSV の読み方"), required=False, empty_label=lazy("見出しから判断する")
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not values.get("file") and not (values.get("text") or "").strip():
            raise forms.ValidationError(_("ファイルを選ぶか、明細を貼り付けてください。"))
        if values.get("file") and values["file"].size > LARGEST_FILE:
            raise forms.ValidationError(_("ファイルが大きすぎます。期間を分けて 5 MB までにしてください。"))
        return values

    @property
    def content(self) -> bytes:
        upload = self.cleaned_data["file"]
        return upload.read() if upload else self.cleaned_data["text"].encode()

    @property
    def name(self) -> str:
        upload = self.cleaned_data["file"]
        return upload.name if upload else _("貼り付け")


COLUMN_LABELS = {
    "on": lazy("日付"),
    "month": lazy("日付の月（別の列のとき）"),
    "day": lazy("日付の日（別の列のとき）"),
    "amount": lazy("入金額"),
    "payer": lazy("振込依頼人"),
    "text": lazy("摘要・EDI"),
}


class ColumnsForm(forms.Form):
    """Which column of a CSV holds what; `rows` are the file's, shown as a preview."""

    text = forms.CharField(widget=forms.HiddenInput)
    name = forms.CharField(widget=forms.HiddenInput)
    account = forms.CharField(widget=forms.HiddenInput, required=False)
    skip = forms.IntegerField(label=lazy("読み飛ばす行数（見出しなど）"), min_value=0, max_value=50)
    preset_name = forms.CharField(
        label=lazy("この読み方の名前"), max_length=60, required=False, help_text=lazy("入れると、次から選べます。")
    )

    def __init__(self, data: Any = None, *, rows: Sequence[Sequence[str]] = (), **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        width = min(max((len(row) for row in rows), default=0), 40)
        sample = next((row for row in rows if any(row)), ())
        choices = [("", "–")] + [
            (str(at), _("%(n)s列目 %(head)s") % {"n": at + 1, "head": (sample[at] if at < len(sample) else "")[:20]})
            for at in range(width)
        ]
        for field in FIELDS:
            self.fields[f"column_{field}"] = forms.ChoiceField(
                label=COLUMN_LABELS[field], choices=choices, required=field in {"on", "amount", "payer"}
            )

    @property
    def columns(self) -> dict[str, int]:
        return {
            field: int(self.cleaned_data[f"column_{field}"]) for field in FIELDS if self.cleaned_data[f"column_{field}"]
        }


class RecordForm(forms.Form):
    """Money that came, typed by hand."""

    amount = forms.IntegerField(label=lazy("金額（円）"), min_value=1, max_value=99_999_999)
    on = DayField(label=lazy("入金日"), widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(label=lazy("入金メモ（振込名義など）"), max_length=200, required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False)

    def clean_on(self) -> Any:
        day = self.cleaned_data["on"]
        if day > clock.today():
            raise forms.ValidationError(_("入金日に未来の日は選べません。"))
        return day


class HeldForm(forms.Form):
    """Until when the provider holds the order's total."""

    until = DayField(
        label=lazy("新しい与信の期限"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=lazy("決済会社の画面で、今の請求額の与信を取ってから登録してください。"),
    )

    def clean_until(self) -> Any:
        day = self.cleaned_data["until"]
        if day < clock.today():
            raise forms.ValidationError(_("今日より前の日は選べません。"))
        return day


class TermsForm(forms.ModelForm):
    """One row of a shop's payment terms."""

    class Meta:
        model = PaymentGate
        fields = (
            "code", "method", "collector", "ships_when", "due_days", "remind_days", "final_days", "cancel_days",
            "scarce_days", "auto_cancel",
        )  # fmt: skip
        help_texts = {
            "code": lazy("モールの支払名のとおりに入れます。空欄なら、この支払方法すべての条件になります。"),
            "due_days": lazy("注文日から数えます。0 なら期限をつけません。"),
            "cancel_days": lazy("0 ならキャンセルの対象にしません。"),
            "scarce_days": lazy("ほかの人に売れる在庫が残っていない受注に使います。0 なら同じ日数です。"),
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors:
            for field, problem in payment_gates.problems(self.terms).items():
                self.add_error(field, problem)
        return values

    @property
    def terms(self) -> Terms:
        return Terms(**{name: self.cleaned_data[name] for name in payment_gates.FIELDS})

    def validate_constraints(self) -> None:
        """Saving writes over the row of the same code or method, so nothing can be there twice."""


class FeeForm(forms.Form):
    """A shop's fee table for one method: up to `MOST_STEPS` rows of "from this amount" and "fee"."""

    plus_tax = forms.BooleanField(label=lazy("税抜で入力する（消費税10%を加えます）"), required=False)

    def __init__(self, data: Any = None, *, table: FeeTable | None = None) -> None:
        super().__init__(data, initial={"plus_tax": bool(table and table.plus_tax)})
        steps = table.steps if table else ()
        for at in range(MOST_STEPS):
            start, fee = steps[at] if at < len(steps) else (None, None)
            for name, label, value in (
                (f"at_least_{at}", _("%(n)s段目の金額（円以上）"), start),
                (f"fee_{at}", _("%(n)s段目の手数料（円）"), fee),
            ):
                self.fields[name] = forms.IntegerField(
                    label=label % {"n": at + 1},
                    min_value=0,
                    max_value=9_999_999,
                    required=False,
                    initial=value,
                    widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
                )

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"at_least_{at}"], self[f"fee_{at}"]) for at in range(MOST_STEPS)]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors:
            return values
        for at in range(MOST_STEPS):
            start, fee = values.get(f"at_least_{at}"), values.get(f"fee_{at}")
            if (start is None) != (fee is None):
                name = f"fee_{at}" if fee is None else f"at_least_{at}"
                self.add_error(name, _("金額と手数料の両方を入力してください。使わない段は両方とも空欄にします。"))
        if not self.errors:
            self._check_order()
        return values

    def _check_order(self) -> None:
        if not self.steps:
            raise forms.ValidationError(_("手数料がない支払方法は、1段目に金額 0、手数料 0 を入力してください。"))
        words = {
            "twice": _("同じ金額の段が2つあります。どちらかを消してください。"),
            "order": _("金額の小さい段から順に入力してください。"),
        }
        if problem := problem_of(self.steps):
            raise forms.ValidationError(words[problem])

    @property
    def steps(self) -> tuple[tuple[int, int], ...]:
        values = self.cleaned_data
        rows = [(values.get(f"at_least_{at}"), values.get(f"fee_{at}")) for at in range(MOST_STEPS)]
        return tuple((start, fee) for start, fee in rows if start is not None and fee is not None)

    @property
    def table(self) -> FeeTable:
        return FeeTable(self.steps, bool(self.cleaned_data["plus_tax"]))


class RefundForm(PiecesForm):
    """What goes back: pieces of lines, single components of sets, whole fees, and what is taken off or put on."""

    reason = forms.CharField(label=lazy("理由"), max_length=200)
    fees = forms.MultipleChoiceField(label=lazy("返す料金"), required=False, widget=forms.CheckboxSelectMultiple)
    deduction = forms.IntegerField(label=lazy("差し引く額（返送料など）"), min_value=0, initial=0, required=False)
    goodwill = forms.IntegerField(label=lazy("上乗せする額（お詫びなど）"), min_value=0, initial=0, required=False)
    surplus = forms.IntegerField(label=lazy("過入金の返金"), min_value=0, initial=0, required=False)

    def __init__(self, data: Any = None, *, rows: Sequence[Row], fees: Sequence[tuple[str, str]]):
        super().__init__(data)
        field = self.fields["fees"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = list(fees)
        if not fees:
            del self.fields["fees"]
        self.add_rows(rows)

    def clean(self) -> dict[str, Any]:
        return self.cleaned_data  # a fee or goodwill alone is a refund too; the sums are judged by the service

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("fees", "reason") if name in self.fields]

    @property
    def amount_fields(self) -> list[forms.BoundField]:
        return [self["deduction"], self["goodwill"], self["surplus"]]

    @property
    def wish(self) -> Wish:
        values = self.cleaned_data
        return Wish(
            {line: count for line, count in self.pieces.items() if count},
            values.get("fees") or (),
            values["deduction"] or 0,
            values["goodwill"] or 0,
            values["surplus"] or 0,
            {part: count for part, count in self.units.items() if count},
        )
