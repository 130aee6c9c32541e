"""Checking invariants against the database as it stands: each check is one statement that selects what is broken.

`manage.py audit` runs the checks of every app. A check is a single statement, so it sees one consistent picture however
busy the house is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

NAMED = 100  # of each kind; what is broken a thousandfold needs no list of a thousand

# Lines whose promises a stock fact has just ended: their orders follow with the outbox, within seconds.
UNSETTLED_LINES = """
SELECT substr(ref, 6)::bigint FROM kernel_effect, jsonb_array_elements_text(payload->'refs') AS ref
 WHERE kind = 'promises_lost' AND state IN ('waiting', 'running') AND ref LIKE 'line:%%'
"""

TRIGGER = """
SELECT t FROM unnest(%(tables)s::text[]) AS t
 WHERE to_regclass(t) IS NULL OR NOT EXISTS (
       SELECT FROM pg_trigger WHERE tgname = t || '_is_append_only' AND tgrelid = to_regclass(t)
          AND tgenabled IN ('O', 'A'))
"""

JOURNALS = ("kernel_effectevent", "kernel_signinevent")
EFFECTS = {
    "effect {} was written {} times": """
        SELECT key, count(*) FROM kernel_effect GROUP BY key HAVING count(*) > 1""",
    "effect {} is done but does not say when": """
        SELECT key FROM kernel_effect WHERE state IN ('done', 'manual_done') AND done_at IS NULL""",
}


def broken(checks: Mapping[str, str], parameters: Mapping[str, Any] | None = None) -> list[str]:
    """What is broken, in words: each key is a sentence with a place for every column that its statement selects."""
    found = []
    with connection.cursor() as cursor:
        for sentence, sql in checks.items():
            cursor.execute(f"{sql} LIMIT {NAMED}", dict(parameters or {}))
            found += [sentence.format(*row) for row in cursor.fetchall()]
    return found


def unprotected_journals(tables: Iterable[str]) -> list[str]:
    """Journals that anybody could rewrite."""
    return broken({"the append-only trigger of {} is missing": TRIGGER}, {"tables": list(tables)})


def violations() -> list[str]:
    """The kernel's own: one effect per key, and the journals of the outbox and of signing in."""
    return broken(EFFECTS) + unprotected_journals(JOURNALS)
