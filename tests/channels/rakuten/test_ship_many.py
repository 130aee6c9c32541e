"""An afternoon's parcels are told in a few calls: once each, whatever happens to the answer."""

from typing import Any

import pytest

from channels.connectors.contract import ChannelDown, ChannelError, Refused
from channels.connectors.rakuten import ship_many
from channels.sandbox.model import SandboxOrder
from channels.sandbox.rakuten import simulator as rakuten
from channels.sandbox.rakuten.answers import message, order_answer
from tests.channels.rakuten.conftest import Mall
from tests.channels.rakuten.test_changes import parcel, ref, rows


def shipments(*orders: SandboxOrder) -> list[tuple[dict[str, Any], list[Any]]]:
    return [(ref(order), [parcel(number_of(order))]) for order in orders]


def number_of(order: SandboxOrder) -> str:
    return f"4712{order.number[-8:]}"


def numbers(mall: Mall, order: SandboxOrder) -> list[str]:
    return [row["shippingNumber"] for row in rows(mall, order)]


def later(mall: Mall, troubles: dict[str, ChannelError], *orders: SandboxOrder) -> None:
    """What the outbox does with orders that had trouble: each alone, again and again."""
    for order in orders:
        for _try in range(12):
            if order.number not in troubles:
                break
            mall.time.skip(seconds=troubles[order.number].retry_after_s or 20)
            try:
                mall.connector().ship(*shipments(order)[0])
                del troubles[order.number]
            except ChannelDown as trouble:
                troubles[order.number] = trouble


def test_many_parcels_are_told_in_a_few_calls(mall: Mall):
    placed = [mall.sells_ready((mall.keys[n], 1)) for n in range(15)]
    mall.time.skip(minutes=5)
    mall.world.advance()  # some cards are checked two minutes longer
    begin = mall.time.now()
    assert mall.connector().ship_all(shipments(*placed)) == {}
    assert (mall.time.now() - begin).total_seconds() < 20  # alone each of them takes three calls, one a second
    assert [numbers(mall, order) for order in placed] == [[number_of(order)] for order in placed]


def test_telling_many_again_adds_nothing(mall: Mall):
    placed = [mall.sells_ready((mall.keys[n], 1)) for n in range(3)]
    for _ in range(2):
        assert mall.connector().ship_all(shipments(*placed)) == {}
    assert [len(rows(mall, order)) for order in placed] == [1, 1, 1]


def test_of_many_parcels_each_is_judged_for_itself(mall: Mall):
    good, gone = mall.sells_ready(), mall.sells_ready((mall.keys[1], 1))
    early = mall.sells((mall.keys[2], 1))
    mall.world.cancel("rakuten", gone.number, by="buyer")
    troubles = mall.connector().ship_all(shipments(good, gone, early))
    assert troubles.keys() == {gone.number, early.number}
    assert "キャンセル" in troubles[gone.number].cause and isinstance(troubles[early.number], Refused)
    assert numbers(mall, good) == [number_of(good)] and not rows(mall, early)


def test_a_corrected_number_among_many_replaces_the_old_one(mall: Mall):
    first, second = mall.sells_ready(), mall.sells_ready((mall.keys[1], 1))
    mall.connector().ship(ref(first), [parcel("9999-0000-1111")])
    assert mall.connector().ship_all(shipments(first, second)) == {}
    assert numbers(mall, first) == [number_of(first)] and numbers(mall, second) == [number_of(second)]


def test_more_than_twenty_parcels_of_one_order_go_alone(mall: Mall):
    big, small = mall.sells_ready((mall.keys[0], 1)), mall.sells_ready((mall.keys[1], 1))
    many = [parcel(f"5000-0000-{n:04d}", reference=n + 1) for n in range(25)]
    assert mall.connector().ship_all([(ref(big), many), *shipments(small)]) == {}
    assert len(rows(mall, big)) == 25 and len(rows(mall, small)) == 1


@pytest.mark.parametrize("fault", ["cut:1", "reset:1", "500:1", "503:1", "unapplied:1", "partial:1"])
def test_trouble_on_the_way_ends_with_every_parcel_told_once(mall: Mall, monkeypatch: pytest.MonkeyPatch, fault: str):
    placed = [mall.sells_ready((mall.keys[n], 1)) for n in range(3)]
    send = ship_many._send

    def in_bad_weather(*given: Any) -> str:
        mall.sandbox.inject(f"rakuten:{fault}")
        return send(*given)

    monkeypatch.setattr(ship_many, "_send", in_bad_weather)
    troubles = dict(mall.connector().ship_all(shipments(*placed)))
    assert not any(order.number not in troubles and not rows(mall, order) for order in placed)
    for order in placed:
        if isinstance(troubles.get(order.number), Refused):  # a person retries it
            troubles[order.number] = ChannelDown("")
    later(mall, troubles, *placed)
    assert not troubles
    assert [numbers(mall, order) for order in placed] == [[number_of(order)] for order in placed]


def test_a_call_that_is_refused_as_a_whole_comes_again_one_by_one(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    placed = [mall.sells_ready((mall.keys[n], 1)) for n in range(2)]
    refusal = lambda _mall, _body: order_answer([message("UPDATE_ORDER_SHIPPING_ASYNC", "ERROR", "011")])  # noqa: E731
    monkeypatch.setitem(rakuten.ORDER_CALLS, "updateOrderShippingAsync", refusal)
    troubles = dict(mall.connector().ship_all(shipments(*placed)))
    assert {type(trouble) for trouble in troubles.values()} == {ChannelDown} and len(troubles) == 2
    later(mall, troubles, *placed)
    assert not troubles and [len(rows(mall, order)) for order in placed] == [1, 1]


def test_an_outcome_that_is_not_told_in_time_is_read_from_the_orders(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ship_many, "ASK_S", ())
    placed = [mall.sells_ready((mall.keys[n], 1)) for n in range(2)]
    assert mall.connector().ship_all(shipments(*placed)) == {}


def test_an_order_whose_fate_is_open_is_not_told_twice_by_the_next_worker(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    order = mall.sells_ready()

    def dies(*_given: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(ship_many, "_send", dies)
        with pytest.raises(KeyboardInterrupt):
            mall.connector().ship_all(shipments(order))
    with pytest.raises(ChannelDown):
        mall.connector().ship(*shipments(order)[0])
    mall.time.skip(seconds=200)
    mall.connector().ship(*shipments(order)[0])
    assert len(rows(mall, order)) == 1
