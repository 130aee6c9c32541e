"""The queue of the connector against somebody else's SQS: the server of the moto project."""

import json
import time as wall
from collections.abc import Iterator

import pytest

from channels.connectors.amazon import queue as queues
from channels.connectors.amazon.events import changed_orders
from channels.connectors.amazon.queue import Queue
from channels.connectors.contract import ChannelDown, Refused
from channels.sandbox.amazon.notices import order_change
from tests.channels.amazon.conftest import Shop

moto_server = pytest.importorskip("moto.server", reason="the moto server (a development dependency) is not installed")


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    monkeypatch.setattr(queues, "HIDDEN_S", 1)
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = queues._client(endpoint, "us-west-2", "AKIATEST", "secret")
    url = client.create_queue(QueueName="orders")["QueueUrl"]
    yield Queue(url, "us-west-2", "AKIATEST", "secret", endpoint)
    server.stop()


def test_changes_are_received_and_deleted_when_handled(queue: Queue, shop: Shop) -> None:
    client = queues._client(queue.endpoint, queue.region, queue.key_id, queue.secret)
    orders = [shop.place() for _ in range(13)]
    for number, order in enumerate(orders):
        client.send_message(QueueUrl=queue.url, MessageBody=json.dumps(order_change(order, number)))
    assert queue.waiting() == 13 and queue.arn().startswith("arn:aws:sqs:us-west-2:")
    heard = [str(one) for batch in changed_orders(queue, *IDS, None) for one in batch]
    assert sorted(heard) == sorted(order.number for order in orders) and queue.waiting() == 0


def test_what_is_not_handled_comes_again_and_counts_its_tries(queue: Queue, shop: Shop) -> None:
    client = queues._client(queue.endpoint, queue.region, queue.key_id, queue.secret)
    client.send_message(QueueUrl=queue.url, MessageBody=json.dumps(order_change(shop.place(), 1)))
    tries = []
    for _ in range(2):
        ((change,),) = [next(changed_orders(queue, *IDS, None))]
        tries.append(change.tries)
        wall.sleep(1.1)
    assert tries == [1, 2]


def test_troubles_have_the_same_kinds(queue: Queue) -> None:
    gone = Queue(f"{queue.url}-gone", queue.region, queue.key_id, queue.secret, queue.endpoint)
    with pytest.raises(Refused, match="見つかりません"):
        gone.receive()
    nowhere = Queue("http://127.0.0.1:9/1/q", queue.region, "k", "s", "http://127.0.0.1:9")
    with pytest.raises(ChannelDown):
        nowhere.receive()


IDS = ("A2SANDBOXSHOP9", "A1VC38T7YXB528")
