from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("orders", "0038_refund_limits_and_views"), ("kernel", "0003_append_only")]
    operations = [append_only("orders_refundlimitevent"), append_only("orders_personalview")]
