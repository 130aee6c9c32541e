"""Calling an address outside for a rule, from the outbox: once per order and action, with a timeout, never inwards.

The body carries numbers and states of the order, no personal data; the other side asks for more if it may.
"""

import ipaddress
import json
import socket
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from oms.kernel.models import Effect
from oms.kernel.said import said
from oms.kernel.services.outbox import GiveUp, Retry
from orders.models import Order, RuleMark

TIMEOUT_S = 10
REDIRECT, TOO_MANY, SERVER_FAULT = 300, 429, 500


def deliver(effect: Effect) -> None:
    """Handler of the effect kind `webhook`."""
    mark = RuleMark.objects.filter(
        order=effect.payload["order"], rule=effect.payload["rule"], key=effect.payload["key"]
    ).first()
    if mark is None:
        raise GiveUp(said("このWebhookを呼んだルールの記録がありません。"))
    _post(mark.params["url"], body_of(mark), key=effect.key)


def body_of(mark: RuleMark) -> dict[str, Any]:
    order = Order.objects.select_related("shop").get(pk=mark.order_id)
    return {
        "order": order.channel_order_no,
        "shop": order.shop.code,
        "stage": order.stage,
        "total": order.total,
        "tags": order.tags,
        "rule": mark.rule.name,
        "version": mark.version,
    }


def _public_address(parts: SplitResult) -> str:
    """The address the name stands for. All of them must be public, or a setting allows others; the call then goes to
    the very address that was looked at."""
    try:
        found = socket.getaddrinfo(parts.hostname, _port(parts), type=socket.SOCK_STREAM)
    except OSError as error:
        raise Retry(said("Webhook の宛先「%(host)s」が見つかりません。", host=parts.hostname)) from error
    addresses = [str(address[4][0]) for address in found]
    if not settings.WEBHOOK_PRIVATE and not all(ipaddress.ip_address(one).is_global for one in addresses):
        raise GiveUp(said("Webhook の宛先「%(host)s」は社内のアドレスのため呼びません。", host=parts.hostname))
    return addresses[0]


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _post(url: str, body: dict[str, Any], *, key: str) -> None:
    """One POST; redirects are not followed."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise GiveUp(said("Webhook のアドレスが正しくありません。"))
    address = _public_address(parts)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    line = kind(parts.hostname, _port(parts), timeout=TIMEOUT_S)
    line._create_connection = lambda _where, *rest: socket.create_connection((address, _port(parts)), *rest)  # type: ignore[attr-defined]
    headers = {"Content-Type": "application/json", "Idempotency-Key": key, "User-Agent": "oms"}
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        line.request("POST", target, json.dumps(body, ensure_ascii=False).encode(), headers)
        status = line.getresponse().status
    except (OSError, HTTPException) as error:
        raise Retry(said("Webhook の宛先につながりません（%(error)s）。", error=type(error).__name__)) from error
    finally:
        line.close()
    _judge(status)


def _judge(status: int) -> None:
    if status < REDIRECT:
        return
    text = said("Webhook の宛先が %(code)s を返しました。", code=status)
    if status == TOO_MANY or status >= SERVER_FAULT:
        raise Retry(text)
    raise GiveUp(text)
