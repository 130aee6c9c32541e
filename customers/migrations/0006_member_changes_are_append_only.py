from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_member_facts"), ("kernel", "0001_squashed_0010")]

    operations = [append_only("customers_memberchange")]
