"""What a buyer who asks for a receipt writes about it: to whom, and for what. Pure.

Read only where it is labelled ("宛名は…", "但し書きを…"); a name that is merely near is never guessed.
"""

import re
from dataclasses import dataclass

STOP = r"[^」』\"\n。、,]"
TO = re.compile(rf"(?:宛名|宛先名|領収書名|お宛名)(?:は|を|に|[:：=])?\s*[「『\"]?({STOP}{{1,60}})")
FOR = re.compile(rf"(?:但し書き?|ただし書き|但書)(?:は|を|に|[:：=])?\s*[「『\"]?({STOP}{{1,40}})")
TAIL = re.compile(
    r"(?:宛)?(?:で|に)?(?:の領収書)?(?:を)?(?:発行(?:して)?)?(?:お願い(?:いた|致)?し?ます|ください|下さい|希望(?:します)?|です)?$"
)
NOBODY = {"上様", "上", "空欄", "なし", "無し", "同じ", "注文者", "本人"}


@dataclass(frozen=True, slots=True)
class ReceiptWish:
    """Empty where nothing is said."""

    name: str = ""
    subject: str = ""


def read(*texts: str) -> ReceiptWish:
    """From a remark and options, the first that says it."""
    names = (_found(TO, text) for text in texts)
    name = next((re.sub(r"\s*(?:様|さま|御中)$", "", one) for one in names if one), "")
    subject = next((one for text in texts if (one := _found(FOR, text))), "")
    return ReceiptWish("" if name in NOBODY else name, subject)


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return TAIL.sub("", match[1].strip()).strip() if match else ""
