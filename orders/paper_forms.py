"""What people type about papers: wording, credit notes, and a shop's settings."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock
from oms.kernel.pdf.picture import UnreadablePicture, read_picture
from oms.kernel.typed import DayField
from orders.documents.bill import Bill
from orders.documents.credit import Sets, Wish, items_of, left, line_ref, part_ref
from orders.documents.rules import STAMP_METHODS
from orders.filters import DayInput
from orders.models import Logo, PaperSettings
from orders.models.order import PaymentMethod
from orders.models.papers import Issuer
from orders.services.documents import Wording

LOGO_BYTES = 300_000
FAULTS = {
    "kind": lazy("PNG か JPEG の画像を選んでください。"),
    "size": lazy("縦横2,000ピクセルまでの画像にしてください。"),
    "damaged": lazy("画像を読み取れません。もう一度書き出した画像を選んでください。"),
    "unsupported": lazy("この形式は使えません。8ビット・インターレースなしの PNG か、RGB の JPEG にしてください。"),
}


class WordingForm(forms.Form):
    """An invoice's or receipt's 宛名; for a receipt the 但し書き, and whether it is handed over on paper."""

    name = forms.CharField(label=lazy("宛名"), max_length=120)
    subject = forms.CharField(label=lazy("但し書き"), max_length=60)
    on_paper = forms.BooleanField(
        label=lazy("紙で渡す（収入印紙が必要な金額なら、印紙の欄を印字します）"), required=False
    )

    def __init__(self, data: Any = None, *, receipt: bool, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if not receipt:
            del self.fields["subject"], self.fields["on_paper"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if name in {"上様", "上"}:
            raise forms.ValidationError(_("「上様」は宛名として使えません。氏名か会社名を入力してください。"))
        return name

    @property
    def wording(self) -> Wording:
        data = self.cleaned_data
        return Wording(data["name"], data.get("subject", ""), bool(data.get("on_paper")))


class CorrectionForm(WordingForm):
    reason = forms.CharField(label=lazy("訂正の理由"), max_length=200)


class ShareForm(forms.Form):
    """One of several receipts for a payment; a row without anything is none."""

    name = forms.CharField(label=lazy("宛名"), max_length=120)
    subject = forms.CharField(label=lazy("但し書き"), max_length=60)
    amount = forms.IntegerField(label=lazy("金額（円）"), min_value=1, max_value=10**9)

    clean_name = WordingForm.clean_name


class OnPaperForm(forms.Form):
    on_paper = forms.BooleanField(
        label=lazy("紙で渡す（収入印紙が必要な金額なら、印紙の欄を印字します）"), required=False
    )


USUAL_RECEIPTS, MOST_RECEIPTS = 4, 20
SharesFormSet = forms.formset_factory(ShareForm, extra=0, max_num=MOST_RECEIPTS, absolute_max=MOST_RECEIPTS)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=lazy("理由"), max_length=200)


class CreditForm(forms.Form):
    """How many pieces of each line came back, or of single components of sets, and what else is given back."""

    REST = ("fees", "reduction", "day", "reason")

    day = DayField(label=lazy("返品・値引の日"), widget=DayInput)
    fees = forms.IntegerField(label=lazy("返す送料・手数料（円）"), min_value=0, max_value=10**8, required=False)
    reduction = forms.IntegerField(
        label=lazy("値引（円）"), min_value=0, max_value=10**8, required=False,
        help_text=lazy("販売後の値引。税率ごとの残りの金額に比例して分けます。"),
    )  # fmt: skip
    reason = forms.CharField(label=lazy("理由"), max_length=200)
    even_if_exempt = forms.BooleanField(label=lazy("1万円未満でも発行する"), required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(
        self, data: Any = None, *, sold: Bill, given: dict[str, int], sets: Sets | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        pieces, units = left(sold, given, sets or {})
        self.refs: list[str] = []
        self.part_refs: list[str] = []
        for line in sold.lines:
            base = line_ref(line.ref)
            if pieces[base] > 0 and base not in self.refs:
                self.refs.append(base)
                self._ask(f"line-{base}", line.name, pieces[base])
            for item in items_of(line, sets or {}):
                ref = part_ref(base, item)
                if units[ref] > 0:
                    self.part_refs.append(ref)
                    label = _("%(set)s の構成品だけ: %(name)s") % {"set": line.name, "name": item.name}
                    self._ask(f"line-{ref}", label, units[ref])
        self.order_fields([*[name for name in self.fields if name.startswith("line-")], *self.REST])

    def _ask(self, name: str, label: str, most: int) -> None:
        self.fields[name] = forms.IntegerField(
            label=label, min_value=0, max_value=most, required=False,
            help_text=_("返品できる数: %(n)s") % {"n": most},
        )  # fmt: skip

    def clean_day(self) -> Any:
        day = self.cleaned_data["day"]
        if day > clock.today():
            raise forms.ValidationError(_("今日までの日にしてください。"))
        return day

    @property
    def wish(self) -> Wish:
        data = self.cleaned_data
        pieces, units = (
            {ref: n for ref in refs if (n := data.get(f"line-{ref}") or 0)} for refs in (self.refs, self.part_refs)
        )
        return Wish(pieces, data["fees"] or 0, data["reduction"] or 0, units)


class LogoField(forms.CharField):
    """The digest of the picture that is on the papers now."""

    def told(self, value: Any) -> str:
        return _("画像 %(digest)s") % {"digest": str(value)[:8]} if value else ""


class PaperSettingsForm(forms.ModelForm):
    """One shop's papers. The logo is read here, so that a broken picture is told at once."""

    logo_file = forms.FileField(
        label=lazy("ロゴ"), required=False, help_text=lazy("PNG か JPEG、300KBまで。帳票の発行者の上に印字します。"),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
    )  # fmt: skip
    logo_sha = LogoField(label=lazy("ロゴ"), required=False, max_length=64, widget=forms.HiddenInput)
    remove_logo = forms.BooleanField(label=lazy("ロゴを外す"), required=False)
    stamp_methods = forms.MultipleChoiceField(
        label=lazy("収入印紙の対象とする支払方法（紙の領収書）"), choices=PaymentMethod.choices, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    class Meta:
        model = PaperSettings
        fields = (
            "company", "registered_from", "rounding", "receipt_for", "bank_account", "closing", "points_lower_price",
            "credit_notes", "note_components", "note_paper", "receipt_paper", "work_paper", "return_paper",
            "quote_days", "link_days",
        )  # fmt: skip
        widgets = {"registered_from": DayInput, "closing": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "registered_from": lazy("この日より前の取引には登録番号を印字しません。"),
            "receipt_paper": lazy("紙で渡す領収書に使います。リンクで届ける領収書はA5横です。"),
            "note_paper": lazy("ロール紙とラベルは1列で印字し、ロール紙は文字の終わりで切れます。"),
            "points_lower_price": lazy("外すと、支払いとして合計の下に書きます（税の対象額は変わりません）。"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["logo_sha"].initial = self.instance.logo_id or ""
        self.fields["stamp_methods"].initial = self.instance.stamp_methods or list(STAMP_METHODS)
        choices = [("", _("モールの決まりに従う")), *Issuer.choices]
        for method, label in self.methods():
            self.fields[f"issuer-{method}"] = forms.ChoiceField(
                label=_("発行者: %(method)s") % {"method": label}, choices=choices, required=False,
                initial=self.instance.issuers.get(method, ""),
            )  # fmt: skip

    def methods(self) -> Sequence[tuple[str, Any]]:
        return [("", _("すべての支払方法")), *PaymentMethod.choices]

    def clean_logo_file(self) -> Any:
        upload = self.cleaned_data["logo_file"]
        if not upload:
            return None
        if upload.size > LOGO_BYTES:
            raise forms.ValidationError(_("300KBまでの画像にしてください。"))
        data = upload.read()
        try:
            read_picture(data)
        except UnreadablePicture as error:
            raise forms.ValidationError(str(FAULTS[error.code])) from error
        return data

    def save(self, commit: bool = False) -> PaperSettings:
        """Only fills the instance in; `orders.services.paper_settings` stores it, with `new_logo`."""
        papers: PaperSettings = super().save(commit=False)
        chosen = {method: self.cleaned_data[f"issuer-{method}"] for method, _label in self.methods()}
        papers.issuers = {method: issuer for method, issuer in chosen.items() if issuer}
        papers.stamp_methods = self.cleaned_data["stamp_methods"]
        if self.cleaned_data["remove_logo"]:
            papers.logo = None
        elif "logo_sha" in self.data:  # as the form was shown, or as an earlier version had it
            papers.logo = Logo.objects.filter(pk=self.cleaned_data["logo_sha"]).first()
        return papers

    @property
    def new_logo(self) -> Logo | None:
        data = self.cleaned_data["logo_file"]
        return Logo(sha256=hashlib.sha256(data).hexdigest(), data=data) if data else None
