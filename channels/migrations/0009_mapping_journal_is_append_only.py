from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("channels", "0008_comparison_and_matching"), ("kernel", "0003_append_only")]
    operations = [append_only("channels_listingevent")]
