"""The form of 分割, of one order and of many."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from fulfillment.decide.split_ways import Payer, Way
from inventory.models import Location
from oms.kernel.typed import DayField
from orders.actions import ActionForm


class SplitForm(ActionForm):
    way = forms.ChoiceField(label=lazy("分け方"), choices=Way.choices, initial=Way.STOCK)
    until = DayField(
        label=lazy("待つ日"),
        required=False,
        help_text=lazy("この日までに入る商品は待ち、ほかは後から出荷します。空欄なら今日です。"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    location = forms.ModelChoiceField(
        Location.objects.filter(active=True, sells_online=True).order_by("priority", "pk"),
        label=lazy("出荷元"),
        required=False,
        empty_label=lazy("選んでください"),
    )
    payer = forms.ChoiceField(label=lazy("増える送料"), choices=Payer.choices, initial=Payer.SHOP)

    def __init__(self, data: Any = None, *, order_ids: Sequence[int] = ()) -> None:
        """Only what the way asks for is asked; the dialog comes again when another way is chosen."""
        super().__init__(data, order_ids=order_ids)
        way = (data or {}).get("way", Way.STOCK)
        for name, own in (("until", Way.ARRIVAL), ("location", Way.LOCATION)):
            if way != own:
                del self.fields[name]
        if way == Way.LOCATION:
            self.fields["location"].required = True
            self.fields["location"].error_messages["required"] = _("拠点を選んでください。")

    @property
    def params(self) -> dict[str, Any]:
        """As JSON has it. Before a place is chosen the form is not valid, yet its way is what one looks at."""
        found = dict(super().params)
        if self.is_bound and not self.is_valid():
            found |= {name: value for name, value in self.cleaned_data.items() if name in {"way", "until", "payer"}}
        day, place = found.get("until"), found.get("location")
        return {
            "way": str(found.get("way") or Way.STOCK),
            "until": day.isoformat() if day else None,
            "location": place.pk if isinstance(place, Location) else None,
            "payer": str(found.get("payer") or Payer.SHOP),
        }
