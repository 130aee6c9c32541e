"""What a mall tells of one order, set from outside."""

import pytest
import requests

from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World

from .builders import Clock


@pytest.fixture
def mall():
    world = World(1, Clock())
    with running_sandbox(world) as running:
        yield running


def test_facts_are_kept_with_the_order(mall):
    order = mall.world.place_order("yahoo")
    body = {"channel": "yahoo", "number": order.number, "facts": {"fields": {"StoreStatus": "5"}}}
    answer = requests.post(f"{mall.root}/_sandbox/facts", json=body, timeout=5)
    assert answer.json()["extra"]["fields"] == {"StoreStatus": "5"}
    assert mall.world.order("yahoo", order.number).extra["fields"] == {"StoreStatus": "5"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"channel": "yahoo", "number": "x", "facts": {}}, 404),
        ({"channel": "yahoo", "facts": {}}, 400),
        ({"channel": "ebay", "number": "x", "facts": {}}, 400),
        ({"channel": "yahoo", "number": "x", "facts": []}, 400),
    ],
)
def test_wrong_facts_are_refused(mall, body, status):
    assert requests.post(f"{mall.root}/_sandbox/facts", json=body, timeout=5).status_code == status
