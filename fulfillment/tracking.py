"""Tracking numbers as typed, scanned or pasted. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orders.models.order import Carrier

# Yamato, Sagawa and Japan Post number parcels with eleven digits and their remainder by seven.
CHECKED_CARRIERS = {Carrier.YAMATO, Carrier.SAGAWA, Carrier.JAPANPOST}
PAGES = {
    Carrier.YAMATO: "https://jizen.kuronekoyamato.co.jp/jizen/servlet/crjz.b.NQ0010?id={no}",
    Carrier.SAGAWA: "https://k2k.sagawa-exp.co.jp/p/web/okurijosearch.do?okurijoNo={no}",
    Carrier.JAPANPOST: (
        "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={no}&searchKind=S002&locale=ja"
    ),
}
_NUMBER = re.compile(r"^S?0*(\d{1,12})$", re.IGNORECASE)
_CARRIER_WORDS = (("ヤマト", "yamato"), ("クロネコ", "yamato"), ("佐川", "sagawa"), ("飛脚", "sagawa"),
                  ("郵便", "japanpost"), ("ゆう", "japanpost"))  # fmt: skip


def normal_tracking_no(typed: str) -> str:
    """４７１２-０３９８-４４１２ → 471203984412. Letters stay, in capitals."""
    return re.sub(r"[\s\-‐−ー]", "", unicodedata.normalize("NFKC", typed)).upper()


def has_right_check_digit(tracking_no: str) -> bool:
    """True for twelve digits whose last is the first eleven modulo seven."""
    return bool(re.fullmatch(r"\d{12}", tracking_no)) and int(tracking_no[:11]) % 7 == int(tracking_no[11])


def looks_wrong(carrier: str, tracking_no: str) -> bool:
    """Worth a second look before shipping; never a reason to refuse, since test and special numbers exist."""
    return bool(tracking_no) and carrier in CHECKED_CARRIERS and not has_right_check_digit(tracking_no)


def tracking_url(carrier: str, tracking_no: str) -> str:
    """The carrier's page of a parcel; empty where there is none."""
    return PAGES.get(Carrier(carrier), "").replace("{no}", tracking_no) if tracking_no else ""


@dataclass(frozen=True, slots=True)
class PastedLine:
    """One readable line; `carrier` is empty when the line does not name one. A carrier's file may tell several
    `numbers` of one shipment, the first of which is `tracking_no`; `joined`: they are pieces that travel together."""

    shipment_id: int
    tracking_no: str
    carrier: str = ""
    numbers: tuple[str, ...] = ()
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Pasted:
    """What stands in a pasted file. `unreadable` are lines as typed; `doubled` shipments that came with two numbers
    (the first one counts); `shared` numbers that several shipments have; `source`: whose software wrote the file."""

    lines: Mapping[int, PastedLine] = field(default_factory=dict)
    unreadable: Sequence[str] = ()
    doubled: Sequence[int] = ()
    shared: Sequence[str] = ()
    source: str = ""


def read_pasted(text: str) -> Pasted:
    """Lines of "shipment number, tracking number[, carrier]", by comma or tab. A head line is skipped."""
    lines: dict[int, PastedLine] = {}
    unreadable, doubled = [], []
    for place, raw in enumerate(text.splitlines()):
        if not raw.strip():
            continue
        line = _line(raw)
        if line is None:
            if place or re.search(r"\d", raw):
                unreadable.append(raw.strip()[:80])
        elif line.shipment_id not in lines:
            lines[line.shipment_id] = line
        elif lines[line.shipment_id].tracking_no != line.tracking_no:
            doubled.append(line.shipment_id)
    numbers = {pk: [line.tracking_no] for pk, line in lines.items()}
    return Pasted(lines, unreadable, list(dict.fromkeys(doubled)), shared_numbers(numbers))


def own_number(typed: str) -> int | None:
    """S0000012 and 12 → 12; None for anything else."""
    match = _NUMBER.match(unicodedata.normalize("NFKC", typed).strip())
    return int(match[1]) if match else None


def _line(raw: str) -> PastedLine | None:
    cells = [cell.strip().strip("\"'") for cell in re.split(r"[,\t、，]", unicodedata.normalize("NFKC", raw))]
    match = _NUMBER.match(cells[0])
    if match is None or len(cells) < 2 or not re.fullmatch(r"[0-9A-Z]{1,40}", number := normal_tracking_no(cells[1])):
        return None
    return PastedLine(int(match[1]), number, _carrier(cells[2]) if len(cells) > 2 else "")


def _carrier(word: str) -> str:
    if word.lower() in Carrier.values:
        return word.lower()
    return next((code for part, code in _CARRIER_WORDS if part in word), "")


def shared_numbers(numbers: Mapping[int, Iterable[str]]) -> list[str]:
    """Those that several shipments have."""
    times = Counter(number for own in numbers.values() for number in set(own))
    return [number for number, n in times.items() if n > 1]
