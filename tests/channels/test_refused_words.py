"""What a channel refuses to be told is a reason to look at the order, wherever the order stands."""

import pytest

from channels.services import notices
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from oms.kernel.services.outbox import GiveUp
from orders.models import Order, ReviewReason
from orders.models.order import FulfillmentState
from orders.services import review
from tests.channels.builders import bring_in, make_connection, make_effect
from tests.orders.builders import make_channel_order, make_sku, mapped

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipped() -> Order:
    order = bring_in(make_connection(), make_channel_order(), mapped(make_sku(stock_units=5)))
    Order.objects.filter(pk=order.pk).update(fulfillment_state=FulfillmentState.SHIPPED)
    return order


@pytest.fixture
def answers(monkeypatch):
    """What the channel says to the next shipping notice: "" takes it, else it is refused with these words."""
    said = [""]

    def tell(_connector, _order, _effect):
        if said[0]:
            raise GiveUp(said[0])

    monkeypatch.setitem(notices.TELL, "channel_ship", tell)
    monkeypatch.setattr(notices.shops, "connector_of", lambda _connection: None)
    return said


def reason(order: Order) -> ReviewReason:
    return ReviewReason.objects.get(order=order, code="channel_push_failed")


def told_again(order: Order) -> None:
    outbox.retry(Effect.objects.filter(kind="channel_ship").values_list("pk", flat=True))
    outbox.deliver_due()
    review.reevaluate([order.pk])


def test_a_refused_notice_opens_stays_over_every_look_and_closes_when_the_channel_has_it(shipped, answers):
    make_effect(order=shipped.pk, state="waiting")
    answers[0] = "送り状番号が正しくありません。"
    outbox.deliver_due()
    review.reevaluate([shipped.pk])
    assert reason(shipped).state == "open"
    assert reason(shipped).evidence == "モールへの出荷通知が届いていません: 送り状番号が正しくありません。"

    review.accept([shipped.pk], codes=["channel_push_failed"], actor=review.SYSTEM)
    told_again(shipped)
    assert reason(shipped).state == "accepted", "the same refusal again"
    answers[0] = "受付を締め切りました。"
    told_again(shipped)
    assert reason(shipped).state == "open" and "締め切りました" in reason(shipped).evidence

    answers[0] = ""
    told_again(shipped)
    shipped.refresh_from_db()
    assert reason(shipped).state == "auto_resolved" and shipped.channel_sync == "in_sync"


def test_a_word_done_by_hand_needs_nobody_any_more(shipped, answers, aoi):
    make_effect(order=shipped.pk, state="waiting")
    answers[0] = "受け付けられません。"
    outbox.deliver_due()
    outbox.mark_done_by_hand(Effect.objects.get(kind="channel_ship").pk, note="RMSで出荷済みにした", by=aoi)
    assert reason(shipped).state == "auto_resolved"
