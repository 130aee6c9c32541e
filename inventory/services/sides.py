"""A location joins or leaves the pools with everything that lies there."""

from django.db import connection, transaction

from inventory.models import Balance, Location
from inventory.models.balance import EntryKind
from inventory.services import settlement
from inventory.services.book import Book
from inventory.services.settlement import Outcome


@transaction.atomic
def set_sells_online(location_id: int, sells_online: bool, *, by_id: int | None = None, note: str = "") -> Outcome:
    """Set the flag and move the pools of all SKUs that have a balance there; nothing to do when it is set already.

    Leaving may take promises with it: they are released youngest first, as by any fact. Allocations at the place stay.
    Locks the location, then all balances of those SKUs: for a quiet moment.
    Raises IntegrityError when the location's kind cannot sell online.
    """
    location = Location.objects.select_for_update(no_key=True).order_by("pk").get(pk=location_id)
    if location.sells_online == sells_online:
        return Outcome()
    location.sells_online = sells_online
    location.save(update_fields=["sells_online"])
    skus = set(Balance.objects.filter(location_id=location_id).values_list("sku_id", flat=True))
    if not skus:
        return Outcome()

    def plan(book: Book) -> None:
        for sku_id in skus:
            units = book.on_hand[book.place(sku_id, location_id)]
            if sells_online:
                book.add_to_pool(sku_id, units, ref=f"location:{location.code}")
            else:
                book.take_from_pool(sku_id, units, ref=f"location:{location.code}")

    outcome = settlement.settle(skus, plan, kind=EntryKind.POOL, by_id=by_id, note=note, pool_only=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_balance SET in_pool = %s WHERE location_id = %s", [sells_online, location_id])
    return outcome
