"""Pictures for a PDF: JPEG as it is, PNG unpacked and laid on white. Read by hand; no imaging library is needed."""

import struct
import zlib
from dataclasses import dataclass

MAX_SIDE = 2000
_PNG = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class UnreadablePicture(ValueError):
    """Not a picture we can print; `code` says why: `kind`, `size`, `damaged`, `unsupported`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Picture:
    """`stream` is the content of a PDF image object, `attributes` its entries."""

    width: int
    height: int
    attributes: str
    stream: bytes


def read_picture(data: bytes) -> Picture:
    """JPEG or PNG (8 bits a channel, not interlaced). Raises UnreadablePicture."""
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(_PNG):
            return _png(data)
    except (struct.error, IndexError, zlib.error) as error:
        raise UnreadablePicture("damaged") from error
    raise UnreadablePicture("kind")


def _jpeg(data: bytes) -> Picture:
    at = 2
    while True:
        marker, length = struct.unpack(">HH", data[at : at + 4])
        if 0xFFC0 <= marker <= 0xFFCF and marker not in {0xFFC4, 0xFFC8, 0xFFCC}:
            _bits, height, width, channels = struct.unpack(">BHHB", data[at + 4 : at + 10])
            space = {1: "DeviceGray", 3: "DeviceRGB"}.get(channels)
            if space is None:  # CMYK files are stored inverted by some programs and not by others
                raise UnreadablePicture("unsupported")
            _check(width, height)
            return Picture(width, height, f"/ColorSpace/{space}/BitsPerComponent 8/Filter/DCTDecode", data)
        if marker < 0xFF00 or length < 2:
            raise UnreadablePicture("damaged")
        at += 2 + length


def _check(width: int, height: int) -> None:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise UnreadablePicture("size")


def _png(data: bytes) -> Picture:
    chunks: dict[bytes, bytes] = {}
    at = len(_PNG)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name = data[at + 4 : at + 8]
        chunks[name] = chunks.get(name, b"") + data[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, bits, kind, _packing, _filter, interlaced = struct.unpack(">IIBBBBB", chunks.get(b"IHDR", b""))
    _check(width, height)
    if bits != 8 or interlaced or kind not in _CHANNELS:
        raise UnreadablePicture("unsupported")
    channels = _CHANNELS[kind]
    size = height * (1 + width * channels)
    raw = zlib.decompressobj().decompress(chunks.get(b"IDAT", b""), size)
    if len(raw) < size:
        raise UnreadablePicture("damaged")
    pixels = _unfiltered(raw, width * channels, height, channels)
    colors = _on_white(pixels, kind, chunks.get(b"PLTE", b""), chunks.get(b"tRNS", b""))
    space = "DeviceGray" if kind in {0, 4} else "DeviceRGB"
    return Picture(
        width, height, f"/ColorSpace/{space}/BitsPerComponent 8/Filter/FlateDecode", zlib.compress(colors, 9)
    )


def _unfiltered(raw: bytes, stride: int, height: int, step: int) -> bytes:
    """The five filters of PNG undone, row by row."""
    out, above = bytearray(), bytearray(stride)
    for y in range(height):
        at = y * (stride + 1)
        row = bytearray(raw[at + 1 : at + 1 + stride])
        _undo(raw[at], row, above, step)
        out += row
        above = row
    return bytes(out)


def _undo(method: int, row: bytearray, above: bytearray, step: int) -> None:
    if method > 4:
        raise UnreadablePicture("damaged")
    for x in range(len(row) if method else 0):
        left = row[x - step] if x >= step else 0
        corner = above[x - step] if x >= step else 0
        guess = (0, left, above[x], (left + above[x]) // 2, _nearest(left, above[x], corner))[method]
        row[x] = (row[x] + guess) & 0xFF


def _nearest(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda one: abs(estimate - one))


def _on_white(pixels: bytes, kind: int, palette: bytes, clear: bytes) -> bytes:
    """Gray or RGB without transparency."""
    if kind == 3:
        alphas = clear + b"\xff" * (256 - len(clear))
        table = [
            bytes(_over_white(value, alphas[at // 3]) for value in palette[at : at + 3])
            for at in range(0, len(palette), 3)
        ]
        return b"".join(table[index] for index in pixels)
    if kind not in {4, 6}:
        return pixels
    step = _CHANNELS[kind]
    out = bytearray()
    for at in range(0, len(pixels), step):
        alpha = pixels[at + step - 1]
        out += bytes(_over_white(value, alpha) for value in pixels[at : at + step - 1])
    return bytes(out)


def _over_white(value: int, alpha: int) -> int:
    return (value * alpha + 255 * (255 - alpha)) // 255
