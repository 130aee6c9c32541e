"""A document's actions: what each asks, checked strictly. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from orders.decide.rules.actions import SPECS, Param
from orders.decide.rules.checked import Checked, Known, day_or_none, integer

MOST_ACTIONS = 20


def actions(raw: Any, branch: str, known: Known, result: Checked) -> list[dict[str, Any]]:
    if not isinstance(raw, list):
        result.fault(branch, _("一覧の形で指定してください。"))
        return []
    if len(raw) > MOST_ACTIONS:
        result.fault(branch, _("することは %(n)s 個までです。") % {"n": MOST_ACTIONS})
    return [_action(item, f"{branch}.{number}", known, result) for number, item in enumerate(raw[:MOST_ACTIONS])]


def _action(raw: Any, place: str, known: Known, result: Checked) -> dict[str, Any]:
    spec = SPECS.get(raw.get("do", "")) if isinstance(raw, Mapping) else None
    if spec is None:
        result.fault(place, _("することを選んでください。"))
        return {"do": ""}
    for name in sorted(set(raw) - {"do", "undo"} - {param.name for param in spec.params}):
        result.fault(place, _("「%(name)s」という項目はありません。") % {"name": name})
    action: dict[str, Any] = {"do": spec.code}
    for param in spec.params:
        value = raw.get(param.name)
        if value in (None, ""):
            if param.required:
                result.fault(place, _("「%(name)s」を入力してください。") % {"name": param.label})
            action[param.name] = "" if param.kind != "number" else None
        else:
            action[param.name] = _param(value, param, place, known, result)
    if spec.undoable:
        action["undo"] = raw.get("undo", True) is True
    _check_dates(action, place, result)
    _check_sense(action, place, result)
    return action


def _check_dates(action: Mapping[str, Any], place: str, result: Checked) -> None:
    """What the chosen way of deciding needs."""
    mode = action.get("mode", "")
    if mode == "fixed" and not action.get("date"):
        result.fault(place, _("日付を入力してください。"))
    if mode in {"today", "shift", "planned", "wish"} and action.get("days") is None:
        result.fault(place, _("日数を入力してください。"))
    if action.get("when") == "hours" and action.get("hours") is None:
        result.fault(place, _("時間を入力してください。"))


def _check_sense(action: Mapping[str, Any], place: str, result: Checked) -> None:
    """What each part allows but the whole does not."""
    if action.get("mode") == "percent" and (action.get("amount") or 0) > 100:
        result.fault(place, _("割合は 100％までです。"))
    if action["do"] == "hold" and action["days"] and action["until"]:
        result.fault(place, _("解除は、日数か日付のどちらかで決めてください。"))
    if action["do"] == "set_delivery_note" and not (action["text"] or action["prices"] or action["paper"]):
        result.fault(place, _("納品書の文・金額・用紙のどれかを選んでください。"))
    if action["do"] == "set_reminder" and not (action["team"] or action["user"] or action["location"]):
        result.fault(place, _("だれに知らせるか、チーム・担当・店舗のどれかを選んでください。"))


def _param(value: Any, param: Param, place: str, known: Known, result: Checked) -> Any:
    if param.kind == "number":
        return integer(value, place, result, param.least, param.most)
    if param.kind == "date":
        return day_or_none(value, place, result) or ""
    text = str(value).strip()
    names: Mapping[str, frozenset[str]] = {
        "user": known.users,
        "team": known.teams,
        "sku": known.skus,
        "location": known.locations,
        "reason": known.reasons,
        "mail_text": known.mail_texts,
        "choice": frozenset(str(code) for code, _label in param.choices),
    }
    if param.kind in names and text not in names[param.kind]:
        result.fault(place, _("「%(name)s」は見つかりません。") % {"name": text})
    if param.kind == "url" and not _is_web_address(text):
        result.fault(place, _("https:// で始まるアドレスを入力してください。"))
    if len(text) > param.longest:
        result.fault(place, _("「%(name)s」は %(n)s 字までです。") % {"name": param.label, "n": param.longest})
    return text[: param.longest]


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        return False
