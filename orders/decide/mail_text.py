"""Texts of mails with placeholders and conditions: read once, checked, filled. Pure.

`{{ order.number }}` stands for a value, `{% if payment.cod %}…{% else %}…{% endif %}` (also `if not`, also nested) for
a choice. Anything else in double braces or percent braces is a mistake, and named as written.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from html import escape

TOKEN = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{\{|\}\}|\{%|%\})", re.DOTALL)
VALUE = re.compile(r"\{\{\s*([a-z_.]+)\s*\}\}")
IF = re.compile(r"\{%\s*if\s+(not\s+)?([a-z_.]+)\s*%\}")
ELSE = re.compile(r"\{%\s*else\s*%\}")
ENDIF = re.compile(r"\{%\s*endif\s*%\}")
URL = re.compile(r"https?://[^\s<>\"']+")


@dataclass(frozen=True, slots=True)
class Piece:
    """One token: `kind` is text, value, if, else, endif or wrong."""

    kind: str
    text: str
    name: str = ""
    negated: bool = False


def pieces(text: str) -> list[Piece]:
    return [_piece(part) for part in TOKEN.split(text) if part]


def _piece(part: str) -> Piece:
    if not TOKEN.fullmatch(part):
        return Piece("text", part)
    if found := VALUE.fullmatch(part):
        return Piece("value", part, found[1])
    if found := IF.fullmatch(part):
        return Piece("if", part, found[2], negated=bool(found[1]))
    if ELSE.fullmatch(part):
        return Piece("else", part)
    return Piece("endif" if ENDIF.fullmatch(part) else "wrong", part)


def mistakes(text: str, names: Collection[str]) -> list[str]:
    """What cannot be filled, as written and in order: unknown names, open braces, conditions that do not close."""
    found: list[str] = []
    open_ifs: list[list[str]] = []
    for piece in pieces(text):
        if piece.kind == "wrong" or (piece.kind in {"value", "if"} and piece.name not in names):
            found.append(piece.text)
        if piece.kind == "if":
            open_ifs.append([piece.text])
        elif piece.kind == "endif":
            if not open_ifs:
                found.append(piece.text)
            else:
                open_ifs.pop()
        elif piece.kind == "else":
            if not open_ifs or len(open_ifs[-1]) > 1:
                found.append(piece.text)
            else:
                open_ifs[-1].append(piece.text)
    return list(dict.fromkeys([*found, *(opened[0] for opened in open_ifs)]))


def taken(text: str, values: Mapping[str, str]) -> Iterator[Piece]:
    """The pieces that this text comes to with these values: branches not taken are left out."""
    branches: list[bool] = []
    for piece in pieces(text):
        if piece.kind == "if":
            branches.append(bool(values.get(piece.name)) != piece.negated)
        elif piece.kind == "else" and branches:
            branches[-1] = not branches[-1]
        elif piece.kind == "endif" and branches:
            branches.pop()
        elif all(branches):
            yield piece


def holes(text: str, values: Mapping[str, str], *, optional: Collection[str] = ()) -> list[str]:
    """Names that this text needs and that have no value, each once."""
    return list(
        dict.fromkeys(
            piece.name
            for piece in taken(text, values)
            if piece.kind == "value" and not values.get(piece.name) and piece.name not in optional
        )
    )


def fill(text: str, values: Mapping[str, str], *, as_html: bool = False) -> str:
    """The text with its values; a name without a value becomes nothing (see `holes`). As HTML the values are escaped
    and their line breaks kept. A line that held only a condition leaves no empty line behind."""
    text = re.sub(r"(?m)^[ \t]*(\{%[^%]*%\})[ \t]*\n", r"\1", text)
    parts = []
    for piece in taken(text, values):
        value = values.get(piece.name, "") if piece.kind == "value" else piece.text
        if as_html and piece.kind == "value":
            value = escape(value).replace("\n", "<br>")
        parts.append(value)
    return "".join(parts)


def html_of(text: str) -> str:
    """A plain mail as a small HTML page: paragraphs, working links, nothing loaded from anywhere."""
    paragraphs = []
    for block in re.split(r"\n{2,}", text.strip("\n")):
        linked, last = [], 0
        for url in URL.finditer(block):
            linked += [escape(block[last : url.start()]), f'<a href="{escape(url[0])}">{escape(url[0])}</a>']
            last = url.end()
        linked.append(escape(block[last:]))
        paragraphs.append(f'<p style="margin:0 0 1em">{"".join(linked)}</p>'.replace("\n", "<br>\n"))
    inner = "\n".join(paragraphs)
    return (
        '<!doctype html><html lang="ja"><head><meta charset="utf-8"></head>'
        '<body style="margin:0;padding:16px;background:#ffffff;color:#1f2328;'
        "font-family:'Hiragino Sans','Noto Sans JP',sans-serif;font-size:15px;line-height:1.8\">"
        f'<div style="max-width:640px">\n{inner}\n</div></body></html>'
    )
