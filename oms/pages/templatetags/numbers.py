"""How the numbers of the dashboards look."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from channels.models import PushLog
from channels.queries.budgets import Limit
from oms.kernel.templatetags.desk import number
from oms.pages.queries import board
from oms.pages.queries.numbers import Counted, Period
from orders.queries.timeline import LABELS

register = template.Library()
register.filter("span", board.span)


@register.simple_tag
def counted(one: Counted) -> SafeString:
    """A count that leads to its rows."""
    return format_html('<a href="{}" data-count="{}">{}</a>', one.url, one.n, number(one.n))


@register.simple_tag
def against_limit(rate: float | None, limit: Limit, left: int | None) -> SafeString:
    """A rate with the channel's limit, and how many more orders fit under it."""
    if rate is None:
        return SafeString("–")
    shown = f"{rate:.2f}%" if 0 < rate < 1 else f"{rate:.1f}%"
    if limit.percent is None or left is None:
        return format_html("{}", shown)
    tone = "danger" if left < 0 else "done"
    words = _("上限 %(limit)s%%、あと%(n)s件") if left >= 0 else _("上限 %(limit)s%%、%(n)s件超過")
    return format_html(
        '<span class="badge" data-tone="{}">{}</span><span class="cell-sub">{}</span>',
        tone,
        shown,
        words % {"limit": f"{limit.percent:g}", "n": abs(left)},
    )


@register.simple_tag
def period_url(code: str, period: Period) -> str:
    """The page over another period, same shops."""
    return f"{reverse('pages:numbers')}?{urlencode([('period', code), *(('shop', pk) for pk in period.shops)])}"


@register.filter
def delay_of(push: PushLog) -> float:
    """Seconds from the stock change to the request."""
    return max(0.0, (push.sent_at - push.changed_at).total_seconds())


@register.filter
def told_after(push: PushLog) -> float | None:
    """Seconds from the stock change to the channel's confirmation; None while there is none."""
    return max(0.0, (push.confirmed_at - push.changed_at).total_seconds()) if push.confirmed_at else None


@register.filter
def event_label(kind: str) -> Any:
    """What a person did, in the journal's words."""
    return LABELS[kind][0] if kind in LABELS else kind
