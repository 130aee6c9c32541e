"""Forms of publishing: a shop's rules, its places, its maintenance, a SKU's safety stock, many listings at once."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from channels.models import Listing, MaintenanceWindow, OversellCase, PublishRule
from inventory.models import Location
from oms.kernel.clock import TOKYO
from oms.kernel.typed import DayField

PLACE = "place_"
MOST_UNITS = 1_000_000_000


class ShopRuleForm(forms.ModelForm):
    """A shop's rules; one more field per place that sells online (empty: no limit, 0: closed to this shop)."""

    share = forms.IntegerField(
        label=lazy("割合（%）"), min_value=0, max_value=100,
        help_text=lazy("販売できる数のうち、この店舗に見せる割合。"),
    )  # fmt: skip

    class Meta:
        model = PublishRule
        fields = (
            "buffer",
            "share",
            "cap",
            "priority",
            "adaptive",
            "hot_below",
            "hot_per_minute",
            "maintenance_lead_min",
            "maintenance_buffer",
            "compare_every_h",
        )
        help_texts = {
            "buffer": lazy("販売できる数からこの数を引いて見せます。"),
            "cap": lazy("見せる数の上限。空欄なら上限なし。"),
            "priority": lazy("小さい店舗ほど先に、最後の在庫を見せます。"),
            "adaptive": lazy("取込と送信にかかる時間のあいだに他店で売れそうな数を、自動で控えます。"),
            "hot_below": lazy("残りがこの数以下の商品を、先に小さく分けて送ります。"),
            "hot_per_minute": lazy("この速さ以上で売れる商品を、先に小さく分けて送ります。0なら速さでは判断しません。"),
            "compare_every_h": lazy("0なら自動では照合しません。"),
        }

    def __init__(self, *args: Any, places: Iterable[Location], most: Mapping[int, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place in places:
            self.fields[f"{PLACE}{place.pk}"] = forms.IntegerField(
                label=place.name, min_value=0, max_value=MOST_UNITS, required=False, initial=most.get(place.pk)
            )

    def rules(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}

    def places(self) -> dict[int, int | None]:
        """Location → most units, None where there is no limit."""
        return {
            int(name.removeprefix(PLACE)): value for name, value in self.cleaned_data.items() if name.startswith(PLACE)
        }

    def sections(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """(title, a sentence, fields) as the page groups them."""
        places = [self[name] for name in self.fields if name.startswith(PLACE)]
        found = [
            (_("見せる数"), _("（販売できる数 − 安全在庫 − 予備）× 割合。上限まで。"), ("buffer", "share", "cap")),
            (_("売れ筋と残りわずか"), "", ("priority", "adaptive", "hot_below", "hot_per_minute")),
            (_("メンテナンスと照合"), "", ("maintenance_lead_min", "maintenance_buffer", "compare_every_h")),
        ]
        sections = [(title, text, [self[name] for name in names]) for title, text, names in found]
        if places:
            text = _("拠点ごとに、この店舗で売る数の上限。空欄なら制限なし、0ならこの店舗では売りません。")
            sections.append((_("在庫を出す拠点"), text, places))
        return sections


class WindowForm(forms.Form):
    """One maintenance window: a date and time, or a weekday and a time."""

    every_week = forms.TypedChoiceField(
        label=lazy("いつ"), coerce=lambda value: value == "1", choices=[("1", lazy("毎週")), ("0", lazy("一度だけ"))],
        widget=forms.RadioSelect, initial="1",
    )  # fmt: skip
    weekday = forms.TypedChoiceField(
        label=lazy("曜日"), coerce=int, choices=MaintenanceWindow.Weekday.choices, required=False, empty_value=None
    )
    date = DayField(
        label=lazy("日付"), required=False, widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": lazy("日付を 2026-12-01 のように入力してください。")},
    )  # fmt: skip
    start_time = forms.TimeField(
        label=lazy("開始時刻"), widget=forms.TimeInput(attrs={"type": "time"}),
        error_messages={"invalid": lazy("時刻を 02:00 のように入力してください。")},
    )  # fmt: skip
    minutes = forms.IntegerField(label=lazy("長さ（分）"), min_value=1, max_value=7 * 24 * 60 // 2, initial=120)
    note = forms.CharField(label=lazy("メモ"), required=False, max_length=100)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("every_week") and data.get("weekday") is None:
            self.add_error("weekday", _("曜日を選んでください。"))
        if data.get("every_week") is False and not data.get("date"):
            self.add_error("date", _("日付を入力してください。"))
        return data

    def values(self) -> dict[str, Any]:
        """The columns of a window."""
        data = self.cleaned_data
        columns: dict[str, Any] = {"minutes": data["minutes"], "note": data["note"]}
        if data["every_week"]:
            return columns | {"weekday": data["weekday"], "start_time": data["start_time"], "starts_at": None}
        starts_at = datetime.combine(data["date"], data["start_time"], TOKYO)
        return columns | {"starts_at": starts_at, "weekday": None, "start_time": None}


class WindowsField(forms.MultipleChoiceField):
    """Windows as texts: `weekly|0|02:00|120|memo` or `once|2026-12-01T02:00|120|memo`, both in Tokyo."""

    def valid_value(self, value: str) -> bool:
        return window_in(value) is not None

    def told(self, value: str) -> str:
        values = window_in(value)
        if values is None:
            return value
        when = (
            f"{values['starts_at']:%Y-%m-%d %H:%M}"
            if values["starts_at"]
            else _("毎週%(day)s %(time)s")
            % {"day": MaintenanceWindow.Weekday(values["weekday"]).label, "time": f"{values['start_time']:%H:%M}"}
        )
        return " ".join(part for part in (when, _("%(n)s分") % {"n": values["minutes"]}, values["note"]) if part)


class WindowsForm(forms.Form):
    """A shop's whole calendar, as its versions keep it."""

    windows = WindowsField(label=lazy("メンテナンスの予定"), required=False)

    def __init__(self, data: Any = None, *, windows: Iterable[MaintenanceWindow]) -> None:
        super().__init__(data, initial={"windows": [window_text(window) for window in windows]})

    @property
    def wanted(self) -> list[dict[str, Any]]:
        return [values for text in self.cleaned_data["windows"] if (values := window_in(text))]


def window_text(window: MaintenanceWindow) -> str:
    if window.starts_at:
        return f"once|{window.starts_at.astimezone(TOKYO):%Y-%m-%dT%H:%M}|{window.minutes}|{window.note}"
    return f"weekly|{window.weekday}|{window.start_time:%H:%M}|{window.minutes}|{window.note}"


def window_in(text: str) -> dict[str, Any] | None:
    """The columns of a window; None where the text names none that `WindowForm` would take."""
    how, _bar, rest = text.partition("|")
    data = {"every_week": "1" if how == "weekly" else "0"}
    if how == "weekly" and rest.count("|") >= 3:
        data["weekday"], data["start_time"], data["minutes"], data["note"] = rest.split("|", 3)
    elif how == "once" and rest.count("|") >= 2:
        moment, data["minutes"], data["note"] = rest.split("|", 2)
        data["date"], _t, data["start_time"] = moment.partition("T")
    form = WindowForm(data)
    return form.values() if form.is_valid() else None


class SafetyForm(forms.Form):
    safety_stock = forms.IntegerField(
        label=lazy("安全在庫"), min_value=0, max_value=1_000_000, help_text=lazy("どの店舗にも見せずに残す数。")
    )


KEEP, SHOPS, OWN = "keep", "shop", "own"
HOW = [(KEEP, lazy("変えない")), (SHOPS, lazy("店舗の設定に従う")), (OWN, lazy("この数にする"))]


class BulkListingForm(forms.Form):
    """What to change on many listings; what is left alone stays as it is."""

    mode = forms.ChoiceField(
        label=lazy("連携方法"), required=False, choices=[("", lazy("変えない")), *Listing.Mode.choices]
    )
    fixed_quantity = forms.IntegerField(
        label=lazy("固定数"), required=False, min_value=0, max_value=1_000_000,
        help_text=lazy("「固定数」のとき、いつもこの数を出します。"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label, most in (
            ("buffer", _("予備"), 1_000_000),
            ("share", _("割合（%）"), 100),
            ("cap", _("上限"), 1_000_000),
        ):
            self.fields[f"{name}_how"] = forms.ChoiceField(label=label, choices=HOW, initial=KEEP, required=False)
            self.fields[name] = forms.IntegerField(
                label=_("%(what)sの数") % {"what": label}, required=False, min_value=0, max_value=most
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("buffer", "share", "cap"):
            if data.get(f"{name}_how") == OWN and data.get(name) is None and name not in self.errors:
                self.add_error(name, _("数を入力してください。"))
        if data.get("mode") == Listing.Mode.FIXED and data.get("fixed_quantity") is None:
            self.add_error("fixed_quantity", _("固定数を入力してください。"))
        if not self.errors and not self._changes(data):
            raise forms.ValidationError(_("変える項目を選んでください。"))
        return data

    def changes(self) -> dict[str, Any]:
        """Column → new value."""
        return self._changes(self.cleaned_data)

    def _changes(self, data: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if data.get("mode"):
            found["mode"] = data["mode"]
        if data.get("fixed_quantity") is not None:
            found["fixed_quantity"] = data["fixed_quantity"]
        for name in ("buffer", "share", "cap"):
            if data.get(f"{name}_how") == SHOPS:
                found[name] = None
            elif data.get(f"{name}_how") == OWN:
                found[name] = data.get(name)
        return found


class DecisionForm(forms.Form):
    """What becomes of an order that was sold beyond stock."""

    decision = forms.ChoiceField(label=lazy("対応"), choices=OversellCase.Decision.choices)
    text = forms.CharField(label=lazy("理由・メモ"), required=False, max_length=200)
