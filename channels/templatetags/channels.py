"""How the channels' values look: delays, and the events of a shop's journal."""

from collections.abc import Callable

from django import template
from django.utils.translation import gettext as _

from channels.connectors.registry import connector_class
from channels.models import CredentialEvent, PushLog
from channels.services.shop_settings import FUNCTION_LABELS
from orders.models import Shop

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """0.84 → 0.8秒, 95 → 1分, 8000 → 2時間; unknown is a dash."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return _("%(n).1f秒") % {"n": seconds}
    if seconds < 60:
        return _("%(n)d秒") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)d分") % {"n": seconds // 60}
    return _("%(n)d時間") % {"n": seconds // 3600}


@register.filter
def push_delay(push: PushLog) -> float:
    """Seconds from the stock's change to the wire."""
    return max(0.0, (push.sent_at - push.changed_at).total_seconds())


@register.filter
def mapping_how(how: str) -> str:
    """By what a mapping was decided, in words."""
    words = {"person": _("画面で"), "proposal": _("候補から"), "import": _("出品の取込で")}
    return _("CSV %(n)s") % {"n": how[4:]} if how.startswith("csv:") else words.get(how, how)


@register.filter
def event_text(event: CredentialEvent) -> str:
    """One line of a shop's journal as a sentence."""
    say = SENTENCES.get(event.kind)
    return say(event) if say else f"{event.kind} {event.keys} {event.text}".strip()


def _labels(event: CredentialEvent) -> str:
    """The names people know of the keys that changed."""
    fields = connector_class(event.connection.shop.channel).credential_fields
    declared = {key: _(label) for key, label, _secret in fields}
    columns = {field.name: str(field.verbose_name) for field in Shop._meta.fields}
    own = {"base_url": _("APIのURL"), "auth_url": _("認証のURL")}
    names = [name for name in event.keys.split(", ") if name]
    return _("、").join(own.get(name) or declared.get(name) or columns.get(name) or name for name in names)


SENTENCES: dict[str, Callable[[CredentialEvent], str]] = {
    "added": lambda event: _("店舗を登録"),
    "changed": lambda event: _("認証情報を変更：%(names)s") % {"names": _labels(event)},
    "renewed": lambda event: _("認証情報を自動更新：%(names)s") % {"names": _labels(event)},
    "settings": lambda event: _("設定を変更：%(names)s") % {"names": _labels(event)},
    "checked": lambda event: _("接続テスト成功：%(text)s") % {"text": event.text},
    "check_failed": lambda event: _("接続テスト失敗：%(text)s") % {"text": event.text},
    "paused": lambda event: _("%(function)sを停止") % {"function": FUNCTION_LABELS.get(event.keys, event.keys)},
    "resumed": lambda event: _("%(function)sを再開") % {"function": FUNCTION_LABELS.get(event.keys, event.keys)},
    "payload_shown": lambda event: _("隔離した受注 %(no)s の元のデータを表示") % {"no": event.keys},
    "listings_imported": lambda event: event.text,
    "listings_failed": lambda event: _("出品の取込に失敗：%(text)s") % {"text": event.text},
}
