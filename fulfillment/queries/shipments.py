"""What the shipment screens show: lists, one shipment, an order's shipments. Never a price, never a mail address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fulfillment.documents import cash_of, gift_for, gift_marks, lines_with_orders, set_of, texts_for
from fulfillment.labels import Address, label_problems
from fulfillment.models import Batch, Shipment, ShipmentLine
from fulfillment.queries.signs import Sign, signs_of
from fulfillment.queries.visible import parcels
from fulfillment.tracking import tracking_url
from inventory.queries import places
from oms.kernel import clock, privacy
from oms.kernel.models import User
from oms.kernel.phone import phone_display
from oms.kernel.typed import row_id
from orders.decide.slots import slot_label
from orders.models import Order
from orders.queries.detail import PERSONAL
from orders.queries.found import found_order_ids
from orders.queries.gifts import gifts_of
from orders.queries.tiles import stage_counts

STATE_TONES = {
    Shipment.State.PLANNED: "waiting",
    Shipment.State.INSTRUCTED: "info",
    Shipment.State.STOP_REQUESTED: "danger",
    Shipment.State.STOPPED: "neutral",
    Shipment.State.SHIPPED: "done",
    Shipment.State.RETURNED: "attention",
    Shipment.State.CANCELLED: "neutral",
}
EVENTS = {
    "instructed": gettext_lazy("出荷を指示しました"),
    "note_printed": gettext_lazy("納品書を印刷しました"),
    "pick_printed": gettext_lazy("ピッキングリストを印刷しました"),
    "handover_printed": gettext_lazy("集荷リストを印刷しました"),
    "return_printed": gettext_lazy("返品票を印刷しました"),
    "work_printed": gettext_lazy("作業指示書を印刷しました"),
    "waybill_exported": gettext_lazy("送り状データを書き出しました"),
    "numbered": gettext_lazy("送り状番号を取り込みました"),
    "shipped": gettext_lazy("出荷しました"),
    "cancelled": gettext_lazy("取り消しました"),
    "stop_asked": gettext_lazy("出荷停止を依頼しました"),
    "stopped": gettext_lazy("出荷を止めました"),
    "too_late": gettext_lazy("停止が間に合わず出荷しました"),
    "stop_withdrawn": gettext_lazy("出荷停止の依頼を取り下げました"),
    "reopened": gettext_lazy("出荷確定を取り消しました"),
    "returned": gettext_lazy("荷物が戻りました"),
    "not_returned": gettext_lazy("持戻りを取り下げました"),
    "packages": gettext_lazy("個口を変えました"),
    "temperature": gettext_lazy("温度帯を変えました"),
    "short_pick": gettext_lazy("ピッキング欠品を報告しました"),
    "emptied": gettext_lazy("商品がなくなったため取り消しました"),
}
RECENT_BATCHES = 50
LABELLED = {Shipment.State.PLANNED, Shipment.State.INSTRUCTED}  # whose label is still to be made
LISTED = ("instructed", "shipped")


@dataclass(frozen=True, slots=True)
class OrderRef:
    """An order as a shipment names it; `stop` says in a word why it must not leave now."""

    pk: int
    number: str
    shop: str
    stop: str


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """A shipment as listed. `size` is the sum of its pieces' size factors."""

    shipment: Shipment
    orders: list[OrderRef]
    recipient: str
    prefecture: str
    ship_by: datetime | None
    pieces: int
    items: str
    tone: str
    url: str
    label_problems: list[str]
    size: int
    temperatures: list[str]
    signs: list[Sign]


def sees_recipient(user: User) -> bool:
    """Whoever packs a parcel must read its address."""
    return user.has_perm(PERSONAL) or user.has_perm("fulfillment.ship_shipment")


class ShipmentFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(
        label=gettext_lazy("出荷番号・受注番号・氏名・送り状番号"), method="search", widget=forms.SearchInput
    )
    location = django_filters.ModelChoiceFilter(
        label=gettext_lazy("出荷元"),
        queryset=lambda _request: places.own().filter(kind__in=["warehouse", "store"]).order_by("priority", "id"),
        empty_label=gettext_lazy("すべて"),
    )
    batch = django_filters.ModelChoiceFilter(
        label=gettext_lazy("出荷バッチ"), queryset=Batch.objects.none(), empty_label=gettext_lazy("すべて")
    )
    printed = django_filters.ChoiceFilter(
        label=gettext_lazy("納品書"),
        choices=(("no", gettext_lazy("未印刷")), ("yes", gettext_lazy("印刷済み"))),
        method="by_print",
        empty_label=gettext_lazy("すべて"),
    )

    waybill = django_filters.ChoiceFilter(
        label=gettext_lazy("送り状データ"),
        choices=(("no", gettext_lazy("未出力")), ("yes", gettext_lazy("出力済み"))),
        method="by_waybill",
        empty_label=gettext_lazy("すべて"),
    )

    class Meta:
        model = Shipment
        fields = ["q", "location", "batch", "printed", "waybill"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = str(self.data.get("batch", "")) if self.data else ""
        recent = Batch.objects.order_by("-pk").values("pk")[:RECENT_BATCHES]
        own = Q(pk=row_id(chosen)) if row_id(chosen) else Q()
        self.filters["batch"].queryset = Batch.objects.filter(Q(pk__in=recent) | own).order_by("-pk")

    def search(self, rows: QuerySet[Shipment], _name: str, typed: str) -> QuerySet[Shipment]:
        word = typed.strip()
        digits = word.upper().removeprefix("S").lstrip("0")
        own = Q(tracking_no=word) | Q(tracking_no=word.replace("-", ""))
        if digits.isdecimal() and len(digits) <= 9:
            own |= Q(pk=int(digits))
        carrying = ShipmentLine.objects.filter(order_line__order__in=found_order_ids(word))
        return rows.filter(own | Q(pk__in=list(carrying.values_list("shipment", flat=True))))

    def by_print(self, rows: QuerySet[Shipment], _name: str, value: str) -> QuerySet[Shipment]:
        return rows.filter(printed_at__isnull=value == "no")

    def by_waybill(self, rows: QuerySet[Shipment], _name: str, value: str) -> QuerySet[Shipment]:
        return rows.filter(waybill_at__isnull=value == "no")


def listed_shipments(state: str) -> QuerySet[Shipment]:
    return parcels().filter(state=state)


def with_contents(rows: QuerySet[Shipment]) -> QuerySet[Shipment]:
    """With everything a row names; a fixed number of queries more for any number of rows."""
    return rows.select_related("location", "recipient", "batch").prefetch_related(
        Prefetch("lines", lines_with_orders())
    )


def shipment_rows(shipments: Sequence[Shipment], *, personal: bool) -> list[ShipmentRow]:
    signs = signs_of(
        (line.order_line.order_id for one in shipments if one.state in LABELLED for line in one.lines.all()),
        personal=personal,
    )
    return [_row(shipment, personal, signs) for shipment in shipments]


def _row(shipment: Shipment, personal: bool, signs: Mapping[int, list[Sign]]) -> ShipmentRow:
    lines = list(shipment.lines.all())
    orders = {line.order_line.order_id: line.order_line.order for line in lines}
    deadlines = [order.ship_by for order in orders.values() if order.ship_by]
    name = shipment.recipient.name
    first = f"{lines[0].sku.name} ×{lines[0].quantity}" if lines else ""
    return ShipmentRow(
        shipment=shipment,
        orders=[_order_ref(order) for order in orders.values()],
        recipient=name if personal else privacy.mask_name(name),
        prefecture=shipment.recipient.prefecture,
        ship_by=min(deadlines, default=None),
        pieces=sum(line.quantity for line in lines),
        items=first + (_(" 他%(n)s点") % {"n": len(lines) - 1} if len(lines) > 1 else ""),
        tone=STATE_TONES[Shipment.State(shipment.state)],
        url=tracking_url(shipment.carrier, shipment.tracking_no),
        label_problems=_label_problems(shipment) if shipment.state in LABELLED else [],
        size=sum(line.quantity * line.sku.size_factor for line in lines),
        temperatures=_temperatures(shipment, lines),
        signs=[sign for pk in orders for sign in signs.get(pk, ())],
    )


def _temperatures(shipment: Shipment, lines: Sequence[ShipmentLine]) -> list[str]:
    """As somebody chose it, else of the goods."""
    if shipment.temperature:
        return [str(shipment.get_temperature_display())]
    return list(dict.fromkeys(str(line.sku.get_temperature_display()) for line in lines))


def _label_problems(shipment: Shipment) -> list[str]:
    to = shipment.recipient
    address = Address(
        name=to.name,
        company=to.company,
        postal_code=to.postal_code,
        place=to.prefecture + to.city,
        street=to.address,
        phone=to.phone,
    )
    return label_problems(shipment.carrier, address)


def _order_ref(order: Order) -> OrderRef:
    stop = _("保留中") if order.held_at else _("キャンセル申請") if order.cancel_requested else ""
    if not stop and order.blocking_reasons:
        stop = _("要確認")
    return OrderRef(order.pk, order.channel_order_no, order.shop.name, stop)


def tab_counts() -> dict[str, int]:
    """How many orders are ready, and how many shipments are under way."""
    return {
        "ready": stage_counts()["ready"],
        "instructed": parcels().filter(state=Shipment.State.INSTRUCTED).count(),
    }


def home_counts() -> dict[str, int]:
    """Orders ready, shipments under way, those of them past their deadline, and what left today."""
    under_way = parcels().filter(state=Shipment.State.INSTRUCTED)
    today = clock.end_of_today() - timedelta(days=1)
    return {
        **tab_counts(),
        "late": under_way.filter(recipient__order__ship_by__lt=clock.now()).count(),
        "unprinted": under_way.filter(printed_at__isnull=True).count(),
        "shipped_today": parcels().filter(state=Shipment.State.SHIPPED, shipped_at__gte=today).count(),
    }


# ---- one shipment, and the shipments of one order


@dataclass(frozen=True, slots=True)
class PickRow:
    shelf: str
    code: str
    name: str
    options: str
    quantity: int
    set_name: str


def shipment_page(shipment: Shipment, user: User) -> dict[str, Any]:
    """Everything the page of one shipment shows; `shipment` comes from `with_contents`."""
    personal = sees_recipient(user)
    [row] = shipment_rows([shipment], personal=personal)
    orders = {line.order_line.order_id: line.order_line.order for line in shipment.lines.all()}.values()
    first = next(iter(orders), None)
    return {
        "row": row,
        "shipment": shipment,
        "address": address_of(shipment, personal=personal),
        "lines": [_pick_row(line) for line in shipment.lines.all()],
        "notes": [
            *(order.packing_note if personal else privacy.mask_text(order.packing_note) for order in orders),
            *texts_for(orders, "label"),
            *texts_for(orders, "pick_list"),
        ],
        "gifts": _gift_marks(shipment, list(orders)) if personal else [],
        "wish": " ".join(part for part in (_wish_day(first), slot_label(first.wish_slot)) if part) if first else "",
        "events": [
            (event, str(EVENTS.get(event.kind, event.kind)))
            for event in shipment.events.select_related("by").order_by("-pk")
        ],
        "cash": sum(cash_of([shipment.pk]).values()),
        "may": may(shipment, user),
    }


def _gift_marks(shipment: Shipment, orders: Sequence[Order]) -> list[str]:
    gifts = gifts_of(orders)
    return [mark for order in orders for mark in gift_marks(gift_for(shipment, order, gifts))]


def address_of(shipment: Shipment, *, personal: bool) -> Mapping[str, str]:
    recipient = shipment.recipient
    if not personal:
        return {"place": recipient.prefecture, "phone": privacy.mask_phone(recipient.phone), "company": ""}
    return {
        "place": f"〒{recipient.postal_code} {recipient.prefecture}{recipient.city}{recipient.address}",
        "phone": phone_display(recipient.phone) or recipient.phone,
        "company": recipient.company,
    }


def _wish_day(order: Order) -> str:
    return f"{order.wish_date.month}/{order.wish_date.day}" if order.wish_date else ""


def _pick_row(line: ShipmentLine) -> PickRow:
    return PickRow(
        line.sku.shelf,
        line.sku.code,
        f"{line.sku.name} {line.sku.variant}".strip(),
        line.order_line.options,
        line.quantity,
        set_of(line.order_line),
    )


def may(shipment: Shipment, user: User) -> dict[str, bool]:
    """Which buttons stand at a shipment."""
    return {
        "print": user.has_perm("fulfillment.print_document") and shipment.state in LISTED,
        "ship": user.has_perm("fulfillment.ship_shipment") and shipment.state == Shipment.State.INSTRUCTED,
        "short": user.has_perm("fulfillment.ship_shipment") and shipment.state == Shipment.State.INSTRUCTED,
        "order": user.has_perm("orders.view_order"),
        "packages": user.has_perm("fulfillment.ship_shipment") and shipment.state in LABELLED,
        "reopen": user.has_perm("fulfillment.reopen_shipment") and shipment.state == Shipment.State.SHIPPED,
        "returned": user.has_perm("fulfillment.ship_shipment") and shipment.state == Shipment.State.SHIPPED,
        "stop": user.has_perm("fulfillment.ship_shipment") and shipment.state == Shipment.State.STOP_REQUESTED,
    }


def why_none(order_id: int) -> str:
    """Why this order will never have a parcel of ours; "" where it may."""
    order = Order.objects.filter(pk=order_id).only("cancelled_at", "fulfilled_by_channel").first()
    if order and order.cancelled_at:
        return _("キャンセルしたため、出荷伝票はありません。")
    return _("モールが出荷するため、出荷伝票はありません。") if order and order.fulfilled_by_channel else ""


def shipments_of(order_id: int, user: User) -> list[tuple[ShipmentRow, dict[str, bool], list[PickRow]]]:
    """The shipments that carry lines of an order, oldest first."""
    carried = ShipmentLine.objects.filter(shipment=OuterRef("pk"), order_line__order=order_id)
    rows = parcels(whole_stock=True).filter(
        Q(Exists(carried)) | Q(recipient__order=order_id, state=Shipment.State.CANCELLED)
    )  # fmt: skip
    personal = sees_recipient(user)
    found = list(with_contents(rows).order_by("reference", "pk"))
    return [
        (row, may(row.shipment, user), [_pick_row(line) for line in row.shipment.lines.all()])
        for row in shipment_rows(found, personal=personal)
    ]
