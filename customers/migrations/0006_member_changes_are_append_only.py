from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_member_facts"), ("kernel", "0010_sign_in_events_are_append_only")]

    operations = [append_only("customers_memberchange")]
