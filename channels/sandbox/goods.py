"""SKUs, listings and locations as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

Channel = Literal["amazon", "rakuten", "yahoo", "qoo10", "futureshop"]
CHANNELS: tuple[Channel, ...] = ("amazon", "rakuten", "yahoo", "qoo10", "futureshop")

LOCATIONS: tuple[tuple[str, str, str], ...] = (
    ("WH-E", "東日本倉庫", "warehouse"),
    ("WH-W", "西日本倉庫", "warehouse"),
    ("ST-GINZA", "銀座店", "store"),
    ("ST-UMEDA", "梅田店", "store"),
    ("ST-HAKATA", "博多店", "store"),
)
"""(code, name, kind). Warehouses sell online; stores do not."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One SKU on one channel under that channel's own codes.

    `key` names the stock row in the mall, `codes` are the channel's fields:

    amazon      key = seller_sku; seller_sku asin  (fulfilled_by "amazon" = FBA offer, own seller_sku, stock at Amazon)
    rakuten     key = "manage_number/variant_id"; manage_number variant_id merchant_sku item_number item_id sku_info
    yahoo       key = "item_code" or "item_code:sub_code"; item_code sub_code sub_code_option ("色:紺;サイズ:M" or "")
    qoo10       key = "item_code" or "item_code/option_code"; item_code seller_code option_code option_name option_value
    futureshop  key = "product_no/vertical_no/horizontal_no"; product_no sku_no vertical_no horizontal_no vertical_name
                horizontal_name
    """

    channel: Channel
    key: str
    sku: str  # the merchant's own SKU code
    title: str
    price: int
    codes: Mapping[str, str]
    mapped: bool = True  # False: the merchant's master does not know this listing yet
    fulfilled_by: str = "shop"  # or "amazon"


@dataclass(frozen=True, slots=True)
class Sku:
    """One sellable thing. Components make it a set without own stock."""

    code: str
    product_code: str  # variants of one product share it
    name: str  # product name without the variant
    category: str  # furniture bicycle apparel food goods
    jan: str
    price: int  # including tax
    tax_rate: int
    temperature: str = "ambient"  # chilled frozen
    colour: str = ""
    colour_code: str = ""
    size: str = ""
    size_code: str = ""
    weight_g: int = 500
    size_cm: int = 60  # sum of the three sides
    release_date: date | None = None
    preorder_limit: int = 0
    components: tuple[tuple[str, int], ...] = ()  # (SKU code, quantity)
    stock: Mapping[str, int] = field(default_factory=dict)  # location code → opening units
    role: str = "ordinary"  # scarce: kept out of ordinary demand, for deliberate shortages

    @property
    def is_set(self) -> bool:
        return bool(self.components)

    @property
    def is_preorder(self) -> bool:
        return self.preorder_limit > 0

    @property
    def title(self) -> str:
        variant = " ".join(word for word in (self.colour, self.size) if word)
        return f"{self.name} {variant}".strip()


@dataclass(frozen=True)
class Catalogue:
    """Never changes; all worlds of one seed and day share it, and what is worked out from it once."""

    skus: Mapping[str, Sku]
    listings: Mapping[tuple[Channel, str], Listing]  # (channel, key) → listing

    @cached_property
    def by_channel(self) -> Mapping[Channel, Sequence[Listing]]:
        """Each channel's listings, sorted by key."""
        by_key = sorted(self.listings.values(), key=lambda one: one.key)
        return {channel: tuple(one for one in by_key if one.channel == channel) for channel in CHANNELS}

    def online_stock(self, code: str) -> int:
        """Opening units that may be sold online: warehouses, the pre-order limit, or what a set's components allow."""
        return self._online[code]

    @cached_property
    def _online(self) -> Mapping[str, int]:
        plain = {code: _own_online(sku) for code, sku in self.skus.items() if not sku.is_set}
        sets = {
            code: min(plain[part] // quantity for part, quantity in sku.components)
            for code, sku in self.skus.items()
            if sku.is_set
        }
        return plain | sets

    def parts(self, code: str) -> Mapping[str, int]:
        """Units of plain SKUs in one unit of this SKU."""
        sku = self.skus[code]
        return dict(sku.components) if sku.components else {code: 1}


def _own_online(sku: Sku) -> int:
    if sku.is_preorder:
        return sku.preorder_limit
    return sum(sku.stock.get(location, 0) for location, _, kind in LOCATIONS if kind == "warehouse")
