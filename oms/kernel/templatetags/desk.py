"""How values look on every screen: yen, Tokyo time, countdowns, icons, sort links, pages."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oms.kernel import clock
from oms.kernel.links import url_if_served
from oms.kernel.roles import label_of
from oms.kernel.setting_kinds import KINDS

register = template.Library()

WARN_BELOW = timedelta(hours=6)
CALM_ABOVE = timedelta(hours=24)


@register.filter
def yen(amount: int | None) -> str:
    """1234 → ¥1,234, −500 → −¥500; an unknown amount is a dash."""
    if amount is None or amount == "":
        return "–"
    return f"−¥{-amount:,}" if amount < 0 else f"¥{amount:,}"


@register.filter
def number(amount: int | None) -> str:
    """1234 → 1,234; unknown is a dash."""
    return "–" if amount is None or amount == "" else f"{amount:,}"


@register.filter
def jst(moment: datetime | date | None, style: str = "short") -> str:
    """A time in Tokyo. Styles: `short` 11/22 09:05 (with the year when it is another), `long`, `date`, `time`."""
    if moment is None:
        return "–"
    if not isinstance(moment, datetime):
        return _day(moment)
    local = moment.astimezone(clock.TOKYO)
    if style == "time":
        return f"{local:%H:%M}"
    if style == "date":
        return _day(local.date())
    if style == "long":
        return f"{local:%Y/%m/%d %H:%M:%S}"
    return f"{_day(local.date())} {local:%H:%M}"


@register.filter
def role_label(group: Group | None) -> str:
    """A team by the name of its role."""
    return label_of(group) if group else ""


@register.filter
def iso(moment: datetime | date | None) -> str:
    """For `<time datetime="…">`."""
    return "" if moment is None else moment.isoformat()


@register.filter
def reltime(moment: datetime | None) -> str:
    """How long ago, or in how long, in one unit: 3分前, 2時間後."""
    if moment is None:
        return "–"
    seconds = int((moment - clock.now()).total_seconds())
    distance = abs(seconds)
    if distance < 60:
        return _("たった今") if seconds <= 0 else _("まもなく")
    text = span_words(distance)
    return _("%(span)s後") % {"span": text} if seconds > 0 else _("%(span)s前") % {"span": text}


@register.filter
def countdown_tone(deadline: datetime | None, now: datetime | None = None) -> str:
    """`late` past it, `soon` below six hours, `near` below a day, else `calm`; `none` without one."""
    if deadline is None:
        return "none"
    left = deadline - (now or clock.now())
    if left < timedelta(0):
        return "late"
    if left < WARN_BELOW:
        return "soon"
    return "near" if left < CALM_ABOVE else "calm"


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    """`counts|get:stage.code`; None when absent."""
    return mapping.get(key)


@register.simple_tag
def icon(name: str) -> SafeString:
    """One symbol of `static/img/icons.svg`, decorative: the text beside it says what it is."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("img/icons.svg"), name
    )


@register.inclusion_tag("components/_versions.html", takes_context=True)
def versions_link(context: template.Context, kind: str, ref: object = "-", style: str = "button") -> dict[str, object]:
    """「変更の履歴」 of a setting, for who may change it; nothing where that page is not for this person."""
    user = context["request"].user
    may = kind in KINDS and user.has_perms(KINDS[kind].rights)
    return {"url": url_if_served("pages:setting-subject", kind, ref) if may else "", "style": style}


@register.inclusion_tag("components/_sort.html", takes_context=True)
def sort_link(context: template.Context, key: str, label: str, first: str = "asc") -> dict[str, object]:
    """A table head that sorts: each click turns the direction. `first` is the direction of the first click."""
    request: HttpRequest = context["request"]
    current = request.GET.get("sort", str(context.get("sort", "")))
    up, down = key, f"-{key}"
    turned = {up: down, down: up}
    wanted = turned.get(current, down if first == "desc" else up)
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    query["sort"] = wanted
    state = {up: "ascending", down: "descending"}.get(current, "none")
    return {"url": f"{request.path}?{query.urlencode()}", "label": label, "state": state}


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: object) -> str:
    """The page's own URL with some parameters changed; None or "" removes one. Cursors always go."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path


@register.simple_tag
def today_label() -> str:
    """Today in Tokyo, in the reader's language: 2026年11月22日 日曜日."""
    return date_format(clock.today(), _("Y年n月j日 l"))


@register.simple_tag
def product() -> str:
    """The product's name, from the settings."""
    return str(settings.PRODUCT_NAME)


def _day(day: date) -> str:
    return f"{day:%m/%d}" if day.year == clock.today().year else f"{day:%Y/%m/%d}"


def span_words(seconds: int) -> str:
    if seconds < 3600:
        return ngettext("%(n)s分", "%(n)s分", seconds // 60) % {"n": seconds // 60}
    if seconds < 2 * 86400:
        return ngettext("%(n)s時間", "%(n)s時間", seconds // 3600) % {"n": seconds // 3600}
    return ngettext("%(n)s日", "%(n)s日", seconds // 86400) % {"n": seconds // 86400}
