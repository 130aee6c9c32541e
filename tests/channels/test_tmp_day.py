from datetime import timedelta
from collections import Counter
import pytest
from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World
from channels.demo import company
from channels.models import Connection, QuarantinedOrder
from channels.services import intake
from orders.models import Order
from tests.channels.stepped import forget, time
pytestmark = pytest.mark.django_db
def test_day(time):
    for c in ("yahoo","qoo10"): forget(c)
    world = World(1, time.now)
    with running_sandbox(world) as r:
        addresses = r.addresses()
        company.load({c: addresses[c] for c in ("yahoo","qoo10")}, seed=1, opening_day=world._register.opening_day)
        world.generate(700, over=timedelta(0)); world.advance()
        time.skip(minutes=12)
        for c in Connection.objects.select_related("shop"):
            Connection.objects.filter(pk=c.pk).update(cursor=time.now()-timedelta(hours=1))
            print(intake.pull(Connection.objects.select_related("shop").get(pk=c.pk)))
        truth = world.truth()["orders"]
        bad = Counter()
        for o in Order.objects.select_related("shop"):
            t = truth[o.shop.channel][o.channel_order_no]
            reasons = sorted(o.reasons.filter(state="open", level="block").values_list("code", flat=True))
            if reasons and not t["needs_judgement"]:
                bad[(o.shop.channel, tuple(reasons), tuple(t["traits"]))] += 1
            if t["needs_judgement"] and not reasons:
                bad[(o.shop.channel, "MISSED", t["needs_judgement"])] += 1
        print(Order.objects.count(), QuarantinedOrder.objects.count())
        for k, v in bad.items(): print(k, v)
