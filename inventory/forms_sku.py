"""What people type about a SKU's facts."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from inventory.forms import LARGEST

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
    seen = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False)

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
