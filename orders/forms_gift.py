"""What people type about a recipient's gift: wrapping, noshi, card, sender."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from orders.documents.noshi import in_words
from orders.forms import SeenForm
from orders.services.edit import differing
from orders.services.gifts import GIFT_FIELDS, NOSHI_FIELDS, UNWANTED, WANTED, noshi_of

CORDS = ("紅白蝶結び", "紅白結び切り", "紅白あわじ結び", "黒白結び切り", "黄白結び切り", "双銀結び切り", "弔事")
COMMON = (
    "御祝", "内祝", "御礼", "寿", "御結婚御祝", "結婚内祝", "御出産御祝", "出産内祝", "快気内祝", "御中元", "御歳暮",
    "御年賀", "御見舞", "御挨拶", "志", "満中陰志", "御供", "粗品", "無地",
)  # fmt: skip
PLACES = (("", lazy("指定なし")), ("内のし", lazy("内のし")), ("外のし", lazy("外のし")))


def _suggesting(name: str) -> forms.TextInput:
    return forms.TextInput(attrs={"list": name, "autocomplete": "off"})


class GiftForm(SeenForm):
    """One recipient's wishes. A noshi that is taken away has to be taken away in so many words."""

    noshi_wanted = forms.CharField(label=lazy("のし"), required=False, widget=forms.HiddenInput)  # `clean` decides it
    gift = forms.CharField(label=lazy("ラッピング"), max_length=200, required=False)
    noshi_purpose = forms.CharField(
        label=lazy("のしの表書き"), max_length=40, required=False, widget=_suggesting("noshi-purposes"),
        help_text=lazy("何も書かないのしは「無地」と入力します。"),
    )  # fmt: skip
    noshi_name = forms.CharField(label=lazy("のしの名入れ"), max_length=80, required=False)
    noshi_cord = forms.CharField(
        label=lazy("水引"), max_length=40, required=False, widget=_suggesting("noshi-cords")
    )  # fmt: skip
    noshi_place = forms.ChoiceField(label=lazy("内のし・外のし"), choices=PLACES, required=False)
    noshi_rest = forms.CharField(label=lazy("のしのほかの指定"), max_length=200, required=False)
    no_noshi = forms.BooleanField(label=lazy("のしを付けない"), required=False)
    message_card = forms.CharField(
        label=lazy("メッセージカード"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    sender = forms.CharField(
        label=lazy("送り主（注文者と違うとき）"), max_length=120, required=False,
        help_text=lazy("贈り物の納品書と作業指示書に、注文者の代わりに印刷します。"),
    )  # fmt: skip

    fields_of = GIFT_FIELDS

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return data
        had = not differing({"noshi_wanted": WANTED}, data["fingerprint"])
        if data["no_noshi"]:
            data.update(dict.fromkeys(NOSHI_FIELDS, ""), noshi_wanted=UNWANTED)
            return data
        data["noshi_wanted"] = WANTED if had or any(data[name] for name in NOSHI_FIELDS) else UNWANTED
        if differing({name: data[name] for name in NOSHI_FIELDS}, data["fingerprint"]):
            self._check_noshi(data)
        return data

    def _check_noshi(self, data: dict[str, Any]) -> None:
        if not any(data[name] for name in NOSHI_FIELDS):
            self.add_error("no_noshi", _("のしをやめるときは「のしを付けない」を選んでください。"))
        elif not data["noshi_purpose"]:
            self.add_error("noshi_purpose", _("表書きを入力してください。何も書かないのしは「無地」とします。"))
        elif len(in_words(noshi_of(data))) > 200:
            self.add_error("noshi_rest", _("のしの指定は合わせて200文字までです。短くしてください。"))
