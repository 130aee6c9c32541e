from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("kernel", "0009_sign_in")]
    operations = [append_only("kernel_signinevent")]
