"""May this mail go out? Decided from what the channel allows, the shop wishes and the address is known for. Pure.

A mall's capability `mail` is `free`, `relay` (only through the mall's own relay, nothing but the order itself) or
`none`; `mail_events`, where it is not empty, names the kinds a shop may send at all. Sources: docs/channels/.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from oms.kernel.said import said
from orders.models.mail import MARKETING


@dataclass(frozen=True, slots=True)
class Wishes:
    """A shop's own rules."""

    off_events: Collection[str] = ()
    quiet_marks: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """One mail to be judged. `stops` are the kinds of stops on its address; `marks` the order's flags and tags."""

    event: str
    address: str
    stops: Collection[str] = ()
    marks: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """What the channel allows."""

    mail: str = "free"
    events: Collection[str] = field(default_factory=tuple)

    @classmethod
    def of(cls, capabilities: Mapping[str, Any]) -> "Channel":
        return cls(capabilities.get("mail") or "free", tuple(capabilities.get("mail_events") or ()))


def why_not(mail: Facts, channel: Channel, wishes: Wishes) -> str:  # noqa: PLR0911 - one line per rule
    """Why this mail must not be sent; empty when it may."""
    marketing = mail.event in MARKETING
    if channel.mail == "none":
        return said("このモールは店舗からのメールを認めていません。")
    if channel.mail == "relay" and marketing:
        return said("このモールの注文者へ、注文と関係のないメールは送れません。")
    if channel.events and mail.event not in channel.events:
        return said("この種類のメールは、モールが自分で送るか、店舗からの送信を認めていません。")
    if mail.event in wishes.off_events:
        return said("この店舗では送らない設定の種類です。")
    if quiet := next((mark for mark in mail.marks if mark in wishes.quiet_marks), ""):
        return said("「%(mark)s」の付いた受注には送らない設定です。", mark=quiet)
    if "@" not in mail.address:
        return said("メールアドレスがありません。")
    if "bounced" in mail.stops:
        return said("以前に届かなかったメールアドレスです。アドレスを確かめてください。")
    if marketing and "opt_out" in mail.stops:
        return said("受信者が配信を停止しています。")
    return ""
