"""What a picker says: how many of each SKU of a parcel are missing, and whether the shelf is empty."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as lazy

from fulfillment.documents import set_of
from fulfillment.models import ShipmentLine
from fulfillment.services.short_pick import Report
from inventory.models import Sku

EMPTY, OTHERS = "empty", "others"


class ShortPickForm(forms.Form):
    """One number for each SKU."""

    SHELF = (
        (EMPTY, lazy("棚にもうない（この拠点の残りの在庫も0にする）")),
        (OTHERS, lazy("破損や紛失の分だけ（棚にはまだある）")),
    )

    shelf = forms.ChoiceField(label=lazy("棚の状態"), choices=SHELF, initial=EMPTY, widget=forms.RadioSelect)
    note = forms.CharField(label=lazy("補足"), max_length=150, required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=lambda: uuid4().hex)

    def __init__(self, data: Any = None, *, rows: Sequence[ShipmentLine]) -> None:
        super().__init__(data)
        self.skus: dict[int, tuple[Sku, int, str]] = {}
        for row in rows:
            _sku, needed, name = self.skus.get(row.sku_id, (row.sku, 0, ""))
            self.skus[row.sku_id] = (row.sku, needed + row.quantity, name or set_of(row.order_line))
        for pk, (sku, needed, _name) in self.skus.items():
            self.fields[f"missing-{pk}"] = forms.IntegerField(
                label=sku.name,
                min_value=0,
                max_value=needed,
                required=False,
                widget=forms.NumberInput(attrs={"max": needed, "inputmode": "numeric"}),
            )

    @property
    def sku_fields(self) -> list[tuple[Sku, int, str, forms.BoundField]]:
        """(SKU, units in the parcel, the set it belongs to, its field)."""
        return [(sku, needed, name, self[f"missing-{pk}"]) for pk, (sku, needed, name) in self.skus.items()]

    @property
    def other_fields(self) -> list[forms.BoundField]:
        return [self["shelf"], self["note"]]

    @property
    def report(self) -> Report:
        data = self.cleaned_data
        missing = {pk: units for pk in self.skus if (units := data.get(f"missing-{pk}") or 0)}
        return Report(missing, data["shelf"] == EMPTY, data["note"], data["key"])
