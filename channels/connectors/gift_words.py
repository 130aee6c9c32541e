"""Choices a buyer made on an item's page that are wishes about gifts: channels without fields of their own carry them
as "name: choice" pairs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MESSAGE = re.compile("メッセージ|グリーティング|ギフトカード")
NOSHI = re.compile("のし|熨斗")
GIFT = re.compile("ラッピング|包装|ギフト|リボン|名入れ|刻印|彫刻")
NOSHI_KINDS = re.compile("のし|熨斗|蝶結び|結び切り|あわじ結び")
NOT_WISHED = re.compile(
    r"^(なし|無し|無|不要|いいえ|no|しない|希望しない|利用しない|つけない|付けない|選択しない|-)?[。.]?$", re.I
)
PAIR = re.compile("[:：]")


@dataclass(frozen=True, slots=True)
class GiftWords:
    """`words` is all of it with the names of the choices; the others are its parts."""

    words: str = ""
    gift: str = ""
    noshi: str = ""
    message: str = ""


def chosen(pairs: Iterable[tuple[str, str]]) -> GiftWords:
    """What is wished; a choice that says "none" is no wish."""
    words, gifts, noshi, messages = [], [], [], []
    for name, choice in pairs:
        if NOT_WISHED.match(choice.strip()):
            continue
        if MESSAGE.search(name):
            messages.append(choice)
        elif NOSHI.search(name):
            noshi.append(choice)
        elif GIFT.search(name):
            gifts.append(f"{name}:{choice}")
        else:
            continue
        words.append(f"{name}:{choice}")
    return GiftWords("、".join(words), "、".join(gifts), "、".join(noshi), "\n".join(messages))


def pairs_of(text: str) -> list[tuple[str, str]]:
    """Lines of "name:choice", split at the first colon of either width; a line without one is a choice alone."""
    pairs = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, *choice = PAIR.split(line, maxsplit=1)
        pairs.append((name.strip(), choice[0].strip()) if choice else ("", name))
    return pairs


def by_recipient(words: list[str]) -> str:
    """One summary for the order: the words themselves where all recipients share them, else each with its number."""
    if len(set(words)) <= 1:
        return words[0] if words else ""
    return "、".join(f"お届け先{place}：{word}" for place, word in enumerate(words, start=1) if word)
