"""Values → PDF. The template gets finished strings as JSON and only places them.

Strings from JSON are data to typst, never markup, so nothing that a buyer typed can act. No system font and no network is used:
the fonts come from two packages, so that the same values give the same file anywhere.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path

import noto_cjk_sans_jp_bold
import noto_cjk_sans_jp_regular
import typst

from orders.documents.pages import delivery_note_page, pick_list_page
from orders.documents.values import DeliveryNote, PickList

TEMPLATES = Path(__file__).parent / "templates"


def render_delivery_notes(notes: Sequence[DeliveryNote]) -> bytes:
    """All notes as one PDF in the given order, each beginning on a page of its own, numbered by itself.

    Raises ValueError for no notes, and for a note whose discounts exceed its amounts (see `figures`).
    """
    if not notes:
        raise ValueError("no delivery note to print")
    stamp = datetime.combine(max(note.issued_on for note in notes), time(0), UTC)
    return _pdf("delivery_note.typ", [delivery_note_page(note) for note in notes], stamp)


def render_pick_list(pick: PickList) -> bytes:
    """The sums by shelf, then order by order. Raises ValueError for no orders."""
    if not pick.orders:
        raise ValueError("no order to pick")
    return _pdf("pick_list.typ", pick_list_page(pick), pick.made_at)


def _pdf(template: str, data: object, stamp: datetime) -> bytes:
    compiler = typst.Compiler(
        str(TEMPLATES / template),
        root=str(TEMPLATES),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": _printable(json.dumps(data, ensure_ascii=False))},
    )
    pdf = compiler.compile(format="pdf", timestamp=int(stamp.timestamp()), pdf_tags=False)
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no single file")
    return pdf


def _printable(text: str) -> str:
    """Without lone surrogates, which no encoding takes."""
    return re.sub(r"[\ud800-\udfff]", "\ufffd", text)


@cache
def _fonts() -> typst.Fonts:
    """Loaded once per process; some tens of milliseconds."""
    folders = [Path(str(package.FONT_PATH)).parent for package in (noto_cjk_sans_jp_regular, noto_cjk_sans_jp_bold)]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
