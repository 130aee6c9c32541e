"""Whose stock somebody above watches. The door leaves a `WatcherMark` for each of these SKUs whenever stock moves."""

from collections.abc import Collection

from django.db import transaction

from inventory.models import StockWatch, WatcherMark

MARKS = 1000


@transaction.atomic
def watch(sku_ids: Collection[int]) -> None:
    """Watch exactly these from now on. Nothing is written when it is so already."""
    known = set(StockWatch.objects.values_list("pk", flat=True))
    wanted = set(sku_ids)
    if gone := known - wanted:
        StockWatch.objects.filter(pk__in=gone).delete()
        WatcherMark.objects.filter(sku_id__in=gone).delete()
    StockWatch.objects.bulk_create([StockWatch(pk) for pk in sorted(wanted - known)], ignore_conflicts=True)


def take() -> set[int]:
    """Marks of the caller's transaction are gone with it; returns the SKUs that moved. Two takers share the work."""
    rows = WatcherMark.objects.select_for_update(skip_locked=True).order_by("pk").values_list("pk", "sku_id")
    taken = list(rows[:MARKS])
    WatcherMark.objects.filter(pk__in=[pk for pk, _sku in taken]).delete()
    return {sku for _pk, sku in taken}
