"""Code 128: read by every hand scanner at the packing check. Sets B and C of ISO/IEC 15417."""

# Bar and space widths of the values 0–102, the three starts 103–105, and the stop.
_TABLE = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122
123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323
131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131
213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122
141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112
124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141
411131 211412 211214 211232 2331112
"""
_WIDTHS = _TABLE.split()
_START_B, _START_C, _STOP = 104, 105, 106
_QUIET = 10  # modules of white on both sides


def code128_values(text: str) -> list[int]:
    """Start, data, check symbol, stop. Raises ValueError for what is not printable ASCII."""
    if not text or not all(" " <= char <= "~" for char in text):
        raise ValueError(f"not printable ASCII: {text!r}")
    if text.isdecimal() and len(text) % 2 == 0:
        values = [_START_C, *(int(text[at : at + 2]) for at in range(0, len(text), 2))]
    else:
        values = [_START_B, *(ord(char) - 32 for char in text)]
    check = (values[0] + sum(place * value for place, value in enumerate(values[1:], start=1))) % 103
    return [*values, check, _STOP]


def code128(text: str) -> tuple[list[tuple[int, int]], int]:
    """The black bars as (start, width) in modules, and the width of the whole with its white margins."""
    at, bars = _QUIET, []
    for value in code128_values(text):
        for place, width in enumerate(map(int, _WIDTHS[value])):
            if place % 2 == 0:
                bars.append((at, width))
            at += width
    return bars, at + _QUIET
