from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("fulfillment", "0009_costs"), ("kernel", "0003_append_only")]

    operations = [append_only("fulfillment_costchange")]
