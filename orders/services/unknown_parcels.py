"""Parcels that come back without notice: written down at the door, given to an order when it is found."""

from collections.abc import Mapping, Sequence

from django.db import transaction

from oms.kernel import clock
from oms.kernel.phone import phone_digits
from oms.kernel.said import said
from oms.kernel.search import matching
from orders.models import Order, ReturnCase, UnknownParcel
from orders.services import returns
from orders.services.journal import Actor
from orders.services.returns import Refused

FOUND = 10
AWAITED = ("approved", "in_transit")


def note(
    *, tracking_no: str = "", sender: str = "", phone: str = "", contents: str = "", actor: Actor
) -> UnknownParcel:
    """Write down a parcel whose order nobody knows yet. Raises Refused when there is nothing to find it by."""
    if not any(text.strip() for text in (tracking_no, sender, phone)):
        raise Refused(said("送り状番号、差出人、電話番号のどれかを入れてください。"))
    return UnknownParcel.objects.create(
        at=clock.now(),
        by=actor.by,
        tracking_no=tracking_no.strip()[:40],
        sender=sender.strip()[:120],
        phone=phone.strip()[:30],
        contents=contents.strip()[:300],
    )


def candidates(parcel: UnknownParcel) -> Sequence[Order]:
    """Shipped orders it may belong to: by the number of the parcel that went out, phone, then name; newest first."""
    found: dict[int, Order] = {}
    shipped = Order.objects.filter(fulfillment_state__in=["shipped", "partially_shipped"]).select_related("shop")
    for word in (parcel.tracking_no.replace("-", ""), phone_digits(parcel.phone), "".join(parcel.sender.split())):
        if word and len(found) < FOUND:
            for order in matching(shipped, "search", word).order_by("-pk")[:FOUND]:
                found.setdefault(order.pk, order)
    return list(found.values())[:FOUND]


@transaction.atomic
def match(
    parcel_id: int,
    order_id: int,
    pieces: Mapping[int, int],
    *,
    reason: str,
    units: Mapping[int, int] | None = None,
    actor: Actor,
) -> ReturnCase:
    """The parcel belongs to this order: a case is opened, approved and received at once, ready to be inspected.

    `pieces` are by order line, `units` by component of a set. Matching again gives the known case. Raises Refused.
    """
    parcel = UnknownParcel.objects.select_for_update(no_key=True).get(pk=parcel_id)
    if parcel.case is not None:
        return parcel.case
    case = returns.open_case(
        order_id,
        pieces,
        units=units,
        reason=reason,
        key=f"parcel:{parcel.pk}",
        note=parcel.contents,
        actor=actor,
    )
    returns.approve(case.pk, actor=actor)
    returns.on_its_way(case.pk, carrier="", tracking_no=parcel.tracking_no, actor=actor)
    UnknownParcel.objects.filter(pk=parcel.pk).update(case=case)
    own = {line.pk: line.quantity for line in case.lines.all()}
    return returns.receive(case.pk, own, actor=actor)


def awaited(order_id: int) -> list[ReturnCase]:
    """Cases of an order whose goods have not arrived and that no such parcel was given to."""
    rows = ReturnCase.objects.filter(order=order_id, state__in=AWAITED, unknown_parcel__isnull=True)
    return list(rows.order_by("pk"))


@transaction.atomic
def attach(parcel_id: int, case_id: int, *, actor: Actor) -> ReturnCase:
    """The parcel is the one that a known case waits for; its arrival is recorded there. Again changes nothing.

    Raises Refused when the case waits for none, or the parcel has been given away.
    """
    parcel = UnknownParcel.objects.select_for_update(no_key=True).get(pk=parcel_id)
    case = ReturnCase.objects.select_for_update(no_key=True).filter(pk=case_id).first()
    if case is not None and parcel.case_id == case.pk:
        return case
    if parcel.case_id or case is None or case.pk not in [one.pk for one in awaited(case.order_id)]:
        raise Refused(said("この返品は荷物を待っていません。画面を開き直して、返品を選び直してください。"))
    UnknownParcel.objects.filter(pk=parcel.pk).update(case=case)
    returns.note_parcel(case, parcel.tracking_no or parcel.sender or parcel.phone, actor=actor)
    return case
