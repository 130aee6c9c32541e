"""Noto Sans CJK JP from two packages: characters → glyphs and widths, and the part of the font a file needs."""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path

import noto_cjk_sans_jp_bold
import noto_cjk_sans_jp_regular
import uharfbuzz as hb

MISSING = "〓"  # the printers' mark for a character that the fonts do not have
_UNSEEN = {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0xAD, *range(0x20)}
_SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


class Weight(StrEnum):
    """The two faces; the value is the name inside the PDF."""

    REGULAR = "R"
    BOLD = "B"


class Face:
    """One font file. `codes` and `widths` fill themselves: character → four hex digits, and → advance in 1/1000 em."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._face = hb.Face(hb.Blob.from_file_path(str(path)))
        self._font = hb.Font(self._face)
        self.codes = _Codes(self)
        self.widths = _Widths(self)

    def glyph(self, char: str) -> int:
        """The glyph number, which is also the CID; -1 for what is never seen."""
        if ord(char) in _UNSEEN or ord(char) in _SELECTORS:
            return -1
        return self._font.get_nominal_glyph(ord(char)) or self._font.get_nominal_glyph(ord(MISSING)) or 0

    def advance(self, glyph: int) -> int:
        """In 1/1000 em; the fonts have 1000 units an em."""
        return int(self._font.get_glyph_h_advance(glyph)) if glyph >= 0 else 0

    def subset(self, glyphs: Iterable[int]) -> bytes:
        """The bare CFF table with these glyphs, their CIDs kept."""
        wanted = hb.SubsetInput()
        wanted.sets(hb.SubsetInputSets.GLYPH_INDEX).update(set(glyphs))
        wanted.sets(hb.SubsetInputSets.DROP_TABLE_TAG).update(
            {hb_tag(name) for name in ("GSUB", "GPOS", "GDEF", "VORG")}
        )
        wanted.flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.NO_LAYOUT_CLOSURE
        return bytes(hb.subset(self._face, wanted).reference_table("CFF ").data)


class _Codes(dict[str, str]):
    def __init__(self, face: Face) -> None:
        super().__init__()
        self._face = face

    def __missing__(self, char: str) -> str:
        glyph = self._face.glyph(char)
        self[char] = code = f"{glyph:04X}" if glyph >= 0 else ""
        return code


class _Widths(dict[str, int]):
    def __init__(self, face: Face) -> None:
        super().__init__()
        self._face = face

    def __missing__(self, char: str) -> int:
        self[char] = width = self._face.advance(self._face.glyph(char))
        return width


def hb_tag(name: str) -> int:
    """An OpenType tag as a number."""
    return int.from_bytes(name.encode("ascii"), "big")


@cache
def face(weight: Weight) -> Face:
    """Opened once per process; the file is mapped, not read."""
    package = noto_cjk_sans_jp_bold if weight == Weight.BOLD else noto_cjk_sans_jp_regular
    return Face(Path(str(package.FONT_PATH)), f"NotoSansCJKjp-{'Bold' if weight == Weight.BOLD else 'Regular'}")
