"""Listings: what each should show, was told and says it shows."""

from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels.models import Listing, PushLog
from oms.kernel import clock

SLOW = timedelta(minutes=1)
STALE = timedelta(minutes=10)

STATES: dict[str, tuple[str | Promise, Q]] = {
    "waiting": (
        _("送信待ち"),
        Q(desired_at__isnull=False, sku__isnull=False) & ~Q(mode=Listing.Mode.STOPPED),
    ),
    "error": (_("エラーあり"), ~Q(error="")),
    "different": (
        _("モールの数と違う"),
        Q(confirmed__isnull=False, sent__isnull=False, desired_at__isnull=True) & ~Q(confirmed=F("sent")),
    ),
    "stale": (_("10分以上送信待ち"), Q(pk__in=())),  # by the clock, see `narrowed`
    "hot": (_("売れ筋"), Q(hot=True) & ~Q(mode=Listing.Mode.STOPPED)),
    "last_unit": (_("残りわずかは1店舗だけ"), Q(mode=Listing.Mode.LAST_UNIT)),
    "unmapped": (_("未対応"), Q(sku__isnull=True)),
    "stopped": (_("連携しない"), Q(mode=Listing.Mode.STOPPED)),
}


def listings() -> "QuerySet[Listing]":
    return Listing.objects.select_related("shop", "sku").defer("sku__search_text")


def narrowed(rows: "QuerySet[Listing]", *, shop_id: int | None, state: str, typed: str) -> "QuerySet[Listing]":
    """By shop, state (a key of `STATES`) and a part of the code, the name or the SKU's code."""
    if shop_id is not None:
        rows = rows.filter(shop=shop_id)
    if state == "stale":
        waiting = Q(desired_at__lt=clock.now() - STALE, sku__isnull=False) & ~Q(mode=Listing.Mode.STOPPED)
        rows = rows.filter(waiting)
    elif state in STATES:
        rows = rows.filter(STATES[state][1])
    if typed.strip():
        word = typed.strip()
        rows = rows.filter(
            Q(code__icontains=word)
            | Q(channel_sku__icontains=word)
            | Q(name__icontains=word)
            | Q(sku__code__icontains=word)
        )
    return rows


def tone_of(listing: Listing, now: datetime) -> str:
    """How stale the channel's number is: `done` in step, `waiting` on its way, `attention` slow, `danger` stuck."""
    if listing.mode == Listing.Mode.STOPPED or listing.sku_id is None:
        return "neutral"
    if listing.error:
        return "danger"
    if listing.desired_at is not None:
        age = now - listing.desired_at
        return "waiting" if age < SLOW else "attention" if age < STALE else "danger"
    if listing.sent is None:
        return "neutral"
    if listing.confirmed is None or listing.confirmed != listing.sent:
        return "waiting" if listing.sent_at and now - listing.sent_at < STALE else "attention"
    return "done"


def pushes(shop_id: int | None) -> "QuerySet[PushLog]":
    """What was put on the wire: the rows behind "last push" and "publish delay"."""
    rows = PushLog.objects.select_related("listing__shop", "listing__sku").defer("listing__sku__search_text")
    return rows if shop_id is None else rows.filter(listing__shop=shop_id)
