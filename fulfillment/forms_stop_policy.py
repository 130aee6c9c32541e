"""Which places let parcels stop by themselves."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Location


class StopPolicyForm(forms.Form):
    automatic = forms.MultipleChoiceField(
        label=lazy("作業前の出荷を自動で止める拠点"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, policies: Sequence[tuple[Location, bool]]) -> None:
        super().__init__(data, initial={"automatic": [place.pk for place, automatic in policies if automatic]})
        self.places = [place for place, _automatic in policies]
        self.fields["automatic"].choices = [  # type: ignore[attr-defined]
            (str(place.pk), place.name) for place in self.places
        ]

    @property
    def wanted(self) -> dict[int, bool]:
        """Location → whether it stops by itself."""
        chosen = set(self.cleaned_data["automatic"])
        return {place.pk: str(place.pk) in chosen for place in self.places}
