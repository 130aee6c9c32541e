"""Drawing on one page. Places in millimetres from the upper left corner, sizes of letters in points."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal

from oms.kernel.pdf.file import pdf_file
from oms.kernel.pdf.fonts import Weight, face
from oms.kernel.pdf.picture import Picture

MM = 72 / 25.4
A4 = (210.0, 297.0)
A5_WIDE = (210.0, 148.0)

Align = Literal["left", "center", "right"]
Color = tuple[float, float, float]


def rgb(hexadecimal: str) -> Color:
    """#1f2933 → shares of one."""
    red, green, blue = (int(hexadecimal[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


class Style:
    """How letters look. Made once and kept: two styles are never equal.

    `tracking` is extra room after each letter, in em. `line` is the height of a line and `baseline` the way from its
    top to the baseline, so that Japanese letters stand in the middle; both in millimetres.
    """

    def __init__(
        self,
        size: float,
        weight: Weight = Weight.REGULAR,
        color: Color = (0, 0, 0),
        *,
        tracking: float = 0.0,
        leading: float = 1.45,
    ) -> None:
        self.size, self.face, self.tracking = size, weight.value, tracking
        self.line = size * leading / MM
        self.baseline = self.line / 2 + size * 0.38 / MM
        self.widths = face(weight).widths
        self.codes = face(weight).codes
        red, green, blue = color
        spread = f"{tracking * size:.2f} Tc " if tracking else ""
        self.start = f"BT /{weight.value} {size:g} Tf {red:.3g} {green:.3g} {blue:.3g} rg {spread}"
        self.end = "> Tj 0 Tc ET" if tracking else "> Tj ET"

    def width(self, text: str) -> float:
        """In millimetres."""
        units = sum(map(self.widths.__getitem__, text))
        return (units / 1000 + self.tracking * max(len(text) - 1, 0)) * self.size / MM


@lru_cache(maxsize=8_192)
def _set(text: str, style: Style) -> tuple[str, float]:
    """Glyph codes and width; labels and product names come again and again."""
    return "".join(map(style.codes.__getitem__, text)), style.width(text)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one page is printed on. What is drawn is made smaller by `scale` and then moved `shift` millimetres to the
    right; `height` is the room it has, in the drawing's own millimetres."""

    size: tuple[float, float]
    scale: float = 1.0
    shift: float = 0.0

    @property
    def height(self) -> float:
        return self.size[1] / self.scale


@dataclass(slots=True)
class Document:
    """The pages of one file, and the characters they use."""

    size: tuple[float, float] = A4
    pages: list["Page"] = field(default_factory=list)
    texts: dict[str, set[str]] = field(default_factory=lambda: {weight.value: {" "} for weight in Weight})
    pictures: Mapping[str, Picture] = field(default_factory=dict)  # by any name; pages draw them by it

    def page(self, sheet: Sheet | None = None) -> "Page":
        """A new page at the end, of the document's size unless it has a sheet of its own."""
        sheet = sheet or Sheet(self.size)
        self.pages.append(Page(self, sheet))
        if sheet.scale != 1.0:
            self.pages[-1].marks.append(f"{sheet.scale:.5f} 0 0 {sheet.scale:.5f} {sheet.shift * MM:.2f} 0 cm")
        return self.pages[-1]

    def pdf(self, *, title: str, made_at: datetime) -> bytes:
        """The finished file."""
        sizes = [(page.sheet.size[0] * MM, page.sheet.size[1] * MM) for page in self.pages]
        contents = ["\n".join(page.marks).encode() for page in self.pages]
        used = {Weight(name): set().union(*texts) for name, texts in self.texts.items()}
        return pdf_file(contents, used, list(self.pictures.values()), sizes=sizes, title=title, made_at=made_at)


@dataclass(slots=True)
class Page:
    """One page; `marks` are its operators in order."""

    document: Document
    sheet: Sheet
    marks: list[str] = field(default_factory=list)

    def text(self, x: float, baseline: float, text: str, style: Style, align: Align = "left") -> None:
        """One line of text; nothing is wrapped or cut."""
        if not text:
            return
        codes, width = _set(text, style)
        if align != "left":
            x -= width if align == "right" else width / 2
        document = self.document
        document.texts[style.face].add(text)
        y = (self.sheet.height - baseline) * MM
        self.marks.append(f"{style.start}{x * MM:.1f} {y:.1f} Td <{codes}{style.end}")

    def line(self, x1: float, y: float, x2: float, color: Color, points: float = 0.4) -> None:
        """A level line."""
        red, green, blue = color
        at = f"{self._y(y):.2f}"
        self.marks.append(
            f"{red:.3g} {green:.3g} {blue:.3g} RG {points:g} w {x1 * MM:.2f} {at} m {x2 * MM:.2f} {at} l S"
        )

    def area(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        """A filled rectangle, its upper left corner at (x, y)."""
        red, green, blue = color
        self.marks.append(
            f"{red:.3g} {green:.3g} {blue:.3g} rg "
            f"{x * MM:.2f} {self._y(y + height):.2f} {width * MM:.2f} {height * MM:.2f} re f"
        )

    def frame(self, x: float, y: float, width: float, height: float, *, color: Color, points: float = 0.6) -> None:
        """A rectangle's outline."""
        red, green, blue = color
        self.marks.append(
            f"{red:.3g} {green:.3g} {blue:.3g} RG {points:g} w "
            f"{x * MM:.2f} {self._y(y + height):.2f} {width * MM:.2f} {height * MM:.2f} re S"
        )

    def picture(self, name: str, x: float, y: float, max_width: float, max_height: float) -> float:
        """The document's picture of that name, as large as it may be; returns its height, 0 where there is none."""
        shown = self.document.pictures.get(name)
        if shown is None:
            return 0.0
        scale = min(max_width / shown.width, max_height / shown.height)
        width, height = shown.width * scale, shown.height * scale
        place = list(self.document.pictures).index(name)
        box = f"{width * MM:.2f} 0 0 {height * MM:.2f} {x * MM:.2f} {self._y(y + height):.2f} cm"
        self.marks.append(f"q {box} /I{place} Do Q")
        return height

    def bars(
        self, x: float, y: float, width: float, height: float, *, bars: Iterable[tuple[int, int]], modules: int
    ) -> None:
        """Black bars of a barcode: (start, width) in modules, stretched to the given width."""
        unit, bottom, tall = width * MM / modules, self._y(y + height), height * MM
        boxes = " ".join(f"{x * MM + at * unit:.2f} {bottom:.2f} {size * unit:.2f} {tall:.2f} re" for at, size in bars)
        self.marks.append(f"0 g {boxes} f")

    def _y(self, from_top: float) -> float:
        return (self.sheet.height - from_top) * MM
