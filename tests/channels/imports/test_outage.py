"""Over HTTP against the sandbox: a mall is down for hours; a day is compared; five shops work a whole day together."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail as outgoing
from django.urls import reverse

from channels.connectors.registry import connector_class
from channels.models import CatchUp, RawOrder
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from channels.services import audit, gaps, polling
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.models import Mail, Order
from tests.channels.company import open_company
from tests.channels.stepped import Time, forget, time

__all__ = ["time"]
pytestmark = pytest.mark.django_db

CHANNELS = ("amazon", "rakuten", "yahoo", "qoo10", "futureshop")


def opened(time: Time, channels):
    for channel in channels:
        forget(channel)
    return running_sandbox(World(seed=1, clock=time.now))


@pytest.mark.parametrize("channel", CHANNELS)
def test_story_13_a_channel_is_down_for_four_hours(time, channel, client_of, aoi, ben):
    """Catch-up without gaps, banner until read, no double mails, ship-by correct, who ordered first is served first."""
    with opened(time, [channel]) as sandbox:
        company = open_company(time, sandbox, [channel])
        before = company.sells(channel)
        company.round([channel], minutes=20)
        assert company.order(before)
        down_from = time.now()
        company.begins(channel, "maintenance:18000s")
        placed = [before]
        for _half_hour in range(8):
            placed.append(company.sells(channel))
            time.skip(minutes=30)
            for pk in polling.due_for_import():
                assert pk == company.connections[channel].pk
                company.imports(channel)
            outbox.deliver_due()
        shop = company.connection(channel)
        assert company.causes and shop.import_error and shop.health == "degraded"
        assert Order.objects.count() == 1 and shop.cursor < down_from

        company.sandbox.clear_faults()
        for _round in range(6):
            company.round([channel])
        # without gaps, in order of time, each once
        numbers = [company.number(one) for one in placed]
        came = list(Order.objects.order_by("pk").values_list("channel_order_no", flat=True))
        assert came == numbers
        assert RawOrder.objects.filter(is_current=True).count() == len(numbers)
        assert not audit.violations()
        assert company.connection(channel).import_error == "" and company.connection(channel).cursor > down_from
        # deadlines as if it had come in time
        for one in placed:
            order = company.order(one)
            assert abs(order.ordered_at - one.ordered_at) < timedelta(seconds=1)
            in_time = company.order(before)
            assert (order.ship_by is None) == (in_time.ship_by is None)
            if order.ship_by:  # told by the mall, or counted from the order's time: never from the import's
                assert order.ship_by - order.ordered_at <= one.ship_by - one.ordered_at + timedelta(days=1)
                assert order.ship_by.date() >= one.ordered_at.date()
            if channel == "amazon":
                assert abs(order.ship_by - one.ship_by) < timedelta(seconds=1)
        # mails once, although everything is delivered again and again
        outbox.deliver_due()
        company.imports(channel)
        outbox.deliver_due()
        sent = Counter(Mail.objects.filter(state="sent").values_list("order", "event"))
        assert all(times == 1 for times in sent.values()) and len(outgoing.outbox) == sum(sent.values())
        # the banner, for each person until read
        announced = CatchUp.objects.get()
        assert announced.orders == len(placed) - 1 and announced.ended_at
        assert (announced.first_order_at, announced.last_order_at) == (
            company.order(placed[1]).ordered_at,
            company.order(placed[-1]).ordered_at,
        )
        mine, banner = client_of(aoi), reverse("channels:catch-ups")
        assert f"の受注{len(placed) - 1}件を、まとめて取り込みました" in mine.get(banner).content.decode()
        listed = mine.get(reverse("channels:catch-up", args=[announced.pk])).context["page"]
        assert [order.channel_order_no for order in listed] == numbers[1:]
        mine.post(reverse("channels:catch-up-read", args=[announced.pk]))
        assert "まとめて取り込みました" not in mine.get(banner).content.decode()
        assert "まとめて取り込みました" in client_of(ben).get(banner).content.decode()


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_day_is_compared_with_the_mall_itself(time, channel):
    if not hasattr(connector_class(channel), "order_numbers"):
        pytest.skip(f"the {channel} connector does not name a day's order numbers yet")
    with opened(time, [channel]) as sandbox:
        company = open_company(time, sandbox, [channel])
        placed = [company.sells(channel) for _number in range(3)]
        for _round in range(4):
            company.round([channel])
        placed.append(company.sells(channel))  # no import sees this one
        time.skip(hours=2)
        compared = gaps.compare(company.connection(channel), clock.in_tokyo(placed[0].ordered_at).date())
        assert (compared.there, compared.here, compared.fetched, compared.missing) == (4, 4, 1, 0)
        assert {order.channel_order_no for order in Order.objects.all()} == {company.number(one) for one in placed}


def test_five_shops_import_confirm_ship_and_tell_a_day_without_one_refused_request(time):
    with opened(time, CHANNELS) as sandbox:
        company = open_company(time, sandbox, CHANNELS)
        placed = [company.sells(channel, pieces) for channel in CHANNELS for pieces in (1, 2)]
        for _round in range(6):
            company.round(CHANNELS)
        orders = {one.number: company.order(one) for one in placed}
        assert {order.stage for order in orders.values()} == {"ready"}, [
            (order.shop.channel, order.stage) for order in orders.values()
        ]
        for number, one in enumerate(placed):
            company.ships(one, f"47120398{number:04d}")
        for _round in range(4):
            company.round(CHANNELS)
        for number, one in enumerate(placed):
            told = company.world.order(one.channel, one.number)
            assert told.state == "shipped", (one.channel, told.state)
            assert [parcel.tracking for parcel in told.parcels] == [f"47120398{number:04d}"]
        left = company.world.catalogue.online_stock(company.sku.code)
        assert left  # the world's own figure; ours is what the malls were told:
        shown = {c: company.world.shown(c, company.keys[c]).quantity for c in CHANNELS}
        assert set(shown.values()) == {50 - 3 * len(CHANNELS)}, shown
        told_kinds = Counter((told.channel, told.kind) for told in company.world.journal())
        refused = [told for told in company.world.journal() if not told.accepted]
        assert not refused and not company.causes, (refused, company.causes)
        for channel in CHANNELS:
            assert told_kinds[channel, "ship"] == 2, told_kinds
        assert not Effect.objects.exclude(state="done").exists()
        assert not audit.violations()
