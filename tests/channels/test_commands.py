"""The commands others rely on: names, options, JSON on the last line, plain words when something is wrong."""

import json
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command

from channels.connectors.rakuten import wire as rakuten
from channels.models import Connection, Listing
from channels.sandbox.server import RunningSandbox, running_sandbox
from channels.sandbox.world import World
from inventory.models import Sku
from inventory.services import stock
from inventory.services.catalogue import ProductRow, SkuRow, upsert_products, upsert_skus
from oms.kernel import clock
from orders.models import Order
from tests.orders.builders import make_location

pytestmark = pytest.mark.django_db


def run(name: str, *args: str, **options: Any) -> Any:
    out = StringIO()
    call_command(name, *args, stdout=out, stderr=StringIO(), **options)
    return json.loads(out.getvalue().splitlines()[-1])


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("OMS_CLOCK_SPEED", "60")
    monkeypatch.setenv("OMS_CLOCK_EPOCH", str(time.time()))
    cache.clear()
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    return World(1, clock.now)


@pytest.fixture
def sandbox(world: World) -> Iterator[RunningSandbox]:
    with running_sandbox(world) as running:
        yield running


@pytest.fixture
def shop(sandbox: RunningSandbox) -> str:
    return add_shop(sandbox, "rakuten")


def add_shop(sandbox: RunningSandbox, channel: str, **wrong: str) -> str:
    address = sandbox.addresses()[channel]
    pairs = [f"--credential={key}={value}" for key, value in (address["credentials"] | wrong).items()]
    run(
        "shop_add",
        "main",
        f"--channel={channel}",
        f"--base-url={address['base_url']}",
        f"--auth-url={address['auth_url']}",
        *pairs,
    )
    return "main"


def one_sku(world: World) -> str:
    """A stocked SKU of ours for the first plain listing at Rakuten, under the code that its orders carry."""
    for (channel, key), listing in sorted(world.catalogue.listings.items()):
        if (
            channel == "rakuten"
            and listing.codes["merchant_sku"]
            and world.catalogue.skus[listing.sku].role == "ordinary"
        ):
            code = listing.codes["merchant_sku"]
            upsert_products([ProductRow(code, code)])
            upsert_skus([SkuRow(code, code, code)])
            stock.receive([stock.Fact(Sku.objects.get(code=code).pk, make_location().pk, 50, "test")])
            return key
    raise LookupError


def test_shop_check_says_what_it_saw_and_a_wrong_key_says_what_to_do(sandbox):
    assert run("shop_check", add_shop(sandbox, "rakuten"))["ok"]
    add_shop(sandbox, "rakuten", license_key="SL_wrong_wrong")
    with pytest.raises(CommandError, match=r"ライセンスキー|認証"):
        run("shop_check", "main")
    assert Connection.objects.get().health == "stopped"


def test_an_unknown_shop_channel_or_credential_is_told_plainly(sandbox):
    with pytest.raises(CommandError, match="none yet"):
        run("pull", "nowhere")
    with pytest.raises(CommandError, match="takes license_key"):
        run("shop_add", "x", "--channel=rakuten", "--credential=colour=red")


def test_an_order_goes_through_the_commands_alone(world, shop):
    placed = world.place_order("rakuten", [(one_sku(world), 1)], remarks="", payment="card")
    first = run("pull", shop)
    assert (first["fetched"], first["created"], first["quarantined"]) == (1, 1, 0)
    assert run("confirm_order", shop, placed.number) == {"confirmed": True, "already": False}
    assert run("confirm_order", shop, placed.number)["already"]
    clock.sleep(700)
    assert run("pull", shop)["updated"] == 1
    shown = run("show_order", shop, placed.number)
    assert (shown["number"], shown["channel"], shown["totals"]["total"]) == (
        placed.number,
        "rakuten",
        placed.amount_due,
    )
    assert {
        "stage",
        "payment",
        "buyer",
        "recipients",
        "lines",
        "delivery",
        "gift",
        "remarks",
        "deadlines",
    } <= shown.keys()

    shipped = run("ship", shop, placed.number, "--carrier=yamato", "--tracking=471203984412")
    assert shipped["channel"] == "done" and len(shipped["shipments"]) == 1
    assert (
        run("ship", shop, placed.number, "--carrier=yamato", "--tracking=471203984412")["shipments"]
        == shipped["shipments"]
    )
    assert [parcel.tracking for parcel in world.order("rakuten", placed.number).parcels] == ["471203984412"]


def test_ship_refuses_an_unready_order_unless_forced(world, shop):
    placed = world.place_order("rakuten", [(one_sku(world), 1)], remarks="色を選べますか？", payment="card")
    run("pull", shop)
    with pytest.raises(CommandError, match="--force"):
        run("ship", shop, placed.number, "--carrier=yamato", "--tracking=471203984412")
    run("confirm_order", shop, placed.number)
    run("ship", shop, placed.number, "--carrier=yamato", "--tracking=471203984412", "--force")
    order = Order.objects.get()
    assert order.stage == "shipped" and order.events.filter(kind="forced").exists()


def test_push_stock_sends_what_is_asked_and_says_what_was_confirmed(world, shop):
    key = one_sku(world)
    run("pull", shop)
    connection = Connection.objects.select_related("shop").get()
    manage_number, variant_id = key.split("/")
    sku = Sku.objects.get()
    code = rakuten.listing_code(manage_number, variant_id)
    Listing.objects.create(shop=connection.shop, code=code, channel_sku=sku.code, sku=sku)
    pushed = run("push_stock", shop, "--sku", sku.code)
    assert pushed == {"pushed": 1, "confirmed": pushed["confirmed"], "failed": {}}
    assert world.shown("rakuten", key).quantity == 50
