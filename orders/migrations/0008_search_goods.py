"""Orders from before product names and postal codes stood in their search text become findable by them."""

from collections import defaultdict
from functools import lru_cache

from django.apps.registry import Apps
from django.db import connection, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from oms.kernel.text import SEPARATOR, search_word

BATCH = 2000
NAME = 100

word = lru_cache(maxsize=100_000)(search_word)


def fill(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Batch by batch in transactions of their own; what stands there already is not added twice."""
    orders, last = apps.get_model("orders", "Order").objects, 0
    while rows := list(orders.filter(pk__gt=last).order_by("pk").values_list("pk", "search", "buyer_postal_code")[:BATCH]):
        last = rows[-1][0]
        words = _words(apps, [pk for pk, *_rest in rows])
        changed = []
        for pk, search, postal_code in rows:
            added = dict.fromkeys(SEPARATOR + part for part in [word(postal_code), *words[pk]] if part)
            if more := "".join(part for part in added if f"{part}{SEPARATOR}" not in f"{search}{SEPARATOR}"):
                changed.append((pk, search + more))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE orders_order o SET search = v.search FROM unnest(%s::bigint[], %s::text[]) AS v(id, search)"
                " WHERE o.id = v.id",
                [[pk for pk, _search in changed], [search for _pk, search in changed]],
            )


def _words(apps: Apps, order_ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    recipients = apps.get_model("orders", "Recipient").objects.filter(order__in=order_ids)
    for order_id, postal_code in recipients.values_list("order_id", "postal_code"):
        found[order_id].append(word(postal_code))
    lines = apps.get_model("orders", "OrderLine").objects.filter(order__in=order_ids)
    for order_id, name, jan in lines.values_list("order_id", "name", "sku__jan"):
        found[order_id] += [word(jan or ""), word(name[:NAME])]
    return found


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orders", "0007_default_deadline")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
