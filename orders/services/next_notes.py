"""次の注文で知らせる: a note that opens a reason on the buyer's later orders until somebody ticks it off."""

from django.db import transaction

from oms.kernel import clock
from oms.kernel.text import clean_text
from orders.models import NextOrderNote, Order
from orders.models.order import FulfillmentState
from orders.services import journal, review
from orders.services.journal import Actor, Entry


class NoMember(Exception):
    """Nobody is known as this order's buyer yet, so no later order could be recognised."""


@transaction.atomic
def add(order_id: int, text: str, *, actor: Actor) -> bool:
    """Leave a note for the buyer's next order; False for an empty one or the same again. Raises NoMember."""
    order = Order.objects.select_for_update(no_key=True, of=("self",)).get(pk=order_id)
    words = clean_text(text)[:300]
    if order.member_id is None:
        raise NoMember
    if not words or NextOrderNote.objects.filter(order=order, text=words, done_at=None).exists():
        return False
    NextOrderNote.objects.create(
        order=order, member_id=order.member_id, text=words, at=clock.now(), by=actor.by
    )  # fmt: skip
    journal.write([Entry(order.pk, "next_note", changes={"next_note": ("", words)})], actor=actor)
    _look_again(order.member_id, order.pk, actor)
    return True


@transaction.atomic
def done(note_id: int, *, actor: Actor) -> bool:
    """The note has done its work; the reason closes itself where it stood. False when it was ticked off before."""
    ticked = NextOrderNote.objects.filter(pk=note_id, done_at=None).update(done_at=clock.now(), done_by=actor.by)
    note = NextOrderNote.objects.get(pk=note_id)
    if not ticked:
        return False
    journal.write([Entry(note.order_id, "next_note_done", changes={"next_note": (note.text, "")})], actor=actor)
    _look_again(note.member_id, note.order_id, actor)
    return True


def _look_again(member_id: int, but: int, actor: Actor) -> None:
    """At the buyer's orders that wait now."""
    rows = Order.objects.filter(member=member_id, cancelled_at=None, fulfillment_state=FulfillmentState.NONE)
    review.reevaluate(list(rows.exclude(pk=but).order_by("pk").values_list("pk", flat=True)), actor=actor)
