"""The SQL half of `oms.kernel.search`.

Splitting once is twice as fast as `substr` for each pair, which counts the letters from the beginning every time. A
higher COST, though nearer to the truth, makes the planner start parallel workers for a page of fifty rows.
Only names of pg_catalog are used in the body: a restore runs with an empty search path.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION search_grams(content text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100
AS $$
    SELECT ARRAY(
        SELECT letters[place] || letters[place + 1]
        FROM (SELECT pg_catalog.string_to_array(content, NULL) AS letters OFFSET 0) AS split,
            pg_catalog.generate_series(1, pg_catalog.cardinality(letters) - 1) AS place
    )
$$
"""


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION search_grams(text)")]
