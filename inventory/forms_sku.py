"""What people type about a SKU's facts."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory import own_fields
from inventory.forms import LARGEST
from inventory.models import Sku
from inventory.services import sku_facts
from oms.kernel.typed import DayField, DayInput

MOST_GRAMS = 9_999_999
MOST_YEN = 99_999_999
PRODUCTS_OWN = lazy("同じ商品コードのSKUすべてに効きます。")


class SkuFactsForm(forms.Form):
    """`seen` is how the facts stood when the form was shown (`inventory.services.sku_facts.seen`)."""

    brand = forms.CharField(label=lazy("ブランド"), max_length=100, required=False, help_text=PRODUCTS_OWN)
    category = forms.CharField(label=lazy("カテゴリ"), max_length=100, required=False, help_text=PRODUCTS_OWN)
    supplier = forms.CharField(label=lazy("仕入先"), max_length=100, required=False)
    cost = forms.IntegerField(
        label=lazy("仕入価格（税抜）"),
        min_value=0,
        max_value=MOST_YEN,
        required=False,
        help_text=lazy("1個の価格（円）。わからないときは空欄にします。"),
    )
    weight_g = forms.IntegerField(label=lazy("重さ（g）"), min_value=0, max_value=MOST_GRAMS, required=False)
    size_factor = forms.IntegerField(label=lazy("サイズ係数"), min_value=0, max_value=min(LARGEST, 30_000))
    arrives_on = DayField(
        label=lazy("入荷予定日"),
        required=False,
        widget=DayInput,
        help_text=lazy("入荷を待つ受注と不足の一覧に出ます。引当は、実際に入荷してから行います。"),
    )
    tags = forms.CharField(
        label=lazy("商品タグ"),
        max_length=2000,
        required=False,
        help_text=lazy("「、」で区切って、いくつでも書けます。ルールの条件で使えます。"),
    )
    custom = forms.CharField(
        label=lazy("自由項目"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("1行に1つ、「素材=綿」のように名前と値を書きます。ルールの条件で使えます。"),
    )
    seen = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False)

    def clean_tags(self) -> list[str]:
        try:
            return own_fields.read_tags(self.cleaned_data["tags"])
        except own_fields.Unreadable as fault:
            raise forms.ValidationError(
                _("タグ「%(text)s」は使えません。1つ40字、30個までです。") % {"text": str(fault)[:60]}
            ) from fault

    def clean_custom(self) -> dict[str, str]:
        try:
            return own_fields.read_fields(self.cleaned_data["custom"])
        except own_fields.Unreadable as fault:
            raise forms.ValidationError(
                _("「%(text)s」を読み取れません。1行に1つ、「素材=綿」のように書いてください（値は200字、30個まで）。")
                % {"text": str(fault)[:60]}
            ) from fault

    def __init__(self, *args: Any, costs: bool, bundle: bool, **kwargs: Any) -> None:
        """`costs`: this person may see costs; `bundle`: what stands empty is the sum of the parts."""
        super().__init__(*args, **kwargs)
        if not costs:
            del self.fields["cost"]
        if bundle:
            said = lazy("空欄なら構成品の合計です。")
            self.fields["weight_g"].help_text = said
            if costs:
                self.fields["cost"].help_text = said


def typed(sku: Sku) -> dict[str, Any]:
    """The facts as the form shows them."""
    known = sku_facts.facts_of(sku)
    return {
        **known,
        "tags": own_fields.tags_text(known["tags"]),
        "custom": own_fields.fields_text(known["custom"]),
    }
