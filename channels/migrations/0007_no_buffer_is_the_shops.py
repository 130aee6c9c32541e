"""A listing without a buffer of its own follows its shop's, as one without a cap does."""

from django.db import migrations

EMPTY = "UPDATE channels_listing SET buffer = NULL WHERE buffer = 0"


class Migration(migrations.Migration):
    dependencies = [("channels", "0006_publishing_journals_are_append_only")]
    operations = [migrations.RunSQL(EMPTY, migrations.RunSQL.noop)]
