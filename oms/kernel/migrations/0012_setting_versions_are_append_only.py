from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("kernel", "0011_setting_versions")]
    operations = [append_only("kernel_settingversion")]
