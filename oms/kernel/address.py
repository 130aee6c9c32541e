"""Judging and tidying a Japanese address.

A problem is raised on positive evidence only: full-width digits, kanji numerals, another dash, a missing prefecture or
county can be put right by rule (`tidy_address`) and must not stop an order.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as lazy

from oms.kernel.label import fits_label
from oms.kernel.phone import phone_digits, phone_fault
from oms.kernel.postal import Place, places, postal_digits, town_keys
from oms.kernel.text import clean_text, match_address

PREFECTURES = {
    "hokkaido": "北海道", "aomori": "青森県", "iwate": "岩手県", "miyagi": "宮城県", "akita": "秋田県",
    "yamagata": "山形県", "fukushima": "福島県", "ibaraki": "茨城県", "tochigi": "栃木県", "gunma": "群馬県",
    "saitama": "埼玉県", "chiba": "千葉県", "tokyo": "東京都", "kanagawa": "神奈川県", "niigata": "新潟県",
    "toyama": "富山県", "ishikawa": "石川県", "fukui": "福井県", "yamanashi": "山梨県", "nagano": "長野県",
    "gifu": "岐阜県", "shizuoka": "静岡県", "aichi": "愛知県", "mie": "三重県", "shiga": "滋賀県",
    "kyoto": "京都府", "osaka": "大阪府", "hyogo": "兵庫県", "nara": "奈良県", "wakayama": "和歌山県",
    "tottori": "鳥取県", "shimane": "島根県", "okayama": "岡山県", "hiroshima": "広島県", "yamaguchi": "山口県",
    "tokushima": "徳島県", "kagawa": "香川県", "ehime": "愛媛県", "kochi": "高知県", "fukuoka": "福岡県",
    "saga": "佐賀県", "nagasaki": "長崎県", "kumamoto": "熊本県", "oita": "大分県", "miyazaki": "宮崎県",
    "kagoshima": "鹿児島県", "okinawa": "沖縄県",
}  # fmt: skip
REGIONS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "hokkaido": (lazy("北海道地方"), ("北海道",)),
    "tohoku": (lazy("東北"), ("青森県", "岩手県", "宮城県", "秋田県", "山形県", "福島県")),
    "kanto": (lazy("関東"), ("茨城県", "栃木県", "群馬県", "埼玉県", "千葉県", "東京都", "神奈川県")),
    "chubu": (
        lazy("中部"),
        ("新潟県", "富山県", "石川県", "福井県", "山梨県", "長野県", "岐阜県", "静岡県", "愛知県"),
    ),
    "kinki": (lazy("近畿"), ("三重県", "滋賀県", "京都府", "大阪府", "兵庫県", "奈良県", "和歌山県")),
    "chugoku": (lazy("中国"), ("鳥取県", "島根県", "岡山県", "広島県", "山口県")),
    "shikoku": (lazy("四国"), ("徳島県", "香川県", "愛媛県", "高知県")),
    "kyushu": (lazy("九州"), ("福岡県", "佐賀県", "長崎県", "熊本県", "大分県", "宮崎県", "鹿児島県")),
    "okinawa": (lazy("沖縄"), ("沖縄県",)),
}
_PREFECTURES = frozenset(PREFECTURES.values())
_FULL_PREFECTURE = {name if name == "北海道" else name[:-1]: name for name in PREFECTURES.values()} | PREFECTURES

_LEADING_PREFECTURE = re.compile("^(?:" + "|".join(PREFECTURES.values()) + ")")
_OTHER_CITY = re.compile(r"^[^\d]{1,7}?[市区町村]")
_NO_NUMBER = re.compile(r"無番地|番外地|番地(?:なし|無し)|地番なし")
_BUILDING = re.compile(
    "ハイツ|コーポ|マンシヨン|ビル|アパート|メゾン|パレス|レジデンス|コート|ハウス|タワー|プラザ|シヤトー|ヴイラ|ガーデン|ハイム|"
    "シテイ|パーク|ライオンズ|グラン|エステート|ドミール|カーサ|フラツト|ロイヤル|荘|寮|館|棟|団地|住宅|[a-z]{3}"
)
_TYPED_DASH = re.compile(r"(?<=[0-9])\s*[-‐‑‒–—―−－ｰー─━]\s*(?=[0-9])")
_SMALL_PLACE = re.compile(r"大字|(?<![文十])字")


@dataclass(frozen=True, slots=True)
class AddressProblem:
    """A reason code of the order desk, and the fact that speaks for it."""

    code: str  # postal_mismatch, street_no_missing, address_too_long, phone_invalid
    evidence: str


@dataclass(frozen=True, slots=True)
class TidyAddress:
    """The same address in the form that labels like: half-width digits, one kind of dash, nothing missing or twice."""

    postal_code: str  # seven digits, or what was typed when it is no code
    prefecture: str
    city: str
    rest: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """How an address reads when the postal code means `place`. `tail` is the key after prefecture and city."""

    place: Place
    fits: bool
    tail: str
    town_key: str


def check_phone(phone: str) -> list[AddressProblem]:
    """`phone_invalid` for a number no one can be called at; an absent one is no problem here."""
    return [AddressProblem("phone_invalid", phone_digits(phone) or phone)] if phone_fault(phone) else []


def check_address(
    postal_code: str, prefecture: str, city: str, rest: str, *, carrier: str = "yamato"
) -> list[AddressProblem]:
    """What keeps a parcel from this address; empty when nothing does. `rest` is town, number and building.

    `carrier` names the label fields the address must fit into (`oms.kernel.label.LABEL_LINES`).
    """
    code = postal_digits(postal_code)
    known = places(code)
    if not known:
        return [AddressProblem("postal_mismatch", postal_code.strip() or "〒?")]
    problems = []
    if not _plainly_right(known, f"{prefecture}{city}{rest}"):
        problems += _place_problems(code, known, prefecture, city, rest)
    if not fits_label(prefecture, city, rest, carrier=carrier):
        problems.append(AddressProblem("address_too_long", f"{len(prefecture + city + rest)}"))
    return problems


def tidy_address(postal_code: str, prefecture: str, city: str, rest: str) -> TidyAddress:
    """Put right what a rule can: see `TidyAddress`. Words are never changed, only widths, dashes and repeats."""
    code = postal_digits(postal_code)
    known = places(code)
    prefecture = full_prefecture(prefecture)
    city, rest = _tidy_part(city), _tidy_part(rest)
    if not prefecture and (found := _LEADING_PREFECTURE.match(city or rest)):
        prefecture = found[0]
    if not prefecture and len({place.prefecture for place in known}) == 1:
        prefecture = known[0].prefecture
    if prefecture:
        city, rest = city.removeprefix(prefecture).strip(), rest.removeprefix(prefecture).strip()
    if city:
        rest = rest.removeprefix(city).strip()
    else:
        city, rest = _split_city(known, rest)
    return TidyAddress(code if len(code) == 7 else postal_code.strip(), prefecture, city, rest)


def full_prefecture(text: str) -> str:
    """東京, Tokyo and 東京都 → 東京都; what is no prefecture stays as typed."""
    if text in _PREFECTURES or not text:
        return text
    typed = unicodedata.normalize("NFKC", text).strip()
    short = re.sub(r"[-\s]?(?:to|fu|ken|prefecture|pref\.?)$", "", typed.lower()).strip()
    return _FULL_PREFECTURE.get(typed) or _FULL_PREFECTURE.get(short) or _FULL_PREFECTURE.get(typed.lower()) or typed


# ---- reading against the postal master


def _plainly_right(known: tuple[Place, ...], typed: str) -> bool:
    """Most addresses are written as the master writes them, a number after the town; they need no folding."""
    for place in known:
        lead = str(place)
        if typed.startswith(lead) and typed[len(lead) : len(lead) + 1].isdecimal():
            return True
    return False


def _place_problems(code: str, known: tuple[Place, ...], prefecture: str, city: str, rest: str) -> list[AddressProblem]:
    reading = _best_reading(code, known, address_key(f"{full_prefecture(prefecture)}{city}{rest}"))
    if not reading.fits:
        return [AddressProblem("postal_mismatch", f"〒{code[:3]}-{code[3:]} {known[0]}")]
    if not _has_number(reading, rest):
        return [AddressProblem("street_no_missing", clean_text(rest) or str(reading.place))]
    return []


def address_key(text: str) -> str:
    """`match_address` without 大字 and 字, which buyers write or leave out."""
    return _SMALL_PLACE.sub("", match_address(text))


@lru_cache(maxsize=4_000)
def _city_keys(prefecture: str, city: str) -> tuple[str, tuple[str, ...]]:
    """Keys of the prefecture, and of the city in all its spellings, longest first."""
    spellings = {city, re.sub(r"^.{1,5}?郡(?=.+[町村]$)", "", city), re.sub(r"(?<=市).{1,5}区$", "", city)}
    keys = sorted((address_key(spelling) for spelling in spellings), key=len, reverse=True)
    return address_key(prefecture), tuple(keys)


@lru_cache(maxsize=20_000)
def _town_key(town: str) -> str:
    return address_key(town)


def _best_reading(code: str, known: tuple[Place, ...], whole: str) -> _Reading:
    readings = [_read(code, place, whole) for place in known]
    return next((reading for reading in readings if reading.fits), readings[0])


def _read(code: str, place: Place, whole: str) -> _Reading:
    prefecture, cities = _city_keys(place.prefecture, place.city)
    town = _town_key(place.town)
    tail = whole
    while tail.startswith(prefecture):
        tail = tail.removeprefix(prefecture)
    if len(tail) == len(whole) and _LEADING_PREFECTURE.match(whole):
        return _Reading(place, False, tail, town)
    spelling = next((city for city in cities if tail.startswith(city)), "")
    while spelling and tail.startswith(spelling):
        tail = tail.removeprefix(spelling)
    return _Reading(place, _town_fits(code, place, spelling, tail, town), tail, town)


def _town_fits(code: str, place: Place, spelling: str, tail: str, town: str) -> bool:
    has_town = not town or town in tail
    if spelling == "":  # the buyer left the city out: only a named town can speak for the code
        return bool(town) and tail.startswith(town) and len(town) > 1
    if has_town:
        return True
    if re.search(r"区$", place.city) and "市" in place.city and not spelling.endswith("区") and _OTHER_CITY.match(tail):
        return False  # another ward, or a ward of before a reform, and not the town either
    return not _other_town(code, place, tail, town)


def _other_town(code: str, place: Place, tail: str, town: str) -> str:
    """The town of the same city that the address names instead, empty when it names none that we know."""
    starts = (tail[:length] for length in range(len(tail), 1, -1))
    other = next((start for start in starts if start in town_keys(code[:2], place.city)), "")
    return "" if town.startswith(other) else other


def _has_number(reading: _Reading, rest: str) -> bool:
    """Whether a street number follows the town. A number that only a building or room has does not count."""
    if reading.place.is_office or "ビル" in reading.place.town or _NO_NUMBER.search(rest):
        return True
    place = reading.tail.find(reading.town_key)
    after = reading.tail[place + len(reading.town_key) :] if place >= 0 else reading.tail
    number = re.search(r"\d", after)
    if number is None:
        return False
    return not _BUILDING.search(after[: number.start()])


# ---- tidying


def _tidy_part(text: str) -> str:
    return _TYPED_DASH.sub("-", "".join(_half_width(clean_text(text)))).strip()


def _half_width(text: str) -> Iterator[str]:
    """Full-width digits, letters and blanks become half-width; nothing else changes (～ and ㈱ stay)."""
    for char in re.sub(r"\s+", " ", text):
        yield chr(ord(char) - 0xFEE0) if "０" <= char <= "９" or "Ａ" <= char <= "Ｚ" or "ａ" <= char <= "ｚ" else char


def _split_city(known: tuple[Place, ...], rest: str) -> tuple[str, str]:
    """City and rest, when both came in one field. A city left out is added when the code means one only."""
    for place in known:
        if rest.startswith(place.city):
            return place.city, rest.removeprefix(place.city).strip()
    cities = {place.city for place in known}
    town = known[0].town if known else ""
    if len(cities) == 1 and town and rest.startswith(town):
        return known[0].city, rest
    return "", rest
