"""The form of one reason's setting: on or off, level, name, thresholds, exceptions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from customers.models import Rank
from orders.decide import areas
from orders.decide.catalogue import CATALOGUE
from orders.decide.checks import stock
from orders.models import Shop
from orders.models.order import STANDARD_STAGES, Carrier, PaymentMethod
from orders.models.reason import Level
from orders.queries.reasons import BUYERS, PARAM_HELP, PARAM_LABELS, SHOWN
from orders.services.reason_settings import Setting
from orders.services.review import FROM_ABOVE, OWN_LEVEL, STICKY

EMPTY_ROWS = 2
MOST_ROWS = 200
NUMBER_MOST = 100_000_000


def is_fixed(code: str) -> bool:
    """Whether the working of another part opens this reason, so that it is not switched off here."""
    return code in FROM_ABOVE | STICKY


class ReasonForm(forms.Form):
    """One reason. `wanted` is the setting that the form describes."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    active = forms.BooleanField(label=lazy("この理由を調べる"), required=False)
    level = forms.ChoiceField(label=lazy("区分"), choices=Level.choices)
    label = forms.CharField(
        label=lazy("呼び名"), max_length=40, required=False, help_text=lazy("空欄なら標準の名前で表示します。")
    )
    note_required = forms.BooleanField(label=lazy("確認済みにするときメモを必須にする"), required=False)
    shown = forms.ChoiceField(
        label=lazy("見える範囲"),
        choices=tuple(SHOWN.items()),
    )

    def __init__(self, setting: Setting, data: Any = None) -> None:
        self.setting = setting
        super().__init__(data, initial=_initial(setting))
        rows = max(len(setting.overrides) + EMPTY_ROWS, _rows_in(data))
        self.overrides = 0 if setting.code in OWN_LEVEL else rows
        if is_fixed(setting.code):
            del self.fields["active"]
        if setting.code in OWN_LEVEL:
            del self.fields["level"]
        params = CATALOGUE[setting.code].params
        self.limits = [name for name, value in params.items() if type(value) is int]
        for name, value in params.items():
            self.fields[f"param_{name}"] = _param_field(name, value)
        whom = [("", _("（なし）")), *_whom()]
        levels = [("", _("そのまま")), *Level.choices]
        for n in range(self.overrides):
            self.fields[f"for_{n}"] = forms.ChoiceField(
                label=_("例外 %(n)s: 対象") % {"n": n + 1}, choices=whom, required=False
            )
            self.fields[f"level_{n}"] = forms.ChoiceField(
                label=_("例外 %(n)s: 区分") % {"n": n + 1}, choices=levels, required=False
            )
            for name in self.limits:
                words = {"n": n + 1, "limit": PARAM_LABELS.get(name, name)}
                self.fields[f"limit_{n}_{name}"] = forms.IntegerField(
                    label=_("例外 %(n)s: %(limit)s") % words, required=False, min_value=1, max_value=NUMBER_MOST
                )

    def clean(self) -> dict[str, Any]:
        super().clean()
        named = [self.cleaned_data.get(f"for_{n}") for n in range(self.overrides)]
        kept = [one for one in named if one]
        if len(kept) != len(set(kept)):
            raise forms.ValidationError(_("同じ対象の例外が二つあります。一つにまとめてください。"))
        return self.cleaned_data

    @property
    def wanted(self) -> Setting:
        data = self.cleaned_data
        return replace(
            self.setting,
            active=data.get("active", self.setting.active),
            level=data.get("level", self.setting.level),
            label=data["label"].strip(),
            note_required=data["note_required"],
            shown="" if data["shown"] == CATALOGUE[self.setting.code].shown else data["shown"],
            params=self._params(),
            overrides=list(self._overrides()) if self.overrides else self.setting.overrides,
        )

    @property
    def main_fields(self) -> list[Any]:
        return [
            self[name]
            for name in self.fields
            if not name.startswith(("for_", "level_", "limit_")) and name != "version"
        ]

    @property
    def override_fields(self) -> list[list[Any]]:
        """Of each exception: whom it is for, its level, its thresholds."""
        return [
            [self[f"for_{n}"], self[f"level_{n}"], *(self[f"limit_{n}_{name}"] for name in self.limits)]
            for n in range(self.overrides)
        ]

    def _params(self) -> dict[str, Any]:
        """Only what differs from the catalogue."""
        known = CATALOGUE[self.setting.code].params
        typed = {name: self.cleaned_data[f"param_{name}"] for name in known}
        return {name: value for name, value in typed.items() if value != known[name]}

    def _overrides(self) -> Iterator[list[Any]]:
        data = self.cleaned_data
        for n in range(self.overrides):
            if whom := data.get(f"for_{n}"):
                own = {name: limit for name in self.limits if (limit := data.get(f"limit_{n}_{name}")) is not None}
                yield [*whom.split(":", 1), data.get(f"level_{n}", ""), *([own] if own else [])]


def _rows_in(data: Any) -> int:
    """How many exceptions an earlier version, with more of them than now, fills in."""
    return sum(f"for_{n}" in data for n in range(MOST_ROWS)) if data else 0


def _initial(setting: Setting) -> dict[str, Any]:
    params = {**CATALOGUE[setting.code].params, **setting.params}
    initial: dict[str, Any] = {
        "version": setting.version,
        "active": setting.active,
        "level": setting.level,
        "label": setting.label,
        "note_required": setting.note_required,
        "shown": setting.seen_by,
        **{f"param_{name}": value for name, value in params.items()},
    }
    for n, (kind, value, level, *own) in enumerate(setting.overrides):
        initial |= {f"for_{n}": f"{kind}:{value}", f"level_{n}": level}
        initial |= {f"limit_{n}_{name}": limit for name, limit in (own[0] if own else {}).items()}
    return initial


def _param_field(name: str, value: Any) -> forms.Field:
    label = PARAM_LABELS.get(name, name)
    if isinstance(value, bool):
        return forms.BooleanField(label=label, required=False)
    if isinstance(value, int):
        return forms.IntegerField(label=label, min_value=1, max_value=NUMBER_MOST)
    return forms.CharField(
        label=label,
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=PARAM_HELP.get(name, ""),
        validators=[READABLE[name]] if name in READABLE else [],
    )


def _readable_areas(text: str) -> None:
    try:
        areas.read(text)
    except areas.Unreadable as error:
        raise forms.ValidationError(str(error)) from error


def _readable_limits(text: str) -> None:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(stock.limits_of(text)) < len(lines):
        raise forms.ValidationError(_("1行に1つの商品と個数を、「CHAIR-01 2」のように書いてください。"))


READABLE = {"areas": _readable_areas, "limits": _readable_limits}


def _whom() -> Sequence[tuple[Any, Any]]:
    """Whom an exception may name: a channel, a shop, a payment method, a carrier, a kind of buyer, a member's rank."""
    shops = list(Shop.objects.filter(active=True))
    channels = {shop.channel: shop.channel_label for shop in shops}
    return [
        (_("モール"), [(f"channel:{code}", label) for code, label in channels.items()]),
        (_("店舗"), [(f"shop:{shop.code}", shop.name) for shop in shops]),
        (_("支払方法"), [(f"payment:{code}", label) for code, label in PaymentMethod.choices]),
        (_("配送会社"), [(f"carrier:{code}", label) for code, label in Carrier.choices]),
        (_("注文者"), [(f"buyer:{code}", label) for code, label in BUYERS.items()]),
        (_("会員ランク"), [(f"rank:{rank.code}", rank.name) for rank in Rank.objects.all()]),
    ]


class StageNamesForm(forms.Form):
    """One field a stage; an empty one keeps the standard name."""

    def __init__(self, names: Mapping[str, str], data: Any = None) -> None:
        super().__init__(data, initial=dict(names))
        for code, standard in STANDARD_STAGES.items():
            self.fields[code] = forms.CharField(
                label=standard, max_length=20, required=False, widget=forms.TextInput(attrs={"placeholder": standard})
            )

    def clean(self) -> dict[str, Any]:
        super().clean()
        shown = [self.cleaned_data.get(code) or str(standard) for code, standard in STANDARD_STAGES.items()]
        if len(shown) != len(set(shown)):
            raise forms.ValidationError(_("同じ呼び名のステータスが二つあります。見分けられる名前にしてください。"))
        return self.cleaned_data
