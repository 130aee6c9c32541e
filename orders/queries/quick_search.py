"""What is typed into the search field: words anywhere in an order, `@` for a stage, `#` for a tag.

`@出荷待ち` asks for stages whose name or code holds that, `#至急` for tags whose name begins with it. A mark alone asks
for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from oms.kernel.search import matching
from oms.kernel.text import search_word
from orders.models import Order, OrderTag
from orders.models.order import Stage

WIDE = str.maketrans("＠＃", "@#")
STAGE, TAG = "@", "#"


@dataclass(frozen=True, slots=True)
class Typed:
    stages: Sequence[str]
    tags: Sequence[str]
    rest: str

    @property
    def marked(self) -> bool:
        return bool(self.stages or self.tags)


def read(typed: str) -> Typed:
    words = typed.translate(WIDE).split()
    named = {mark: [word[1:] for word in words if word[0] == mark and len(word) > 1] for mark in (STAGE, TAG)}
    return Typed(named[STAGE], named[TAG], " ".join(word for word in words if word[0] not in {STAGE, TAG}))


def found_by(rows: "QuerySet[Order, Any]", typed: str) -> "QuerySet[Order, Any]":
    """The orders that every typed word finds; one query more when a tag is asked for."""
    asked = read(typed)
    for name in asked.stages:
        rows = rows.filter(stage__in=stages_called(name))
    if asked.tags:
        known = list(OrderTag.objects.values_list("name", flat=True))
        for name in asked.tags:
            rows = rows.filter(~Q(tags=[]), tags__overlap=tags_called(name, known))
    return matching(rows, "search", asked.rest) if asked.rest or not asked.marked else rows


def stages_called(name: str) -> list[str]:
    """Stages of which code or name, in the reader's language, hold what was typed."""
    asked = name.casefold()
    return [code for code, label in Stage.choices if asked in str(label).casefold() or asked in code]


def tags_called(name: str, known: Sequence[str]) -> list[str]:
    """A tag may stand on orders without a row of its own; then its very name finds it."""
    asked = search_word(name)
    return [name, *(tag for tag in known if asked and search_word(tag).startswith(asked) and tag != name)]
