from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("inventory", "0010_watched_stock"), ("kernel", "0003_append_only")]

    operations = [append_only("inventory_skuchange")]
