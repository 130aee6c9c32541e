"""What people type to change an order's goods: how many of each line shall stand, and what comes on top."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from orders.decide.manual import Item
from orders.forms_cancel import keep_fee_field
from orders.manual_forms import MOST_PIECES, LineForm, know
from orders.models import Cancellation, Order, OrderLine
from orders.models.cancellation import cancel_reasons
from orders.services import fee_follows
from orders.services.cancel import Ask
from orders.services.change_lines import Wanted, why_no_more

NEW_ROWS = 3


class QuantityForm(forms.Form):
    """One number for each line, and why pieces go, should any go."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)
    reason = forms.ChoiceField(
        label=lazy("減らす理由"), required=False, help_text=lazy("数量を減らすときに選びます。返金と履歴に残ります。")
    )
    note = forms.CharField(label=lazy("補足"), max_length=150, required=False)
    asked_by = forms.ChoiceField(
        label=lazy("申し出た人"), choices=Cancellation.AskedBy.choices[:2], widget=forms.RadioSelect
    )

    def __init__(self, data: Any = None, *, order: Order, lines: Sequence[OrderLine]) -> None:
        initial = {"version": order.version, "key": uuid4().hex, "asked_by": Cancellation.AskedBy.CUSTOMER.value}
        super().__init__(data, initial=initial, use_required_attribute=False)
        self.order, self.lines = order, lines
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ChoiceField)
        reason.choices = [("", _("選んでください")), *cancel_reasons()]
        if fee_follows.table_for(order):
            self.fields["keep_fee"] = keep_fee_field(order)
        for line in lines:
            self.fields[f"line-{line.pk}"] = forms.IntegerField(
                label=line.name, min_value=0, max_value=MOST_PIECES, initial=line.quantity,
                widget=forms.NumberInput(attrs={"inputmode": "numeric", "min": 0}),
                error_messages={"required": _("数量を入れてください。やめるときは0にします。")},
            )  # fmt: skip

    @property
    def line_fields(self) -> list[tuple[OrderLine, forms.BoundField]]:
        return [(line, self[f"line-{line.pk}"]) for line in self.lines]

    @property
    def why_fields(self) -> list[forms.BoundField]:
        kept = [self["keep_fee"]] if "keep_fee" in self.fields else []
        return [self["reason"], self["note"], self["asked_by"], *kept]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        no_more = why_no_more(self.order)
        for line in self.lines:
            count = data.get(f"line-{line.pk}")
            if count is not None and count > line.quantity and no_more:
                self.add_error(f"line-{line.pk}", no_more)
        if not data.get("reason") and any(count < line.quantity for line, count in self._counts(data)):
            self.add_error("reason", _("数量を減らす理由を選んでください。"))
        return data

    def _counts(self, data: Mapping[str, Any]) -> list[tuple[OrderLine, int]]:
        found = [(line, data.get(f"line-{line.pk}")) for line in self.lines]
        return [(line, count) for line, count in found if count is not None]

    def wanted(self, items: Sequence[Item]) -> Wanted:
        data = self.cleaned_data
        ask = Ask(
            reason=data.get("reason") or "other",
            note=data["note"],
            asked_by=data["asked_by"],
            send_mail=False,
            keep_fee=bool(data.get("keep_fee")),
            key=data["key"],
        )
        counts = {line.pk: count for line, count in self._counts(data)}
        return Wanted(data["version"], counts, items, ask)


def new_rows(data: Any) -> list[LineForm]:
    """The rows for goods that are added, with the products that their words stand for."""
    rows = [LineForm(data, prefix=f"new-{index}") for index in range(NEW_ROWS)]
    if data is not None:
        know([row for row in rows if not row.is_blank])
    return rows


def items_of(rows: Sequence[LineForm]) -> list[Item]:
    """What the rows hold; valid ones only."""
    found = [row.item(free=False) for row in rows if row.is_bound and row.is_valid() and not row.is_blank]
    return [item for item in found if item is not None]


class ApartForm(forms.Form):
    """How many sets of a line are taken apart."""

    def __init__(self, data: Any = None, *, line: OrderLine) -> None:
        super().__init__(data)
        most = max(1, line.quantity - line.shipped_quantity)
        self.fields["pieces"] = forms.IntegerField(
            label=_("分けるセットの数"),
            min_value=1,
            max_value=most,
            initial=most,
            widget=forms.NumberInput(attrs={"max": most, "inputmode": "numeric"}),
            help_text=_(
                "%(name)s の金額と値引は、販売したときの割合で構成品に分かれます。"
                "出荷指示までは、受注の画面でセットに戻せます。"
            )
            % {"name": line.name},
        )
