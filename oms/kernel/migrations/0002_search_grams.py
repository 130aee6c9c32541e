"""The SQL half of `oms.kernel.search`.

COST tells the planner that computing grams row by row is dear, so that it prefers the index.
Only names of pg_catalog are used in the body: a restore runs with an empty search path.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION search_grams(content text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
AS $$
    SELECT ARRAY(
        SELECT pg_catalog.substr(content, place, 2)
        FROM pg_catalog.generate_series(1, pg_catalog.length(content) - 1) AS place
    )
$$
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION search_grams(text)")]
