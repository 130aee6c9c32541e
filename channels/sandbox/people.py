"""Buyers: invented people at real postal codes, the same person on several channels under different spellings.

The postal codes and towns in places.csv are public facts (Japan Post, KEN_ALL); names are common ones put together at
random, block numbers and buildings are made up, and the telephone numbers are 0?0-0000-xxxx, which nobody has.
"""

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from channels.sandbox.model import Address, Channel, Person

CROWD = 6000
"""Ordinary buyers before somebody comes again."""

BLACKLISTED = 12
"""Buyers the merchant no longer wants to serve; the demo company puts them on its list."""

FAMILY_NAMES = (
    ("佐藤", "サトウ", "sato"),
    ("鈴木", "スズキ", "suzuki"),
    ("高橋", "タカハシ", "takahashi"),
    ("田中", "タナカ", "tanaka"),
    ("渡辺", "ワタナベ", "watanabe"),
    ("伊藤", "イトウ", "ito"),
    ("山崎", "ヤマザキ", "yamazaki"),
    ("斎藤", "サイトウ", "saito"),
    ("小林", "コバヤシ", "kobayashi"),
    ("加藤", "カトウ", "kato"),
    ("吉田", "ヨシダ", "yoshida"),
    ("山田", "ヤマダ", "yamada"),
    ("松本", "マツモト", "matsumoto"),
    ("井上", "イノウエ", "inoue"),
    ("木村", "キムラ", "kimura"),
    ("清水", "シミズ", "shimizu"),
    ("阿部", "アベ", "abe"),
    ("森", "モリ", "mori"),
    ("池田", "イケダ", "ikeda"),
    ("橋本", "ハシモト", "hashimoto"),
    ("石川", "イシカワ", "ishikawa"),
    ("前田", "マエダ", "maeda"),
    ("藤田", "フジタ", "fujita"),
    ("岡田", "オカダ", "okada"),
    ("浜田", "ハマダ", "hamada"),
    ("広瀬", "ヒロセ", "hirose"),
    ("宮崎", "ミヤザキ", "miyazaki"),
    ("比嘉", "ヒガ", "higa"),
    ("金城", "キンジョウ", "kinjo"),
    ("工藤", "クドウ", "kudo"),
    ("島田", "シマダ", "shimada"),
    ("長谷川", "ハセガワ", "hasegawa"),
    ("五十嵐", "イガラシ", "igarashi"),
    ("佐々木", "ササキ", "sasaki"),
    ("黒沢", "クロサワ", "kurosawa"),
    ("関", "セキ", "seki"),
)
GIVEN_NAMES = (
    ("恵", "メグミ"),
    ("翔太", "ショウタ"),
    ("陽菜", "ヒナ"),
    ("健一", "ケンイチ"),
    ("千尋", "チヒロ"),
    ("美咲", "ミサキ"),
    ("大輔", "ダイスケ"),
    ("直樹", "ナオキ"),
    ("由美子", "ユミコ"),
    ("さくら", "サクラ"),
    ("浩", "ヒロシ"),
    ("和子", "カズコ"),
    ("蓮", "レン"),
    ("結衣", "ユイ"),
    ("智子", "トモコ"),
    ("拓也", "タクヤ"),
    ("葵", "アオイ"),
    ("真理", "マリ"),
    ("修", "オサム"),
    ("奈々", "ナナ"),
    ("誠", "マコト"),
    ("綾", "アヤ"),
    ("雄介", "ユウスケ"),
    ("ひかり", "ヒカリ"),
    ("悠斗", "ユウト"),
    ("典子", "ノリコ"),
    ("光", "ヒカル"),
    ("麻衣", "マイ"),
)
BUILDINGS = (
    "メゾン青葉",
    "コーポさくら",
    "パークサイド緑",
    "グランヒルズ",
    "第二若葉荘",
    "サンハイツ",
    "リバーサイド川島",
)
OLD_SPELLINGS = {
    "高橋": ("髙橋",),
    "渡辺": ("渡邊", "渡邉"),
    "山崎": ("山﨑",),
    "宮崎": ("宮﨑",),
    "斎藤": ("齋藤", "齊藤", "斉藤"),
    "浜田": ("濱田",),
    "広瀬": ("廣瀬",),
    "島田": ("嶋田",),
    "黒沢": ("黒澤",),
}
FULL_WIDTH = str.maketrans("0123456789-", "０１２３４５６７８９－")
KANJI_DIGITS = str.maketrans("123456789", "一二三四五六七八九")


@dataclass(frozen=True, slots=True)
class Place:
    postal: str
    prefecture: str
    city: str
    town: str
    island: bool


@lru_cache(maxsize=1)
def places() -> tuple[Place, ...]:
    """All places of places.csv."""
    with (Path(__file__).with_name("places.csv")).open(encoding="utf-8", newline="") as rows:
        return tuple(
            Place(f"{r['postal'][:3]}-{r['postal'][3:]}", r["prefecture"], r["city"], r["town"], r["island"] == "1")
            for r in csv.DictReader(rows)
        )


@lru_cache(maxsize=1)
def _mainland() -> tuple[Place, ...]:
    return tuple(place for place in places() if not place.island)


@lru_cache(maxsize=1)
def _islands() -> tuple[Place, ...]:
    return tuple(place for place in places() if place.island)


def person(seed: int, number: int) -> Person:
    """The n-th buyer of this seed, in the tidy spelling of the register."""
    rng = random.Random(f"person:{seed}:{number}")
    family, family_kana, romaji = rng.choice(FAMILY_NAMES)
    given, given_kana = rng.choice(GIVEN_NAMES)
    return Person(
        person_id=f"p{number:05d}",
        family=family,
        given=given,
        family_kana=family_kana,
        given_kana=given_kana,
        phone=f"{('090', '080', '070')[number // 9999 % 3]}-0000-{number % 9999 + 1:04d}",
        email=f"{romaji}{number:05d}@example.jp",
        address=address_at(rng.choice(_mainland()), rng),
    )


def blacklist(seed: int) -> list[Person]:
    """The people the demo company has on its blacklist, in the tidy spelling."""
    return [person(seed, CROWD + number) for number in range(BLACKLISTED)]


def islander(seed: int, number: int) -> Person:
    """The n-th buyer, moved to an island."""
    rng = random.Random(f"islander:{seed}:{number}")
    return replace(person(seed, number), address=address_at(rng.choice(_islands()), rng))


def address_at(place: Place, rng: random.Random) -> Address:
    """A made-up block, sometimes a flat, at a real place."""
    block = "-".join(str(rng.randint(1, top)) for top in ((5, 24, 18) if rng.random() < 0.7 else (980, 12)))
    building = f"{rng.choice(BUILDINGS)} {rng.randint(1, 9)}0{rng.randint(1, 8)}" if rng.random() < 0.45 else ""
    return Address(place.postal, place.prefecture, place.city, place.town, block, building, place.island)


def spelled(one: Person, channel: Channel) -> Person:
    """This person as registered on this channel: always the same there, perhaps different elsewhere. All harmless."""
    rng = random.Random(f"spelling:{one.person_id}:{one.email}:{channel}")
    family = one.family
    if family in OLD_SPELLINGS and rng.random() < 0.5:
        family = rng.choice(OLD_SPELLINGS[family])
    phone = one.phone.replace("-", "") if rng.random() < 0.4 else one.phone
    address = one.address
    if address.building and rng.random() < 0.4:
        address = replace(
            address, building=rng.choice((f"{address.building}号室", address.building.replace(" ", "　")))
        )
    return replace(one, family=family, phone=phone, address=address)


def untidy(address: Address, rng: random.Random) -> Address:
    """The same place, typed carelessly; a machine can put it right without asking anybody."""
    return rng.choice(_CARELESS)(address)


def undeliverable(address: Address, rng: random.Random) -> Address:
    """Nobody can deliver there without asking the buyer: no block, or a postal code and a prefecture from elsewhere."""
    if rng.random() < 0.5:
        return replace(address, block="", building="")
    others = [place for place in places() if place.prefecture != address.prefecture and not place.island]
    postal_of, prefecture_of = rng.sample(others, 2)
    return replace(address, postal=postal_of.postal, prefecture=prefecture_of.prefecture)


def _kanji_chome(address: Address) -> Address:
    head, _, rest = address.block.partition("-")
    chome = head.translate(KANJI_DIGITS) if len(head) == 1 else head
    return replace(address, block=f"{chome}丁目{rest}" if rest else address.block)


_CARELESS: tuple[Callable[[Address], Address], ...] = (
    lambda a: replace(a, block=a.block.translate(FULL_WIDTH)),
    lambda a: replace(a, postal=a.postal.translate(FULL_WIDTH), block=a.block.translate(FULL_WIDTH)),
    lambda a: replace(a, postal=a.postal.replace("-", "")),
    lambda a: replace(a, block=a.block.replace("-", "ー")),
    lambda a: replace(a, block=a.block.replace("-", "−")),
    lambda a: replace(a, city=f"{a.prefecture}{a.city}"),
    lambda a: replace(a, town=f" {a.town}", block=f"{a.block} "),
    lambda a: replace(a, block=f"{a.block}　{a.building}".rstrip("　"), building=""),
    _kanji_chome,
)
