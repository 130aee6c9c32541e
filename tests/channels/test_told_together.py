"""Orders of one shop are confirmed, and their parcels told, in a few calls; one bad order stops none of the others."""

import pytest

from channels.models import ApiCall
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from fulfillment.services.allocate import allocate_waiting
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.models import Order
from tests.channels.company import open_company
from tests.channels.stepped import Time, forget, time

__all__ = ["time"]
pytestmark = pytest.mark.django_db

MANY = 8


@pytest.fixture
def company(time: Time, channel: str):
    forget(channel)
    with running_sandbox(World(seed=1, clock=time.now)) as sandbox:
        yield open_company(time, sandbox, [channel])


@pytest.mark.parametrize("channel", ["rakuten", "qoo10"])
def test_many_orders_are_confirmed_in_one_word(company, channel):
    placed = [company.sells(channel) for _ in range(MANY)]
    company.time.skip(minutes=3)
    company.imports(channel)
    company.world.cancel(channel, placed[0].number, by="buyer")
    outbox.deliver_due()
    words = ApiCall.objects.filter(operation__in=["confirmOrder", "ShippingBasic.SetSellerCheckYNBulk"])
    assert words.count() == 1, list(ApiCall.objects.values_list("operation", flat=True))
    assert set(words.values_list("purpose", flat=True)) == {"notice"}
    ours = {order.channel_order_no: order for order in Order.objects.all()}
    assert [ours[company.number(one)].confirmed_at is not None for one in placed] == [False] + [True] * (MANY - 1)
    refused = Effect.objects.get(kind="channel_confirm", state="failed")
    assert refused.payload["order"] == ours[company.number(placed[0])].pk and refused.last_error
    for _round in range(2):
        company.round([channel])
        allocate_waiting()
    stages = [company.order(one).stage for one in placed]
    refused.refresh_from_db()
    assert refused.state == "done", "the mall's cancellation came: nobody has to tick it off"
    assert stages == ["cancelled"] + ["ready"] * (MANY - 1)


@pytest.mark.parametrize("channel", ["rakuten"])
def test_an_afternoon_of_parcels_is_told_in_one_word(company, channel):
    placed = [company.sells(channel) for _ in range(MANY)]
    for _round in range(3):
        company.round([channel])
    ApiCall.objects.all().delete()
    for n, one in enumerate(placed):
        company.ships(one, f"47120398{n:04d}")
    outbox.deliver_due()
    told = [company.world.order(channel, one.number) for one in placed]
    assert [[parcel.tracking for parcel in one.parcels] for one in told] == [[f"47120398{n:04d}"] for n in range(MANY)]
    assert not Effect.objects.filter(kind="channel_ship").exclude(state="done").exists()
    calls = list(ApiCall.objects.filter(purpose="notice").values_list("operation", flat=True))
    assert calls.count("updateOrderShippingAsync") == 1 and "updateOrderShipping" not in calls and len(calls) < MANY
    assert not Order.objects.exclude(channel_sync="in_sync").exists()


@pytest.mark.parametrize("channel", ["amazon", "futureshop"])
def test_where_a_channel_has_no_call_for_many_each_order_is_told_alone(company, channel):
    placed = [company.sells(channel) for _ in range(2)]
    for _round in range(2):
        company.round([channel])
    for n, one in enumerate(placed):
        company.ships(one, f"47120398{n:04d}")
    outbox.deliver_due()
    told = [company.world.order(channel, one.number) for one in placed]
    assert [[parcel.tracking for parcel in one.parcels] for one in told] == [[f"47120398{n:04d}"] for n in range(2)]


@pytest.mark.parametrize("channel", ["rakuten"])
def test_a_paused_shop_confirms_nothing_and_everything_afterwards(company, channel):
    for _ in range(2):
        company.sells(channel)
    company.time.skip(minutes=3)
    company.imports(channel)
    company.connections[channel].notices_paused = True
    company.connections[channel].save(update_fields=["notices_paused"])
    outbox.deliver_due()
    assert not Order.objects.filter(confirmed_at__isnull=False).exists()
    assert set(Effect.objects.filter(kind="channel_confirm").values_list("state", "attempts")) == {("waiting", 0)}
    company.connections[channel].notices_paused = False
    company.connections[channel].save(update_fields=["notices_paused"])
    company.time.skip(minutes=5)
    outbox.deliver_due()
    assert Order.objects.filter(confirmed_at__isnull=False).count() == 2
