"""Japanese text: keys for comparing, a key for searching, and what CP932 cannot print.

Names and addresses are *stored as typed* (`clean_text`); everything else here makes keys that are only compared.
NFKC belongs in keys alone: it turns ① into 1 and ㈱ into (株).
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import jaconv

DATA = Path(__file__).parent / "data"

DASHES = "-‐‑‒–—―−－ｰ﹣﹘⁃─━"
LONG_VOWELS = "ー〜～~"
SEPARATOR = "\n"

_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SPLIT_KANA = re.compile("[\u3041-\u30ff][\u3099\u309a]")
_DASH = re.compile(f"[{re.escape(DASHES)}]")
_ANY_DASH = re.compile(f"[{re.escape(DASHES + LONG_VOWELS)}]")
_DIGIT_LONG_VOWEL = re.compile(r"(?<=\d)ー(?=\d)")

_KANJI = "\u3400-\u9fff\uf900-\ufaff々〆"
_KE = re.compile(f"(?<=[{_KANJI}])[ケヶガヵ](?=[{_KANJI}])")
_ADDRESS_FOLDING = str.maketrans("ァィゥェォッャュョヮヵヶ" + DASHES, "アイウエオツヤユヨワカケ" + "-" * len(DASHES))
_LOOSE_DASH = re.compile(r"-(?!\d)|(?<!\w)-")
_COMPANY = {"(株)": "株式会社", "(有)": "有限会社", "(合)": "合同会社", "(社)": "社団法人", "(財)": "財団法人"}
_KANJI_NUMBER = re.compile(r"[〇一二三四五六七八九十百千]+(?=丁目|番地|番|号|条|線|[のノ]\d)")
_BLOCK_WORD = re.compile(r"(?<=\d)(?:丁目|番地ノ|番地|番|号室|号|ノ(?=\d))")
_PREFECTURE = re.compile(r"^(?:東京都|北海道|(?:京都|大阪)府|(?:神奈川|和歌山|鹿児島)県|[^\d]{2}県)")
_COUNTY = re.compile(r"^[^\d郡]{1,5}郡(?!山市|上市)(?=[^\d]{1,7}[町村])")


# ---- stored text


def compose_kana(text: str) -> str:
    """か + U+3099 (macOS and iOS input) → が. Leaves every other character alone, unlike NFC."""
    return _SPLIT_KANA.sub(lambda pair: unicodedata.normalize("NFC", pair[0]), text)


def clean_text(text: str) -> str:
    """The form in which names, addresses and remarks are stored: as typed, without what no one can see.

    Composes kana, drops control characters, lone surrogates and zero-width marks, keeps line breaks.
    """
    text = _UNSTORABLE.sub("", compose_kana(text))
    return re.sub(r"[\u200b\u2060\ufeff]", "", text).replace("\u00a0", " ").strip()


# ---- keys


@cache
def _kanji_variants() -> dict[int, str]:
    """Old or rare form → the form that stands for its group; one `group-head variants` pair a line."""
    table: dict[int, str] = {}
    for line in (DATA / "kanji_variants.txt").read_text(encoding="utf-8").splitlines():
        head, _, variants = line.partition(" ")
        if not line.startswith("#"):
            table.update({ord(variant): head for variant in variants})
    return table


def fold_kanji(text: str) -> str:
    """髙 → 高, 﨑 → 崎, 邊/邉 → 辺; 斎, 齋, 齊 and 斉 become one."""
    return text.translate(_kanji_variants())


def folded(text: str) -> str:
    """What all keys share: NFKC, no spaces, no invisible marks, katakana, new kanji forms, lower case."""
    key = unicodedata.normalize("NFKC", text).lower().translate(_folding())
    key = "".join(key.split())
    # A dropped mark or a lower-cased letter can leave a pair that composes once more.
    return key if unicodedata.is_normalized("NFKC", key) else folded(key)


@cache
def _folding() -> dict[int, str | None]:
    """One table for one pass: hiragana, kanji variants, and the characters that fall away."""
    hiragana = "".join(map(chr, range(0x3041, 0x309F)))
    invisible = [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0xAD]
    selectors = [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
    unstorable = [*range(9), *range(0x0E, 0x1C), 0x7F, *range(0xD800, 0xE000)]
    dropped: dict[int, str | None] = dict.fromkeys([*invisible, *selectors, *unstorable])
    katakana = {ord(kana): jaconv.hira2kata(kana) for kana in hiragana}
    return dropped | katakana | _kanji_variants()


def kana_key(text: str) -> str:
    """やまだ, ﾔﾏﾀﾞ and ヤマダ → ヤマダ. No spaces; every dash becomes ー."""
    return _ANY_DASH.sub("ー", folded(text)).upper()


def match_name(text: str) -> str:
    """A key that is equal for two spellings of one name (person or company)."""
    key = _ANY_DASH.sub("-", folded(text))
    for short, full in _COMPANY.items():
        key = key.replace(short, full)
    return key.replace("・", "")


def match_mail(text: str) -> str:
    """Lower case, nothing else: dots and +tags are kept."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def match_mail_loosely(text: str) -> str:
    """The same without dots and +tag before the @, which some providers deliver to one person all the same."""
    name, at, domain = match_mail(text).partition("@")
    return name.partition("+")[0].replace(".", "") + at + domain


def kanji_number(text: str) -> int:
    """二十三 → 23, 一〇二 → 102, 百五 → 105."""
    digits = "〇一二三四五六七八九"
    if not set(text) & set("十百千"):
        return int("".join(str(digits.index(char)) for char in text))
    total, pending = 0, 0
    for char in text:
        if char in digits:
            pending = pending * 10 + digits.index(char)
        else:
            total += (pending or 1) * {"十": 10, "百": 100, "千": 1000}[char]
            pending = 0
    return total + pending


def digits_for_kanji(text: str) -> str:
    """二丁目三番 → 2丁目3番. Only where a block word follows, so that 三条 in a name and 一 in 一郎 stay."""
    return _KANJI_NUMBER.sub(lambda number: str(kanji_number(number[0])), text)


def match_address(address: str, *, postal_code: str = "") -> str:
    """A key that is equal for two spellings of one address.

    With a postal code the prefecture and the county (郡) are implied and fall away; the code leads the key.
    1丁目2番3号, 一丁目二番三号 and １－２－３ are one; so are 霞ヶ関 and 霞が関.
    """
    text = digits_for_kanji(folded(address))
    text = _KE.sub("ケ", text).translate(_ADDRESS_FOLDING)
    text = _DIGIT_LONG_VOWEL.sub("-", _BLOCK_WORD.sub("-", text))
    return led_by_code(_LOOSE_DASH.sub("", text), postal_code)


def led_by_code(address_key: str, postal_code: str) -> str:
    """The key of an address whose postal code is known, from its key without one; without a code the key itself."""
    code = re.sub(r"\D", "", unicodedata.normalize("NFKC", postal_code))
    if not code:
        return address_key
    return f"{code} {_COUNTY.sub('', _PREFECTURE.sub('', address_key))}"


# ---- search


def search_word(text: str) -> str:
    """One part of a row, or one typed word, in the form that is compared by the search.

    Dashes fall away, so that phone and order numbers are found with and without them.
    """
    return _DIGIT_LONG_VOWEL.sub("", _DASH.sub("", folded(text)))


def search_text(*parts: str | None) -> str:
    """The text stored for searching a row: each part normalised and led by a line break.

    The break keeps a word from matching across two parts and marks where a part begins.
    """
    words = (search_word(part) for part in parts if part)
    return "".join(SEPARATOR + word for word in dict.fromkeys(words) if word)


# ---- CP932, the encoding of the carriers' label software

_CP932_MAP = str.maketrans(
    {
        "—": "―",
        "–": "－",
        "‐": "－",
        "‑": "－",
        "‒": "－",
        "−": "－",
        "〜": "～",
        "‖": "∥",
        "¥": "￥",
        "\u00a0": " ",
        "\u2003": " ",
    }
)


def cp932_form(text: str, fallback: Mapping[str, str] = MappingProxyType({})) -> str:
    """The text with every harmless replacement done; `fallback` is the merchant's own table (𠮷 → 吉)."""
    text = _INVISIBLE.sub("", compose_kana(text)).translate(_CP932_MAP)
    return text.translate({ord(char): other for char, other in fallback.items()})


def to_cp932_problems(text: str, fallback: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """The characters that the label software cannot print, in order, each once. Empty means printable."""
    return [char for char in dict.fromkeys(cp932_form(text, fallback)) if not _encodes(char)]


@cache
def _encodes(char: str) -> bool:
    try:
        char.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True
