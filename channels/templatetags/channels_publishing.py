"""How publishing's journals and the timeline of an oversell case read as sentences."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from channels.models import Listing, MaintenanceWindow, PublishingEvent, PublishRule, SkuRule
from channels.queries.oversell import Moment
from oms.kernel.clock import in_tokyo

register = template.Library()

TONES = {"sold": "attention", "imported": "info", "published": "ready", "confirmed": "done", "refused": "danger"}
SENTENCES = {
    "sold": lazy("%(sku)s を%(units)d個 販売"),
    "imported": lazy("%(sku)s %(units)d個の注文を取込"),
    "published": lazy("%(sku)s の在庫 %(units)d を送信"),
    "confirmed": lazy("%(sku)s の在庫 %(units)d をモールが確認"),
    "refused": lazy("%(sku)s の在庫 %(units)d をモールが拒否"),
}
PROPOSALS = {
    "swap": lazy("この受注のほうが先に出荷すべき受注です。相手の受注の在庫を回すことを提案します。"),
    "transfer": lazy("通販対象外の拠点に在庫があります。取り寄せることを提案します。"),
    "wait": lazy("入荷か移動の途中の在庫があります。待つことを提案します。"),
    "cancel": lazy("ほかに在庫がありません。お客様に連絡してキャンセルすることを提案します。"),
}
CASE_EVENTS = {
    "opened": lazy("売り越しを見つけました"),
    "resolved": lazy("在庫が引き当てられました"),
    "ended": lazy("受注がキャンセルされました"),
    "wait": lazy("入荷を待つことにしました"),
    "transfer": lazy("店舗の在庫を回すことにしました"),
    "swap": lazy("相手の受注の在庫を回しました"),
    "cancel": lazy("この受注をキャンセルしました"),
}


@register.filter
def moment_text(moment: Moment) -> str:
    return str(SENTENCES[moment.kind]) % {"sku": moment.sku, "units": moment.units}


@register.filter
def moment_tone(kind: str) -> str:
    return TONES[kind]


@register.filter
def jst_seconds(moment: datetime) -> str:
    """11/28 20:00:03: here seconds decide."""
    return f"{in_tokyo(moment):%m/%d %H:%M:%S}"


@register.filter
def proposal_text(proposal: str) -> str:
    return str(PROPOSALS[proposal])


@register.filter
def case_event(kind: str) -> str:
    return str(CASE_EVENTS.get(kind, kind))


@register.filter
def rule_change(event: PublishingEvent, places: Mapping[str, str] | str = "") -> str:
    """「予備 0 → 2、上限 なし → 10」."""
    names = places if isinstance(places, Mapping) else {}
    parts = [
        f"{_label(name, names)} {_shown(name, before)} → {_shown(name, after)}"
        for name, (before, after) in event.changes.items()
    ]
    return _("、").join(parts)


def _label(name: str, places: Mapping[str, str]) -> str:
    if name.startswith("place:"):
        return _("%(place)sから売る上限") % {"place": places.get(name, name.removeprefix("place:"))}
    for model in (PublishRule, Listing, SkuRule, MaintenanceWindow):
        found = {field.name: field for field in model._meta.get_fields() if hasattr(field, "verbose_name")}
        if name in found:
            return str(found[name].verbose_name)
    return name


def _shown(name: str, value: Any) -> str:
    if value is None or value == "":
        return _("なし")
    if name == "mode":
        return str(dict(Listing.Mode.choices).get(value, value))
    if name == "weekday":
        return str(dict(MaintenanceWindow.Weekday.choices).get(value, value))
    if isinstance(value, bool):
        return _("する") if value else _("しない")
    return str(value)
