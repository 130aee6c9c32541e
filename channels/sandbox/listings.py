"""Where each SKU is on sale, under the codes that channel would carry."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from channels.sandbox.goods import Channel, Listing, Sku

SHARES: Mapping[Channel, float] = {"amazon": 0.85, "rakuten": 0.95, "yahoo": 0.85, "qoo10": 0.65, "futureshop": 0.9}
"""Part of all products each channel lists."""

FBA_PRODUCTS = 0.15
UNMAPPED_PER_CHANNEL = 6
BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def listings_of(skus: Sequence[Sku], rng: random.Random) -> dict[tuple[Channel, str], Listing]:
    """Every listing of every channel by (channel, key)."""
    made: dict[tuple[Channel, str], Listing] = {}
    products = [list(group) for _, group in groupby(skus, key=lambda sku: sku.product_code)]
    for number, variants in enumerate(products, start=1):
        for channel in _channels_for(variants[0], rng):
            for place, sku in enumerate(variants, start=1):
                listing = _MAKERS[channel](sku, number, place, len(variants) > 1)
                made[channel, listing.key] = listing
        if variants[0].role == "ordinary" and rng.random() < FBA_PRODUCTS:
            made.update({("amazon", offer.key): offer for offer in _fba_offers(variants, number)})
    for listing in _unmapped(list(made.values()), rng):
        made[listing.channel, listing.key] = listing
    return made


def _channels_for(sku: Sku, rng: random.Random) -> list[Channel]:
    if sku.role != "ordinary":
        return list(SHARES)
    chosen = [channel for channel, share in SHARES.items() if rng.random() < share]
    return chosen if len(chosen) > 1 else ["rakuten", "futureshop"]


def _amazon(sku: Sku, product: int, place: int, _varied: bool) -> Listing:
    seller_sku = sku.code if product % 3 else f"AM-{sku.code}"
    codes = {"seller_sku": seller_sku, "asin": _asin(product * 32 + place)}
    return Listing("amazon", seller_sku, sku.code, sku.title, sku.price, codes)


def _fba_offers(variants: Sequence[Sku], product: int) -> Iterator[Listing]:
    for place, sku in enumerate(variants, start=1):
        codes = {"seller_sku": f"{sku.code}-FBA", "asin": _asin(product * 32 + place)}
        yield Listing("amazon", codes["seller_sku"], sku.code, sku.title, sku.price + 200, codes, fulfilled_by="amazon")


def _rakuten(sku: Sku, product: int, place: int, varied: bool) -> Listing:
    manage_number = sku.product_code.lower()
    named = f"{manage_number}-{sku.colour_code}{sku.size_code}".lower().rstrip("-")
    variant_id = named if varied and product % 2 else f"r-sku{place:08d}"
    codes = {
        "manage_number": manage_number,
        "variant_id": variant_id,
        "merchant_sku": "" if product % 10 == 0 else sku.code.replace("-", ""),
        "item_number": sku.product_code,
        "item_id": str(10000000 + product),
        "sku_info": "\n".join(f"{name}:{value}" for name, value in _axes(sku)) if varied else "",
    }
    return Listing("rakuten", f"{manage_number}/{variant_id}", sku.code, f"{sku.name}【送料別】", sku.price, codes)


def _yahoo(sku: Sku, _product: int, _place: int, varied: bool) -> Listing:
    item_code = sku.product_code.lower()
    sub_code = sku.code.lower() if varied else ""
    options = ";".join(f"{name}:{value}" for name, value in _axes(sku)) if varied else ""
    codes = {"item_code": item_code, "sub_code": sub_code, "sub_code_option": options}
    key = f"{item_code}:{sub_code}" if varied else item_code
    return Listing("yahoo", key, sku.code, sku.name, sku.price, codes)


def _qoo10(sku: Sku, product: int, _place: int, varied: bool) -> Listing:
    item_code = str(900100000 + product * 7)
    axes = _axes(sku) if varied else []
    codes = {
        "item_code": item_code,
        "seller_code": sku.product_code,
        "option_code": sku.code if varied else "",
        "option_name": "||*".join(name for name, _ in axes),
        "option_value": "||*".join(value for _, value in axes),
    }
    key = f"{item_code}/{sku.code}" if varied else item_code
    return Listing("qoo10", key, sku.code, sku.name, sku.price, codes)


def _futureshop(sku: Sku, product: int, place: int, varied: bool) -> Listing:
    product_no = f"gd{product:05d}"
    vertical, horizontal = sku.size_code, sku.colour_code.lower()
    joined = f"{product_no}{horizontal}{vertical}"
    codes = {
        "product_no": product_no,
        "sku_no": joined if product % 4 else str(70000000 + product * 100 + place),
        "vertical_no": vertical if varied else "",
        "horizontal_no": horizontal if varied else "",
        "vertical_name": sku.size if varied else "",
        "horizontal_name": sku.colour if varied else "",
    }
    key = f"{product_no}/{codes['vertical_no']}/{codes['horizontal_no']}"
    return Listing("futureshop", key, sku.code, sku.name, sku.price, codes)


_MAKERS: Mapping[Channel, Callable[[Sku, int, int, bool], Listing]] = {
    "amazon": _amazon,
    "rakuten": _rakuten,
    "yahoo": _yahoo,
    "qoo10": _qoo10,
    "futureshop": _futureshop,
}


def _unmapped(listed: Sequence[Listing], rng: random.Random) -> Iterator[Listing]:
    """The same goods listed again under a code that the merchant's master does not hold."""
    for channel in SHARES:
        plain = [one for one in listed if one.channel == channel and one.fulfilled_by == "shop" and _is_plain(one.sku)]
        for number, one in enumerate(rng.sample(plain, UNMAPPED_PER_CHANNEL), start=1):
            yield _UNMAPPED_MAKERS[channel](one, number)


def _is_plain(sku_code: str) -> bool:
    return sku_code.startswith(("FOD", "POT", "TWL", "LAC"))


def _relisted(one: Listing, key: str, **codes: str) -> Listing:
    return replace(one, key=key, title=f"【新装】{one.title}", codes={**one.codes, **codes}, mapped=False)


_UNMAPPED_MAKERS: Mapping[Channel, Callable[[Listing, int], Listing]] = {
    "amazon": lambda one, n: _relisted(one, f"NEW-{n:04d}", seller_sku=f"NEW-{n:04d}", asin=_asin(900000 + n)),
    "rakuten": lambda one, n: _relisted(
        one,
        f"new-{n:04d}/r-sku00000001",
        manage_number=f"new-{n:04d}",
        variant_id="r-sku00000001",
        merchant_sku="",
        item_number=f"NEW-{n:04d}",
        item_id=str(19000000 + n),
        sku_info="",
    ),
    "yahoo": lambda one, n: _relisted(one, f"new-{n:04d}", item_code=f"new-{n:04d}", sub_code="", sub_code_option=""),
    "qoo10": lambda one, n: _relisted(
        one,
        str(990000000 + n),
        item_code=str(990000000 + n),
        seller_code=f"NEW-{n:04d}",
        option_code="",
        option_name="",
        option_value="",
    ),
    "futureshop": lambda one, n: _relisted(
        one,
        f"new{n:05d}//",
        product_no=f"new{n:05d}",
        sku_no=f"new{n:05d}",
        vertical_no="",
        horizontal_no="",
        vertical_name="",
        horizontal_name="",
    ),
}


def _axes(sku: Sku) -> list[tuple[str, str]]:
    size_word = "内容量" if sku.category == "food" else "サイズ"
    return [(name, value) for name, value in (("色", sku.colour), (size_word, sku.size)) if value]


def _asin(number: int) -> str:
    """Ten characters as Amazon makes them; one number, one code."""
    number = (number * 7919 + 104729) % 36**6
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 36)
        digits = BASE36[digit] + digits
    return f"B0SB{digits}"
