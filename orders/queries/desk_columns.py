"""The columns of 受注一覧: the standing ones, and those that one adds. The address names them (`col`), in order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from customers.models import Member
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.templatetags.desk import jst
from orders.decide.slots import slot_label
from orders.models import OrderLine, OrderTag
from orders.models.mail import Mail, MailEvent
from orders.models.order import AllocationState, Carrier, ChannelSync, FulfillmentState


@dataclass(frozen=True, slots=True)
class Column:
    """`reads` are the order's columns that an added one needs; standing ones are always read. `look_up` gives words
    that stand in other tables, by order id, for all rows of a page in few queries. `short` words stay on one line.
    `permission`: the column is there only for who holds it."""

    code: str
    label: str | Promise
    reads: tuple[str, ...] = ()
    sort: str = ""
    first: str = "asc"
    number: bool = False
    short: bool = False
    look_up: Callable[[Sequence[Mapping[str, Any]]], Mapping[int, str]] | None = None
    permission: str = ""


class Noted(str):
    """A cell's word with what stands behind it, shown when one points at it."""

    __slots__ = ("note",)
    note: str

    def __new__(cls, word: str, note: str = "") -> "Noted":
        one = super().__new__(cls, word)
        one.note = note
        return one

    def __repr__(self) -> str:
        return f"{super().__repr__()} ({self.note})"


@dataclass(frozen=True, slots=True)
class Piece:
    """One of a cell's words: a badge in a colour, or a link that leads out."""

    text: str
    tone: str = ""
    url: str = ""


class Pieces(str):
    """A cell's words one by one; as text, with what stands between them."""

    __slots__ = ("pieces",)
    pieces: tuple[Piece, ...]

    def __new__(cls, pieces: Sequence[Piece]) -> "Pieces":
        one = super().__new__(cls, _("、").join(piece.text for piece in pieces))
        one.pieces = tuple(pieces)
        return one


BRACKET = "（"  # what stands behind it explains the kind of mail; the list has no room for that


def member_words(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """How often the member behind each order has ordered, and the member's rank."""
    members = Member.objects.filter(pk__in={row["member_id"] for row in rows} - {None})
    known = {pk: (count, rank) for pk, count, rank in members.values_list("pk", "order_count", "rank__name")}
    return {row["id"]: _member(*known[row["member_id"]]) for row in rows if row["member_id"] in known}


def _member(count: int, rank: str | None) -> str:
    often = _("初回") if count <= 1 else _("%(n)s回") % {"n": f"{count:,}"}
    return f"{rank} · {often}" if rank else often


def allocation_words(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Of how many pieces the goods are there: 3/4; all of them in one word."""
    lines = OrderLine.objects.filter(order__in=[row["id"] for row in rows], quantity__gt=0).order_by()
    sums = lines.values_list("order").annotate(there=Sum("allocated_quantity"), all=Sum("quantity"))
    full = AllocationState.FULL.label
    return {order: str(full) if there >= all_ else f"{there:,}/{all_:,}" for order, there, all_ in sums}


def mail_words(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The last mail to each order's buyer, and what became of it."""
    mails = Mail.objects.filter(order__in=[row["id"] for row in rows]).order_by("order", "-pk").distinct("order")
    events, states = dict(MailEvent.choices), dict(Mail.State.choices)
    return {
        order: f"{str(events.get(event, event)).split(BRACKET)[0].strip()} · {states[state]}"
        for order, event, state in mails.values_list("order", "event", "state")
    }


def tag_words(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The tags in their colours."""
    tones = tag_tones(rows)
    return {
        row["id"]: Pieces([Piece(tag, tones.get(tag, "neutral")) for tag in row["tags"]]) for row in rows if row["tags"]
    }


def tag_tones(found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The colours of these rows' tags; no query when no row has any."""
    names = {tag for order in found for tag in order["tags"]}
    return dict(OrderTag.objects.filter(name__in=names).values_list("name", "tone")) if names else {}


STANDING = (
    Column("due", lazy("出荷期限"), sort="ship_by"),
    Column("no", lazy("受注番号・店舗")),
    Column("time", lazy("注文日時"), sort="ordered_at", first="desc"),
    Column("buyer", lazy("注文者・届け先")),
    Column("items", lazy("商品")),
    Column("quantity", lazy("点数"), number=True),
    Column("total", lazy("合計金額"), number=True),
    Column("payment", lazy("支払・入金")),
    Column("step", lazy("次にすること")),
    Column("stage", lazy("ステータス")),
)
ADDED = (
    Column("location", lazy("出荷元"), ("location_label",)),
    Column("delivery", lazy("配送方法"), ("carrier", "delivery_method")),
    Column("wish", lazy("希望日時"), ("wish_date", "wish_slot")),
    Column("planned", lazy("出荷予定日"), ("planned_ship_date",)),
    Column("allocation", lazy("引当"), ("allocation_state",), look_up=allocation_words, short=True),
    Column("fulfillment", lazy("出荷状況"), ("fulfillment_state",)),
    Column("sync", lazy("モール反映"), ("channel_sync",)),
    Column("tags", lazy("タグ"), ("tags",), look_up=tag_words),
    Column("assignee", lazy("担当"), ("assignee_id",)),
    Column("memo", lazy("社内メモ"), ("internal_note",)),
    Column("age", lazy("滞留時間"), ("stage_since",)),
    Column("imported", lazy("取込日時"), ("imported_at",), short=True),
    Column("told", lazy("モールの更新日時"), ("channel_updated_at",), sort="told", first="desc", short=True),
    Column("mail", lazy("最後のメール"), look_up=mail_words),
    Column("member", lazy("会員のランク・注文回数"), ("member_id",), look_up=member_words, short=True),
)
May = Callable[[str], bool]
COLUMNS = {column.code: column for column in (*STANDING, *ADDED)}
PERSONAL = {"memo"}


def register(column: Column) -> None:
    """Offer a column of an upper app, in `AppConfig.ready`. It must have a `look_up`."""
    COLUMNS.setdefault(column.code, column)


def offered(may: May) -> list[Column]:
    """All columns that a person may have."""
    return [column for column in COLUMNS.values() if not column.permission or may(column.permission)]


def chosen(codes: Sequence[str], may: May, *, one_stage: bool = False) -> list[Column]:
    """The columns named, in that order; the standing ones when none is. The number always stands: it is the way in.
    `may` says whether the person holds a permission; `one_stage`: nothing else is listed, so nobody need read it."""
    known = {column.code: column for column in offered(may)}
    found = [known[code] for code in dict.fromkeys(codes) if code in known]
    if not found:
        return [column for column in STANDING if not (one_stage and column.code == "stage")]
    return found if any(column.code == "no" for column in found) else [COLUMNS["no"], *found]


NARROWEST, WIDEST = 48, 800


def widths(typed: Sequence[str]) -> dict[str, int]:
    """Column → pixels, of addresses' `items-240`; what cannot be read, or is no width, is left out."""
    found = {}
    for one in typed:
        code, _dash, pixels = one.rpartition("-")
        if code in COLUMNS and pixels.isdecimal() and len(pixels) < 5 and NARROWEST <= int(pixels) <= WIDEST:
            found[code] = int(pixels)
    return found


def reads(columns: Sequence[Column]) -> list[str]:
    return [name for column in columns for name in column.reads]


Looked = Mapping[str, Mapping[int, str]]


def looked_up(found: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> Looked:
    """Column → order → word, of the columns whose words stand in other tables; one query each."""
    return {column.code: column.look_up(found) for column in columns if column.look_up}


def texts(
    found: Sequence[Mapping[str, Any]], columns: Sequence[Column], looked: Looked, *, personal: bool
) -> list[dict[str, str]]:
    """The added columns' words, row by row; one query when people are named."""
    added = [column.code for column in columns if column.reads or column.look_up]
    if not added:
        return [{} for _row in found]
    people: Mapping[int, str] = {}
    if "assignee" in added:
        ids = {row["assignee_id"] for row in found} - {None}
        people = {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}
    allowed = [code for code in added if personal or code not in PERSONAL]
    blank = dict.fromkeys(added, "")
    return [
        blank
        | {code: looked[code].get(row["id"], "") if code in looked else WORDS[code](row, people) for code in allowed}
        for row in found
    ]


def _day(day: Any) -> str:
    return f"{day:%m/%d}" if day else ""


def _age(since: Any) -> str:
    hours = max(int((clock.now() - since).total_seconds() // 3600), 0)
    if hours < 48:
        return ngettext("%(n)s時間", "%(n)s時間", hours) % {"n": hours}
    return ngettext("%(n)s日", "%(n)s日", hours // 24) % {"n": hours // 24}


def _note(text: str) -> str:
    note = " ".join(text.split())
    return note if len(note) <= NOTE_SHOWN else f"{note[:NOTE_SHOWN]}…"


NOTE_SHOWN = 20
Row = Mapping[str, Any]
# One row's word for each added column; `people` holds names by id.
WORDS: Mapping[str, Callable[[Row, Mapping[int, str]], str]] = {
    "location": lambda row, _people: str(row["location_label"]),
    "delivery": lambda row, _people: f"{Carrier(row['carrier']).label} {row['delivery_method']}".strip(),
    "wish": lambda row, _people: f"{_day(row['wish_date'])} {slot_label(row['wish_slot'])}".strip(),
    "planned": lambda row, _people: _day(row["planned_ship_date"]),
    "fulfillment": lambda row, _people: str(FulfillmentState(row["fulfillment_state"]).label),
    "sync": lambda row, _people: str(ChannelSync(row["channel_sync"]).label),
    "assignee": lambda row, people: people.get(row["assignee_id"], ""),
    "memo": lambda row, _people: _note(row["internal_note"]),
    "age": lambda row, _people: _age(row["stage_since"]),
    "imported": lambda row, _people: jst(row["imported_at"]),
    "told": lambda row, _people: jst(row["channel_updated_at"]) if row["channel_updated_at"] else "",
}
