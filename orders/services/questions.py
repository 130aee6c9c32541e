"""社内確認中: a question about an order to somebody of the house. The order waits until it is answered.

Answering is accepting the reason, which asks for a note: the note is the answer.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from oms.kernel.models import User
from orders.decide.found import Found
from orders.models import Order, ReviewReason
from orders.services import journal, review
from orders.services import stage as stages
from orders.services.journal import Actor, Entry

CODE = "question_to_colleague"
ASKED, WITHDRAWN = "asked_colleague", "question_withdrawn"
MAY_WAIT = ("new", "review", "awaiting_payment", "awaiting_stock", "awaiting_release", "scheduled", "ready", "on_hold")


@transaction.atomic
def ask(order_ids: Sequence[int], to: User, question: str, *, actor: Actor) -> list[int]:
    """Ask about these orders, which are not instructed yet; the person gets them, and they stop. Returns the orders.

    The same question to the same person, while it is open, changes nothing. Takes the orders' locks by pk.
    """
    text = f"{actor.by} → {to}: {question.strip()}"
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids, stage__in=MAY_WAIT)
    locked = list(rows.order_by("pk").values_list("pk", flat=True))
    same = ReviewReason.objects.filter(order__in=locked, code=CODE, evidence=text, state=ReviewReason.State.OPEN)
    known = set(same.values_list("order", flat=True))
    fresh = [pk for pk in locked if pk not in known]
    closed = ReviewReason.objects.filter(order__in=fresh, code=CODE).exclude(state=ReviewReason.State.OPEN)
    closed.update(fingerprint="")  # the same question may be asked again
    Order.objects.filter(pk__in=fresh).update(assignee=to, version=F("version") + 1)
    review.open_from_above([(pk, Found(CODE, text)) for pk in fresh], actor=actor)
    journal.write([Entry(pk, ASKED, text) for pk in fresh], actor=actor)
    return fresh


@transaction.atomic
def withdraw(order_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """Take open questions back; the orders go on. Returns the orders. Takes their locks by pk."""
    rows = Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids)
    locked = list(rows.order_by("pk").values_list("pk", flat=True))
    asked = ReviewReason.objects.filter(order__in=locked, code=CODE, state=ReviewReason.State.OPEN)
    ids = sorted(asked.values_list("order", flat=True))
    if ids:
        Order.objects.filter(pk__in=ids).update(version=F("version") + 1)
        review.close_from_above(ids, CODE, actor=actor)
        journal.write([Entry(pk, WITHDRAWN) for pk in ids], actor=actor)
        stages.recompute(ids, actor=actor)
    return ids
