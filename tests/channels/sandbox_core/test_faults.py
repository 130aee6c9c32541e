"""Faults that sit inside a mall: forgotten writes, failing rows, late figures, a clock that differs."""

from datetime import timedelta

import pytest
import requests
from werkzeug import Request, Response

from channels.sandbox.server import running_sandbox
from channels.sandbox.simulator import json_response
from channels.sandbox.world import World

from .builders import Clock, TinyMall


class WritingMall(TinyMall):
    """`POST /confirm?no=`, `POST /stock?key=&to=`, `GET /order?no=`, `GET /rows?count=`."""

    def handle(self, request: Request) -> Response:
        args = request.args
        if request.path == "/confirm":
            self.world.confirm("rakuten", args["no"])
            return json_response({"done": True})
        if request.path == "/stock":
            self.world.set_stock("rakuten", args["key"], int(args["to"]))
            return json_response({"done": True})
        if request.path == "/rows":
            return json_response({"failed": [self.row_fails() for _ in range(int(args["count"]))]})
        return super().handle(request)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world(clock, tmp_path):
    return World(1, clock, state=tmp_path / "world.sqlite")


@pytest.fixture
def mall(world):
    with running_sandbox(world, malls={"rakuten": WritingMall(world)}) as running:
        yield running


def post(mall, path):
    return requests.post(f"{mall.root}/rakuten{path}", timeout=5).json()


def test_an_unapplied_write_is_answered_as_done_and_forgotten(mall, world):
    order = world.place_order("rakuten", payment="bank")
    planned = world.life.waiting()
    mall.sandbox.inject("rakuten:unapplied:1")
    assert post(mall, f"/confirm?no={order.number}") == {"done": True}
    assert world.order("rakuten", order.number) == order
    assert world.life.waiting() == planned
    assert [told.accepted for told in world.journal(kind="confirm")] == [False]
    assert post(mall, f"/confirm?no={order.number}") == {"done": True}
    assert world.order("rakuten", order.number).state == "confirmed"


def test_a_forgotten_write_is_forgotten_on_disk_too(mall, world, clock, tmp_path):
    order = world.place_order("rakuten", payment="bank")
    mall.sandbox.inject("rakuten:unapplied:1")
    post(mall, f"/confirm?no={order.number}")
    world.close()
    again = World(1, clock, state=tmp_path / "world.sqlite")
    assert again.order("rakuten", order.number).state == "placed"
    assert [told.accepted for told in again.journal(kind="confirm")] == [False]
    again.close()


def test_reading_calls_do_not_use_the_fault_up(mall, world):
    order = world.place_order("rakuten")
    mall.sandbox.inject("rakuten:unapplied:1")
    requests.get(f"{mall.root}/rakuten/page?start=0", timeout=5)
    post(mall, f"/confirm?no={order.number}")
    assert world.order("rakuten", order.number).state == "placed"


def test_rows_of_a_bulk_call_fail_one_by_one(mall):
    mall.sandbox.inject("rakuten:partial:2")
    answer = requests.get(f"{mall.root}/rakuten/rows?count=4", timeout=5).json()
    assert answer == {"failed": [True, True, False, False]}


def test_a_pushed_quantity_shows_late(mall, world, clock):
    key = world.listings("rakuten")[0].key
    before = world.shown("rakuten", key).quantity
    mall.sandbox.inject("rakuten:stale=60")
    post(mall, f"/stock?key={key}&to={before + 7}")
    assert world.shown("rakuten", key).quantity == before
    clock.forward(seconds=61)
    assert world.shown("rakuten", key).quantity == before + 7


@pytest.mark.parametrize("seconds", [180, -180])
def test_a_mall_with_another_clock_tells_its_own_times(mall, world, seconds):
    order = world.place_order("rakuten")
    mall.sandbox.inject(f"rakuten:skew={seconds}")
    seen = world.order("rakuten", order.number)
    assert seen.ordered_at - order.ordered_at == timedelta(seconds=seconds)
    assert seen.updated_at - order.updated_at == timedelta(seconds=seconds)
    assert mall.sandbox.malls["rakuten"].now() - world.now() == timedelta(seconds=seconds)
    inside = world.orders("rakuten", ordered_from=seen.ordered_at, ordered_to=seen.ordered_at + timedelta(seconds=1))
    assert [one.number for one in inside] == [order.number]
    world.confirm("rakuten", order.number)
    mall.sandbox.clear_faults()
    assert world.order("rakuten", order.number).ordered_at == order.ordered_at
