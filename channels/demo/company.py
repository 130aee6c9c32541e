"""The demo company: two warehouses, three stores, its goods, and a shop at each marketplace of the sandbox."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction

from channels.connectors.amazon.listings import FBA_MARK
from channels.connectors.futureshop import wire as futureshop
from channels.connectors.rakuten import wire as rakuten
from channels.models import Connection, Listing
from channels.sandbox import catalogue, people
from channels.sandbox.goods import Catalogue
from channels.sandbox.goods import Listing as SandboxListing
from channels.services import publish, shops
from customers.models import BlacklistEntry
from fulfillment.models import CostSetting
from fulfillment.services import costs
from inventory.models import Location, Sku
from inventory.services import stock
from inventory.services.catalogue import ComponentRow, ProductRow, SkuRow, set_components, upsert_products, upsert_skus
from oms.kernel import clock
from oms.kernel.sql import update_rows
from oms.kernel.text import match_address, match_mail, match_name
from orders.models import PaperSettings, Shop
from orders.services import mail
from orders.services.rules import ready_made

NAME = "くらし道具店"
REGISTRATION_NO = "T8010401000002"
BANK_ACCOUNT = "見本銀行 本店 普通 0000000 クラシドウグテン"
SHOPS = {
    "amazon": ("amazon", f"{NAME} Amazon店"),
    "rakuten": ("rakuten", f"{NAME} 楽天市場店"),
    "yahoo": ("yahoo", f"{NAME} Yahoo!店"),
    "qoo10": ("qoo10", f"{NAME} Qoo10店"),
    "futureshop": ("honten", f"{NAME} 本店"),
}
CATEGORIES = {"furniture": "家具", "bicycle": "自転車", "apparel": "衣料品", "food": "食品", "goods": "生活雑貨"}
SUPPLIERS = {  # two for each kind of goods
    "furniture": ("見本家具卸", "見本木工所"),
    "bicycle": ("見本サイクル商会", "見本輪業"),
    "apparel": ("見本繊維", "見本ニット工房"),
    "food": ("見本食品", "見本製茶"),
    "goods": ("見本雑貨卸", "見本製陶所"),
}
FREIGHT: dict[str, dict[int | None, int]] = {  # carrier → sum of size factors up to → yen of a box
    "yamato": {2: 620, 5: 780, None: 1150},
    "sagawa": {2: 600, 5: 740, None: 1080},
    "japanpost": {2: 560, 5: 720, None: 1020},
    "other": {None: 900},
}
COST_SHARES = {"furniture": 55, "bicycle": 68, "apparel": 42, "food": 62, "goods": 48}  # percent of the price
PLACES = {
    "WH-E": ("340-0834", "埼玉県", "八潮市大曽根", 1),
    "WH-W": ("561-0841", "大阪府", "豊中市名神口", 2),
    "ST-GINZA": ("104-0061", "東京都", "中央区銀座", 3),
    "ST-UMEDA": ("530-0001", "大阪府", "大阪市北区梅田", 4),
    "ST-HAKATA": ("812-0012", "福岡県", "福岡市博多区博多駅中央街", 5),
}


def load(addresses: Mapping[str, Mapping[str, Any]], *, seed: int, opening_day: date) -> None:
    """Load everything; loading again changes nothing but the shops' addresses.

    `addresses` is what the sandbox prints: channel → base_url, auth_url, credentials.
    """
    goods = catalogue.build(seed, opening_day)
    with transaction.atomic():
        _load_locations()
        skus = _load_goods(goods)
    if not Listing.objects.exists():
        _load_stock(goods, skus)
    _count_rows()
    mail.ensure_standard_templates()
    ready_made.install_standard()
    _load_blacklist(seed)
    _load_costs()
    for channel, address in addresses.items():
        connect(channel, address)
        _load_listings(channel, goods, skus)
        _count_rows()
    publish.consume_marks()


def _count_rows() -> None:
    """Tell the planner of so many new rows at once; until autovacuum comes it would plan for empty tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE inventory_sku, inventory_bundlecomponent, inventory_balance, inventory_entry, channels_listing"
        )


def connect(channel: str, address: Mapping[str, Any]) -> Connection:
    """Register the demo shop of one marketplace at the address where its sandbox listens now."""
    code, name = SHOPS[channel]
    linked = shops.add_shop(
        code,
        channel=channel,
        name=name,
        base_url=address["base_url"],
        auth_url=address["auth_url"],
        values=address["credentials"],
    )
    Shop.objects.filter(pk=linked.shop_id).update(
        mail_from="order@kurashi.example",
        letterhead_name=NAME,
        letterhead_address="〒340-0834 埼玉県八潮市大曽根1-2-3",
        letterhead_phone="048-000-0000",
        registration_no=REGISTRATION_NO,
        delivery_note_message="このたびはお買い上げいただき、ありがとうございます。",
    )
    PaperSettings.objects.get_or_create(shop_id=linked.shop_id, defaults={"bank_account": BANK_ACCOUNT})
    return linked


def _load_costs() -> None:
    """Freight, material and wage to reckon with; whoever changed them keeps what they set."""
    if not CostSetting.objects.exists():
        rates = {(carrier, size): price for carrier, prices in FREIGHT.items() for size, price in prices.items()}
        costs.save(costs.Costs(material=45, wage=1400, rates=rates, action_s=20), by_id=None)


def _load_blacklist(seed: int) -> None:
    """People the shop had trouble with before."""
    for person in people.blacklist(seed):
        address = person.address
        BlacklistEntry.objects.get_or_create(
            phone="".join(char for char in person.phone if char.isdigit()),
            defaults={
                "name_key": match_name(person.name),
                "postal_code": address.postal.replace("-", ""),
                "email": person.email,
                "email_key": match_mail(person.email),
                "address": address.full,
                "address_key": match_address(address.full, postal_code=address.postal),
                "reason": "代引の受取拒否が続いたため",
                "created_at": clock.now(),
            },
        )


def _load_locations() -> None:
    for code, name, kind in catalogue.LOCATIONS:
        postal_code, prefecture, address, priority = PLACES[code]
        Location.objects.get_or_create(
            code=code,
            defaults={
                "name": name,
                "kind": kind,
                "sells_online": kind == "warehouse",
                "postal_code": postal_code,
                "prefecture": prefecture,
                "address": address,
                "priority": priority,
            },
        )


def _load_goods(goods: Catalogue) -> dict[str, int]:
    """Products, SKUs and sets; returns SKU code → id."""
    upsert_products(
        ProductRow(sku.product_code, sku.name, category=CATEGORIES[sku.category]) for sku in goods.skus.values()
    )
    skus = upsert_skus(
        SkuRow(
            code=sku.code,
            product_code=sku.product_code,
            name=sku.title,
            variant=" ".join(word for word in (sku.colour, sku.size) if word),
            jan=sku.jan,
            price=sku.price,
            tax_rate=sku.tax_rate,
            temperature=sku.temperature,
            release_date=sku.release_date,
            preorder_limit=sku.preorder_limit,
            is_bundle=sku.is_set,
            cost=None if sku.is_set else _cost(sku.code, sku.category, sku.price, sku.tax_rate),
            supplier="" if sku.is_set else SUPPLIERS[sku.category][hash_of(sku.product_code) % 2],
            weight_g=None if sku.is_set else sku.weight_g,
            shelf=f"{sku.product_code[:1]}-{abs(hash_of(sku.code)) % 40 + 1:02d}",
        )
        for sku in goods.skus.values()
    )
    set_components(
        ComponentRow(sku.code, part, quantity) for sku in goods.skus.values() for part, quantity in sku.components
    )
    return skus


def _cost(code: str, category: str, price: int, tax_rate: int) -> int:
    """What the shop pays for one, without tax: a share of its price as is usual for such goods."""
    usual = COST_SHARES[category] + hash_of(code) % 9 - 4
    return price * 100 // (100 + tax_rate) * usual // 100


def hash_of(text: str) -> int:
    """A small number that is the same in every process."""
    return sum(ord(char) * place for place, char in enumerate(text, start=1))


def _load_stock(goods: Catalogue, skus: Mapping[str, int]) -> None:
    locations = dict(Location.objects.values_list("code", "pk"))
    facts = [
        stock.Fact(skus[sku.code], locations[place], units, "opening")
        for sku in goods.skus.values()
        for place, units in sku.stock.items()
        if units and not sku.components
    ]
    for start in range(0, len(facts), 1000):
        stock.receive(facts[start : start + 1000])


def _load_listings(channel: str, goods: Catalogue, skus: Mapping[str, int]) -> None:
    """The merchant's own listing map, as it would come from a CSV; listings it does not know stay unmapped."""
    shop = Shop.objects.get(code=SHOPS[channel][0])
    known = set(Listing.objects.filter(shop=shop).values_list("code", flat=True))
    rows = []
    for (own_channel, _key), listing in goods.listings.items():
        if own_channel == channel and listing.mapped:
            code, channel_sku = CODES[channel](listing)
            if code not in known:
                mode = Listing.Mode.STOPPED if listing.fulfilled_by != "shop" else Listing.Mode.NORMAL
                rows.append(
                    Listing(
                        shop=shop,
                        code=code,
                        channel_sku=channel_sku,
                        name=listing.title[:300],
                        sku_id=skus[listing.sku],
                        mode=mode,
                    )
                )
    Listing.objects.bulk_create(rows, batch_size=1000)
    with transaction.atomic():
        publish.refresh_desired(dict.fromkeys(skus.values(), clock.now()), shop_id=shop.pk)
    _note_opening_quantities(rows, goods)


def _note_opening_quantities(rows: Sequence[Listing], goods: Catalogue) -> None:
    """The malls opened with the merchant's own figures: what they show already needs no push."""
    code_of = {pk: code for code, pk in Sku.objects.values_list("code", "pk")}
    now = clock.now()
    right = [
        (listing.pk, listing.desired, now, listing.desired, now, None)
        for listing in Listing.objects.filter(pk__in=[row.pk for row in rows], desired__isnull=False)
        if listing.desired == goods.online_stock(code_of[listing.sku_id or 0])
    ]
    columns = {"sent": "int", "sent_at": "timestamptz", "confirmed": "int", "confirmed_at": "timestamptz"}
    update_rows("channels_listing", {**columns, "desired_at": "timestamptz"}, right)


def _amazon(listing: SandboxListing) -> tuple[str, str]:
    sku = listing.codes["seller_sku"]
    return (sku if listing.fulfilled_by == "shop" else FBA_MARK + sku), sku


def _rakuten(listing: SandboxListing) -> tuple[str, str]:
    codes = listing.codes
    return (
        rakuten.listing_code(codes["manage_number"], codes["variant_id"]),
        rakuten.channel_sku(codes["merchant_sku"], codes["manage_number"], codes["variant_id"], codes["item_number"]),
    )


def _same(listing: SandboxListing) -> tuple[str, str]:
    return listing.key, listing.key


def _futureshop(listing: SandboxListing) -> tuple[str, str]:
    codes = listing.codes
    code = futureshop.listing_code(codes["product_no"], codes["vertical_no"], codes["horizontal_no"])
    return code, codes["sku_no"] or codes["product_no"]


CODES = {"amazon": _amazon, "rakuten": _rakuten, "yahoo": _same, "qoo10": _same, "futureshop": _futureshop}
