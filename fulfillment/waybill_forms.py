"""送り状の設定: a place's contract with a carrier as people type it, and how parcels are written out."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from fulfillment import picking
from fulfillment.waybills.layouts import CHOICES, USUAL
from fulfillment.waybills.parcel import Contract
from oms.kernel.phone import phone_digits
from oms.kernel.text import to_cp932_problems
from orders.forms import PREFECTURES

MOST_LETTERS = 500


def written_letters(letters: Mapping[str, str]) -> str:
    """One replacement a line, as `read_letters` reads them."""
    order = sorted(letters, key=lambda letter: (ord(letter) < 0x3000, letter))  # kanji first; the database keeps none
    return "\n".join(f"{letter}={letters[letter]}" for letter in order)


def read_letters(typed: str) -> dict[str, str]:
    """`𠮷=吉` a line. Raises ValidationError."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, typed.splitlines())):
        letter, sign, other = (part.strip() for part in re.sub("＝", "=", line).partition("="))
        if not sign or len(letter) != 1 or not other or len(other) > 10 or to_cp932_problems(other):
            raise forms.ValidationError(_("「%(line)s」を読み取れません。例: 𠮷=吉") % {"line": line[:40]})
        found[letter] = other
    if len(found) > MOST_LETTERS:
        raise forms.ValidationError(_("文字の置き換えは%(n)s行までです。") % {"n": MOST_LETTERS})
    return found


def _digits(label: Any, most: int, **kwargs: Any) -> forms.CharField:
    """A code that the carrier gave, as digits."""
    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.CharField(label=label, max_length=most, widget=widget, **kwargs)


class ContractForm(forms.Form):
    """What every carrier asks. `values` is the contract as `fulfillment.services.waybill_settings.save` takes it."""

    carrier = ""
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    layout = forms.ChoiceField(label=lazy("レイアウト"))
    item = forms.CharField(
        label=lazy("品名"),
        max_length=25,
        widget=forms.TextInput(attrs={"placeholder": "雑貨", "lang": "ja"}),
        help_text=lazy("すべての送り状に印字します。中身を知られたくない商品があるときは、大まかな言葉にします。"),
    )

    def __init__(self, data: Any = None, *, contract: Contract | None, version: int) -> None:
        now = contract or Contract()
        stands = {name: getattr(now, name, "") for name in self.base_fields}
        initial = {name: value for name, value in stands.items() if value or contract}
        initial |= {"letters": written_letters(now.letters), "version": version}
        super().__init__(data, initial=initial)
        self.fields["layout"].choices = CHOICES[self.carrier]  # type: ignore[attr-defined]
        if not initial.get("layout"):
            self.initial["layout"] = USUAL[self.carrier]
        self.order_fields(ORDER)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for name in ("item", "sender_name", "sender_city", "sender_street", "handling_1", "handling_2"):
            if letters := to_cp932_problems(said.get(name) or "", said.get("letters") or {}):
                text = _("送り状で使えない文字があります: %(letters)s") % {"letters": " ".join(letters)}
                self.add_error(name, text)
        if any(said.get(name) for name in ADDRESS) and not all(said.get(name) for name in ADDRESS):
            self.add_error(
                "sender_postal_code",
                _("ご依頼主の住所は、郵便番号から番地まですべて入れるか、すべて空欄にしてください。"),
            )
        return said

    @property
    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


ADDRESS = ("sender_postal_code", "sender_prefecture", "sender_city", "sender_street")
ORDER = [
    "version", "layout", "customer_code", "class_code", "freight_no", "item", "code_nekopos", "code_yupacket",
    "handling_1", "handling_2", "slots", "cod_payment", "packing", "code_parcel", "code_packet", "code_cod",
    "date_form", "header", "most_rows", "fallback_phone", "sender_name", "sender_phone", *ADDRESS, "letters",
]  # fmt: skip


class SenderForm(ContractForm):
    """The shipper where it is not the shop at its place, and what stands in for what is missing."""

    fallback_phone = forms.CharField(
        label=lazy("届け先に電話番号がないとき"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
        help_text=lazy("この番号を届け先の電話番号として書き出します。空欄なら、番号のない荷物は書き出しません。"),
    )
    sender_name = forms.CharField(
        label=lazy("ご依頼主の名前"),
        max_length=40,
        required=False,
        help_text=lazy("空欄なら店舗の名前です。受注に送り主があるときは、それが優先します。"),
    )
    sender_phone = forms.CharField(
        label=lazy("ご依頼主の電話番号"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
        help_text=lazy("空欄なら拠点の番号、なければ店舗の番号です。"),
    )
    sender_postal_code = forms.CharField(
        label=lazy("ご依頼主の郵便番号"), max_length=8, required=False, help_text=lazy("住所が空欄なら拠点の住所です。")
    )
    sender_prefecture = forms.ChoiceField(
        label=lazy("ご依頼主の都道府県"), choices=[("", "—"), *((name, name) for name in PREFECTURES)], required=False
    )
    sender_city = forms.CharField(label=lazy("ご依頼主の市区町村"), max_length=40, required=False)
    sender_street = forms.CharField(label=lazy("ご依頼主の番地・建物"), max_length=80, required=False)
    letters = forms.CharField(
        label=lazy("文字の置き換え"),
        required=False,
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 6, "lang": "ja"}),
        help_text=lazy(
            "送り状のソフトで使えない字を、1行に「𠮷=吉」のように置き換えます。ここにない字を含む荷物は書き出しません。"
        ),
    )
    most_rows = forms.IntegerField(
        label=lazy("1ファイルの行数"),
        min_value=1,
        max_value=10_000,
        initial=1000,
        help_text=lazy("超えると分けて zip にします。"),
    )

    def clean_letters(self) -> dict[str, str]:
        return read_letters(self.cleaned_data["letters"])

    def _phone(self, name: str) -> str:
        digits = phone_digits(self.cleaned_data[name])
        if self.cleaned_data[name].strip() and len(digits) not in {10, 11}:
            raise forms.ValidationError(_("電話番号は10桁か11桁で入れてください。"))
        return digits

    def clean_fallback_phone(self) -> str:
        return self._phone("fallback_phone")

    def clean_sender_phone(self) -> str:
        return self._phone("sender_phone")

    def clean_sender_postal_code(self) -> str:
        digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", self.cleaned_data["sender_postal_code"]))
        if digits and len(digits) != 7:
            raise forms.ValidationError(_("郵便番号は7桁で入れてください。"))
        return digits


def _code(value: str) -> str:
    """Digits as the carrier's software takes them; people copy them with hyphens."""
    return re.sub(r"[\s\-‐−ー]", "", unicodedata.normalize("NFKC", value))


class YamatoForm(SenderForm):
    carrier = "yamato"
    customer_code = _digits(lazy("請求先顧客コード"), 16, help_text=lazy("B2クラウドの契約に書かれた番号です。"))
    class_code = _digits(lazy("請求先分類コード"), 3, required=False)
    freight_no = _digits(lazy("運賃管理番号"), 2, initial="01")
    code_nekopos = forms.ChoiceField(
        label=lazy("ネコポスの送り状種類"),
        choices=(("A", "A"), ("7", "7")),
        help_text=lazy("「メール便」「ポスト投函」もこのコードで書き出します。"),
    )
    code_yupacket = forms.ChoiceField(label=lazy("クロネコゆうパケットの送り状種類"), choices=(("7", "7"), ("A", "A")))
    handling_1 = forms.CharField(label=lazy("荷扱い１"), max_length=10, required=False)
    handling_2 = forms.CharField(label=lazy("荷扱い２"), max_length=10, required=False)
    header = forms.BooleanField(label=lazy("1行目に見出しをつける"), required=False)

    def clean_customer_code(self) -> str:
        code = _code(self.cleaned_data["customer_code"])
        if not re.fullmatch(r"\d{6,12}", code):
            raise forms.ValidationError(_("12桁までの数字で入れてください。"))
        return code

    def clean_freight_no(self) -> str:
        return _code(self.cleaned_data["freight_no"])


DATE_FORMS = (("%Y/%m/%d", "2026/12/01"), ("%Y%m%d", "20261201"))


class SagawaForm(SenderForm):
    carrier = "sagawa"
    customer_code = _digits(lazy("お客様コード"), 16)
    slots = forms.ChoiceField(
        label=lazy("時間帯指定の契約"),
        choices=(("5", lazy("5区分（18–21時）")), ("6", lazy("6区分（18–20時と19–21時）"))),
    )
    cod_payment = forms.ChoiceField(
        label=lazy("代金引換の決済種別"),
        choices=(("1", lazy("すべて可")), ("2", lazy("現金のみ")), ("5", lazy("デビット・クレジット"))),
    )
    packing = forms.ChoiceField(
        label=lazy("荷姿"),
        choices=(("001", lazy("箱類")), ("002", lazy("バッグ類")), ("004", lazy("封筒類")), ("008", lazy("その他"))),
    )
    date_form = forms.ChoiceField(label=lazy("日付の書き方"), choices=DATE_FORMS)
    header = forms.BooleanField(label=lazy("1行目に見出しをつける"), required=False)

    def clean_customer_code(self) -> str:
        code = _code(self.cleaned_data["customer_code"])
        if not re.fullmatch(r"\d{6,12}", code):
            raise forms.ValidationError(_("12桁までの数字で入れてください。"))
        return code


class JapanpostForm(SenderForm):
    carrier = "japanpost"
    code_parcel = forms.CharField(label=lazy("ゆうパックの商品コード"), max_length=2, initial="1")
    code_packet = forms.CharField(
        label=lazy("ゆうパケットの商品コード"),
        max_length=2,
        initial="2",
        help_text=lazy("「メール便」「ポスト投函」もこのコードで書き出します。"),
    )
    code_cod = forms.CharField(
        label=lazy("代金引換のコード"),
        max_length=1,
        required=False,
        help_text=lazy(
            "「着払/代引」の列の値です。ソフトの説明で確かめてください。空欄なら代金引換の荷物は書き出しません。"
        ),
    )
    date_form = forms.ChoiceField(label=lazy("日付の書き方"), choices=DATE_FORMS)


FORMS: dict[str, type[SenderForm]] = {"yamato": YamatoForm, "sagawa": SagawaForm, "japanpost": JapanpostForm}


class WriteForm(forms.Form):
    """How the chosen parcels are written. `again`: those of an earlier file as well."""

    sort = forms.ChoiceField(label=lazy("並び順"), choices=list(picking.SORTS.items()), required=False)
    again = forms.BooleanField(label=lazy("出力済みの荷物も再出力する"), required=False)
