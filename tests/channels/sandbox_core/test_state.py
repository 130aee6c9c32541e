"""The world on disk, and the sandbox as a process that may be killed at any moment."""

import json
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from channels.sandbox.model import CHANNELS
from channels.sandbox.world import World

from .builders import Clock

ROOT = Path(__file__).resolve().parents[3]


def snapshot(world):
    return {channel: world.orders(channel) for channel in CHANNELS}


def test_a_world_wakes_up_as_it_fell_asleep(tmp_path):
    clock, file = Clock(), tmp_path / "world.db"
    world = World(3, clock, state=file)
    world.generate(200, over=timedelta(hours=2))
    clock.forward(hours=1)
    world.advance()
    order = world.orders("rakuten", states=["placed"])[0]
    world.confirm("rakuten", order.number)
    world.remember("amazon", "feed", {"id": 7})
    listing = world.listings("yahoo")[0]
    world.set_stock("yahoo", listing.key, 2)
    before, journal, waiting = snapshot(world), world.journal(), world.life.waiting()
    world.close()

    again = World(99, clock, state=file)
    assert again.seed == 3
    assert snapshot(again) == before and again.journal() == journal and again.life.waiting() == waiting
    assert again.recall("amazon", "feed") == {"id": 7}
    assert again.shown("yahoo", listing.key).quantity == 2
    for _ in range(2):  # the slow buyer of the shortage sits in the checkout for a while
        clock.forward(hours=1)
        again.advance()
    assert sum(len(orders) for orders in snapshot(again).values()) == 200


def test_order_numbers_and_line_ids_never_repeat_over_restarts(tmp_path):
    numbers: list[str] = []
    lines: list[str] = []
    for _ in range(4):
        world = World(1, Clock(), state=tmp_path / "world.db")
        placed = [world.place_order(channel) for channel in CHANNELS for _ in range(5)]
        numbers += [order.number for order in placed]
        lines += [f"{one.channel}/{line.line_id}" for one in placed if one.channel == "qoo10" for line in one.lines]
        world.close()
    assert len(set(numbers)) == len(numbers) == 100
    assert len(set(lines)) == len(lines)


def test_numbers_have_the_format_of_their_channel():
    world = World(1, Clock())
    formats = {
        "amazon": r"(249|250|503)-\d{7}-\d{7}",
        "rakuten": r"401122-20261005-\d{10}",
        "yahoo": r"akari-store-\d{8}",
        "qoo10": r"\d{9}",
        "futureshop": r"\d{12}",
    }
    for channel, pattern in formats.items():
        assert re.fullmatch(pattern, world.place_order(channel).number), channel


# ---- the process -----------------------------------------------------------------------------------------------


class Process:
    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "channels.sandbox", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None and self.process.stderr is not None
        self.line = self.process.stdout.readline()
        for said in self.process.stderr:
            if said.endswith(" is ready\n"):
                self.root = said.split()[1]
                return

    def call(self, path: str, body: dict[str, object] | None = None) -> object:
        method = "GET" if body is None else "POST"
        return requests.request(method, f"{self.root}/_sandbox/{path}", json=body, timeout=30).json()

    def end(self, sign: signal.Signals) -> int:
        self.process.send_signal(sign)
        code = self.process.wait(timeout=30)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


@pytest.fixture
def start():
    running: list[Process] = []

    def begin(*arguments: str) -> Process:
        running.append(Process(*arguments))
        return running[-1]

    yield begin
    for process in running:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


def test_nothing_told_is_lost_by_kill_nine(start, tmp_path):
    state = str(tmp_path / "world.db")
    first = start("--state", state, "--rate", "600")
    placed = first.call("orders", {"channel": "yahoo", "count": 20})
    assert isinstance(placed, list)
    assert first.end(signal.SIGKILL) == -signal.SIGKILL

    second = start("--state", state)
    seen = second.call("orders?channel=yahoo")
    assert isinstance(seen, list)
    numbers = [order["number"] for order in seen]
    assert {order["number"] for order in placed} <= set(numbers)
    new = second.call("orders", {"channel": "yahoo", "count": 20})
    assert isinstance(new, list)
    assert not {order["number"] for order in new} & set(numbers)


def test_sigterm_ends_it_cleanly_and_the_line_is_one_json_object(start):
    process = start("--rate", "6000")
    assert isinstance(json.loads(process.line), dict)
    assert process.end(signal.SIGTERM) == 0


def test_a_taken_port_and_a_wrong_fault_are_said_in_words(start):
    port = start().root.rsplit(":", 1)[1]
    taken = subprocess.run(
        [sys.executable, "-m", "channels.sandbox", "--port", port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert taken.returncode == 1 and f"port {port} cannot be used" in taken.stderr
    wrong = subprocess.run(
        [sys.executable, "-m", "channels.sandbox", "--fault", "rakuten:rain"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert wrong.returncode == 1 and "rain" in wrong.stderr
