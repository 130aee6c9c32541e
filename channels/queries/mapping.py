"""商品対応表: codes that stand for no SKU yet, what they could stand for, and the listings with their stock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Func, TextField, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from channels.decide import matching as decide
from inventory.models import Sku
from oms.kernel.search import matching
from oms.kernel.text import folded

SUGGESTED = 5
CANDIDATES = 60
SHOWN = 200

# Codes of open orders' lines without SKU come first: they stop orders. The partial index `line_unmapped` serves them.
CODES = """
WITH waiting AS (
  SELECT o.shop_id, l.channel_sku, count(DISTINCT o.id) AS orders, sum(l.quantity) AS units, max(l.name) AS name,
         max(l.options) AS options, min(o.ordered_at) AS since
    FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
   WHERE l.sku_id IS NULL AND l.quantity > 0 AND o.cancelled_at IS NULL AND o.shipped_at IS NULL
   GROUP BY 1, 2),
listed AS (
  SELECT shop_id, channel_sku, max(name) AS name FROM channels_listing WHERE sku_id IS NULL GROUP BY 1, 2)
"""
UNMAPPED = f"""{CODES}
SELECT shop_id, s.name, channel_sku, coalesce(nullif(w.name, ''), i.name, ''), coalesce(w.options, ''),
       coalesce(w.orders, 0)::int, coalesce(w.units, 0)::int, w.since
  FROM waiting w FULL JOIN listed i USING (shop_id, channel_sku) JOIN orders_shop s ON s.id = shop_id
 WHERE (%(shop)s::bigint IS NULL OR shop_id = %(shop)s) AND (%(code)s::text IS NULL OR channel_sku = %(code)s)
 ORDER BY w.since NULLS LAST, shop_id, channel_sku LIMIT %(limit)s
"""
COUNT = f"{CODES} SELECT count(*) FROM waiting FULL JOIN listed USING (shop_id, channel_sku)"


# The SQL twin of `decide.plain`, for codes as merchants make them.
PLAIN_CODE = Func(
    Lower("code"), Value("[^0-9a-z]"), Value(""), Value("g"), function="regexp_replace", output_field=TextField()
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`sure`: the code or JAN says so by itself; else `why` names what is alike."""

    sku: Sku
    why: str
    sure: bool = False


@dataclass(slots=True)
class Unmapped:
    """A code of a shop without SKU, and what the channel calls it; `options` is what a buyer chose (色: 黒).

    `orders` wait for it since `since`; 0 when it is only on sale.
    """

    shop_id: int
    shop: str
    code: str
    name: str
    options: str
    orders: int
    units: int
    since: datetime | None
    suggestions: list[Suggestion] = field(default_factory=list)


def unmapped(*, shop_id: int | None = None, code: str | None = None, limit: int = SHOWN) -> list[Unmapped]:
    """Codes that wait for a mapping, those that stop orders first, the longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(UNMAPPED, {"shop": shop_id, "code": code, "limit": limit})
        return [Unmapped(*row) for row in cursor.fetchall()]


def unmapped_count() -> int:
    """How many codes wait for a mapping, in orders or on sale."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT)
        return int(cursor.fetchone()[0])


def with_sure_suggestions(rows: Sequence[Unmapped]) -> list[Unmapped]:
    """Give each row the SKUs that its code names without doubt; two queries for any number of rows."""
    wanted = {decide.plain(row.code) for row in rows} | {plain_stem(row.code) for row in rows}
    jans = {jan for row in rows for jan in decide.jans_in(row.code)}
    by_code: dict[str, Sku] = {}
    if wanted - {""}:
        alike = Sku.objects.active().annotate(plain=PLAIN_CODE).filter(plain__in=wanted - {""})
        by_code = {decide.plain(sku.code): sku for sku in alike}
    by_jan = {sku.jan: sku for sku in Sku.objects.active().filter(jan__in=jans)} if jans else {}
    for row in rows:
        row.suggestions = _sure(row.code, by_code, by_jan)
    return list(rows)


def _sure(code: str, by_code: dict[str, Sku], by_jan: dict[str, Sku]) -> list[Suggestion]:
    found = [Suggestion(by_jan[jan], _("JANコードが同じ"), True) for jan in decide.jans_in(code) if jan in by_jan]
    if sku := by_code.get(decide.plain(code)):
        found.append(Suggestion(sku, _("コードが同じ"), True))
    elif sku := by_code.get(plain_stem(code)):
        found.append(Suggestion(sku, _("コードの前半が同じ")))
    return _once(found)


def suggestions(code: str, name: str) -> list[Suggestion]:
    """What a code with this name probably stands for, the best first."""
    row = Unmapped(0, "", code, name, "", 0, 0, None)
    sure = with_sure_suggestions([row])[0].suggestions
    words = sorted(decide.words(name), key=len, reverse=True)[:4]
    candidates: dict[int, Sku] = {}
    for word in words:
        for sku in matching(Sku.objects.active(), "search_text", word)[:CANDIDATES]:
            candidates[sku.pk] = sku
    scored = sorted(((_likeness(sku, name), sku) for sku in candidates.values()), key=lambda pair: -pair[0])
    alike = [Suggestion(sku, _("商品名が近い")) for score, sku in scored if score > 0.25]
    return _once([*sure, *alike])[:SUGGESTED]


def plain_stem(code: str) -> str:
    return decide.plain(decide.stem(code))


def _likeness(sku: Sku, name: str) -> float:
    return decide.likeness(folded(f"{sku.name} {sku.variant}"), folded(name))


def _once(found: Sequence[Suggestion]) -> list[Suggestion]:
    best: dict[int, Suggestion] = {}
    for suggestion in found:
        best.setdefault(suggestion.sku.pk, suggestion)
    return list(best.values())


def skus_found(typed: str, limit: int = 20) -> list[Sku]:
    """The picker's answer."""
    return list(matching(Sku.objects.active(), "search_text", typed).order_by("code")[:limit])
