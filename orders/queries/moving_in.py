"""What the screens of データ移行 show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from customers.models import Member
from inventory.models import Balance, BundleComponent, Location, Sku
from orders.decide.csv_records import Record
from orders.decide.moving_in import FIELDS, PRESETS, BadCell, chosen, key_of, missing, values_of
from orders.models import MoveIn, MoveInPreset, MoveInRow, Order, Shop
from orders.models.moving_in import MoveInKind

EXAMPLES = 3
ERRORS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist; `done` by what the books hold."""

    label: str
    text: str
    done: bool
    url_name: str
    query: str = ""


def checklist() -> list[Step]:
    """In the order in which a merchant moves; each step needs the ones before."""

    def own(kind: str) -> str:
        return f"?kind={kind}"

    return [
        Step(
            _("店舗をつなぐ"), _("モールの店舗を登録し、認証情報を入れます。"), Shop.objects.exists(), "channels:list"
        ),
        Step(_("拠点を用意する"), _("在庫を置く倉庫と店舗です。"), Location.objects.exists(), "inventory:list"),
        Step(
            _("商品マスタを取り込む"),
            _("SKUコード・商品名・JAN・価格・税率です。"),
            Sku.objects.exists(),
            "orders:move-in",
            own("products"),
        ),
        Step(
            _("セット構成を取り込む"),
            _("セット商品がなければ不要です。"),
            BundleComponent.objects.exists(),
            "orders:move-in",
            own("bundles"),
        ),
        Step(
            _("出品とSKUを対応付ける"),
            _("同じコードは自動で対応します。違うものはCSVでまとめて直せます。"),
            _listed(),
            "channels:mapping-csv",
        ),
        Step(
            _("在庫数を取り込む"),
            _("数えた在庫として登録し、モールへ送ります。"),
            Balance.objects.filter(on_hand__gt=0).exists(),
            "orders:move-in",
            own("stock"),
        ),
        Step(
            _("会員名簿を取り込む"),
            _("会員番号・ランク・生年月日・店舗会員です。なければ不要です。"),
            Member.objects.exclude(member_no="", rank=None, birthday=None, store_member=False).exists(),
            "orders:move-in",
            own("members"),
        ),
        Step(
            _("受注を取り込む"),
            _("過去の受注は会員の履歴に、未出荷の受注は受注一覧に入ります。"),
            Order.objects.exists(),
            "orders:move-in",
            own("orders"),
        ),
    ]


def _listed() -> bool:
    return MoveIn.objects.filter(state="applied", kind="products").exists()


def recent() -> "QuerySet[MoveIn]":
    return MoveIn.objects.select_related("by").order_by("-pk")


@dataclass(frozen=True, slots=True)
class Column:
    """A field with its choice in the form, and what the first lines hold there."""

    label: str | Promise
    needed: bool
    bound: Any
    examples: Sequence[str]


def columns(form: Any, move: MoveIn, sample: Sequence[Record]) -> list[Column]:
    found = []
    for name, one in FIELDS[move.kind].items():
        at = move.mapping.get(name)
        cells = [one.cells for one in sample if not one.fault]
        seen = [] if at is None else [row[at] for row in cells if at < len(row) and row[at].strip()]
        found.append(Column(one.label, one.needed, form[f"col_{name}"], list(dict.fromkeys(seen))[:EXAMPLES]))
    return found


@dataclass(frozen=True, slots=True)
class Preview:
    cells: Sequence[str]
    error: str


def preview(move: MoveIn, sample: Sequence[Record]) -> list[Preview]:
    """The first lines as the mapping reads them."""
    place = move.location.code if move.location else "-"
    lacking = missing(move.kind, move.mapping)
    rows = []
    for one in sample:
        values = values_of(one.cells, move.mapping)
        error = str(one.fault)
        if not (error or lacking):
            try:
                key_of(move.kind, values, place=place)
            except BadCell as fault:
                error = str(fault)
        rows.append(Preview([values[name] for name in FIELDS[move.kind] if name in values], error))
    return rows


def preset_choices(move: MoveIn) -> list[tuple[str, str]]:
    """(value, name): documented layouts that this file has columns of, and the company's own."""
    built_in = [(f"p:{i}", one.name) for i, one in enumerate(PRESETS) if one.kind == move.kind]
    own = [(f"o:{one.pk}", one.name) for one in MoveInPreset.objects.filter(kind=move.kind).order_by("name")]
    return [*built_in, *own]


def own_presets(move: MoveIn) -> list[tuple[str, str]]:
    """(subject of its versions, name) of the company's own."""
    names = MoveInPreset.objects.filter(kind=move.kind).order_by("name").values_list("name", flat=True)
    return [(f"{move.kind}/{name}", name) for name in names]


def preset_mapping(move: MoveIn, value: str) -> Mapping[str, int]:
    """The mapping of a chosen preset; empty when there is no such preset."""
    kind, _colon, number = value.partition(":")
    if not number.isdecimal() or len(number) > 9:
        return {}
    if kind == "p" and int(number) < len(PRESETS) and PRESETS[int(number)].kind == move.kind:
        return chosen(PRESETS[int(number)].heads, move.heads)
    own = MoveInPreset.objects.filter(kind=move.kind, pk=int(number)).first() if kind == "o" else None
    return chosen(own.heads, move.heads) if own else {}


def errors(move: MoveIn) -> "QuerySet[MoveInRow]":
    return MoveInRow.objects.filter(move=move).exclude(error="").order_by("line")[:ERRORS_SHOWN]


def failures(move: MoveIn) -> "QuerySet[MoveInRow]":
    """Units that could not be applied, with why."""
    return MoveInRow.objects.filter(move=move, outcome="failed").order_by("line")[:ERRORS_SHOWN]


def counted(outcomes: Mapping[str, int]) -> list[tuple[str, int]]:
    words = {
        "created": _("新規"), "updated": _("更新"), "unchanged": _("変更なし"), "failed": _("取り込めない"),
        "undone": _("取り消した"), "kept": _("そのまま残した"),
    }  # fmt: skip
    return [(words[code], n) for code in words if (n := outcomes.get(code, 0))]


def kinds() -> list[tuple[str, str]]:
    return [(code, str(label)) for code, label in MoveInKind.choices]
