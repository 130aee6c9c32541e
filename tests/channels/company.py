"""A small company at the sandbox's malls, under a clock that only moves when somebody waits: one SKU, one warehouse,
and what workers do in a day, round by round."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.connectors.contract import ChannelError
from channels.demo.company import CODES
from channels.models import Connection, Listing
from channels.sandbox.model import SandboxOrder
from channels.sandbox.world import World
from channels.services import intake, publish, shops
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from fulfillment.services.ship import Departure, confirm_shipments
from inventory.models import Sku
from inventory.services import stock
from oms.kernel.services import outbox
from orders.models import Order, Shop
from orders.services import mail
from orders.services.journal import Actor
from tests.channels.stepped import Time
from tests.orders.builders import make_location, make_sku

STOCK = 50


@dataclass
class Company:
    """`causes` are the plain words of every call that failed, in order."""

    time: Time
    world: World
    sandbox: Any
    sku: Sku
    keys: dict[str, str]  # channel → key of the SKU's listing there
    connections: dict[str, Connection]
    causes: list[str] = field(default_factory=list)

    def sells(self, channel: str, pieces: int = 1, **given: Any) -> SandboxOrder:
        """An ordinary order that needs nobody."""
        given = {"payment": "card", "remarks": "", "traits": ()} | given
        return self.world.place_order(channel, [(self.keys[channel], pieces)], **given)

    def begins(self, channel: str, spec: str) -> None:
        self.sandbox.inject(f"{channel}:{spec}")

    def tries(self, call: Any) -> Any:
        """What `call` returns; a trouble of the channel is written down and gives None."""
        try:
            return call()
        except ChannelError as trouble:
            self.causes.append(trouble.cause)
            return None

    def imports(self, channel: str) -> Any:
        return self.tries(lambda: intake.pull(self.connection(channel)))

    def round(self, channels: Sequence[str], *, minutes: float = 3) -> None:
        """Time passes; then everything that workers do, once."""
        self.time.skip(minutes=minutes)
        self.world.advance()
        for channel in channels:
            self.imports(channel)
        outbox.deliver_due()
        allocate_waiting()
        self.pushes(*channels)

    def pushes(self, *channels: str) -> None:
        publish.consume_marks()
        for channel in channels:
            connection = self.connection(channel)
            self.tries(lambda connection=connection: publish.push_shop(connection))
            self.tries(lambda connection=connection: publish.read_back(connection))

    def connection(self, channel: str) -> Connection:
        return Connection.objects.select_related("shop").get(pk=self.connections[channel].pk)

    def order(self, placed: SandboxOrder) -> Order:
        return Order.objects.get(shop=self.connections[placed.channel].shop, channel_order_no=self.number(placed))

    def number(self, placed: SandboxOrder) -> str:
        """The number that our books use; Qoo10's orders are known by their cart."""
        return placed.number

    def ships(self, placed: SandboxOrder, tracking: str) -> None:
        shipment = instruct_orders([self.order(placed).pk], actor=Actor()).shipments[0]
        confirm_shipments([Departure(shipment, "yamato", tracking)], actor=Actor())


def open_company(time: Time, sandbox: Any, channels: Sequence[str]) -> Company:
    """Shops at these malls that all list one plain SKU, imported once."""
    world: World = sandbox.world
    keys, code = common_listing(world, channels)
    sku = make_sku(code, stock_units=STOCK, location=make_location("WH-E"))
    mail.ensure_standard_templates()
    connections = {}
    for channel in channels:
        address = sandbox.addresses()[channel]
        connection = shops.add_shop(
            f"shop-{channel}",
            channel=channel,
            base_url=address["base_url"],
            auth_url=address["auth_url"],
            values=address["credentials"],
        )
        Shop.objects.filter(pk=connection.shop_id).update(mail_from="shop@example.com", auto_confirm=True)
        listed = world.listing(channel, keys[channel])
        listing_code, channel_sku = CODES[channel](listed)
        Listing.objects.create(
            shop=connection.shop, code=listing_code, channel_sku=channel_sku, name=listed.title[:300], sku=sku
        )
        connections[channel] = Connection.objects.select_related("shop").get(pk=connection.pk)
    company = Company(time, world, sandbox.sandbox, sku, keys, connections)
    for channel in channels:
        company.imports(channel)
    return company


def common_listing(world: World, channels: Sequence[str]) -> tuple[dict[str, str], str]:
    """The key at each mall of a plain, well stocked SKU that all of them list; and its code."""
    keys: dict[str, dict[str, str]] = {}
    for listing in (one for channel in sorted(channels) for one in world.listings(channel)):
        sku = world.catalogue.skus[listing.sku]
        plain = sku.role == "ordinary" and not sku.is_set and not sku.is_preorder and sku.price < 20_000
        ours = listing.mapped and listing.fulfilled_by == "shop"
        if plain and ours and world.shown(listing.channel, listing.key).quantity > 15:
            keys.setdefault(sku.code, {}).setdefault(listing.channel, listing.key)
    return next((found, code) for code, found in keys.items() if set(channels) <= found.keys())


def receive(company: Company, pieces: int) -> None:
    stock.receive([stock.Fact(company.sku.pk, make_location("WH-E").pk, pieces, "arrival")])
