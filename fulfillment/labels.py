"""Whether an address fits the carriers' label software: field lengths, printable letters, what must be filled. Pure.

Yamato (B2クラウド) and Japan Post count half-width units, Sagawa (e飛伝III) full-width letters, 16 a line. Splitting
into lines is for the software; here the whole is measured, so that nothing is cut on the label.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from oms.kernel.phone import phone_digits
from oms.kernel.text import to_cp932_problems


@dataclass(frozen=True, slots=True)
class Limits:
    """In half-width units: the longest name, address, building and company."""

    name: int
    address: int
    building: int
    company: int


LIMITS = {
    "yamato": Limits(name=32, address=64, building=32, company=50),
    "sagawa": Limits(name=64, address=64, building=32, company=64),  # two lines of 16 letters, and one of the three
    "japanpost": Limits(name=50, address=100, building=50, company=50),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A recipient as the label shows it; `street` holds block and building as typed."""

    name: str
    company: str = ""
    postal_code: str = ""
    place: str = ""  # prefecture and city
    street: str = ""
    phone: str = ""


def units(text: str, *, full_width: bool = False) -> int:
    """Half-width units: a kanji has two. With `full_width` every letter has two."""
    return sum(2 if full_width or unicodedata.east_asian_width(char) in "FWA" else 1 for char in text)


def building_apart(street: str) -> tuple[str, str]:
    """(block, building): parted at the first blank behind a digit; without one, all is block."""
    match = re.match(r"(.*?[0-9０-９号地](?:[-－ー―‐0-9０-９]*[0-9０-９])?)[ 　]+(\S.*)", street)
    return (match[1], match[2]) if match else (street, "")


def label_problems(carrier: str, to: Address) -> list[str]:
    """What somebody must put right before the label is printed; empty when all fits."""
    return list(_problems(carrier, to))


def _problems(carrier: str, to: Address) -> Iterator[str]:
    if not re.fullmatch(r"\d{3}-?\d{4}", unicodedata.normalize("NFKC", to.postal_code).strip()):
        yield _("郵便番号が7桁ではありません。")
    if not to.name.strip():
        yield _("宛名がありません。")
    if not to.street.strip():
        yield _("番地がありません。")
    if len(phone_digits(to.phone)) < 10:
        yield _("電話番号がないか、桁数が足りません。")
    if unprintable := to_cp932_problems(f"{to.name}{to.company}{to.place}{to.street}"):
        yield _("送り状に印字できない文字があります: %(chars)s") % {"chars": " ".join(unprintable)}
    limits = LIMITS.get(carrier)
    if limits:
        yield from _too_long(limits, to, full_width=carrier == "sagawa")


def _too_long(limits: Limits, to: Address, *, full_width: bool) -> Iterator[str]:
    block, building = building_apart(to.street)
    for label, text, most in (
        (_("宛名"), to.name, limits.name),
        (_("住所"), to.place + block, limits.address),
        (_("建物名"), building, limits.building),
        (_("会社名"), to.company, limits.company),
    ):
        over = units(text, full_width=full_width) - most
        if over > 0:
            yield _("%(part)sが送り状の欄より全角%(n)s文字分長いです。") % {"part": label, "n": (over + 1) // 2}
