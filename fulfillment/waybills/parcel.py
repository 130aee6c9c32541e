"""What a parcel's label says, as plain values, and a place's contract with a carrier. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who gets or sends a parcel. `street` holds block and building as typed."""

    name: str = ""
    kana: str = ""
    company: str = ""
    phone: str = ""
    postal_code: str = ""
    prefecture: str = ""
    city: str = ""
    street: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One shipment. `sender` is the shop at its place; `gift_sender` stands as sender instead where the order names
    one. `cash` is what the driver takes, `cash_tax` the tax inside it. `transit_days`: hand-over to delivery."""

    number: str
    order_numbers: tuple[str, ...]
    to: Party
    sender: Party
    ship_on: date
    gift_sender: str = ""
    method: str = ""
    cash: int = 0
    cash_tax: int = 0
    temperature: str = "ambient"
    pieces: int = 1
    wish_on: date | None = None
    wish_slot: str = ""
    transit_days: int = 1
    abroad: bool = False


# Letters that CP932 lacks, and what the same name is written with instead. Every merchant may change the list.
USUAL_LETTERS = {
    "𠮷": "吉", "鷗": "鴎", "𩸽": "ホッケ", "俠": "侠", "剝": "剥", "塡": "填", "頰": "頬", "顚": "顛", "麴": "麹",
    "蟬": "蝉", "繫": "繋", "瘦": "痩", "é": "e", "è": "e", "ñ": "n", "ü": "u", "ö": "o", "ä": "a",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """How one place hands its parcels to one carrier. What only one carrier knows is empty at the others."""

    layout: str = ""
    header: bool = False
    item: str = ""
    most_rows: int = 1000
    letters: Mapping[str, str] = field(default_factory=lambda: dict(USUAL_LETTERS))
    fallback_phone: str = ""
    sender_name: str = ""
    sender_phone: str = ""
    sender_postal_code: str = ""
    sender_prefecture: str = ""
    sender_city: str = ""
    sender_street: str = ""
    customer_code: str = ""
    # Yamato
    class_code: str = ""
    freight_no: str = ""
    code_nekopos: str = "A"
    code_yupacket: str = "7"
    handling_1: str = ""
    handling_2: str = ""
    # Sagawa
    slots: str = "5"
    packing: str = "001"
    cod_payment: str = "1"
    # Sagawa and Japan Post
    date_form: str = "%Y/%m/%d"
    # Japan Post
    code_parcel: str = "1"
    code_packet: str = "2"
    code_cod: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From stored values; what they lack is as usual, what they have too much is left."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})
