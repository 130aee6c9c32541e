"""1,000 delivery notes as one PDF, against only compressing and writing the same finished pages.

The floor lays nothing out: it is what any program pays for a file of these contents. Measured in turns, best of each.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from bench.row import Row
from oms.kernel.money import REDUCED
from oms.kernel.pdf.file import pdf_file
from oms.kernel.pdf.fonts import Weight
from oms.kernel.pdf.page import Document
from orders.documents.delivery_note import draw_delivery_note
from orders.documents.render import render_delivery_notes
from orders.documents.values import Deduction, DeliveryNote, Fee, Letterhead, Line, Party

NOTES = 1000
ROUNDS = 3

SHOP = Letterhead(
    name="測定用の店",
    company="株式会社測定",
    postal_code="1060032",
    address="東京都港区六本木6-10-1",
    phone="03-1234-5678",
    registration_number="T7000012050002",
    closing="返品は商品の到着後7日以内にご連絡ください。",
)
NAMES = "佐藤鈴木高橋田中伊藤渡辺山本中村小林加藤吉田山田佐々木山口松本井上木村林斎藤清水"
GOODS = ("波佐見焼 マグカップ", "宇治煎茶 100g", "今治タオル フェイスサイズ", "木製カッティングボード", "南部鉄器 急須")


def run() -> list[Row]:
    """Two rows, in some ten seconds."""
    notes = [_note(number) for number in range(NOTES)]
    document = Document()
    for note in notes:
        draw_delivery_note(document, note)
    contents = ["\n".join(page.marks).encode() for page in document.pages]
    used = {Weight(name): set().union(*texts) for name, texts in document.texts.items()}
    made_at = datetime(2026, 7, 3, tzinfo=UTC)

    def bare() -> None:
        pdf_file(contents, used, sizes=[(595.28, 841.89)] * len(contents), title="", made_at=made_at)

    whole_s, bare_s = _best(lambda: render_delivery_notes(notes), bare)
    ratio = whole_s / bare_s
    return [
        Row("1,000 delivery notes as one PDF", whole_s, "s", bare_s, ratio, 14, 7, lower_is_better=True),
        Row("1,000 delivery notes, seconds of the budget", whole_s, "s", 1, whole_s, 3, 1.5, lower_is_better=True),
    ]


def _best(*steps: Callable[[], object]) -> list[float]:
    """The shortest time of each step over all rounds, in turns."""
    best = [float("inf")] * len(steps)
    for _ in range(ROUNDS):
        for place, step in enumerate(steps):
            began = time.perf_counter()
            step()
            best[place] = min(best[place], time.perf_counter() - began)
    return best


def _note(number: int) -> DeliveryNote:
    """Notes of three lines that differ in everything a day's notes differ in."""
    lines = tuple(
        Line(
            code=f"SKU-{(number * 7 + place) % 400:05d}",
            name=f"{GOODS[(number + place) % 5]} {number % 83}番",
            options=f"色：{'藍白黒茶緑'[(number + place) % 5]}",
            quantity=1 + place,
            unit_price=1000 + number,
            amount=(1000 + number) * (1 + place),
            **({"rate": REDUCED} if place == 1 else {}),
        )
        for place in range(3)
    )
    return DeliveryNote(
        shop=SHOP,
        number=f"2026-{number:06d}",
        issued_on=date(2026, 7, 3),
        ordered_on=date(2026, 7, 1 + number % 3),
        shipped_on=date(2026, 7, 3),
        order_numbers=(f"{100_000 + number}",),
        channel="楽天市場",
        channel_order_numbers=(f"310291-20260701-{number:010d}",),
        buyer=Party(
            name=f"{NAMES[number % 36 : number % 36 + 2]} {number}郎",
            postal_code=f"{1500000 + number}",
            address=f"東京都渋谷区神宮前{1 + number % 6}-{1 + number % 29}-{1 + number % 13} {number}号室",
        ),
        payment_method="クレジットカード",
        delivery="ヤマト運輸 宅急便",
        tracking_number=f"{400_000_000_000 + number}",
        lines=lines,
        fees=(Fee(label="送料", amount=660),),
        deductions=(Deduction(label="ポイント利用", amount=100 + number % 50, lowers_price=False),),
        message="いつもご利用ありがとうございます。",
        barcode=f"S{number:09d}",
    )
