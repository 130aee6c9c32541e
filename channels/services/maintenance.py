"""The maintenance calendar: before a mall's window more is kept back, in it nothing is sent, after it all is."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from channels.decide.windows import phase
from channels.models import Listing, MaintenanceWindow, PublishRule
from channels.services import desired, publishing_journal
from channels.services.publishing_journal import Event
from channels.services.rules import calendars
from channels.services.wake import wake_publisher
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.services import setting_versions

FIELDS = ("starts_at", "weekday", "start_time", "minutes", "note")
KEPT = timedelta(days=30)  # single windows that are over


@transaction.atomic
def sweep_windows() -> list[int]:
    """Where a window has begun, drawn near or ended since the last look, have the shop's quantities worked out anew.
    Returns those shops."""
    now = clock.now()
    with_window = MaintenanceWindow.objects.values("shop").distinct()
    rules = list(
        PublishRule.objects.select_for_update(no_key=True)
        .filter(Q(shop__in=with_window) | ~Q(window=""))
        .order_by("pk")
    )
    calendar = calendars([rule.shop_id for rule in rules])
    moved = []
    for rule in rules:
        found = phase(calendar.get(rule.shop_id, []), now, timedelta(minutes=rule.maintenance_lead_min))
        if found != rule.window:
            rule.window = found
            rule.save(update_fields=["window"])
            moved.append(rule.shop_id)
    if moved:
        desired.mark(Listing.objects.filter(shop__in=moved, sku__isnull=False).values_list("sku", flat=True).distinct())
        wake_publisher()
    return moved


@transaction.atomic
def add_window(shop_id: int, values: Mapping[str, Any], *, by: User | None) -> MaintenanceWindow:
    """`values`: the columns of `FIELDS`, single or weekly."""
    with setting_versions.kept("windows", shop_id, by=by):
        PublishRule.objects.get_or_create(shop_id=shop_id)  # the sweep remembers there what it saw
        window = MaintenanceWindow.objects.create(shop_id=shop_id, **values)
        changes = {name: [None, value] for name, value in values.items() if value not in (None, "")}
        publishing_journal.write([Event("window_added", changes, shop_id=shop_id)], by=by)
        return window


@transaction.atomic
def remove_window(window_id: int, *, by: User | None) -> bool:
    """False when it is gone already."""
    shop_id = MaintenanceWindow.objects.filter(pk=window_id).values_list("shop", flat=True).first()
    if shop_id is None:
        return False
    with setting_versions.kept("windows", shop_id, by=by):
        window = MaintenanceWindow.objects.select_for_update(no_key=True).filter(pk=window_id).first()
        if window is None:
            return False
        values = {name: getattr(window, name) for name in FIELDS}
        window.delete()
        changes = {name: [value, None] for name, value in values.items() if value not in (None, "")}
        publishing_journal.write([Event("window_removed", changes, shop_id=shop_id)], by=by)
        return True


@transaction.atomic
def set_windows(shop_id: int, wanted: Sequence[Mapping[str, Any]], *, by: User | None) -> bool:
    """Have exactly these windows (columns of `FIELDS`): others go, missing ones come. False when it is so already."""
    with setting_versions.kept("windows", shop_id, by=by):
        left = [{name: window.get(name) for name in FIELDS} for window in wanted]
        moved = False
        for window in MaintenanceWindow.objects.filter(shop=shop_id).order_by("pk"):
            values = {name: getattr(window, name) for name in FIELDS}
            if values in left:
                left.remove(values)
            else:
                moved |= remove_window(window.pk, by=by)
        for values in left:
            add_window(shop_id, values, by=by)
        return moved or bool(left)
