"""What people type about a set: its components and how it is sold."""

from django import forms
from django.utils.translation import gettext_lazy as lazy

from inventory.forms_kit import KitPartsForm
from inventory.services.sets import SetRules


class SetForm(KitPartsForm):
    """The components, one a line, and two rules."""

    ships_apart = forms.BooleanField(
        label=lazy("セットの一部出荷を許可"), required=False,
        help_text=lazy("許可しないと、構成品が1つでも足りない間はセット全体が待ちます。別々の荷物にも分けません。"),
    )  # fmt: skip
    tax_by_component = forms.BooleanField(
        label=lazy("構成品ごとの税率"), required=False,
        help_text=lazy(
            "モールが明細の税率を伝えないとき、金額を構成品に分け、それぞれの税率で計算します。"
            "入れないと、セットの税率だけで計算します（一体資産）。"
        ),
    )  # fmt: skip

    field_order = ("parts", "ships_apart", "tax_by_component")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["parts"].required = True
        self.fields["parts"].error_messages["required"] = lazy("構成品を1つ以上入れてください。")
        self.fields["parts"].help_text = lazy(
            "1行に1つ、SKUコードと数量を空白で区切って入力します。セットの中のセットは1段までです。"
            "すでに売れた受注の構成と金額は変わりません。"
        )

    @property
    def rules(self) -> SetRules:
        data = self.cleaned_data
        return SetRules(data["parts"], data["ships_apart"], data["tax_by_component"])
