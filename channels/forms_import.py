"""Forms of the import's screens."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from channels.services.reimport import MOST, numbers_in
from orders.models import Shop
from orders.services.manual import CHANNEL as BY_HAND


class ReimportForm(forms.Form):
    """A shop, and order numbers as they were pasted; cleaned, `numbers` holds each once."""

    shop = forms.ModelChoiceField(
        Shop.objects.filter(active=True).exclude(channel=BY_HAND).order_by("code"),
        label=lazy("店舗"),
        error_messages={"required": lazy("店舗を選んでください。")},
    )
    text = forms.CharField(
        label=lazy("受注番号"),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text=lazy("改行・空白・カンマで区切って、まとめて貼り付けられます（1,000件まで）。"),
        error_messages={"required": lazy("受注番号を入れてください。")},
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        pasted = numbers_in(values.get("text", ""))
        if pasted.wrong:
            words = "、".join(pasted.wrong[:5])
            self.add_error("text", _("受注番号として読めない文字があります：%(words)s") % {"words": words})
        if len(pasted.numbers) > MOST:
            self.add_error("text", _("一度に取り込めるのは1,000件までです。分けて取り込んでください。"))
        if "text" in values and not pasted.numbers and not pasted.wrong:
            self.add_error("text", _("受注番号を入れてください。"))
        values["numbers"] = pasted.numbers
        return values
