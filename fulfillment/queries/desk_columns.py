"""What fulfilment adds to the columns of 受注一覧."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import MergedOrder
from orders.queries.desk_columns import Column

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def merge_words(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Who travels together, by a letter per group in the order of the list, and of how many orders a group is."""
    ids = [row["id"] for row in rows]
    found = MergedOrder.objects.filter(order__in=ids, active=True).annotate(
        size=Count("merge__orders", filter=Q(merge__orders__active=True))
    )
    group_of = {order: (merge, size) for order, merge, size in found.values_list("order", "merge", "size")}
    letters: dict[int, str] = {}
    words = {}
    for order_id in ids:
        if order_id in group_of:
            merge, size = group_of[order_id]
            letter = letters.setdefault(merge, LETTERS[len(letters) % len(LETTERS)])
            words[order_id] = _("%(letter)s（%(n)s件）") % {"letter": letter, "n": size}
    return words


COLUMN = Column("merge", lazy("同梱"), look_up=merge_words, short=True)
