"""The merchant's catalogue and where each SKU is listed. Deterministic by seed; plain values."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

from channels.sandbox import wares
from channels.sandbox.goods import LOCATIONS, Catalogue, Listing, Sku
from channels.sandbox.listings import listings_of

__all__ = ["LOCATIONS", "Catalogue", "Listing", "Sku", "build", "jan_of"]

SCARCE_STOCK = 3
SCARCE_SKUS = 60
PREORDER_SKUS = 30
SETS = 60


@lru_cache(maxsize=4)
def build(seed: int, opening_day: date) -> Catalogue:
    """The catalogue of this seed; release dates are counted from the opening day."""
    skus = {sku.code: sku for sku in _all_skus(random.Random(f"catalogue:{seed}"), opening_day)}
    return Catalogue(skus, listings_of(tuple(skus.values()), random.Random(f"listings:{seed}")))


def jan_of(number: int) -> str:
    """The 13-digit JAN with its check digit for the n-th product of this company."""
    body = f"4599999{number:05d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-weighted % 10}"


def _all_skus(rng: random.Random, opening_day: date) -> Iterator[Sku]:
    made: list[Sku] = []
    for family in wares.FAMILIES:
        made.extend(_family_skus(family, rng))
    made.extend(_scarce_skus())
    made.extend(_preorder_skus(opening_day))
    for number, sku in enumerate(made, start=1):
        yield replace(sku, jan=jan_of(number))
    simple = [sku for sku in made if sku.role == "ordinary" and sku.temperature == "ambient" and sku.size_cm <= 60]
    yield from (replace(sku, jan=jan_of(90000 + n)) for n, sku in enumerate(_set_skus(simple, rng)))


def _family_skus(family: wares.Family, rng: random.Random) -> Iterator[Sku]:
    pairs = [(series, kind) for series in family.series for kind in family.kinds]
    for number, (series, (kind, base)) in enumerate(rng.sample(pairs, min(family.products, len(pairs))), start=1):
        product = f"{family.prefix}{number:03d}"
        price = round(base * rng.uniform(0.85, 1.25), -1)
        popular = rng.random() < 0.06
        for colour_code, colour in family.colours or (("", ""),):
            for size_code, size in family.sizes or (("", ""),):
                yield Sku(
                    code="-".join(word for word in (product, colour_code, size_code) if word),
                    product_code=product,
                    name=f"{series} {kind}",
                    category=family.category,
                    jan="",
                    price=int(price * 2.7 // 10 * 10) if size == "3袋セット" else int(price),
                    tax_rate=family.tax_rate,
                    temperature=family.temperature,
                    colour=colour,
                    colour_code=colour_code,
                    size=size,
                    size_code=size_code,
                    weight_g=family.weight_g,
                    size_cm=family.size_cm,
                    stock=_opening_stock(rng, popular=popular, bulky=family.size_cm > 160),
                )


def _opening_stock(rng: random.Random, *, popular: bool, bulky: bool) -> dict[str, int]:
    most = 400 if popular else 25 if bulky else 90
    stock = {"WH-E": rng.randint(most // 3, most), "WH-W": rng.randint(most // 4, most * 2 // 3)}
    return stock | {store: rng.randint(0, 2 if bulky else 8) for store, _, kind in LOCATIONS if kind == "store"}


def _scarce_skus() -> Iterator[Sku]:
    for number in range(1, SCARCE_SKUS + 1):
        name = wares.SCARCE_NAMES[number % len(wares.SCARCE_NAMES)]
        code = f"ONE{number:03d}"
        yield Sku(code, code, f"{name} No.{number}", "goods", "", 880, 10, stock={"WH-E": SCARCE_STOCK}, role="scarce")


def _preorder_skus(opening_day: date) -> Iterator[Sku]:
    for number in range(1, PREORDER_SKUS + 1):
        name = wares.PREORDER_NAMES[number % len(wares.PREORDER_NAMES)]
        food = "米" in name or "おせち" in name
        code = f"PRE{number:03d}"
        yield Sku(
            code,
            code,
            f"【予約】{name} {opening_day.year + 1}-{number:02d}",
            "food" if food else "goods",
            "",
            3980 + 500 * number,
            8 if food else 10,
            release_date=opening_day + timedelta(days=14 + 3 * number),
            preorder_limit=200,
            role="preorder",
        )


def _set_skus(simple: list[Sku], rng: random.Random) -> Iterator[Sku]:
    for number in range(1, SETS + 1):
        rate = rng.choice((8, 10))
        parts = rng.sample(
            [sku for sku in simple if sku.tax_rate == rate and sku.category != "apparel"], rng.choice((2, 3))
        )
        components = tuple((part.code, rng.choice((1, 1, 2))) for part in parts)
        worth = sum(part.price * quantity for part, (_, quantity) in zip(parts, components, strict=True))
        name = f"{wares.SET_NAMES[number % len(wares.SET_NAMES)]} No.{number}"
        code = f"SET{number:03d}"
        yield Sku(
            code, code, name, parts[0].category, "", worth * 9 // 100 * 10, rate, components=components, role="set"
        )
