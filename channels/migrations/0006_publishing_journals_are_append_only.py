from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("channels", "0005_publishing"), ("kernel", "0003_append_only")]
    operations = [append_only("channels_publishingevent"), append_only("channels_oversellevent")]
