"""What people type when they cancel an order or pieces of it, or answer a buyer's wish to cancel."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.money import yen
from orders.models import Cancellation, LineComponent, Order, OrderLine
from orders.models.cancellation import cancel_reasons
from orders.models.order import FulfillmentState
from orders.services import fee_follows, set_parts
from orders.services.cancel import Ask, why_not_whole

WHOLE, PIECES = "whole", "pieces"


def keep_fee_field(order: Order) -> forms.BooleanField:
    """For orders whose fee follows the shop's table when their goods change."""
    return forms.BooleanField(
        label=_("手数料を今の %(fee)s のままにする") % {"fee": yen(order.fees)},
        required=False,
        help_text=_("選ばなければ、残る商品の金額に合わせて手数料表から計算し直します。"),
    )


class CancelForm(forms.Form):
    """Whole or by pieces, why, who asked, and what shall follow. One number field for each line that may be cut."""

    scope = forms.ChoiceField(label=lazy("範囲"), widget=forms.RadioSelect)
    reason = forms.ChoiceField(label=lazy("キャンセルの理由"), choices=cancel_reasons, widget=forms.RadioSelect)
    note = forms.CharField(label=lazy("補足"), max_length=150, required=False)
    asked_by = forms.ChoiceField(
        label=lazy("申し出た人"), choices=Cancellation.AskedBy.choices[:2], widget=forms.RadioSelect
    )
    keep_off_sale = forms.BooleanField(
        label=lazy("商品を販売に戻さない"),
        required=False,
        help_text=lazy("戻した数量を「検品中」の拠点へ移し、モールの在庫に出しません。"),
    )
    refund = forms.BooleanField(label=lazy("返金・与信取消の手続きを始める"), required=False)
    send_mail = forms.BooleanField(label=lazy("キャンセルのメールを送る（注文全体のとき）"), required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, data: Any = None, *, order: Order, lines: Sequence[OrderLine]) -> None:
        customer = Cancellation.AskedBy.CUSTOMER.value
        initial = {
            "scope": WHOLE if not why_not_whole(order) else PIECES,
            "reason": "customer",
            "asked_by": customer,
            "refund": True,
            "send_mail": True,
            "key": uuid4().hex,
        }
        super().__init__(data, initial=initial)
        self.lines = [line for line in lines if line.quantity > line.shipped_quantity]
        self.parts = _parts(order, self.lines)
        scopes = [] if why_not_whole(order) else [(WHOLE, _("注文全体"))]
        if len(self.lines) > 1 or self.parts or any(line.quantity > 1 for line in self.lines) or not scopes:
            scopes.append((PIECES, _("商品と数を選ぶ")))
        scope = self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)
        scope.choices = scopes
        if fee_follows.table_for(order):
            self.fields["keep_fee"] = keep_fee_field(order)
        self.by_pieces = len(scopes) > 1 or scopes[0][0] == PIECES
        for line in self.lines:
            most = line.quantity - line.shipped_quantity
            self.fields[f"line-{line.pk}"] = forms.IntegerField(
                label=line.name,
                min_value=0,
                max_value=most,
                required=False,
                widget=forms.NumberInput(attrs={"max": most}),
            )
            for part in self.parts.get(line.pk, ()):
                self.fields[f"part-{part.pk}"] = forms.IntegerField(
                    label=part.name,
                    min_value=0,
                    max_value=most * part.units,
                    required=False,
                    widget=forms.NumberInput(attrs={"max": most * part.units}),
                )

    @property
    def head_fields(self) -> list[forms.BoundField]:
        return [self["reason"], self["note"], self["asked_by"]]

    @property
    def tick_fields(self) -> list[forms.BoundField]:
        names = ("keep_off_sale", "keep_fee", "refund", "send_mail")
        return [self[name] for name in names if name in self.fields]

    @property
    def line_fields(self) -> list[tuple[OrderLine, forms.BoundField, int]]:
        """(line, its field, pieces that may be cancelled)."""
        return [(line, self[f"line-{line.pk}"], line.quantity - line.shipped_quantity) for line in self.lines]

    @property
    def all_fields(self) -> list[tuple[str, bool, forms.BoundField, int]]:
        """(name, whether it is a set's component, its field, the most) in the order of the lines."""
        rows: list[tuple[str, bool, forms.BoundField, int]] = []
        for line, field, most in self.line_fields:
            rows.append((line.name, False, field, most))
            rows += [
                (part.name, True, self[f"part-{part.pk}"], part.units * most) for part in self.parts.get(line.pk, ())
            ]
        return rows

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        single = any(self.units.values())
        if data.get("scope") == PIECES and not self.errors and not any(self.pieces.values()) and not single:
            raise forms.ValidationError(_("キャンセルする商品の数を入れてください。"))
        if single and any(self.pieces.values()):
            raise forms.ValidationError(
                _(
                    "セットの構成品だけのキャンセルは、ほかの商品とは分けて行ってください。どちらかの数を消してください。"
                )
            )
        if data.get("scope") == WHOLE and (single or (any(self.pieces.values()) and not self.takes_all)):
            raise forms.ValidationError(
                _("数を入れたときは「商品と数を選ぶ」を選んでください。全体なら数を消してください。")
            )
        return data

    @property
    def takes_all(self) -> bool:
        return all(self.pieces[line.pk] == most for line, _field, most in self.line_fields)

    @property
    def is_whole(self) -> bool:
        return bool(self.cleaned_data["scope"] == WHOLE)

    @property
    def pieces(self) -> dict[int, int]:
        return {line.pk: self.cleaned_data.get(f"line-{line.pk}") or 0 for line in self.lines}

    @property
    def units(self) -> dict[int, int]:
        """How many of single components of sets."""
        own = [part.pk for parts in self.parts.values() for part in parts]
        return {pk: count for pk in own if (count := self.cleaned_data.get(f"part-{pk}") or 0)}

    @property
    def ask(self) -> Ask:
        names = ("reason", "note", "asked_by", "keep_off_sale", "send_mail", "refund", "key")
        return Ask(
            **{name: self.cleaned_data[name] for name in names}, keep_fee=bool(self.cleaned_data.get("keep_fee"))
        )


def _parts(order: Order, lines: Sequence[OrderLine]) -> dict[int, list[LineComponent]]:
    """The components that may be cancelled alone: of sets of which nothing is in a parcel that a place works on."""
    if order.fulfillment_state == FulfillmentState.INSTRUCTED:
        return {}
    return set_parts.parts_of(line.pk for line in lines)


class DeclineForm(forms.Form):
    """Why the order goes on though the buyer wished to cancel it."""

    message = forms.CharField(
        label=lazy("お客様へのメッセージ"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("モールがメッセージを受け付ける場合に送ります。履歴に残ります。"),
    )  # fmt: skip
