"""How the channels' values look: delays, and the events of a shop's journal."""

from collections.abc import Callable

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels.connectors.registry import connector_class
from channels.models import Connection, Credential, CredentialEvent, PushLog
from channels.queries.health import LAST_DAYS, many
from channels.services.expiry import days_left, label_of, left_words
from channels.services.shop_settings import FUNCTION_LABELS
from oms.kernel.links import url_if_served
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
def credential_label(credential: Credential) -> str:
    """The name people know of a credential; needs no query where the card's connection came with it."""
    return label_of(credential)


@register.filter
def expiry_words(credential: Credential) -> str:
    return left_words(credential)


@register.filter
def expiry_tone(credential: Credential) -> str:
    ends = credential.expires_at
    return "danger" if ends and days_left(ends) <= LAST_DAYS else "attention"


@register.filter
def key_label(key: str, connection: Connection) -> str:
    return label_of(Credential(connection=connection, key=key))


@register.simple_tag
def url_if_any(name: str, *args: object) -> str:
    """The URL of a name, or "" where nothing serves it (yet)."""
    return url_if_served(name, *args)


@register.filter
def percent(share: float | None) -> str:
    """0.256 → 26%; unknown is a dash."""
    return "–" if share is None else f"{round(100 * share)}%"


@register.filter
def capped(count: int) -> str:
    """A count that was stopped at its cap: 100+."""
    return many(count)


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
    columns = {field.name: str(field.verbose_name) for model in (Connection, Shop) for field in model._meta.fields}
    own = {"base_url": _("APIのURL"), "auth_url": _("認証のURL")}
    names = [name for name in str(event.keys).split(", ") if name]
    return _("、").join(own.get(name) or declared.get(name) or columns.get(name) or name for name in names)


def _renewal(words: str) -> Callable[[CredentialEvent], str]:
    return lambda event: _("認証情報の更新：%(step)s %(names)s %(text)s") % {
        "step": _(words), "names": _labels(event), "text": event.text
    }  # fmt: skip


SENTENCES: dict[str, Callable[[CredentialEvent], str]] = {
    "added": lambda event: _("店舗を登録"),
    "changed": lambda event: _("認証情報を変更：%(names)s") % {"names": _labels(event)},
    "renewed": lambda event: _("認証情報を自動更新：%(names)s") % {"names": _labels(event)},
    "settings": lambda event: _("設定を変更：%(names)s") % {"names": _labels(event)},
    "checked": lambda event: _("接続テスト成功：%(text)s") % {"text": event.text},
    "events_failed": lambda event: _("注文通知を受け取れません：%(text)s") % {"text": event.text},
    "check_failed": lambda event: _("接続テスト失敗：%(text)s") % {"text": event.text},
    "paused": lambda event: _("%(function)sを停止") % {"function": FUNCTION_LABELS.get(event.keys, event.keys)},
    "resumed": lambda event: _("%(function)sを再開") % {"function": FUNCTION_LABELS.get(event.keys, event.keys)},
    "payload_shown": lambda event: _("隔離した受注 %(no)s の元のデータを表示") % {"no": event.keys},
    "listings_imported": lambda event: event.text,
    "listings_failed": lambda event: _("出品の取込に失敗：%(text)s") % {"text": event.text},
    "forgotten": lambda event: _("接続先の変更により認証情報を消去：%(names)s") % {"names": _labels(event)},
    "dates": lambda event: _("期限・担当者を変更：%(names)s") % {"names": _labels(event)},
    "limits": lambda event: _("遅れ・キャンセルの上限を変更：%(text)s") % {"text": event.text},
    "consented": lambda event: _("モールの画面で連携を許可：%(names)s") % {"names": _labels(event)},
    "protected": lambda event: _("売切にして保護：%(text)s") % {"text": event.text},
    "unprotected": lambda event: _("売切の保護を解除：%(text)s") % {"text": event.text},
    "renewal_prepared": _renewal(gettext_noop("準備（取込・在庫・通知を停止）")),
    "renewal_entered": _renewal(gettext_noop("新しい値を入力")),
    "renewal_tested": _renewal(gettext_noop("テスト成功")),
    "renewal_failed": _renewal(gettext_noop("テスト失敗")),
    "renewal_switched": _renewal(gettext_noop("切り替え")),
    "renewal_kept": _renewal(gettext_noop("切り替えを確認")),
    "renewal_done": _renewal(gettext_noop("完了")),
    "renewal_rolled_back": _renewal(gettext_noop("元に戻した")),
    "renewal_abandoned": _renewal(gettext_noop("取りやめ")),
}
