"""Count again: exchanges and resends stand in the numbers no more. The sweep reads everything once and writes only what
differs."""

from django.db import migrations


def read_all_again(apps, schema_editor):
    apps.get_model("orders", "FigureState").objects.update(event_id=0, order_id=0)


class Migration(migrations.Migration):
    dependencies = [("orders", "0027_manual_orders")]
    operations = [migrations.RunPython(read_all_again, migrations.RunPython.noop)]
