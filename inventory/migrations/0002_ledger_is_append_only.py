from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION inventory_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('oms.privacy_purge', true) = 'on' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'inventory_entry is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER inventory_entry_is_append_only BEFORE UPDATE OR DELETE ON inventory_entry
    FOR EACH ROW EXECUTE FUNCTION inventory_entry_is_append_only();
"""
UNDO = """
DROP TRIGGER inventory_entry_is_append_only ON inventory_entry;
DROP FUNCTION inventory_entry_is_append_only();
"""


class Migration(migrations.Migration):
    """The ledger refuses UPDATE and DELETE, but for the privacy purge (`SET LOCAL oms.privacy_purge = 'on'`).

    Balances keep room on each page, so that an update stays on its page (HOT); marks come and go, so vacuum them early.
    """

    dependencies = [("inventory", "0001_stock")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, UNDO),
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
