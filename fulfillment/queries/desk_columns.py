"""What fulfilment adds to the columns of 受注一覧."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from fulfillment.models import MergedOrder, ShipmentLine
from fulfillment.models.shipment import ENDED
from fulfillment.tracking import tracking_url
from orders.queries.desk_columns import Column, Piece, Pieces

TONES = ("info", "ready", "waiting", "attention", "done", "neutral")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def merge_words(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Who travels together, by a letter per group in the order of the list, and of how many orders a group is."""
    ids = [row["id"] for row in rows]
    found = MergedOrder.objects.filter(order__in=ids, active=True).annotate(
        size=Count("merge__orders", filter=Q(merge__orders__active=True))
    )
    group_of = {order: (merge, size) for order, merge, size in found.values_list("order", "merge", "size")}
    letters: dict[int, str] = {}
    words: dict[int, str] = {}
    for order_id in ids:
        if order_id in group_of:
            merge, size = group_of[order_id]
            letter = letters.setdefault(merge, LETTERS[len(letters) % len(LETTERS)])
            text = _("%(letter)s（%(n)s件）") % {"letter": letter, "n": size}
            words[order_id] = Pieces([Piece(text, TONES[LETTERS.index(letter) % len(TONES)])])
    return words


def tracking_words(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The numbers of each order's parcels, each a link to its carrier's page; else what the order was told."""
    ids = [row["id"] for row in rows if row["tracking_label"]]
    carried = ShipmentLine.objects.filter(order_line__order__in=ids).exclude(shipment__tracking_no="")
    sent = carried.exclude(shipment__state__in=ENDED).order_by("shipment")
    found: dict[int, dict[str, Piece]] = {}
    for order, carrier, no in sent.values_list("order_line__order", "shipment__carrier", "shipment__tracking_no"):
        found.setdefault(order, {})[no] = Piece(no, url=tracking_url(carrier, no))
    told = {row["id"]: str(row["tracking_label"]) for row in rows}
    return told | {order: Pieces(list(parcels.values())) for order, parcels in found.items()}


COLUMNS = (
    Column("merge", lazy("同梱"), look_up=merge_words, short=True),
    Column("tracking", lazy("送り状番号"), ("tracking_label",), look_up=tracking_words),
)
