"""Order changes through the queue: heard within seconds, deleted only when stored, whatever comes doubled or broken."""

import json
import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from channels.connectors.amazon import queue as queues
from channels.connectors.amazon.events import read_notice
from channels.connectors.contract import ChannelDown, Refused
from channels.models import Connection, CredentialEvent, QuarantinedOrder
from channels.sandbox.amazon.notices import order_change
from channels.services import events, intake, shops
from orders.models import Order
from tests.channels.amazon import models
from tests.channels.amazon.conftest import Shop

pytestmark = pytest.mark.django_db


def stored() -> set[str]:
    return set(Order.objects.values_list("channel_order_no", flat=True))


def test_an_order_is_at_the_desk_seconds_after_it_was_placed(shop: Shop, connection: Connection) -> None:
    number = shop.world.place_order("amazon").number
    shop.time.sleep(2)
    assert events.listen(connection).created == 1
    connection.refresh_from_db()
    assert stored() == {number} and connection.import_delay_s is not None and connection.import_delay_s < 10
    assert shop.mall.queue.waiting() == 0, "what is stored is deleted"


def test_every_change_is_heard(shop: Shop, connection: Connection) -> None:
    placed = shop.world.place_order("amazon", payment="konbini")
    events.listen(connection)
    assert Order.objects.get().channel_state == "PENDING"
    shop.time.sleep(5)
    shop.world.pay("amazon", placed.number)
    assert events.listen(connection).updated == 1
    assert Order.objects.get().channel_state == "UNSHIPPED"
    shop.time.sleep(5)
    shop.world.request_cancel("amazon", placed.number, "不要になった")
    events.listen(connection)
    assert Order.objects.get().reasons.filter(code="channel_cancel_request", state="open").exists()


def test_ten_copies_in_any_order_cost_one_reading(shop: Shop, connection: Connection) -> None:
    shop.mall.queue.copies, shop.mall.queue.shuffled = 10, True
    numbers = {shop.world.place_order("amazon").number for _ in range(3)}
    pulled = events.listen(connection)
    assert stored() == numbers and pulled.created == 3 and shop.mall.queue.waiting() == 0
    assert len(shop.mall.calls("GET", "/orders/2026-01-01/orders/")) == 3


def test_what_the_poll_brought_is_not_read_again(shop: Shop, connection: Connection) -> None:
    shop.place()
    intake.pull(connection)
    assert events.listen(connection).fetched == 0 and shop.mall.queue.waiting() == 0
    assert shop.mall.calls("GET", "/orders/2026-01-01/orders/") == []


def test_a_worker_that_dies_before_storing_loses_nothing(
    shop: Shop, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = shop.world.place_order("amazon").number
    with monkeypatch.context() as broken:
        broken.setattr(intake, "take_raw", lambda *_: (_ for _ in ()).throw(MemoryError()))
        with pytest.raises(MemoryError):
            events.listen(connection)
    assert events.listen(connection).created == 0, "the message is hidden for a while"
    shop.time.sleep(queues.HIDDEN_S + 1)
    assert events.listen(connection).created == 1 and stored() == {number}


def test_a_failure_in_the_middle_keeps_what_was_read(shop: Shop, connection: Connection) -> None:
    numbers = [shop.world.place_order("amazon").number for _ in range(3)]
    fetch = shop.mall.orders.get
    seen: list[str] = []

    def break_down(number: str, args: Any) -> Any:
        seen.append(number)
        if len(seen) > 1:
            shop.fault("500:9")
        return fetch(number, args)

    shop.mall.orders.get = break_down  # type: ignore[method-assign]
    with pytest.raises(ChannelDown):
        events.listen(connection)
    assert len(stored()) == 2 and connection.pk not in events.due()
    shop.running.sandbox.clear_faults()
    shop.mall.orders.get = fetch  # type: ignore[method-assign]
    shop.time.sleep(queues.HIDDEN_S + 1)
    cache.clear()
    assert events.due() == [connection.pk]
    assert events.listen(connection).created == 1 and stored() == set(numbers)
    assert shop.mall.queue.waiting() == 0


def test_an_unreadable_message_is_deleted_after_some_tries(shop: Shop, connection: Connection) -> None:
    shop.mall.queue.put("これは通知ではない")
    shop.mall.queue.put(json.dumps({"NotificationType": "ORDER_CHANGE", "Payload": {}}))
    number = shop.world.place_order("amazon").number
    for attempt in range(1, 7):
        events.listen(connection)
        assert stored() == {number}, "the others are not held up"
        assert shop.mall.queue.waiting() == (2 if attempt < 5 else 0)
        shop.time.sleep(queues.HIDDEN_S + 1)


def test_an_order_that_cannot_be_read_goes_to_quarantine(shop: Shop, connection: Connection) -> None:
    placed = shop.place()
    told = order_change(placed, 1)
    told["Payload"]["OrderChangeNotification"]["AmazonOrderId"] = "503-9999999-9999999"
    shop.mall.queue.put(json.dumps(told))
    for _ in range(5):
        assert not QuarantinedOrder.objects.exists()
        events.listen(connection)
        shop.time.sleep(queues.HIDDEN_S + 1)
    row = QuarantinedOrder.objects.get()
    assert row.channel_order_no == "503-9999999-9999999" and shop.mall.queue.waiting() == 0


def test_other_notices_are_put_away_and_other_sellers_are_left_alone(shop: Shop, connection: Connection) -> None:
    feed = {"notificationType": "FEED_PROCESSING_FINISHED", "payload": {"feedId": "1"}}
    shop.mall.queue.put(json.dumps(feed))
    other = order_change(shop.place(), 1)
    other["Payload"]["OrderChangeNotification"]["SellerId"] = "A1SOMEBODYELSE"
    shop.mall.queue.put(json.dumps(other))
    events.listen(connection)
    assert shop.mall.queue.waiting() == 1 and len(stored()) == 1


def test_the_check_subscribes_once(shop: Shop) -> None:
    with_queue = shop.connect(sqs_region=queues.REGION)
    assert "注文通知を受け取れます" in with_queue.check()
    kept = shop.mall.notifications
    kept.unsubscribe("ORDER_CHANGE", kept.subscription("ORDER_CHANGE", {})["payload"]["subscriptionId"])
    kept.delete_destination(kept.destinations()["payload"][0]["destinationId"])
    shop.place()
    assert shop.mall.queue.waiting() == 0, "without a subscription Amazon tells nothing"
    assert "開始しました" in with_queue.check()
    assert shop.mall.queue.waiting() == 1 and len(kept.destinations()["payload"]) == 1
    assert "注文通知を受け取れます" in with_queue.check()
    assert len(shop.mall.calls("POST", "/notifications")) == 2


def test_a_queue_that_cannot_be_used_is_told_and_the_shop_still_counts_as_connected(shop: Shop) -> None:
    seen = shop.connect(sqs_secret_access_key="wrong").check()
    assert "接続できました" in seen and "注文通知は使えません" in seen and "権限" in seen
    subscriptions = shop.mall.notifications
    arn = "arn:aws:sqs:us-west-2:999999999999:elsewhere"
    made = subscriptions.create_destination({"name": "x", "resourceSpecification": {"sqs": {"arn": arn}}})
    told = {"payloadVersion": "1.0", "destinationId": made["payload"]["destinationId"]}
    kept = subscriptions.subscription("ORDER_CHANGE", {})["payload"]
    subscriptions.unsubscribe("ORDER_CHANGE", kept["subscriptionId"])
    subscriptions.subscribe("ORDER_CHANGE", told)
    assert "別のキュー" in shop.connect(sqs_region=queues.REGION).check()


def test_without_a_queue_nothing_is_asked(shop: Shop) -> None:
    assert list(shop.connect(sqs_queue_url="").changed_orders()) == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [("sqs_secret_access_key", "権限"), ("sqs_access_key_id", "権限"), ("sqs_queue_url", "見つかりません")],
)
def test_wrong_keys_are_told_in_plain_words_and_do_not_stop_the_shop(
    shop: Shop, connection: Connection, wrong: str, says: str
) -> None:
    with pytest.raises(Refused) as refused:
        list(shop.connect(**{wrong: "http://127.0.0.1:1/000/nowhere"}).changed_orders())
    assert says in refused.value.cause
    shop.place()
    shops.credentials.change(connection.pk, {wrong: "http://127.0.0.1:1/000/nowhere"}, by=None)
    connection.refresh_from_db()
    with pytest.raises(Refused):
        events.listen(connection)
    assert CredentialEvent.objects.filter(connection=connection, kind="events_failed").count() == 1
    assert events.due() == [] and intake.pull(connection).created == 1


@pytest.mark.parametrize("spec", ["500:1", "503:1", "cut:1", "reset:1", "429:1", "slow=0.1:1", "expired_token"])
def test_passing_troubles_of_the_queue_are_sat_out(shop: Shop, connection: Connection, spec: str) -> None:
    number = shop.world.place_order("amazon").number
    shop.connect().check()
    shop.fault(spec)
    for _ in range(3):
        with suppress(ChannelDown):
            events.listen(connection)
        shop.time.sleep(queues.HIDDEN_S + 1)
    assert stored() == {number} and shop.mall.queue.waiting() == 0


def test_a_message_received_but_cut_off_comes_again(shop: Shop) -> None:
    shop.world.place_order("amazon")
    queue = queues.queue_of(shop.connect(sqs_region=queues.REGION).settings.credentials)
    assert queue is not None
    (first,) = queue.receive()
    assert queue.receive() == []
    shop.time.sleep(queues.HIDDEN_S + 1)
    (second,) = queue.receive()
    assert (first.id, first.tries, second.tries) == (second.id, 1, 2)
    queue.delete([first])
    assert shop.mall.queue.waiting() == 1, "an old receipt deletes nothing"
    queue.delete([second])
    assert shop.mall.queue.waiting() == 0


def test_what_was_not_deleted_is_told_again_after_a_restart(shop: Shop) -> None:
    done, open_ = shop.place(), shop.place()
    queue = queues.queue_of(shop.connect(sqs_region=queues.REGION).settings.credentials)
    assert queue is not None
    told = {read_notice(one.body, *IDS).number: one for one in queue.receive()}
    queue.delete([told[done.number]])
    restarted = type(shop.mall)(shop.world)
    assert restarted.queue.waiting() >= 1
    assert any(open_.number in one.body for one in restarted.queue._messages.values())


IDS = ("A2SANDBOXSHOP9", "A1VC38T7YXB528")


@pytest.mark.skipif(not models.FOLDER.is_dir(), reason=models.ABSENT)
def test_the_notices_follow_amazons_schema(shop: Shop) -> None:
    shop.world.generate(80)
    shop.world.advance()
    shop.world.request_cancel("amazon", shop.place().number, "不要")
    for number, order in enumerate(shop.world.orders("amazon"), 1):
        notice = order_change(order, number)
        assert models.judge_notice("OrderChangeNotification.json", notice) == []
        assert read_notice(json.dumps(notice), *IDS).number == order.number
    assert models.judge_notice("OrderChangeNotification.json", {"Payload": {}})


@pytest.mark.skipif(not models.FOLDER.is_dir(), reason=models.ABSENT)
def test_amazons_own_example_is_understood() -> None:
    schema = json.loads((models.FOLDER / "schemas/notifications/OrderChangeNotification.json").read_text())
    (example,) = schema["examples"]
    notice = read_notice(json.dumps(example), "A3TH9S8BH6GOGM", "ATVPDKIKX0DER")
    assert notice.number == "903-8868176-2219830" and notice.at is not None
    assert read_notice(json.dumps({"detail": example}), "A3TH9S8BH6GOGM", "ATVPDKIKX0DER") == notice


def test_the_time_between_order_and_desk_is_seconds(shop: Shop, connection: Connection) -> None:
    """Listening every three seconds as the schedule does, over ten minutes of orders."""
    delays: list[float] = []
    when = random.Random(1)
    known: set[str] = set()
    for _ in range(200):
        shop.time.sleep(3)
        if len(known) < 40:
            shop.world.place_order("amazon", ordered_at=shop.time.now() - timedelta(seconds=when.uniform(0, 3)))
        events.listen(connection)
        for order in Order.objects.exclude(channel_order_no__in=known):
            delays.append((shop.time.now() - order.ordered_at).total_seconds())
            known.add(order.channel_order_no)
    assert len(delays) == 40 and max(delays) < 10, sorted(delays)
