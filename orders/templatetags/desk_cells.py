"""The rows and tiles of 受注一覧. They make up the most frequent page of the product, and written with the tags of the
template language they cost four fifths of its time; so they are written here, once, as the text they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from html import escape
from typing import Any
from zlib import crc32

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from oms.kernel import clock
from oms.kernel.templatetags.desk import icon, iso, jst, reltime, yen
from orders.queries.desk import Channel, Mark, Row
from orders.queries.desk_columns import Column, Noted, Piece, Pieces

register = template.Library()
# So many colours for marks of channels; these bits of the sum tell those apart that we know.
HUES, HUE_BITS = 8, 8
BESIDE = " data-beside"

BEGIN = """<tr data-row="{id}" data-stage="{stage}">
<td class="cell-select"><input type="checkbox" name="ids" value="{id}" data-row-select aria-label="{no}"></td>
"""
CELLS = {
    "due": '<td class="desk-due" data-label="{due_label}">{due}</td>',
    "no": """<td class="desk-no">
<a href="{url}" hx-get="{url}" hx-target="#drawer-root" data-open>{no}</a>{others}{copy}
<span class="cell-sub">{channel}{shop}</span>
</td>""",
    "time": '<td class="desk-time" data-label="{ordered_label}"><span title="{ago}">{ordered}</span></td>',
    "buyer": '<td class="desk-buyer"><span lang="ja">{buyer}{place}</span></td>',
    "items": """<td class="desk-items">
<span><a class="desk-goods" href="{url}goods/" data-goods>{items}</a>{marks}</span>
</td>""",
    "quantity": '<td class="num desk-quantity">{quantity}</td>',
    "total": '<td class="num">{total}</td>',
    "payment": '<td><span>{payment}<span class="cell-sub"{payment_tone}>{payment_state}</span></span></td>',
    "step": '<td class="desk-step{urgent}">{step}</td>',
    "stage": '<td><span class="badge" data-tone="{stage_tone}">{stage}</span></td>',
}


COPY = (
    '<button type="button" class="copy-no" data-copy="{no}" data-key="y" data-key-label="{copy_label}" tabindex="-1"'
    ' aria-label="{copy_label}">{copy_icon}</button>'
)


@register.simple_tag
def stage_tiles(tiles: list[dict[str, Any]], late_title: str) -> SafeString:
    """The tiles of `orders.views.desk.board_of`; the red number is a link of its own."""
    title = escape(late_title)
    return SafeString("".join(_tile(tile, title) for tile in tiles))


def _tile(tile: dict[str, Any], late_title: str) -> str:
    label, url, late_url = escape(tile["label"]), escape(tile["url"]), escape(tile["late_url"])
    state = ' aria-current="true"' if tile["current"] else ""
    state += " data-empty" if tile["empty"] else ""
    state += f' data-key="{tile["key"]}" data-key-label="{label}"' if tile["key"] else ""
    late = (
        f'<a class="tile-due" href="{late_url}" hx-get="{late_url}" title="{late_title}">{tile["late"]}'
        f'<span class="visually-hidden">{label} {late_title}</span></a>'
        if tile["late"]
        else ""
    )
    return (
        f'<div class="tile-row"><a class="tile" href="{url}" hx-get="{url}"{state}>'
        f'<span class="tile-label">{label}</span><span class="tile-count">{tile["count"]}</span></a>{late}</div>\n'
    )


@register.simple_tag
def order_rows(rows: list[Row], columns: Sequence[Column]) -> SafeString:
    """The rows of the table's body; the labels stand before the times and the added columns on phones."""
    copy_label = escape(_("受注番号をコピー"))
    copy = COPY.replace("{copy_label}", copy_label).replace("{copy_icon}", icon("copy"))
    cells = [CELLS.get(column.code) or _added(column) for column in columns]
    text = BEGIN + "\n".join(cells) + "\n</tr>\n"
    text = text.replace("{copy}", copy).replace("{due_label}", escape(_("出荷期限")))
    form = text.replace("{ordered_label}", escape(_("注文日時"))).format
    page = _Shared(
        clock.now(), clock.today().year, get_language() or "", reverse("orders:inbox"), reverse("orders:bulk-choose")
    )
    return SafeString("".join(_row(row, form, page) for row in rows))


@dataclass(frozen=True, slots=True)
class _Shared:
    """What is asked once for all rows."""

    now: datetime
    year: int
    language: str
    inbox_url: str
    choose_url: str


def _added(column: Column) -> str:
    label = escape(str(column.label)).replace("{", "{{").replace("}", "}}")
    kind = "desk-added desk-short" if column.short else "desk-added"
    kind += " num" if column.number else ""
    return f'<td class="{kind}" data-label="{label}">{{added[{column.code}]}}</td>'


def _row(row: Row, form: Callable[..., str], page: _Shared) -> str:
    no = escape(row.no)
    return form(
        id=row.id,
        no=no,
        url=row.url,
        shop=escape(row.shop),
        due=_due(row, page.year),
        channel=_channel(row.channel),
        ordered=_when(row.ordered_at, page.year),
        ago=_ago(int((page.now - row.ordered_at).total_seconds()) // 60, page.language),
        buyer=escape(row.buyer),
        place=_place(row),
        items=escape(row.items),
        marks=_marks(row.marks) if row.marks else "",
        quantity=row.quantity,
        total=yen(row.total),
        payment=escape(row.payment),
        payment_tone=f' data-tone="{row.payment_tone}"' if row.payment_tone else "",
        payment_state=escape(row.payment_state),
        urgent=" is-urgent" if row.step_urgent else "",
        step=_step(row, page),
        stage_tone=row.stage_tone,
        others=_others(row.others) if row.others else "",
        stage=escape(row.stage),
        added={code: _word(word) for code, word in row.added.items()} if row.added else row.added,
    )


def _word(word: str) -> str:
    """A word of an added column; what is noted of it is read out too."""
    if isinstance(word, Noted) and word.note:
        note = escape(word.note)
        return f'<span title="{note}">{escape(word)}<span class="visually-hidden"> {note}</span></span>'
    if isinstance(word, Pieces):
        return "".join(_piece(piece) for piece in word.pieces) or "–"
    return escape(word) or "–"


def _piece(piece: Piece) -> str:
    text = escape(piece.text)
    if piece.url:
        return f'<a class="desk-piece" href="{escape(piece.url)}" target="_blank" rel="noopener noreferrer">{text}</a>'
    return f'<span class="badge desk-piece" data-tone="{piece.tone}">{text}</span>' if piece.tone else text


@lru_cache(maxsize=5000)
def _ago(minutes: int, _language: str) -> str:
    """How long ago, remembered: the orders of a list stand close together."""
    return escape(reltime(clock.now() - timedelta(minutes=minutes)))


@lru_cache(maxsize=100)
def _channel(channel: Channel) -> str:
    """The channel's letter in its colour, before the shop's name; read out by the channel's name."""
    label = escape(channel.label)
    hue = (crc32(channel.code.encode()) >> HUE_BITS) % HUES + 1
    letter = (
        f'<span class="channel-mark" data-hue="{hue}" lang="ja" aria-hidden="true" title="{label}">{label[:1]}</span>'
    )
    return f'{letter}<span class="visually-hidden">{label} </span>'


def _step(row: Row, page: _Shared) -> str:
    """What to do next, as the button that does it: the card of the reason, or the action's preview for this order."""
    text = escape(row.step)
    if not row.step_action:
        return text
    if row.step_reason:
        return f'<a class="desk-do" href="{page.inbox_url}?code={row.step_reason}&amp;at={row.id}">{text}</a>'
    return (
        f'<a class="desk-do" href="{row.url}" hx-post="{page.choose_url}" hx-target="#dialog-root"'
        f' hx-params="ids,action" hx-vals=\'{{"ids":"{row.id}","action":"{row.step_action}"}}\'>{text}</a>'
    )


def _others(names: str) -> str:
    said = escape(names)
    return f'<span class="presence-dot" title="{said}"><span class="visually-hidden">{said}</span></span>'


def _when(moment: datetime, year: int) -> str:
    """What `jst` says, for the most frequent case without asking the clock again."""
    local = moment.astimezone(clock.TOKYO)
    return f"{local:%m/%d %H:%M}" if local.year == year else jst(moment)


def _due(row: Row, year: int) -> str:
    """The deadline with its colour."""
    if row.ship_by is None:
        return '<span class="muted">–</span>'
    tone, when = row.ship_by_tone, row.ship_by
    return f'<time class="countdown" data-tone="{tone}" datetime="{iso(when)}">{_when(when, year)}</time>'


def _place(row: Row) -> str:
    """Where it goes, and to whom when that is somebody else."""
    place = escape(row.recipient_prefecture)
    if row.recipient:
        place = f"→ {escape(row.recipient)}（{place}）"
    return f'<span class="cell-sub">{place}</span>' if place else ""


def _marks(marks: list[Mark]) -> str:
    return f'<span class="desk-marks">{"".join(_badge(mark) for mark in marks)}</span>'


def _badge(mark: Mark) -> str:
    also = _title(mark.title) + (BESIDE if mark.beside else "")
    return f'<span class="badge" data-tone="{mark.tone}"{also}>{escape(mark.text)}</span>'


def _title(text: str) -> str:
    return f' title="{escape(text)}"' if text else ""
