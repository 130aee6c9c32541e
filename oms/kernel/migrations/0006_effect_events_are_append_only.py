from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("kernel", "0005_effect_events")]
    operations = [append_only("kernel_effectevent")]
