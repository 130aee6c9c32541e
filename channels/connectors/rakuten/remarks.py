"""The buyer's remark without the block in which Rakuten repeats the delivery wish."""

import re
from dataclasses import dataclass
from datetime import date

HEADER = re.compile(r"^\[(?P<name>[^\[\]]+?)[:：]?\]\s*(?P<rest>.*)$")
DAY = re.compile(r"^(?P<y>\d{4})[-/年](?P<m>\d{1,2})[-/月](?P<d>\d{1,2})日?\s*(?:[(（].[)）])?$")
HOURS = re.compile(r"^(?P<h1>\d{1,2})(?::00|時)?\s*[〜～~\-－−]\s*(?P<h2>\d{1,2})(?::00|時)?$")
SLOTS = {"午前": "am", "午前中": "am", "午後": "pm", "指定なし": "", "希望なし": "", "なし": ""}
WISH, NOTE = "配送日時指定", "備考"


@dataclass(frozen=True, slots=True)
class Remark:
    """What the buyer wrote, and the day and slot ("am", "1416", "") that the delivery block names."""

    words: str
    day: date | None = None
    slot: str = ""


def read_remarks(raw: str) -> Remark:
    """Lines of the delivery block that are no day and no hours are kept, and so are all other blocks."""
    if not raw.startswith("["):
        return Remark(raw)
    kept: list[str] = []
    day: date | None = None
    slot: str | None = None
    for name, lines in _blocks(raw):
        if name == WISH:
            for line in lines:
                found_day = _day(line)
                found_slot = None if found_day else _slot(line)
                day, slot = day or found_day, slot or found_slot
                if found_day is None and found_slot is None:
                    kept.append(line)
            continue
        if lines and name not in ("", NOTE):
            kept.append(f"[{name}:]")
        kept += lines
    return Remark("\n".join(kept), day, slot or "")


def _blocks(raw: str) -> list[tuple[str, list[str]]]:
    """(name, lines that are not empty) of each block."""
    blocks: list[tuple[str, list[str]]] = [("", [])]
    for line in filter(None, map(str.strip, raw.splitlines())):
        if line[0] == "[" and (header := HEADER.match(line)):
            blocks.append((header["name"], [header["rest"]] if header["rest"] else []))
        else:
            blocks[-1][1].append(line)
    return blocks


def _day(line: str) -> date | None:
    found = DAY.match(line)
    if not found:
        return None
    try:
        return date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        return None


def _slot(line: str) -> str | None:
    """None when the line names no slot; "" when it says that none is wished."""
    if found := HOURS.match(line):
        return f"{int(found['h1']):02d}{int(found['h2']):02d}"
    return SLOTS.get(line)
