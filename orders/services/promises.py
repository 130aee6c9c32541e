"""次の注文で知らせる: a promise to an order's member, written and ticked on the order's page."""

from collections.abc import Sequence

from django.db import transaction

from customers.services import notes
from oms.kernel.said import said
from oms.kernel.text import clean_text
from orders.decide.privacy import GONE
from orders.models import Order
from orders.services import journal, review_again
from orders.services.journal import Actor, Entry


class NoMember(Exception):
    """Nobody is known as this order's buyer (yet, or any more), so no later order could be recognised."""


@transaction.atomic
def give(order_id: int, text: str, *, actor: Actor) -> bool:
    """Promise the order's member something for the next order. False for an empty text, or while the same promise of
    this order is open. Takes the locks of the member's open orders. Raises NoMember."""
    order = _locked(order_id)
    if order.member is None or order.member.name == GONE:
        raise NoMember
    words = clean_text(text)[: notes.LONGEST]
    open_ = notes.open_promises([order.member.pk]).get(order.member.pk, ())
    if not words or any(note.source_order == order.pk and note.text == words for note in open_):
        return False
    source = said("受注 %(no)s", no=order.channel_order_no)
    notes.write(order.member.pk, words, promise=True, by=actor.by, source=source, source_order=order.pk)
    journal.write([Entry(order.pk, "promised", changes={"promise": ("", words)})], actor=actor)
    return True


@transaction.atomic
def tick(order_id: int, note_id: int, *, actor: Actor) -> bool:
    """済み: a promise to this order's member is kept, ticked on this order's page. False when it was before, or is
    another member's. Takes the locks of the member's open orders."""
    order = _locked(order_id)
    open_ = notes.open_promises([order.member_id]) if order.member_id else {}
    texts = {note.pk: note.text for own in open_.values() for note in own}
    if note_id not in texts or not notes.tick([note_id], by=actor.by):
        return False
    journal.write([Entry(order.pk, "promise_ticked", changes={"promise": (texts[note_id], "")})], actor=actor)
    return True


def with_neighbours(order_ids: Sequence[int]) -> list[int]:
    """These and the open orders of the same members: a promise made, ticked or opened again is looked at on all of
    them, so whoever does it locks them all at once."""
    members = Order.objects.filter(pk__in=order_ids).exclude(member=None).values_list("member", flat=True)
    others = Order.objects.filter(member__in=list(members), stage__in=review_again.BEFORE_INSTRUCT)
    return [*order_ids, *others.values_list("pk", flat=True)]


def _locked(order_id: int) -> Order:
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=with_neighbours([order_id]))
    list(rows.order_by("pk").values_list("pk", flat=True))
    return Order.objects.select_related("member").defer("search", "member__search").get(pk=order_id)
