"""Search by any two or more characters, from a GIN index over bigrams; needs no extension.

A searchable model has a text column filled with `oms.kernel.text.search_text(...)` and, in its Meta,
`indexes = [gram_index("search_text", name="order_grams")]`; its migration depends on `kernel.0002_search_grams`.

The word must be a constant when the query is planned. Django binds on the client, so it is; whoever switches on
server-side binding or prepared statements sets `plan_cache_mode=force_custom_plan` for searches, because the generic
plan is a hundred times slower.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import connection
from django.db.models import BooleanField, F, Func, Model, QuerySet, TextField, Value

from oms.kernel.text import SEPARATOR, search_word

MAX_WORDS = 8
MAX_WORD_LENGTH = 80
SAMPLE, COMMON = 1000, 10  # a word in so many of so many of the newest rows is common
GRAMS_COUNTED = 6

AnyModel = TypeVar("AnyModel", bound=Model)


class SearchGrams(Func):
    """The SQL function of `kernel.0002_search_grams`: all pairs of neighbouring characters, in order."""

    function = "search_grams"
    arity = 1
    output_field = ArrayField(TextField())


class HasGrams(Func):
    """`search_grams(column) @> search_grams(word)`, the condition that the index serves."""

    template = "%(expressions)s"
    arg_joiner = " @> "
    arity = 2
    output_field = BooleanField()


class Like(Func):
    """`column LIKE pattern`; Django's own `contains` casts the column, which costs time per row.

    It says what the grams say already. Bare, the planner would multiply both guesses, take a common word for a rare one
    and fetch all its rows to sort them; of a `coalesce` it guesses one half, whatever stands inside.
    """

    template = "coalesce(%(expressions)s, false)"
    arg_joiner = " LIKE "
    arity = 2
    output_field = BooleanField()


def grams(text: str) -> list[str]:
    """The Python twin of the SQL function `search_grams`."""
    return [text[start : start + 2] for start in range(len(text) - 1)]


def gram_index(column: str, *, name: str) -> GinIndex:
    """The index that `matching` needs, for a model's Meta."""
    return GinIndex(SearchGrams(F(column)), name=name)


def like_escaped(text: str) -> str:
    """Text as a LIKE pattern that matches only itself."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def search_words(typed: str) -> list[str]:
    """The normalised words of what a person typed, at most `MAX_WORDS`; empty when nothing can be searched."""
    words = (search_word(word)[:MAX_WORD_LENGTH] for word in typed.split())
    return [word for word in dict.fromkeys(words) if word][:MAX_WORDS]


def needle(word: str) -> str:
    """What must stand in the stored text. One character alone is asked as the beginning of a part."""
    return word if len(word) > 1 else SEPARATOR + word


def matches(stored: str, typed: str) -> bool:
    """The Python twin of `matching` for one stored text."""
    words = search_words(typed)
    return bool(words) and all(needle(word) in stored for word in words)


def matching(rows: QuerySet[AnyModel], column: str, typed: str) -> QuerySet[AnyModel]:
    """Rows whose `column` (made by `search_text`) holds every typed word; none when nothing searchable was typed.

    LIKE decides, the grams find. It stands even where the grams alone would be exact: should the planner walk another
    index, it judges a row by LIKE in a fraction of a microsecond and computes grams only for rows that pass.
    Words of three or more characters cost a query of their own, see `_telling_grams`.
    """
    needles = [needle(word) for word in search_words(typed)]
    if not needles:
        return rows.none()
    telling = _telling_grams(rows.model, column, needles)
    for asked in needles:
        rows = rows.filter(
            Like(F(column), Value(f"%{like_escaped(asked)}%")),
            HasGrams(SearchGrams(F(column)), SearchGrams(Value(telling.get(asked, asked)))),
        )
    return rows


def _telling_grams(model: type[Model], column: str, needles: Sequence[str]) -> dict[str, str]:
    """The rarest gram of each long needle, when rows that hold all needles are common among the newest; else nothing.

    The planner takes grams for independent and guesses a common word like サトウ to be as rare as サト times トウ; by
    one gram alone it guesses well, and walks the newest rows instead of fetching every match. What is rare is asked
    with all its grams, which find its few rows exactly. Pairs of characters need no query: one gram is guessed well.
    """
    long = [one for one in needles if len(one) > 2]
    if not long:
        return {}
    asked = {part for one in long for part in grams(one)[:GRAMS_COUNTED]}
    patterns = {part: f"%{like_escaped(part)}%" for part in sorted(asked)}
    all_of = [f"%{like_escaped(one)}%" for one in needles]
    counts = ", ".join("count(*) FILTER (WHERE words LIKE %s)" for _ in patterns)
    together = " AND ".join("words LIKE %s" for _ in all_of)
    table, words = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(column)
    newest = f"SELECT {words} AS words FROM {table} ORDER BY id DESC LIMIT {SAMPLE}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE {together}), {counts} FROM ({newest}) AS newest",
            [*all_of, *patterns.values()],
        )
        both, *each = cursor.fetchone()
    if both < COMMON:
        return {}
    found = dict(zip(patterns, each, strict=True))
    return {one: min(grams(one)[:GRAMS_COUNTED], key=lambda part: found[part]) for one in long}
