"""What people type about goods that come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Location, Sku
from inventory.queries.places import own as own_places
from oms.kernel import clock
from oms.kernel.money import yen
from oms.kernel.typed import DayField, DayInput
from orders.decide import returns as decide
from orders.forms import SLOTS
from orders.models import LineComponent, Order, OrderLine, ReturnCase, ReturnGrade, ReturnLine
from orders.models.order import Carrier
from orders.models.return_case import return_reasons
from orders.services import exchange
from orders.services.cancel import STOPPABLE
from orders.services.refunds import bill_of, unit_shares
from orders.services.return_money import exchange_of
from orders.services.return_pickup import Pickup
from orders.services.returns import Settlement, received_units, returnable_goods, sold_units
from orders.services.set_parts import parts_of
from orders.services.wrong_goods import Instead

FEES = (("shipping", lazy("送料")), ("fees", lazy("手数料")), ("gift_fees", lazy("ラッピング料")))
NUMBER = forms.NumberInput(attrs={"inputmode": "numeric"})


@dataclass(frozen=True, slots=True)
class Row:
    """A number field. `key`: the id of an order or return line, or of a set's component; `part` says which.
    `help` stands under the name; `proposed` stands in the field (all of them, without)."""

    key: int
    label: str
    most: int
    part: bool = False
    help: str = ""
    proposed: int | None = None

    @property
    def start(self) -> int:
        return self.most if self.proposed is None else self.proposed

    @property
    def name(self) -> str:
        return f"{'part' if self.part else 'piece'}-{self.key}"


class PiecesForm(forms.Form):
    """One number for each row; components of a set stand under it."""

    side_by_side: tuple[str, ...] = ()  # short fields that share a row

    def add_rows(self, rows: Sequence[Row], *, filled: bool = False) -> None:
        self.rows = list(rows)
        for row in rows:
            self.fields[row.name] = forms.IntegerField(
                label=row.label,
                min_value=0,
                max_value=row.most,
                required=False,
                initial=row.start if filled else None,
                widget=forms.NumberInput(attrs={"max": row.most, "inputmode": "numeric"}),
            )

    @property
    def row_fields(self) -> list[tuple[forms.BoundField, Row]]:
        return [(self[row.name], row) for row in self.rows]

    @property
    def has_parts(self) -> bool:
        return any(row.part for row in self.rows)

    @property
    def pieces(self) -> dict[int, int]:
        return {row.key: self.cleaned_data.get(row.name) or 0 for row in self.rows if not row.part}

    @property
    def units(self) -> dict[int, int]:
        """How many of single components."""
        return {row.key: self.cleaned_data.get(row.name) or 0 for row in self.rows if row.part}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not any([*self.pieces.values(), *self.units.values()]):
            raise forms.ValidationError(_("数を入れてください。"))
        return data

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        apart = ("key", *self.side_by_side)
        numbers = {row.name for row in self.rows}
        return [self[name] for name in self.fields if name not in numbers and name not in apart]

    @property
    def row_of_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.side_by_side if name in self.fields]


def reasons_to_choose() -> list[tuple[str, str | Promise]]:
    """What a person may say; that a cancellation came too late says only the warehouse's answer."""
    return [(code, label) for code, label in return_reasons() if code != "too_late"]


class OpenForm(PiecesForm):
    """Which pieces of a shipped order come back, and why; of a set, single components too."""

    reason = forms.ChoiceField(label=lazy("返品の理由"), choices=reasons_to_choose, widget=forms.RadioSelect)
    kind = forms.ChoiceField(
        label=lazy("希望"), choices=ReturnCase.Kind.choices[:2], widget=forms.RadioSelect, initial="return"
    )
    note = forms.CharField(label=lazy("メモ"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, data: Any = None, *, order: Order) -> None:
        super().__init__(data, initial={"key": uuid4().hex})
        free, shares = returnable_goods(order.pk), unit_shares(order)
        components = parts_of(free.inside)
        self.has_sets = bool(components)
        lines = list(order.lines.order_by("position"))
        self.add_rows(rows_of_goods(lines, components, pieces=free.pieces, units=free.units, shares=shares))


def rows_of_goods(
    lines: Sequence[OrderLine],
    components: Mapping[int, Sequence[LineComponent]],
    *,
    pieces: Mapping[int, int],
    units: Mapping[int, int],
    shares: Mapping[int, int],
) -> list[Row]:
    """Lines with pieces that are left, each set's components under it; `shares`: what a unit of a component cost."""
    rows: list[Row] = []
    for line in lines:
        if pieces.get(line.pk, 0) > 0:
            rows.append(Row(line.pk, line.name, pieces[line.pk], help=_whole(components.get(line.pk))))
        rows += [
            Row(part.pk, _label(part, line), units[part.pk], part=True, help=_share(shares.get(part.pk)))
            for part in components.get(line.pk, ())
            if units.get(part.pk, 0) > 0
        ]
    return rows


def _whole(components: Sequence[LineComponent] | None) -> str:
    return _("セットごと（構成品すべて）") if components else ""


def _label(part: LineComponent, line: OrderLine) -> str:
    label = f"{part.set_name} / {part.name}" if part.set_name else part.name
    return _("%(name)s（1セットに%(units)d点）") % {"name": label, "units": part.units // line.units}


def _share(unit: int | None) -> str:
    return _("按分した金額 1点 %(amount)s（値引後）") % {"amount": yen(unit)} if unit is not None else ""


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=lazy("お客様への回答"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("入れると、「返品への回答」のメールでお送りします。"),
    )  # fmt: skip


class WayForm(forms.Form):
    carrier = forms.ChoiceField(label=lazy("配送会社"), choices=Carrier)
    tracking_no = forms.CharField(label=lazy("送り状番号"), max_length=40)


class PickupForm(forms.Form):
    """When a carrier fetches the goods at the buyer's door."""

    carrier = forms.ChoiceField(label=lazy("配送会社"), choices=Carrier)
    on = DayField(label=lazy("集荷日"), widget=DayInput())
    slot = forms.ChoiceField(label=lazy("時間帯"), choices=SLOTS, required=False)

    def clean_on(self) -> date:
        day: date = self.cleaned_data["on"]
        if day < clock.today():
            raise forms.ValidationError(_("今日より前の日は選べません。"))
        return day

    @property
    def pickup(self) -> Pickup:
        data = self.cleaned_data
        return Pickup(data["carrier"], data["on"], data["slot"])


class ReceiveForm(PiecesForm):
    """How many arrived of each line."""

    def __init__(self, data: Any = None, *, case: ReturnCase) -> None:
        super().__init__(data)
        lines = case.lines.select_related("line", "component").order_by("line__position", "component__position")
        self.add_rows([Row(line.pk, line.name, line.quantity) for line in lines], filled=True)


class InspectForm(forms.Form):
    """A grade for every unit that arrived: one number for each SKU and grade."""

    location = forms.ModelChoiceField(label=lazy("良品を戻す拠点"), queryset=Location.objects.none(), empty_label=None)
    mixed_up_by = forms.ChoiceField(
        label=lazy("違う商品が届いたわけ"),
        choices=[
            ("shop", lazy("こちらが違う商品を送っていた（返金・交換は受け付けどおり）")),
            ("buyer", lazy("お客様が違う商品を返送した（注文の商品はまだ届いていない）")),
        ],
        required=False,
    )

    def __init__(self, data: Any = None, *, units: Sequence[tuple[Sku, int]], reason: str = "") -> None:
        super().__init__(data, initial={"mixed_up_by": "shop" if reason == "wrong_item" else "buyer"})
        places = own_places().filter(active=True, kind__in=["warehouse", "store"]).order_by("priority", "pk")
        location = self.fields["location"]
        assert isinstance(location, forms.ModelChoiceField)
        location.queryset = places
        self.units = list(units)
        for sku, count in units:
            for grade in ReturnGrade.Grade:
                self.fields[f"grade-{sku.pk}-{grade}"] = forms.IntegerField(
                    label=grade.label,
                    min_value=0,
                    max_value=count,
                    required=False,
                    initial=count if grade == ReturnGrade.Grade.GOOD else 0,
                    widget=forms.NumberInput(attrs={"max": count, "inputmode": "numeric"}),
                )
            self.fields[f"instead-{sku.pk}"] = forms.IntegerField(
                label=_("違う商品の数"), min_value=0, max_value=count, required=False, widget=NUMBER
            )
            self.fields[f"came-{sku.pk}"] = forms.CharField(
                label=_("届いた SKU・JAN（空欄は当店の商品でないもの）"), max_length=80, required=False
            )
            self.fields[f"came-grade-{sku.pk}"] = forms.ChoiceField(
                label=_("その判定"), choices=ReturnGrade.Grade.choices, required=False
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.instead = []
        for sku, _count in self.units:
            if not (count := data.get(f"instead-{sku.pk}")):
                if data.get(f"came-{sku.pk}"):
                    self.add_error(f"instead-{sku.pk}", _("届いた数を入れてください。"))
                continue
            code = (data.get(f"came-{sku.pk}") or "").strip()
            came = Sku.objects.filter(Q(code=code) | Q(jan=code)).order_by("pk").first() if code else None
            if code and came is None:
                self.add_error(f"came-{sku.pk}", _("この SKU・JAN の商品はありません。"))
                continue
            grade = data.get(f"came-grade-{sku.pk}") or ReturnGrade.Grade.GOOD
            by_shop = data.get("mixed_up_by") == "shop"
            self.instead.append(Instead(sku.pk, came.pk if came else None, count, grade, by_shop))
        return data

    @property
    def is_mixed_up(self) -> bool:
        """Something was typed about other goods."""
        return self.is_bound and any(self.data.get(f"instead-{sku.pk}") for sku, _count in self.units)

    @property
    def instead_fields(self) -> list[tuple[Sku, list[forms.BoundField]]]:
        names = ("instead", "came", "came-grade")
        return [(sku, [self[f"{name}-{sku.pk}"] for name in names]) for sku, _count in self.units]

    @property
    def unit_fields(self) -> list[tuple[Sku, int, list[forms.BoundField]]]:
        return [
            (sku, count, [self[f"grade-{sku.pk}-{grade}"] for grade in ReturnGrade.Grade]) for sku, count in self.units
        ]

    @property
    def grades(self) -> dict[tuple[int, str], int]:
        return {
            (sku.pk, grade.value): self.cleaned_data.get(f"grade-{sku.pk}-{grade}") or 0
            for sku, _count in self.units
            for grade in ReturnGrade.Grade
        }


class SettleForm(PiecesForm):
    """What goes back to the buyer, proposed from the reason and free to change with a note."""

    side_by_side = ("deduction", "goodwill", "difference")

    fees = forms.MultipleChoiceField(
        label=lazy("全額返す費用"), required=False, widget=forms.CheckboxSelectMultiple, choices=FEES,
    )  # fmt: skip
    deduction = forms.IntegerField(label=lazy("差し引く金額（返送料など）"), min_value=0, required=False, widget=NUMBER)
    goodwill = forms.IntegerField(label=lazy("上乗せする金額（お詫び）"), min_value=0, required=False, widget=NUMBER)
    difference = forms.IntegerField(
        label=lazy("交換の差額"), min_value=0, required=False, widget=NUMBER,
        help_text=lazy("送った商品が戻った商品より安い分です。"),
    )  # fmt: skip
    note = forms.CharField(label=lazy("精算メモ"), max_length=300, required=False)

    def __init__(self, data: Any = None, *, case: ReturnCase) -> None:
        rows = case.lines.select_related("line", "component").order_by("line__position", "component__position")
        lines = [line for line in rows if line.received]
        everything = received_units(case) == sold_units(case.order)
        proposal = decide.propose(case.reason, everything=everything, freight=0)
        sent = exchange_of(case)
        initial: dict[str, Any] = {"fees": [] if sent else list(proposal.fees), "deduction": proposal.deduction}
        if sent:
            initial["difference"] = exchange.difference(case)
            initial["note"] = "" if initial["difference"] else _instead(case)
        super().__init__(data, initial=initial)
        left = _not_refunded(case.order)
        self.add_rows([_settled_row(line, left) for line in lines], filled=sent is None)
        if sent is None:
            del self.fields["difference"]
        self._offer_fees(case)

    def _offer_fees(self, case: ReturnCase) -> None:
        """Only what the buyer paid and nobody has given back yet."""
        bill = bill_of(case.order)
        fees = self.fields["fees"]
        assert isinstance(fees, forms.MultipleChoiceField)
        fees.choices = [
            (code, f"{label} {yen(bill.fees[code])}")
            for code, label in FEES
            if bill.fees.get(code) and not bill.refunded_fees.get(code)
        ]
        if not fees.choices:
            del self.fields["fees"]

    def clean(self) -> dict[str, Any]:
        return self.cleaned_data  # no pieces at all is an answer too; the service asks for a note then

    @property
    def settlement(self) -> Settlement:
        data = self.cleaned_data
        return Settlement(
            self.pieces,
            tuple(data.get("fees") or ()),
            data.get("deduction") or 0,
            data.get("goodwill") or 0,
            data["note"],
            self.units,
            data.get("difference") or 0,
        )


def _not_refunded(order: Order) -> dict[tuple[int, int | None], int]:
    """(line, component or None) → pieces or units that no refund has given back yet."""
    left: dict[tuple[int, int | None], int] = {}
    for line in bill_of(order).lines:
        left[line.id, None] = line.left
        left |= {(line.id, part.id): units for part, units in zip(line.parts, line.units_left, strict=True)}
    return left


def _settled_row(own: ReturnLine, left: Mapping[tuple[int, int | None], int]) -> Row:
    free = min(own.received, left.get((own.line_id, own.component_id), 0))
    told = _("返金済み %(count)d") % {"count": own.received - free} if free < own.received else ""
    part = own.component_id is not None
    return Row(own.component_id or own.line_id, own.name, own.received, part=part, help=told, proposed=free)


def _instead(case: ReturnCase) -> str:
    """Why no money goes back."""
    return _("再送のため返金なし") if case.kind == ReturnCase.Kind.UNDELIVERED else _("交換のため返金なし")


class WithdrawForm(forms.Form):
    """The goods will not come. What has been sent instead already is charged, or a note says why not."""

    note = forms.CharField(label=lazy("取り下げる理由"), max_length=300, required=False)
    charge = forms.BooleanField(
        label=lazy("先に送った商品の代金をお客様に請求する"),
        required=False,
        help_text=lazy("交換の受注を銀行振込の未入金にし、入金のお願いを下書きにします。"),
    )

    def __init__(self, data: Any = None, *, case: ReturnCase) -> None:
        super().__init__(data)
        self.sent = exchange_of(case)
        self.gone = self.sent is not None and self.sent.fulfillment_state not in STOPPABLE
        if not self.gone:
            del self.fields["charge"]


class ExchangeForm(forms.Form):
    """What is sent instead: the same goods, or SKUs with pieces and price."""

    ROWS = 3

    ship_first = forms.BooleanField(
        label=lazy("返品の到着を待たずに送る"),
        required=False,
        help_text=lazy("戻らない場合は、返品の一覧に「未返却の交換」として出ます。"),
    )
    answer = forms.CharField(
        label=lazy("お客様への回答"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("入れると、「返品への回答」のメールでお送りします。"),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, case: ReturnCase) -> None:
        super().__init__(data, initial={"ship_first": exchange.ships_first(case)})
        same = exchange.same_goods(case)
        codes = dict(Sku.objects.filter(pk__in=[item.sku_id for item in same]).values_list("pk", "code"))
        self.count = max(self.ROWS, len(same) + 1)
        for index in range(self.count):
            item = same[index] if index < len(same) else None
            self.fields[f"sku-{index}"] = forms.CharField(
                label=_("SKUコード"), required=False, max_length=60, initial=codes[item.sku_id] if item else ""
            )
            self.fields[f"quantity-{index}"] = forms.IntegerField(
                label=_("数量"), required=False, min_value=1, max_value=999, initial=item.quantity if item else None
            )
            self.fields[f"price-{index}"] = forms.IntegerField(
                label=_("単価（税込）"), required=False, min_value=0, initial=item.unit_price if item else None
            )

    @property
    def row_fields(self) -> list[list[forms.BoundField]]:
        return [[self[f"{name}-{index}"] for name in ("sku", "quantity", "price")] for index in range(self.count)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.items = []
        for index in range(self.count):
            code = str(data.get(f"sku-{index}") or "").strip()
            if not code:
                continue
            sku = Sku.objects.filter(code=code, active=True).first()
            if sku is None:
                self.add_error(f"sku-{index}", _("このSKUコードは商品にありません。"))
                continue
            price = data.get(f"price-{index}")
            quantity = data.get(f"quantity-{index}") or 1
            self.items.append(exchange.Item(sku.pk, quantity, sku.price if price is None else price))
        if not self.items and not self.errors:
            raise forms.ValidationError(_("送る商品と数量を入れてください。"))
        return data


class ParcelForm(forms.Form):
    """A parcel that came without notice."""

    tracking_no = forms.CharField(label=lazy("送り状番号"), max_length=40, required=False)
    sender = forms.CharField(label=lazy("差出人"), max_length=120, required=False)
    phone = forms.CharField(label=lazy("電話番号"), max_length=30, required=False)
    contents = forms.CharField(label=lazy("中身"), max_length=300, required=False)
