"""The bytes of a file as text lines: its encoding, and line ends as spreadsheets know them."""

import codecs
import re
from collections.abc import Iterator
from typing import IO

from django.utils.translation import gettext as _

from orders.decide.csv_records import LOST

PIECE = 1 << 18
LONGEST_LINE = 4_000_000  # characters
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


class Unusable(Exception):
    """The file as a whole cannot be read; the text says what to do."""


def encoding_of(file: IO[bytes]) -> str:
    """UTF-16 by its mark, else UTF-8 when all of it is, else CP932; of files that are neither all through, the one in
    which fewer letters are lost. Raises Unusable when it is none of them."""
    file.seek(0)
    if file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return "utf-16"
    lost = {}
    for encoding in ("utf-8-sig", "cp932"):
        if not (n := _lost_lines(file, encoding)):
            return encoding
        lost[encoding] = n
    best = min(lost, key=lambda encoding: lost[encoding])
    lines = sum(1 for _line in lines_of(file, best))
    if lost[best] * 2 >= lines or LOST.search(next(lines_of(file, best))):
        raise Unusable(_("文字コードを読み取れません。UTF-8 か Shift_JIS のCSVで保存し直してください。"))
    return best


def _lost_lines(file: IO[bytes], encoding: str) -> int:
    return sum(1 for line in lines_of(file, encoding) if LOST.search(line))


def lines_of(file: IO[bytes], encoding: str) -> Iterator[str]:
    """The text, line by line, with the line ends that a quoted cell may hold. Bytes that are no letter stay as
    `surrogateescape` leaves them."""
    file.seek(0)
    decoder, rest = codecs.getincrementaldecoder(encoding)("surrogateescape"), ""
    while True:
        piece = file.read(PIECE)
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as broken:  # UTF-16 has no bytes of its own to keep
            raise Unusable(
                _("文字コードを読み取れません。UTF-8 か Shift_JIS のCSVで保存し直してください。")
            ) from broken
        if "\0" in text:
            raise Unusable(_("CSVではないファイルのようです。Excelのファイルは「CSV UTF-8」で保存し直してください。"))
        whole = LINE.findall(rest + text)
        rest = "" if not piece or not whole or whole[-1].endswith("\n") else whole.pop()
        yield from whole
        if len(rest) > LONGEST_LINE:  # adding to it piece by piece would take for ever
            raise Unusable(_("長すぎる行があります。行の区切りと引用符を確かめてください。"))
        if not piece:
            return
