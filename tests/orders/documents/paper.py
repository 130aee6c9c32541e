"""Notes and lists to print, and what can be read from the printed file."""

import io
from datetime import UTC, date, datetime

from pypdf import PdfReader

from oms.kernel.money import REDUCED
from orders.documents.render import render_delivery_notes, render_pick_list
from orders.documents.values import (
    Deduction,
    DeliveryNote,
    Fee,
    Letterhead,
    Line,
    Party,
    PickItem,
    PickList,
    PickOrder,
)

SHOP = Letterhead(
    name="あおぞら食器店",
    company="株式会社あおぞら商会",
    postal_code="1060032",
    address="東京都港区六本木6-10-1",
    phone="03-1234-5678",
    registration_number="T7000012050002",
    closing="返品は到着後7日以内にご連絡ください。",
)
BUYER = Party(name="髙橋 﨑子", postal_code="1500001", address="東京都渋谷区神宮前3-14-2")
RECIPIENT = Party(name="𠮷野 太郎", postal_code="6040862", address="京都府京都市中京区少将井町240")
CUP = Line(code="CUP-001", name="マグカップ", options="色：藍", quantity=2, unit_price=2200, amount=4400)
TEA = Line(code="TEA-100", name="宇治煎茶", quantity=3, unit_price=1296, amount=3888, rate=REDUCED)


def make_note(**changes: object) -> DeliveryNote:
    values: dict[str, object] = {
        "shop": SHOP,
        "number": "2026-000001",
        "issued_on": date(2026, 7, 3),
        "ordered_on": date(2026, 7, 1),
        "shipped_on": date(2026, 7, 3),
        "order_numbers": ("100001",),
        "channel": "楽天市場",
        "channel_order_numbers": ("310291-20260701-0012345678",),
        "buyer": BUYER,
        "payment_method": "クレジットカード",
        "lines": (CUP, TEA),
        "fees": (Fee(label="送料", amount=660),),
        "deductions": (
            Deduction(label="店舗クーポン", amount=500),
            Deduction(label="楽天ポイント利用", amount=1200, lowers_price=False),
        ),
    }
    return DeliveryNote(**(values | changes))  # type: ignore[arg-type]


def make_pick(*orders: PickOrder, **changes: object) -> PickList:
    values: dict[str, object] = {
        "batch": "B20260703-02",
        "made_at": datetime(2026, 7, 3, 1, 0, tzinfo=UTC),
        "location": "東京第一倉庫",
        "orders": orders,
    }
    return PickList(**(values | changes))  # type: ignore[arg-type]


def pick_item(shelf: str, code: str, quantity: int, **changes: str) -> PickItem:
    return PickItem(shelf=shelf, code=code, name=f"商品{code}", quantity=quantity, jan="4901234567894", **changes)


def pages_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def read_notes(*notes: DeliveryNote) -> list[str]:
    return pages_of(render_delivery_notes(notes))


def read_pick(pick: PickList) -> list[str]:
    return pages_of(render_pick_list(pick))
