"""What people type when parcels leave: one row per shipment, or lines pasted from the carrier's file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfillment.models import Shipment
from fulfillment.queries.shipments import ShipmentFilter, listed_shipments
from fulfillment.queries.visible import parcel_ids, parcels
from fulfillment.services.ship import Departure
from fulfillment.tracking import Pasted, looks_wrong, normal_tracking_no
from oms.kernel.typed import row_ids
from orders.models.order import Carrier

LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Typed:
    """A row of the shipping form as typed. `error` refuses it, `warning` asks for a second look; `sure`: somebody gave
    it to this very number."""

    shipment_id: int
    carrier: str
    tracking_no: str
    error: str = ""
    sure: bool = False

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
        return Departure(self.shipment_id, self.carrier, self.tracking_no)


def read_typed(data: QueryDict) -> list[Typed]:
    """The rows that were posted: `ids`, and `carrier-<id>`, `tracking-<id>` for each; `sure-<id>` names the number
    whose warning was seen."""
    ids = parcel_ids(row_ids(data.getlist("ids")))
    return [_typed(pk, data) for pk in dict.fromkeys(ids)]


def _typed(pk: int, data: QueryDict) -> Typed:
    number = normal_tracking_no(data.get(f"tracking-{pk}", ""))
    seen = normal_tracking_no(data.get(f"sure-{pk}", ""))
    row = Typed(pk, data.get(f"carrier-{pk}", ""), number, sure=bool(number) and seen == number)
    if row.carrier not in Carrier.values:
        return replace(row, carrier=Carrier.OTHER, error=_("配送会社を選んでください。"))
    if len(row.tracking_no) > 40:
        return replace(row, error=_("送り状番号が長すぎます。"))
    return row


def chosen_shipments(data: QueryDict) -> list[int]:
    """The ids that a list's form names: ticked ones, or all that match its filters. At most `LIMIT` and one more."""
    if data.get("all_matching"):
        query = QueryDict(data.get("query", ""))
        filters = ShipmentFilter(query, queryset=listed_shipments(tab_of(query)))
        return list(filters.qs.order_by("pk").values_list("pk", flat=True)[: LIMIT + 1])
    return parcel_ids(row_ids(dict.fromkeys(data.getlist("ids")))[: LIMIT + 1])


def tab_of(query: Mapping[str, str]) -> str:
    """The state that a list's query shows."""
    return query["tab"] if query.get("tab") in {Shipment.State.INSTRUCTED, Shipment.State.SHIPPED} else "instructed"


class PasteForm(forms.Form):
    use_required_attribute = False  # it stands, folded up, inside the form that confirms rows

    text = forms.CharField(
        label=gettext_lazy("送り状番号の貼り付け"),
        max_length=200_000,
        widget=forms.Textarea(
            attrs={"rows": 6, "placeholder": "S0000012,471203984414\nS0000013,471203984425,佐川急便"}
        ),
        help_text=gettext_lazy(
            "1行に「出荷番号,送り状番号」。3列目に配送会社を書けます。配送会社のCSVから2列をそのまま貼り付けられます。"
        ),
    )


@dataclass(frozen=True, slots=True)
class PasteReport:
    """What became of pasted lines."""

    matched: int
    unknown: Sequence[str]
    shipped: Sequence[str]
    unreadable: Sequence[str]
    doubled: Sequence[str]
    shared: Sequence[str]


def judge_pasted(pasted: Pasted) -> tuple[list[Typed], PasteReport]:
    """The rows to show, and the report: which shipments wait, have left already, or are not known. One query."""
    found = parcels().filter(pk__in=pasted.lines).values_list("pk", "state", "carrier")
    states = {pk: state for pk, state, _carrier in found}
    carriers = {pk: carrier for pk, _state, carrier in found}
    waiting = [pk for pk in pasted.lines if states.get(pk) == Shipment.State.INSTRUCTED]
    rows = [Typed(pk, pasted.lines[pk].carrier or carriers[pk], pasted.lines[pk].tracking_no) for pk in waiting[:LIMIT]]
    left = [pk for pk in pasted.lines if states.get(pk) == Shipment.State.SHIPPED]
    rest = [pk for pk in pasted.lines if pk not in set(waiting) | set(left)]
    return rows, PasteReport(
        matched=len(rows),
        unknown=[number_of(pk) for pk in rest],
        shipped=[number_of(pk) for pk in left],
        unreadable=list(pasted.unreadable),
        doubled=[number_of(pk) for pk in pasted.doubled],
        shared=list(pasted.shared),
    )


def number_of(pk: int) -> str:
    return Shipment(pk=pk).number
