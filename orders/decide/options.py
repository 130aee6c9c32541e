"""What a buyer chose with a line, in the channel's words, and what of it nobody has understood yet. Pure."""

import re
import unicodedata
from collections.abc import Sequence

PARTS = re.compile(r"[\n/、,;|]+")
NAMED = re.compile(r"^([^:=]{1,40})[:=]\s*(.*)$")
BETWEEN_WORDS = re.compile(r"[\s/・,、()\[\]:_-]+")
NOTHING = {"", "なし", "無し", "無", "不要", "希望しない", "しない", "選択なし", "未選択", "none", "no"}


def unread(options: str, known: str, fine: Sequence[str]) -> list[str]:
    """The choices ("色:赤") that neither the SKU's own words (`known`) say nor whose name is among the `fine` ones."""
    words, names = _fold(known), [_fold(name) for name in fine]
    singly = {_fold(word) for word in BETWEEN_WORDS.split(unicodedata.normalize("NFKC", known))}
    found = []
    for part in PARTS.split(unicodedata.normalize("NFKC", options)):
        text = part.strip()
        match = NAMED.match(text)
        name, value = (match[1], match[2]) if match else ("", text)
        folded = _fold(value)
        if folded in NOTHING or folded in words or any(word in _fold(name or value) for word in names):
            continue
        if all(_fold(word) in singly for word in value.split()):  # in another order: 白 L for L/白
            continue
        found.append(text)
    return found


def _fold(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).casefold())
