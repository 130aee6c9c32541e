"""Journals are append-only: a trigger refuses UPDATE and DELETE, but for the privacy purge.

The purge is a transaction with `SET LOCAL oms.privacy_purge = 'on'`.
"""

from django.db.migrations import RunSQL


def append_only(table: str) -> RunSQL:
    """The migration operation that makes `table` append-only; the migration depends on `kernel.0003_append_only`."""
    trigger = f"{table}_is_append_only"
    return RunSQL(
        f"CREATE TRIGGER {trigger} BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_journal()",
        f"DROP TRIGGER {trigger} ON {table}",
    )
