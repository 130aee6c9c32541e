from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from inventory.models import Location
from inventory.queries import places

LARGEST = 1_000_000


class PlaceForm(forms.Form):
    """A place to put goods; inactive ones are gone."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False, initial=lambda: uuid4().hex)
    location = forms.ModelChoiceField(label=_("拠点"), queryset=Location.objects.none())

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["location"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = places.own().filter(active=True).order_by("priority", "id")


class CorrectForm(PlaceForm):
    """`set`: there are so many; `add`: so many more, or fewer."""

    HOW = (("set", _("実数に合わせる")), ("add", _("増減する")))

    how = forms.ChoiceField(label=_("方法"), choices=HOW, initial="set", widget=forms.RadioSelect)
    units = forms.IntegerField(label=_("数量"), min_value=-LARGEST, max_value=LARGEST)
    reason = forms.CharField(label=_("理由"), max_length=200)

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        units = cleaned.get("units")
        if isinstance(units, int) and cleaned.get("how") == "set" and units < 0:
            self.add_error("units", _("実数は0以上で入力してください。"))
        if units == 0 and cleaned.get("how") == "add":
            self.add_error("units", _("増減する数量を入力してください。"))
        return cleaned


class ReceiveForm(PlaceForm):
    units = forms.IntegerField(label=_("入荷数"), min_value=1, max_value=LARGEST)
    document = forms.CharField(label=_("伝票番号"), max_length=60, required=False)
    note = forms.CharField(label=_("メモ"), max_length=200, required=False)
