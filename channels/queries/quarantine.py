"""隔離: orders that could not be taken in, with their payloads as people may see them."""

import json
from typing import Any

from defusedxml import ElementTree
from django.db.models import Count, QuerySet

from channels.connectors.contract import CredentialsRefused
from channels.models import QuarantinedOrder
from channels.services import intake
from oms.kernel.privacy import HIDDEN

SHOWN_CHARACTERS = 200_000


def quarantined(*, shop_id: int | None = None, resolved: bool = False, cause: str = "") -> "QuerySet[QuarantinedOrder]":
    """Open ones (of one cause), or those that were taken in since."""
    rows = QuarantinedOrder.objects.select_related("shop", "raw").defer("raw__payload")
    rows = rows.filter(resolved_at__isnull=not resolved)
    if cause:
        rows = rows.filter(cause=cause)
    return rows if shop_id is None else rows.filter(shop=shop_id)


def causes(*, shop_id: int | None = None) -> list[tuple[str, int]]:
    """(cause, open cases), the most frequent first."""
    rows = QuarantinedOrder.objects.filter(resolved_at__isnull=True, **({} if shop_id is None else {"shop": shop_id}))
    counted = rows.order_by().values("cause").annotate(n=Count("pk")).order_by("-n", "cause")
    return [(row["cause"], row["n"]) for row in counted]


def payload_shown(row: QuarantinedOrder, *, personal: bool) -> str:
    """The payload, indented. Without the right to personal data only its shape: every value is hidden."""
    if row.raw is None:
        return ""
    try:
        text = intake.payload_of(row.raw)
    except CredentialsRefused as error:
        return error.cause
    return (_pretty(text) if personal else masked(text))[:SHOWN_CHARACTERS]


def masked(text: str) -> str:
    """The keys and nesting of a JSON or XML payload without any value; what is neither is hidden whole."""
    try:
        return json.dumps(_without_values(json.loads(text)), ensure_ascii=False, indent=2)
    except ValueError:
        pass
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):  # defusedxml's own refusals are ValueErrors
        return HIDDEN
    for element in root.iter():
        element.attrib.update(dict.fromkeys(element.attrib, HIDDEN))
        element.text, element.tail = _hidden(element.text), _hidden(element.tail)
    return str(ElementTree.tostring(root, encoding="unicode"))


def _hidden(text: str | None) -> str | None:
    return HIDDEN if text and text.strip() else text


def _without_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_values(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_values(inner) for inner in value]
    return value if value is None or isinstance(value, bool) else HIDDEN


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text
