"""Every fault of the sandbox, at Amazon: what the connector and the import make of it, and that all is well after."""

from collections.abc import Mapping
from contextlib import suppress

import pytest

from channels.connectors import http
from channels.connectors.amazon import queue as queues
from channels.connectors.amazon import stock
from channels.connectors.contract import ChannelError, CredentialsRefused, Parcel, StockPush
from channels.models import Connection, QuarantinedOrder
from channels.sandbox.faults import KINDS
from channels.services import events, intake
from orders.models import Order
from tests.channels.amazon.conftest import Shop

pytestmark = pytest.mark.django_db

FAULTS: Mapping[str, str] = {
    "429": "429:4",
    "500": "500:6",
    "503": "503:6",
    "maintenance": "maintenance:600s",
    "revoked": "revoked:600s",
    "slow": "slow=0.6:2",
    "cut": "cut:5",
    "reset": "reset:5",
    "duplicate": "duplicate:5",
    "late": "late=600:5",
    "stale": "stale=1800:600s",
    "skew": "skew=-600:900s",
    "expired_token": "expired_token",
    "partial": "partial:5",
    "unapplied": "unapplied:2",
}
ROUND_S = 150


def test_no_fault_is_forgotten() -> None:
    assert FAULTS.keys() == KINDS


@pytest.fixture(params=sorted(FAULTS))
def spec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(http, "TIMEOUT_S", (1, 0.3))
    return FAULTS[request.param]


def sell(shop: Shop, count: int) -> list[str]:
    keys = shop.stocked(20, units=count)
    return [shop.world.place_order("amazon", [(keys[n % len(keys)], 1)]).number for n in range(count)]


def test_the_import_converges(shop: Shop, connection: Connection, spec: str) -> None:
    """By search and by events; each order once, none in quarantine."""
    before = sell(shop, 12)
    shop.time.pass_minutes(3)
    intake.pull(connection)
    shop.fault(spec)
    numbers = [*before, *sell(shop, 12)]
    for _ in range(8):
        for take in (events.listen, intake.pull):
            connection.refresh_from_db()
            with suppress(ChannelError, intake.Busy):
                take(connection)
        shop.time.sleep(ROUND_S)
    assert set(Order.objects.values_list("channel_order_no", flat=True)) == set(numbers)
    assert not QuarantinedOrder.objects.exists()
    connection.refresh_from_db()
    assert (connection.health, connection.import_error) == ("running", "")
    shop.time.sleep(queues.HIDDEN_S)
    events.listen(connection)
    assert shop.mall.queue.waiting() == 0


@pytest.mark.parametrize("many", [False, True])
def test_the_stock_converges(shop: Shop, monkeypatch: pytest.MonkeyPatch, spec: str, many: bool) -> None:
    """As the publisher does: send, read back later, send again what does not show."""
    if many:
        monkeypatch.setattr(stock, "PATCH_MOST", 2)
    wanted = {code: 3 + place for place, code in enumerate(shop.stocked(6))}
    shop.connect().check()
    shop.fault(spec)
    for _ in range(12):
        with suppress(ChannelError):
            connector = shop.connect()
            live = connector.read_stock(list(wanted))
            list(connector.push_stock([StockPush(code, q) for code, q in wanted.items() if live.get(code) != q]))
        shop.time.pass_minutes(16)
    assert shop.connect().read_stock(list(wanted)) == wanted


def test_a_shipment_is_told_once(shop: Shop, connection: Connection, spec: str) -> None:
    """Repeated as the outbox does, read back until Amazon shows the parcel; there is one parcel in the end."""
    order = shop.place()
    known = shop.known(order.number)
    lines = {line.line_id: line.quantity for line in order.lines}
    parcel = Parcel("yamato", "470000000011", shop.time.now(), lines)
    shop.fault(spec)
    for _ in range(8):
        with suppress(ChannelError):
            shop.connect().ship(known, [parcel])
        shop.time.pass_minutes(3)
    told = shop.world.order("amazon", order.number)
    assert told.state == "shipped" and [one.tracking for one in told.parcels] == ["470000000011"]


def test_a_cancellation_is_told_once(shop: Shop, spec: str) -> None:
    order = shop.place()
    known = shop.known(order.number)
    shop.fault(spec)
    for _ in range(12):
        with suppress(ChannelError):
            shop.connect().cancel(known, "在庫なし")
        shop.time.pass_minutes(3)
    told = shop.world.order("amazon", order.number)
    assert (told.state, told.cancelled_by) == ("cancelled", "shop")


def test_a_revoked_permission_stops_the_shop_until_it_is_given_again(shop: Shop, connection: Connection) -> None:
    sell(shop, 3)
    shop.time.pass_minutes(3)
    shop.fault("revoked")
    with pytest.raises(CredentialsRefused) as refused:
        intake.pull(connection)
    assert "認可" in refused.value.cause or "権限" in refused.value.cause
    connection.refresh_from_db()
    assert connection.health == "stopped" and events.due() == []
    shop.running.sandbox.clear_faults()
    assert intake.pull(connection).created == 3
    assert events.due() == [connection.pk]
