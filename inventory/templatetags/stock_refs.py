"""What the ledger's text refs ("line:8123") are called on a screen."""

from collections.abc import Callable

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def ref_words(ref: str) -> str:
    """The paper behind an entry, in words; a ref nobody named here is shown as it stands."""
    kind, _colon, rest = ref.partition(":")
    say: dict[str, Callable[[], str]] = {
        "line": lambda: _("受注明細 %(no)s") % {"no": rest},
        "opening": lambda: _("開始時の在庫"),
        "arrival": lambda: _("入荷 %(no)s") % {"no": rest} if rest else _("入荷"),
        "location": lambda: _("拠点の設定 %(no)s") % {"no": rest},
        "release": lambda: _("発売日の振替"),
        "cancel": lambda: _("キャンセル %(no)s") % {"no": rest},
        "move": lambda: _("データ移行 %(no)s") % {"no": rest.partition(":")[0]},
    }
    return say[kind]() if kind in say else ref


@register.filter
def ref_line(ref: str) -> str:
    """The order line's number, "" for any other ref."""
    kind, _colon, rest = ref.partition(":")
    return rest if kind == "line" and rest.isdigit() else ""
