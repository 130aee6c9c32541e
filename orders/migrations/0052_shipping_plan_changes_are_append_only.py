from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("orders", "0051_shipping_plans"), ("kernel", "0003_append_only")]

    operations = [append_only("orders_shippingplanchange")]
