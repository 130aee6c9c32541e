"""A rule's document: its shape, checked strictly with a sentence for each fault. Pure but for `Known`.

{"priority": 100, "channels": [], "shops": [], "locations": [], "from": "2026-06-01", "until": null,
 "when": {"event": "imported"},
 "if": {"match": "all", "items": [{"field": "total", "op": "ge", "value": 50000}, {"match": "any", "items": […]}]},
 "then": [{"do": "add_tag", "tag": "高額", "undo": true}], "else": [], "stop": false}
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from orders.decide.rules.checked import Checked, Document, Known, day_or_none, integer, names_of, time_of_day
from orders.decide.rules.conditions import group
from orders.decide.rules.deeds import actions
from orders.models.order import Stage

EVENTS: dict[str, str | Promise] = {
    "imported": lazy("取り込んだとき"),
    "confirmed": lazy("モールへ確定したとき"),
    "paid": lazy("入金したとき"),
    "allocated": lazy("引き当てたとき"),
    "shipment_planned": lazy("出荷伝票ができたとき"),
    "instructed": lazy("出荷を指示したとき"),
    "shipped": lazy("出荷したとき"),
    "stage_entered": lazy("ステータスに入ったとき"),
    "stage_waited": lazy("ステータスで待ち続けたとき"),
    "date_reached": lazy("日付になったとき"),
    "channel_changed": lazy("モールが変更したとき"),
    "parcel_returned": lazy("荷物が持ち戻られたとき"),
    "schedule": lazy("毎日決まった時刻"),
    "stock_level": lazy("在庫が決めた数を越えたとき"),
}
SIDES: dict[str, str | Promise] = {"below": lazy("下回ったとき"), "above": lazy("上回ったとき")}
DATE_FIELDS: dict[str, str | Promise] = {
    "wish_date": lazy("配達希望日"),
    "planned_ship_date": lazy("出荷予定日"),
    "ship_by": lazy("出荷期限"),
    "release_date": lazy("発売日"),
}
WHEN_KEYS: dict[str, tuple[str, ...]] = {
    "stage_entered": ("stage",),
    "stage_waited": ("stage", "hours"),
    "date_reached": ("date", "days"),
    "schedule": ("at", "weekdays"),
    "stock_level": ("sku", "location", "side", "level"),
}
TOP = {"priority", "channels", "shops", "locations", "from", "until", "when", "if", "then", "else", "stop"}


def blank() -> Document:
    """A new rule before anyone wrote in it."""
    return {
        "priority": 100, "channels": [], "shops": [], "locations": [], "from": None, "until": None,
        "when": {"event": "imported"}, "if": {"match": "all", "items": []}, "then": [], "else": [], "stop": False,
    }  # fmt: skip


def check(raw: Any, known: Known) -> Checked:
    """Read a document from outside. What is missing gets its default; what is unknown or wrong is a fault."""
    if not isinstance(raw, Mapping):
        return Checked(blank(), [("", _("ルールの形が正しくありません。"))])
    result = Checked(blank())
    for name in sorted(set(raw) - TOP):
        result.fault(str(name), _("「%(name)s」という項目はありません。") % {"name": name})
    document = result.document
    document["priority"] = integer(raw.get("priority", 100), "priority", result, 1, 9999)
    for name, names in (("channels", known.channels), ("shops", known.shops), ("locations", known.locations)):
        document[name] = names_of(raw.get(name, []), name, names, result)
    document["from"] = day_or_none(raw.get("from"), "from", result)
    document["until"] = day_or_none(raw.get("until"), "until", result)
    if document["from"] and document["until"] and document["from"] > document["until"]:
        result.fault("until", _("終了日は開始日以降にしてください。"))
    document["when"] = _when(raw.get("when", {}), known, result)
    document["if"] = group(raw.get("if", {}), "if", known, result, depth=0)
    for branch in ("then", "else"):
        document[branch] = actions(raw.get(branch, []), branch, known, result)
    document["stop"] = raw.get("stop", False) is True
    if not document["then"] and not document["else"] and not document["stop"]:
        result.fault("then", _("することを一つ以上選んでください。"))
    return result


# ---- when


def _when(raw: Any, known: Known, result: Checked) -> dict[str, Any]:
    event = raw.get("event") if isinstance(raw, Mapping) else None
    if event not in EVENTS:
        result.fault("when", _("いつ判定するかを選んでください。"))
        return {"event": "imported"}
    wanted = WHEN_KEYS.get(event, ())
    for name in sorted(set(raw) - {"event", *wanted}):
        result.fault("when", _("「%(name)s」という項目はありません。") % {"name": name})
    when: dict[str, Any] = {"event": event}
    if "stage" in wanted:
        when["stage"] = raw.get("stage", "")
        if when["stage"] not in Stage.values:
            result.fault("when", _("ステータスを選んでください。"))
    if "hours" in wanted:
        when["hours"] = integer(raw.get("hours", ""), "when", result, 1, 24 * 60)
    if "date" in wanted:
        when["date"] = raw.get("date", "")
        if when["date"] not in DATE_FIELDS:
            result.fault("when", _("日付の項目を選んでください。"))
        when["days"] = integer(raw.get("days", 0), "when", result, -60, 365)
    if "at" in wanted:
        when["at"] = time_of_day(raw.get("at", ""), "when", result)
        when["weekdays"] = [day for day in raw.get("weekdays", []) if str(day) in set("0123456")]
    if "level" in wanted:
        when |= _level(raw, known, result)
    return when


def _level(raw: Mapping[str, Any], known: Known, result: Checked) -> dict[str, Any]:
    """Which stock is watched (no place: what may still be promised of the SKU), and at what number."""
    found = {name: str(raw.get(name) or "").strip() for name in ("sku", "location", "side")}
    if found["sku"] not in known.skus:
        result.fault("when", _("SKU「%(code)s」は見つかりません。") % {"code": found["sku"]})
    if found["location"] and found["location"] not in known.locations:
        result.fault("when", _("「%(name)s」は見つかりません。") % {"name": found["location"]})
    if found["side"] not in SIDES:
        result.fault("when", _("下回ったときか、上回ったときかを選んでください。"))
    return {**found, "level": integer(raw.get("level", ""), "when", result, 0, 1_000_000)}


def actions_of(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [*document["then"], *document["else"]]
