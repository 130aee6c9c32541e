"""What people type when they take an order by hand. Read twice: quietly while the form is filled, strictly to save."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any
from uuid import uuid4

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.phone import phone_digits
from oms.kernel.postal import postal_digits
from oms.kernel.text import clean_text
from oms.kernel.typed import DayField
from orders.channel_order import Party
from orders.channel_order import PaymentMethod as Method
from orders.decide.goods_names import with_variant
from orders.decide.manual import MOST_TOTAL, Charges, Draft, Item, totals_of
from orders.forms import PREFECTURES, SLOTS
from orders.models import ManualOrder, Shop
from orders.models.order import PaymentMethod
from orders.queries.manual import Known, known_skus
from orders.services import payment_fees

ROWS, MORE, MOST = 4, 4, 60
MOST_PIECES, MOST_YEN = 9_999, 9_999_999
METHODS = ("bank_transfer", "cod", "deferred", "card", "store", "account", "free")
NEEDS_PROVIDER = {"deferred", "card"}
# As a mall would name them, and as the screen does.
DELIVERY_METHODS = {
    "宅急便（ヤマト運輸）": lazy("宅急便（ヤマト運輸）"),
    "飛脚宅配便（佐川急便）": lazy("飛脚宅配便（佐川急便）"),
    "ゆうパック（日本郵便）": lazy("ゆうパック（日本郵便）"),
}
USUAL_METHOD = "宅急便（ヤマト運輸）"
PARTY_FIELDS = ("name", "kana", "company", "phone", "email", "postal_code", "prefecture", "city", "address")
PLACE = ("postal_code", "prefecture", "city", "address")

Values = Mapping[str, Any]


def _yen(label: Any) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"inputmode": "numeric"})
    return forms.IntegerField(label=label, min_value=0, max_value=MOST_YEN, required=False, widget=widget)


class HeadForm(forms.Form):
    """Everything about the order but its lines. `shops` are those it may belong to, the first by default."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=40)
    copied_from = forms.IntegerField(widget=forms.HiddenInput, required=False)
    quote = forms.IntegerField(widget=forms.HiddenInput, required=False)  # the one that it goes on from
    shop = forms.ChoiceField(label=lazy("受注を入れる店舗"), widget=forms.RadioSelect, required=False)
    copy_reason = forms.ChoiceField(
        label=lazy("複写の理由"), choices=ManualOrder.CopyReason.choices, widget=forms.RadioSelect, required=False
    )
    free = forms.BooleanField(
        label=lazy("無償で送る"),
        required=False,
        help_text=lazy("商品・送料・手数料をすべて0円にし、支払方法を「無償」にします。"),
    )
    source = forms.ChoiceField(label=lazy("受けた方法"), choices=ManualOrder.Source.choices, widget=forms.RadioSelect)
    elsewhere = forms.BooleanField(label=lazy("注文者と別の住所へ送る"), required=False)
    wish_date = DayField(
        label=lazy("配達希望日"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    wish_slot = forms.ChoiceField(label=lazy("希望時間帯"), choices=SLOTS, required=False)
    delivery_method = forms.ChoiceField(label=lazy("配送方法"), choices=list(DELIVERY_METHODS.items()))
    shipping = _yen(lazy("送料"))
    fee = _yen(lazy("手数料"))
    gift_fee = _yen(lazy("ラッピング料"))
    discount = _yen(lazy("値引"))
    method = forms.ChoiceField(label=lazy("支払方法"))
    gift = forms.CharField(label=lazy("ラッピング"), max_length=200, required=False)
    noshi = forms.CharField(label=lazy("のし"), max_length=200, required=False)
    message_card = forms.CharField(
        label=lazy("メッセージカード"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    packing_note = forms.CharField(
        label=lazy("出荷メモ"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("ピッキングリストに印刷します。"),
    )  # fmt: skip
    internal_note = forms.CharField(
        label=lazy("社内メモ"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    valid_until = DayField(
        label=lazy("見積書の有効期限"), required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=lazy("空欄なら帳票設定の日数です。"),
    )  # fmt: skip
    quote_note = forms.CharField(
        label=lazy("見積書の備考"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(
        self, data: Any = None, *, shops: Sequence[tuple[str, str]] = (), quote: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(data, use_required_attribute=False, **kwargs)
        self.is_quote = quote
        self.fields["method"].choices = [(code, PaymentMethod(code).label) for code in METHODS]  # type: ignore[attr-defined]
        self.fields["shop"].choices = list(shops)  # type: ignore[attr-defined]
        for side in ("buyer", "to"):
            for name, field in _party_fields(side).items():
                self.fields[f"{side}_{name}"] = field
        del self.fields["to_email"]
        typed: Values = data or self.initial
        wanted = _wanted("to" if typed.get("elsewhere") else "buyer")
        for name, text in list(wanted.items())[:1] if quote else wanted.items():
            self.fields[name].required = True
            self.fields[name].error_messages["required"] = text
        self.fields["shop"].required = len(shops) > 1
        self.fields["copy_reason"].required = bool(typed.get("copied_from"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for side in ("buyer", "to"):
            self._check_party(side)
        wish = data.get("wish_date")
        if wish and wish < clock.today():
            self.add_error("wish_date", _("今日より前の日は選べません。"))
        until = data.get("valid_until")
        if until and until < clock.today() and self.is_quote:
            self.add_error("valid_until", _("今日より前の日は選べません。"))
        return data

    def _check_party(self, side: str) -> None:
        data = self.cleaned_data
        if data.get(f"{side}_postal_code") and len(postal_digits(data[f"{side}_postal_code"])) != 7:
            self.add_error(f"{side}_postal_code", _("郵便番号は7桁の数字で入れてください。"))
        if data.get(f"{side}_prefecture") and data[f"{side}_prefecture"] not in PREFECTURES:
            self.add_error(f"{side}_prefecture", _("都道府県の名前を確かめてください（例: 東京都）。"))
        if data.get(f"{side}_phone") and len(phone_digits(data[f"{side}_phone"])) not in {10, 11}:
            self.add_error(f"{side}_phone", _("電話番号は市外局番から10桁か11桁で入れてください。"))

    def party(self, side: str) -> Party:
        values = {name: clean_text(str(self.cleaned_data.get(f"{side}_{name}") or "")) for name in PARTY_FIELDS}
        digits = postal_digits(values["postal_code"])
        values["postal_code"] = f"{digits[:3]}-{digits[3:]}" if len(digits) == 7 else values["postal_code"]
        return Party(**values)

    @property
    def charges(self) -> Charges:
        """What has been typed so far; nothing while it is free. `Sheet.charges` adds the fee that nobody typed."""
        data = getattr(self, "cleaned_data", {})
        if data.get("free"):
            return Charges()
        return Charges(*(data.get(name) or 0 for name in ("shipping", "fee", "gift_fee", "discount")))

    @property
    def has_fee(self) -> bool:
        """Somebody typed a fee, 0 too."""
        return getattr(self, "cleaned_data", {}).get("fee") is not None

    @property
    def is_free(self) -> bool:
        return bool(getattr(self, "cleaned_data", {}).get("free"))

    @property
    def buyer_fields(self) -> list[forms.BoundField]:
        return self._of("buyer")

    @property
    def to_fields(self) -> list[forms.BoundField]:
        return self._of("to")

    @property
    def buyer_place(self) -> list[forms.BoundField]:
        return self._place("buyer")

    @property
    def to_place(self) -> list[forms.BoundField]:
        return self._place("to")

    def _of(self, side: str) -> list[forms.BoundField]:
        names = [f"{side}_{name}" for name in PARTY_FIELDS if name not in PLACE]
        return [self[name] for name in names if name in self.fields]

    def _place(self, side: str) -> list[forms.BoundField]:
        return [self[f"{side}_{name}"] for name in PLACE]


def _wanted(ship_to: str) -> dict[str, str]:
    """What must be there, and what is said when it is not; `ship_to` is the side whose address the goods go to."""
    words = {"buyer_name": _("注文者の氏名を入れてください。"), "buyer_phone": _("注文者の電話番号を入れてください。")}
    if ship_to == "to":
        words["to_name"] = _("届け先の氏名を入れてください。")
    return words | {
        f"{ship_to}_postal_code": _("郵便番号を入れてください。"),
        f"{ship_to}_prefecture": _("都道府県を入れてください。"),
        f"{ship_to}_city": _("市区町村を入れてください。"),
        f"{ship_to}_address": _("番地を入れてください。"),
    }


def _party_fields(side: str) -> dict[str, forms.Field]:
    auto = "off"
    text = {"autocomplete": auto}
    return {
        "name": forms.CharField(
            label=_("氏名") if side == "buyer" else _("届け先の氏名"), max_length=120, required=False,
            widget=forms.TextInput(attrs=text),
        ),
        "kana": forms.CharField(label=_("カナ"), max_length=120, required=False, widget=forms.TextInput(attrs=text)),
        "company": forms.CharField(
            label=_("会社・部署"), max_length=120, required=False, widget=forms.TextInput(attrs=text)
        ),
        "phone": forms.CharField(
            label=_("電話番号"), max_length=30, required=False,
            widget=forms.TextInput(attrs={**text, "inputmode": "tel"}),
        ),
        "email": forms.EmailField(
            label=_("メール"), max_length=254, required=False, widget=forms.EmailInput(attrs=text)
        ),
        "postal_code": forms.CharField(
            label=_("郵便番号"), max_length=10, required=False,
            widget=forms.TextInput(attrs={**text, "inputmode": "numeric", **_fills_place(side)}),
        ),
        "prefecture": forms.CharField(
            label=_("都道府県"), max_length=20, required=False,
            widget=forms.TextInput(attrs={**text, "list": "prefectures"}),
        ),
        "city": forms.CharField(
            label=_("市区町村"), max_length=100, required=False, widget=forms.TextInput(attrs=text)
        ),
        "address": forms.CharField(
            label=_("番地・建物"), max_length=300, required=False, widget=forms.TextInput(attrs=text)
        ),
    }  # fmt: skip


def _fills_place(side: str) -> dict[str, Any]:
    """A typed postal code fetches its address at once where there is JavaScript; a button does it elsewhere."""
    return {
        "hx-post": reverse_lazy("orders:manual-new"),
        "hx-trigger": "change",
        "hx-vals": f'{{"step": "place:{side}"}}',
        "hx-target": f"#{side}-place",
        "hx-swap": "outerHTML",
    }


LOOKS_UP = {
    "list": "sku-options",
    "autocomplete": "off",
    "hx-get": reverse_lazy("orders:manual-skus"),
    "hx-trigger": "input changed delay:200ms",
    "hx-target": "#sku-options",
    "hx-swap": "outerHTML",
}


class LineForm(forms.Form):
    """One row. `sku` is what somebody typed: a code, a JAN, or words that only one product has."""

    sku = forms.CharField(label=lazy("商品"), max_length=120, required=False, widget=forms.TextInput(attrs=LOOKS_UP))
    quantity = forms.IntegerField(
        label=lazy("数量"), min_value=1, max_value=MOST_PIECES, required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )  # fmt: skip
    price = _yen(lazy("単価"))

    known: Known | None = None

    @property
    def is_blank(self) -> bool:
        return not any(str(self.data.get(self.add_prefix(name)) or "").strip() for name in self.fields)

    @property
    def number(self) -> str:
        return str(self.prefix).removeprefix("line-")

    @property
    def is_unknown(self) -> bool:
        return self.known is not None and not self.known.sku and not self.known.candidates

    @property
    def candidates(self) -> Sequence[Sku]:
        """What the typed words could mean, when that is more than one thing."""
        return self.known.candidates if self.known and not self.known.sku else ()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.is_blank:
            return data
        if not data.get("sku"):
            self.add_error("sku", _("商品を入れてください。要らない行は数量と単価も消してください。"))
        elif not (self.known and self.known.sku):
            found = bool(self.candidates)
            text = (
                _("下の候補から選んでください。")
                if found
                else _("商品が見つかりません。SKUコードかJANを確かめてください。")
            )
            self.add_error("sku", text)
        elif not self.known.sku.active:
            self.add_error("sku", _("取扱いを終えた商品です。ほかの商品を選んでください。"))
        return data

    def item(self, *, free: bool) -> Item | None:
        """The row as far as it can be read; a missing quantity is one, a missing price the product's own."""
        sku = self.known.sku if self.known else None
        data = getattr(self, "cleaned_data", {})
        if sku is None or self.errors:
            return None
        price = data.get("price")
        price = 0 if free else sku.price if price is None else price
        name = with_variant(sku.name, sku.variant)
        return Item(sku.pk, sku.code, name, sku.tax_rate, data.get("quantity") or 1, price)


def typed_text(value: Any) -> str:
    """What was typed, without what no database takes."""
    return str(value or "").replace("\x00", "").strip()


def know(lines: Sequence[LineForm]) -> None:
    """Find out what the words of these rows stand for."""
    typed = {line: typed_text(line.data.get(line.add_prefix("sku"))) for line in lines}
    known = known_skus([text for text in typed.values() if text])
    for line, text in typed.items():
        line.known = known.get(text)


class Sheet:
    """The whole form. `strict` shows errors; otherwise it shows what was typed and says nothing. A `quote` needs a
    name, and no address yet."""

    def __init__(self, values: Values, *, shops: Sequence[Shop], strict: bool, quote: bool = False) -> None:
        self.shops = list(shops)
        choices = [(shop.code, shop.name) for shop in self.shops]
        self.head = HeadForm(values, shops=choices, quote=quote)
        self.lines = [LineForm(values, prefix=f"line-{index}") for index in range(self._rows(values))]
        know([line for line in self.lines if not line.is_blank])
        self.head.full_clean()
        for line in self.lines:
            line.full_clean()
        self.problems = self._problems() if strict else []
        self.shown_head = self.head if strict else HeadForm(None, shops=choices, initial=self._typed(values))
        self.shown_lines = [self._shown(line, values, strict) for line in self.lines]

    @staticmethod
    def _rows(values: Values) -> int:
        typed = str(values.get("rows") or "")
        return min(max(int(typed), 1), MOST) if typed.isdecimal() and len(typed) < 4 else ROWS

    @staticmethod
    def _typed(values: Values) -> dict[str, Any]:
        ticks = {"elsewhere", "free"}
        return {name: bool(value) if name in ticks else value for name, value in values.items()}

    @staticmethod
    def _shown(line: LineForm, values: Values, strict: bool) -> LineForm:
        if strict and (line.errors or not line.is_blank):
            return line
        prefix = f"{line.prefix}-"
        own = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
        shown = LineForm(None, prefix=line.prefix, initial=own)
        shown.known = line.known
        return shown

    @property
    def items(self) -> list[Item]:
        found = [line.item(free=self.head.is_free) for line in self.lines]
        return [item for item in found if item is not None]

    @property
    def rows(self) -> list[tuple[LineForm, Item | None]]:
        """(the form to show, what it comes to)."""
        pairs = zip(self.lines, self.shown_lines, strict=True)
        return [(shown, line.item(free=self.head.is_free)) for line, shown in pairs]

    @property
    def shop(self) -> Shop:
        chosen = self.head.cleaned_data.get("shop") if hasattr(self.head, "cleaned_data") else ""
        return next((shop for shop in self.shops if shop.code == chosen), self.shops[0])

    @cached_property
    def proposed_fee(self) -> int | None:
        """What the shop's table asks for the chosen method and the sum so far; None where it has none."""
        method = getattr(self.head, "cleaned_data", {}).get("method") or ""
        if self.head.is_free or self.shop.pk is None or not self.items:
            return None
        table = payment_fees.table_of_method(self.shop.pk, method)
        if table is None:
            return None
        with suppress(ValueError):  # the discount is above everything; its field says so
            return table.fee(totals_of(self.items, replace(self.head.charges, fee=0)).total)
        return None

    @property
    def charges(self) -> Charges:
        """A fee that nobody typed is the table's."""
        if self.head.has_fee:
            return self.head.charges
        return replace(self.head.charges, fee=self.proposed_fee or 0)

    def _problems(self) -> list[str]:
        """What keeps the order from being saved, beside what stands at the fields."""
        charges, items = self.charges, self.items
        data = self.head.cleaned_data
        if not any(not line.is_blank for line in self.lines):
            self.lines[0].add_error("sku", _("商品を1つ以上入れてください。"))
            self.lines[0].known = None
        try:
            total = totals_of(items, charges).total
        except ValueError:
            self.head.add_error("discount", _("値引が合計より大きいです。値引を小さくしてください。"))
            total = 0
        method = data.get("method")
        if total > MOST_TOTAL:
            self.lines[0].add_error("price", _("合計が大きすぎます。数量と単価を確かめてください。"))
        if not self.head.is_free and method == Method.FREE and total:
            self.head.add_error(
                "method",
                _("金額のある受注は「無償」にできません。単価と送料を0にするか、ほかの支払方法を選んでください。"),
            )
        if method in NEEDS_PROVIDER and not self.head.is_free and not self.shop.can("own_payments"):
            self.head.add_error("method", _("この店舗では使えない支払方法です。銀行振込か代金引換を選んでください。"))
        count = len(self.head.errors) + sum(len(line.errors) for line in self.lines)
        return (
            [_("入力を確かめてください（%(count)dか所）。入力した内容は残っています。") % {"count": count}]
            if count
            else []
        )

    @property
    def is_valid(self) -> bool:
        return not self.problems

    @property
    def draft(self) -> Draft:
        data, buyer = self.head.cleaned_data, self.head.party("buyer")
        words = ("gift", "noshi", "message_card", "packing_note", "internal_note")
        nothing = totals_of(self.items, self.charges).total == 0
        return Draft(
            buyer=buyer,
            recipient=self.head.party("to") if data.get("elsewhere") else buyer,
            items=self.items,
            charges=self.charges,
            method=Method.FREE if nothing else Method(data.get("method") or METHODS[0]),
            wish_date=data.get("wish_date"),
            wish_slot=data.get("wish_slot") or "",
            delivery_method=data.get("delivery_method") or USUAL_METHOD,
            **{name: clean_text(data.get(name) or "") for name in words},
        )


def blank_values() -> dict[str, Any]:
    """A form that nobody has touched."""
    return {
        "key": uuid4().hex,
        "rows": str(ROWS),
        "source": ManualOrder.Source.PHONE.value,
        "method": METHODS[0],
        "delivery_method": USUAL_METHOD,
    }
