from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    """The ledger refuses UPDATE and DELETE, but for the privacy purge.

    Balances keep room on each page, so that an update stays on its page (HOT); marks come and go, so vacuum them early.
    """

    dependencies = [("inventory", "0001_stock"), ("kernel", "0003_append_only")]

    operations = [
        append_only("inventory_entry"),
        migrations.RunSQL(
            "ALTER TABLE inventory_balance SET (fillfactor = 70)",
            "ALTER TABLE inventory_balance RESET (fillfactor)",
        ),
        migrations.RunSQL(
            "ALTER TABLE inventory_publishermark SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);"
            "ALTER TABLE inventory_allocatormark SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)",
            "ALTER TABLE inventory_publishermark RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);"
            "ALTER TABLE inventory_allocatormark RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
        ),
    ]
