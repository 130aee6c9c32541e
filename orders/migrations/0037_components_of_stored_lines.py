"""Sets that were sold before orders kept their components: what they are made of today."""

from django.db import migrations

from inventory.queries.set_contents import contents

BATCH = 2000


def keep_components(apps, _schema_editor):
    lines, components = apps.get_model("orders", "OrderLine"), apps.get_model("orders", "LineComponent")
    ids = list(lines.objects.filter(sku__is_bundle=True).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        rows = list(
            lines.objects.filter(pk__in=ids[start : start + BATCH]).values_list("pk", "sku", "units", "tax_rate")
        )
        parts = contents(sku for _line, sku, _units, _rate in rows)
        components.objects.bulk_create(
            components(
                line_id=line,
                sku_id=part.sku_id,
                position=place,
                name=part.name,
                set_name=part.set_name,
                units=part.units * units,
                list_value=part.list_value * units,
                tax_rate=part.tax_rate if rate is None else rate,
            )
            for line, sku, units, rate in rows
            for place, part in enumerate(parts.get(sku, ()))
        )


class Migration(migrations.Migration):
    dependencies = [("orders", "0036_set_components"), ("inventory", "0009_set_rules")]

    operations = [migrations.RunPython(keep_components, migrations.RunPython.noop, elidable=True)]
