"""A PDF file from page contents: ISO 32000-1, no more than documents need."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from oms.kernel.pdf.fonts import Weight, face
from oms.kernel.pdf.picture import Picture

_CMAP_HEAD = (
    "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /ToUnicode def /CMapType 2 def\n"
    "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
)
_CMAP_FOOT = "endcmap CMapName currentdict /CMap defineresource pop end end"
_CATALOG, _PAGES, _INFO, _RESOURCES = 1, 2, 3, 4


def pdf_file(
    pages: Sequence[bytes],
    used: dict[Weight, set[str]],
    pictures: Sequence[Picture] = (),
    *,
    sizes: Sequence[tuple[float, float]],
    title: str,
    made_at: datetime,
) -> bytes:
    """The same input gives the same bytes. `pages` are content streams, `sizes` theirs in points, `used` the
    characters of each face; the pictures are called /I0, /I1 … in the pages."""
    objects: dict[int, bytes] = {}
    number = _RESOURCES + 1
    fonts = {}
    for weight, chars in used.items():
        fonts[weight] = number
        objects |= dict(enumerate(_font_objects(weight, chars, number), start=number))
        number += 5
    shown = dict(enumerate(pictures, start=number))
    objects |= {place: _picture(picture) for place, picture in shown.items()}
    number += len(shown)
    kids = range(number, number + 2 * len(pages), 2)
    for place, content, size in zip(kids, pages, sizes, strict=True):
        own = b"" if size == sizes[0] else _box(size).encode()
        objects[place] = b"<</Type/Page/Parent %d 0 R%s/Contents %d 0 R>>" % (_PAGES, own, place + 1)
        objects[place + 1] = _stream(content)
    objects[_CATALOG] = b"<</Type/Catalog/Pages %d 0 R/Lang(ja-JP)>>" % _PAGES
    objects[_PAGES] = _page_tree(kids, sizes[0])
    objects[_INFO] = _info(title, made_at)
    listed = " ".join(f"/{weight.value} {place} 0 R" for weight, place in fonts.items())
    images = " ".join(f"/I{order} {place} 0 R" for order, place in enumerate(shown))
    objects[_RESOURCES] = f"<</Font<<{listed}>>{f'/XObject<<{images}>>' if images else ''}>>".encode()
    return _assembled([objects[place] for place in sorted(objects)])


def _picture(picture: Picture) -> bytes:
    head = f"<</Type/XObject/Subtype/Image/Width {picture.width}/Height {picture.height}{picture.attributes}"
    return f"{head}/Length {len(picture.stream)}>>stream\n".encode() + picture.stream + b"\nendstream"


def _page_tree(kids: Sequence[int], size: tuple[float, float]) -> bytes:
    listed = " ".join(f"{place} 0 R" for place in kids)
    return (f"<</Type/Pages/Count {len(kids)}{_box(size)}/Resources {_RESOURCES} 0 R/Kids[{listed}]>>").encode()


def _box(size: tuple[float, float]) -> str:
    return f"/MediaBox[0 0 {size[0]:.2f} {size[1]:.2f}]"


def _info(title: str, made_at: datetime) -> bytes:
    stamp = made_at.strftime("%Y%m%d%H%M%SZ")
    name = ("\ufeff" + title).encode("utf-16-be", "replace").hex()
    return f"<</Title<{name}>/CreationDate(D:{stamp})>>".encode()


def _stream(content: bytes, extra: str = "") -> bytes:
    packed = zlib.compress(content, 6)
    return f"<</Length {len(packed)}/Filter/FlateDecode{extra}>>stream\n".encode() + packed + b"\nendstream"


def _font_objects(weight: Weight, chars: set[str], first: int) -> Iterator[bytes]:
    """Type 0 font, its descendant, descriptor, font file, and the way back to Unicode."""
    this = face(weight)
    glyphs = {glyph: char for char in sorted(chars) if (glyph := this.glyph(char)) >= 0}
    name = f"{_tag(glyphs)}+{this.name}"
    yield (
        f"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H"
        f"/DescendantFonts[{first + 1} 0 R]/ToUnicode {first + 4} 0 R>>"
    ).encode()
    yield (
        f"<</Type/Font/Subtype/CIDFontType0/BaseFont/{name}"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/FontDescriptor {first + 2} 0 R/DW 1000/W[{_widths(weight, glyphs)}]>>"
    ).encode()
    stem = 140 if weight == Weight.BOLD else 80
    yield (
        f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[-1000 -1000 3000 2000]/ItalicAngle 0"
        f"/Ascent 880/Descent -120/CapHeight 733/StemV {stem}/FontFile3 {first + 3} 0 R>>"
    ).encode()
    yield _stream(this.subset(glyphs), "/Subtype/CIDFontType0C")
    yield _stream(_to_unicode(glyphs).encode())


def _tag(glyphs: dict[int, str]) -> str:
    """The six letters that mark a subset."""
    digest = hashlib.sha256(repr(sorted(glyphs)).encode()).digest()
    return "".join(chr(65 + byte % 26) for byte in digest[:6])


def _widths(weight: Weight, glyphs: dict[int, str]) -> str:
    advance = face(weight).advance
    return " ".join(f"{glyph}[{advance(glyph)}]" for glyph in sorted(glyphs) if advance(glyph) != 1000)


def _to_unicode(glyphs: dict[int, str]) -> str:
    entries = [f"<{glyph:04X}> <{char.encode('utf-16-be').hex()}>" for glyph, char in sorted(glyphs.items())]
    blocks = (entries[at : at + 100] for at in range(0, len(entries), 100))
    listed = [f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks]
    return _CMAP_HEAD + "".join(listed) + _CMAP_FOOT


def _assembled(objects: list[bytes]) -> bytes:
    parts = [b"%PDF-1.7\n%\xe3\x81\x82\n"]
    at, places = len(parts[0]), []
    for number, content in enumerate(objects, start=1):
        part = b"%d 0 obj\n%b\nendobj\n" % (number, content)
        places.append(at)
        at += len(part)
        parts.append(part)
    identity = hashlib.sha256(b"".join(parts)).hexdigest()[:32]
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    parts.append(
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
        f"<</Size {len(objects) + 1}/Root {_CATALOG} 0 R/Info {_INFO} 0 R/ID[<{identity}><{identity}>]>>\n"
        f"startxref\n{at}\n%%EOF\n".encode()
    )
    return b"".join(parts)
