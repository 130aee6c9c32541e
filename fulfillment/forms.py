"""What people type when parcels leave: one row per shipment, pasted lines, or the carrier's file."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfillment.models import Shipment
from fulfillment.queries.shipments import ShipmentFilter, listed_shipments
from fulfillment.queries.visible import parcel_ids, parcels
from fulfillment.services.ship import Departure
from fulfillment.tracking import Pasted, PastedLine, looks_wrong, normal_tracking_no
from fulfillment.waybills.returned import Unreadable, read_any
from oms.kernel.typed import row_ids
from orders.models.order import Carrier

LIMIT = 1000
MOST_PIECES = 100
SOURCES = {
    "yamato": gettext_lazy("B2クラウド"),
    "sagawa": gettext_lazy("e飛伝III"),
    "japanpost": gettext_lazy("ゆうプリR"),
}
MOST_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Typed:
    """A row of the shipping form as typed. `error` refuses it, `warning` asks for a second look; `sure`: somebody gave
    it to this very number. `more`: numbers of further pieces; `note`: what the file says otherwise."""

    shipment_id: int
    carrier: str
    tracking_no: str
    error: str = ""
    sure: bool = False
    more: tuple[str, ...] = ()
    note: str = ""

    @property
    def more_text(self) -> str:
        return ",".join(self.more)

    @property
    def is_doubtful(self) -> bool:
        """To be asked about before it ships: a scanner's Enter must not send a misread number."""
        return bool(self.warning) and not self.sure

    @property
    def warning(self) -> str:
        return (
            _("検査数字が合いません。番号を確かめてください。") if looks_wrong(self.carrier, self.tracking_no) else ""
        )

    @property
    def departure(self) -> Departure:
        return Departure(self.shipment_id, self.carrier, self.tracking_no, self.more)


def read_typed(data: QueryDict) -> list[Typed]:
    """The rows that were posted: `ids`, and `carrier-<id>`, `tracking-<id>` for each, `more-<id>` for further pieces;
    `sure-<id>` names the number whose warning was seen."""
    ids = parcel_ids(row_ids(data.getlist("ids")))
    return [_typed(pk, data) for pk in dict.fromkeys(ids)]


def _typed(pk: int, data: QueryDict) -> Typed:
    number = normal_tracking_no(data.get(f"tracking-{pk}", ""))
    seen = normal_tracking_no(data.get(f"sure-{pk}", ""))
    more = tuple(filter(None, map(normal_tracking_no, data.get(f"more-{pk}", "").split(","))))
    row = Typed(pk, data.get(f"carrier-{pk}", ""), number, sure=bool(number) and seen == number, more=more)
    if row.carrier not in Carrier.values:
        return replace(row, carrier=Carrier.OTHER, error=_("配送会社を選んでください。"))
    if max(map(len, (row.tracking_no, *row.more))) > 40 or len(row.more) > MOST_PIECES:
        return replace(row, error=_("送り状番号が長すぎます。"))
    return row


def chosen_shipments(data: QueryDict, *, most: int = LIMIT) -> list[int]:
    """The ids that a list's form names: ticked ones, or all that match its filters. At most `most` and one more."""
    if data.get("all_matching"):
        query = QueryDict(data.get("query", ""))
        filters = ShipmentFilter(query, queryset=listed_shipments(tab_of(query)))
        return list(filters.qs.order_by("pk").values_list("pk", flat=True)[: most + 1])
    return parcel_ids(row_ids(dict.fromkeys(data.getlist("ids")))[: most + 1])


def tab_of(query: Mapping[str, str]) -> str:
    """The state that a list's query shows."""
    return query["tab"] if query.get("tab") in {Shipment.State.INSTRUCTED, Shipment.State.SHIPPED} else "instructed"


class PasteForm(forms.Form):
    use_required_attribute = False  # it stands, folded up, inside the form that confirms rows

    file = forms.FileField(
        label=gettext_lazy("配送会社のファイル"),
        required=False,
        help_text=gettext_lazy(
            "B2クラウドの発行済データ、e飛伝IIIの出荷データ、ゆうプリRの発送履歴を、出荷番号で照合します。"
            "読み込むだけで、ファイルは保存しません。"
        ),
    )
    text = forms.CharField(
        label=gettext_lazy("送り状番号の貼り付け"),
        max_length=700_000,
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 6, "placeholder": "S0000012,471203984414\nS0000013,471203984425,佐川急便"}
        ),
        help_text=gettext_lazy(
            "1行に「出荷番号,送り状番号」。3列目に配送会社を書けます。配送会社のCSVから2列をそのまま貼り付けられます。"
        ),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > MOST_BYTES:
            raise forms.ValidationError(_("ファイルが大きすぎます。日付で分けて出力し直してください。"))
        return file

    def clean(self) -> dict[str, Any]:
        """`read` is what the file says, else what was pasted."""
        said = super().clean() or {}
        file, text = said.get("file"), said.get("text") or ""
        if self.errors:
            return said
        if not file and not text.strip():
            raise forms.ValidationError(_("ファイルを選ぶか、送り状番号を貼り付けてください。"))
        try:
            said["read"] = read_any(file.read() if file else text)
        except (Unreadable, csv.Error) as error:
            raise forms.ValidationError(
                _("ファイルを読み取れません。CSV（Shift_JIS か UTF-8）を選んでください。")
            ) from error
        return said


@dataclass(frozen=True, slots=True)
class PasteReport:
    """What became of the lines: numbers of shipments. `reissued` have a later label, which counts; `several` more
    pieces than one; `changed` another number than before; `elsewhere` left with another number; `left_over` did not
    find room on the page."""

    matched: int
    source: str
    unknown: Sequence[str]
    shipped: Sequence[str]
    elsewhere: Sequence[str]
    unreadable: Sequence[str]
    doubled: Sequence[str]
    shared: Sequence[str]
    several: Sequence[str]
    reissued: Sequence[str]
    wrong_digit: Sequence[str]
    other_carrier: Sequence[str]
    changed: Sequence[str]
    left_over: int

    @property
    def source_label(self) -> str:
        return str(SOURCES.get(self.source, ""))


def judge_pasted(pasted: Pasted) -> tuple[list[Typed], PasteReport]:
    """The rows to show, and the report: which shipments wait, have left already, or are not known. One query."""
    states = parcels().filter(pk__in=pasted.lines).in_bulk()
    waiting = [pk for pk in pasted.lines if pk in states and states[pk].state == Shipment.State.INSTRUCTED]
    left = [pk for pk in pasted.lines if pk in states and states[pk].state == Shipment.State.SHIPPED]
    rest = [pk for pk in pasted.lines if pk not in {*waiting, *left}]
    rows = [_judged(pasted.lines[pk], states[pk]) for pk in waiting]

    def named(wanted: Iterable[int]) -> list[str]:
        return [number_of(pk) for pk in wanted]

    several = {pk for pk in pasted.lines if len(pasted.lines[pk].numbers) > 1}
    pieces = [row.shipment_id for row in rows if row.more]
    carriers = [pk for pk in waiting if pasted.lines[pk].carrier not in {"", states[pk].carrier}]
    before = {pk: states[pk].tracking_no for pk in waiting if states[pk].tracking_no}
    return rows[:LIMIT], PasteReport(
        matched=len(rows),
        source=pasted.source,
        unknown=named(rest),
        shipped=named(left),
        elsewhere=named(pk for pk in left if states[pk].tracking_no not in all_numbers(pasted.lines[pk])),
        unreadable=list(pasted.unreadable),
        doubled=named(pasted.doubled),
        shared=list(pasted.shared),
        several=named(pieces),
        reissued=named(row.shipment_id for row in rows if row.shipment_id in several and not row.more),
        wrong_digit=named(row.shipment_id for row in rows if row.warning),
        other_carrier=named(carriers),
        changed=named(
            row.shipment_id for row in rows if before.get(row.shipment_id, row.tracking_no) != row.tracking_no
        ),
        left_over=max(0, len(rows) - LIMIT),
    )


def all_numbers(line: PastedLine) -> tuple[str, ...]:
    return line.numbers or (line.tracking_no,)


def _judged(line: PastedLine, shipment: Shipment) -> Typed:
    """Pieces travel under several numbers; several labels of one piece are reissues, and the last one is on it."""
    numbers, more = all_numbers(line), tuple[str, ...]()
    number = numbers[0]
    if len(numbers) > 1 and (line.joined or shipment.package_count > 1):
        more = numbers[1:]
    elif len(numbers) > 1:
        number = numbers[-1]
    carrier, note = line.carrier or shipment.carrier, ""
    if carrier != shipment.carrier:
        words = {"told": Carrier(carrier).label, "here": shipment.get_carrier_display()}
        note = _("ファイルは%(told)s、出荷伝票は%(here)sです。") % words
    return Typed(shipment.pk, carrier, number, more=more, note=note)


def number_of(pk: int) -> str:
    return Shipment(pk=pk).number
