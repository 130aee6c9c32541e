"""集荷: a carrier fetches goods at the buyer's door. No connector orders it: a person does, by a task."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.urls import reverse

from oms.kernel.said import said, together
from orders.decide.slots import slot_label
from orders.models import ReturnCase
from orders.models.order import Carrier
from orders.services import returns, tasks
from orders.services.journal import Actor
from orders.services.returns import Refused

State = ReturnCase.State


@dataclass(frozen=True, slots=True)
class Pickup:
    carrier: str
    on: date
    slot: str = ""


@transaction.atomic
def arrange(case_id: int, pickup: Pickup, *, actor: Actor) -> ReturnCase:
    """Keep when the carrier shall come, with a task to order it there; another day replaces the task of the first.

    Raises Refused when the goods are on their way already, or shall not come.
    """
    case = returns.claim(case_id)
    if case.state != State.APPROVED:
        raise Refused(said("集荷は、返品を承認してから発送されるまでのあいだに手配できます。"))
    ReturnCase.objects.filter(pk=case.pk).update(carrier=pickup.carrier, pickup_on=pickup.on, pickup_slot=pickup.slot)
    names = dict(Carrier.choices)
    when = f"{pickup.on:%Y/%m/%d} {slot_label(pickup.slot)}".strip()
    what = together([said(names[Carrier(pickup.carrier)]), when], " ")
    returns.forget_pickup(case, actor=actor)
    text = said("返品 %(no)s の集荷を依頼する（%(what)s）", no=case.number, what=what)
    key = f"pickup:{case.pk}:{returns.pickup_tasks(case).count()}"
    tasks.ask([tasks.NewTask(key, case.order_id, text, link=reverse("orders:return", args=[case.pk]))], actor=actor)
    returns.note_event(case, "pickup", what, actor)
    return ReturnCase.objects.get(pk=case_id)
