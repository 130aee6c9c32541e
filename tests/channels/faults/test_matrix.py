"""Every fault of the sandbox at every mall, at the level of services: what workers do again and again ends with every
order here once, every parcel and quantity told once, and every trouble said in plain words."""

import re

import pytest

from channels.models import Listing, QuarantinedOrder, RawOrder
from channels.sandbox import faults
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from channels.services import publish
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.models import Mail, Order
from tests.channels.company import open_company, receive
from tests.channels.stepped import Time, forget, time

__all__ = ["time"]
pytestmark = pytest.mark.django_db

CHANNELS = ("amazon", "rakuten", "yahoo", "qoo10", "futureshop")

# How each fault is begun before orders come in, before a parcel is told and before a quantity is pushed.
SPECS = {
    "429": "429:5",
    "500": "500:5",
    "503": "503:5",
    "slow": "slow=0.05:6",
    "cut": "cut:3",
    "reset": "reset:3",
    "duplicate": "duplicate:900s",
    "late": "late=600:3",
    "skew": "skew=240:1800s",
    "stale": "stale=60:3",
    "partial": "partial:2",
    "unapplied": "unapplied:1",
    "expired_token": "expired_token",
    "revoked": "revoked:600s",
    "maintenance": "maintenance:900s",
}
LONG = {"revoked", "maintenance"}  # nobody can wait these out within one call: the shop must say what is wrong
ROUNDS = 10
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龥]")


def test_every_fault_that_the_sandbox_knows_is_tried():
    assert set(SPECS) == set(faults.KINDS)


@pytest.fixture
def company(time: Time, channel: str):
    forget(channel)
    world = World(seed=1, clock=time.now)
    with running_sandbox(world) as sandbox:
        yield open_company(time, sandbox, [channel])


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("kind", SPECS)
def test_what_is_ordered_shipped_and_stocked_comes_through(company, channel, kind):
    spec = SPECS[kind]
    company.begins(channel, spec)
    placed = [company.sells(channel, pieces) for pieces in (1, 2, 3)]
    said_on_shop = rounds(company, channel, until=lambda: all_ready(company, channel, placed))
    assert all_ready(company, channel, placed), (stages(), company.causes[-3:])
    if kind in LONG:
        assert any(said_on_shop), "the shop's card never said what was wrong"

    company.begins(channel, spec)
    company.ships(placed[0], "471203984412")
    outbox.deliver_due()  # the fault meets the notice itself, before an import could use it up
    rounds(company, channel, until=lambda: not undelivered() and shipped(company, placed[0]))
    assert told_once(company, placed[0], "471203984412"), undelivered()

    receive(company, 7)
    company.begins(channel, spec)
    company.pushes(channel)
    rounds(company, channel, until=lambda: in_step(company, channel))
    if not in_step(company, channel):  # an answer said done and was not: the periodic comparison finds it
        company.tries(lambda: publish.read_back(company.connection(channel), [Listing.objects.get().code]))
        rounds(company, channel, until=lambda: in_step(company, channel))
    assert in_step(company, channel), (listing_of(company), company.causes[-3:])

    company.sandbox.clear_faults()
    company.round([channel])
    assert nothing_lost_or_doubled(company, channel, placed)
    assert all(JAPANESE.search(cause) and "Traceback" not in cause for cause in company.causes), company.causes


def rounds(company, channel, *, until) -> list[str]:
    """As many rounds of work as it takes until it is so; returns what the shop said meanwhile."""
    said = []
    while not until() and len(said) < ROUNDS:
        company.round([channel])
        a_person_retries()
        row = company.connection(channel)
        said.append(row.import_error or row.health_cause)
    return said


def a_person_retries() -> None:
    """What the channel refused waits in the outbox, says why, and has a button."""
    refused = Effect.objects.filter(state="failed")
    assert all(JAPANESE.search(effect.last_error) for effect in refused)
    outbox.retry(refused.values_list("pk", flat=True))


def all_ready(company, channel, placed) -> bool:
    found = Order.objects.filter(shop=company.connections[channel].shop)
    numbers = {company.number(one) for one in placed}
    return {order.channel_order_no for order in found if order.stage == "ready"} == numbers


def stages() -> list[tuple[str, str]]:
    return list(Order.objects.values_list("channel_order_no", "stage"))


def undelivered() -> list[tuple[str, str]]:
    return list(Effect.objects.filter(state__in=["waiting", "running", "failed"]).values_list("kind", "last_error"))


def shipped(company, placed) -> bool:
    return company.world.order(placed.channel, placed.number).state == "shipped"


def told_once(company, placed, tracking) -> bool:
    told = company.world.order(placed.channel, placed.number)
    return told.state == "shipped" and [parcel.tracking for parcel in told.parcels] == [tracking]


def listing_of(company) -> dict[str, object]:
    return Listing.objects.values("desired", "sent", "confirmed", "error").get()


def in_step(company, channel) -> bool:
    """The mall shows what it should: what we have, less what is promised."""
    listing = Listing.objects.get()
    shown = company.world.shown(channel, company.keys[channel]).quantity
    return listing.desired_at is None and listing.desired == listing.sent == shown


def nothing_lost_or_doubled(company, channel, placed) -> bool:
    numbers = sorted(company.number(one) for one in placed)
    assert sorted(Order.objects.values_list("channel_order_no", flat=True)) == numbers
    assert sorted(RawOrder.objects.filter(is_current=True).values_list("channel_order_no", flat=True)) == numbers
    assert not QuarantinedOrder.objects.filter(resolved_at__isnull=True).exists()
    mails = list(Mail.objects.values_list("order", "event"))
    assert len(mails) == len(set(mails))
    return not undelivered()
