"""Values → the strings a template places. What must not be printed never reaches the template."""

import re
from datetime import date

from oms.kernel.clock import TOKYO
from oms.kernel.money import RateTotal, yen
from orders.documents.barcode import code128_svg
from orders.documents.figures import Figures, figures, pick_totals
from orders.documents.values import Component, DeliveryNote, Letterhead, Line, Party, PickItem, PickList, PickOrder

Data = dict[str, object]

_LONG_WORD = re.compile(r"[!-~]{11,}")


def delivery_note_page(note: DeliveryNote) -> Data:
    """One note for `delivery_note.typ`. A gift's page holds no amount at all."""
    page: Data = {
        "title": "お届け明細書" if note.hide_prices else "納品書",
        "number": note.number,
        "issued_on": day(note.issued_on),
        "reprint": note.is_reprint,
        "priced": not note.hide_prices,
        "shop": _letterhead(note.shop, priced=not note.hide_prices),
        "to": _party(note.recipient or note.buyer if note.hide_prices else note.buyer),
        "facts": [[label, breakable(text)] for label, text in _facts(note) if text],
        "lines": [_line(line, note) for line in note.lines],
        "message": note.message,
        "barcode": code128_svg(note.barcode) if note.barcode else "",
        "barcode_text": note.barcode,
    }
    if not note.hide_prices:
        page |= _money(note, figures(note))
    return page


def pick_list_page(pick: PickList) -> Data:
    """One batch for `pick_list.typ`."""
    totals = pick_totals(pick)
    return {
        "batch": pick.batch,
        "made_at": pick.made_at.astimezone(TOKYO).strftime("%Y年%m月%d日 %H:%M"),
        "location": pick.location,
        "by": pick.by,
        "reprint": pick.is_reprint,
        "counts": [
            ["出荷件数", f"{len(pick.orders):,}"],
            ["商品種類", f"{len(totals):,}"],
            ["総数量", f"{sum(row.quantity for row in totals):,}"],
            ["ギフト", f"{sum(bool(order.gifts) for order in pick.orders):,}"],
        ],
        "totals": [
            {
                "shelf": row.shelf or "—",
                "code": breakable(row.code),
                "jan": row.jan,
                "name": breakable(row.name),
                "options": breakable(row.options),
                "sets": "、".join(row.set_names),
                "quantity": f"{row.quantity:,}",
                "orders": f"{row.orders:,}",
            }
            for row in totals
        ],
        "orders": [_pick_order(order, place) for place, order in enumerate(pick.orders, start=1)],
        "barcode": code128_svg(pick.batch) if pick.batch.isascii() and pick.batch.isprintable() else "",
    }


def day(value: date | None) -> str:
    """2026年7月3日, empty for no day."""
    return f"{value.year}年{value.month}月{value.day}日" if value else ""


def breakable(text: str) -> str:
    """Long runs of Latin letters and digits get invisible places where a narrow column may break them."""
    return _LONG_WORD.sub(lambda word: re.sub(r"(.{6})(?=.)", "\\1\u200b", word[0]), text)


def _postal(code: str) -> str:
    return f"〒{code[:3]}-{code[3:]}" if re.fullmatch(r"\d{7}", code) else code and f"〒{code.removeprefix('〒')}"


def _letterhead(shop: Letterhead, *, priced: bool) -> Data:
    contact = [f"TEL {shop.phone}" if shop.phone else "", shop.mail]
    rows = [shop.company, _postal(shop.postal_code), shop.address, *contact]
    return {
        "name": shop.name,
        "rows": [row for row in rows if row],
        "registration": f"登録番号 {shop.registration_number}" if priced and shop.registration_number else "",
        "closing": shop.closing,
    }


def _party(party: Party) -> Data:
    titled = party.name.endswith(("様", "御中", "殿"))
    return {
        "postal": _postal(party.postal_code),
        "address": breakable(party.address),
        "company": party.company,
        "name": breakable(party.name),
        "honorific": "" if titled else party.honorific,
    }


def _facts(note: DeliveryNote) -> list[tuple[str, str]]:
    """The label and text pairs of the order, in reading order."""
    facts = [
        ("ご注文番号", "、".join(note.order_numbers)),
        (f"{note.channel}注文番号" if note.channel else "モール注文番号", "、".join(note.channel_order_numbers)),
        ("ご注文日", day(note.ordered_on)),
        ("出荷日", day(note.shipped_on)),
        ("配送方法", note.delivery),
        ("お問い合わせ番号", _four_by_four(note.tracking_number)),
        ("お届け希望", note.delivery_wish),
    ]
    if note.hide_prices:
        return [*facts[:1], *facts[3:], ("ご依頼主", note.sender_name)]
    facts.insert(4, ("お支払方法", note.payment_method))
    if note.recipient:
        recipient = _party(note.recipient)
        lines = [recipient["postal"], note.recipient.address, note.recipient.company]
        facts.append(
            ("お届け先", " ".join(filter(None, [*map(str, lines), f"{note.recipient.name} {recipient['honorific']}"])))
        )
    return facts


def _four_by_four(number: str) -> str:
    return "-".join((number[:4], number[4:8], number[8:])) if re.fullmatch(r"\d{12}", number) else number


def _line(line: Line, note: DeliveryNote) -> Data:
    data: Data = {
        "code": breakable(line.code),
        "name": breakable(line.name),
        "options": breakable(line.options),
        "quantity": f"{line.quantity:,}",
        "components": [_component(part) for part in line.components] if note.show_components else [],
    }
    if not note.hide_prices:
        data |= {
            "mark": "※" if line.rate.reduced else "",
            "rate": str(line.rate),
            "unit_price": yen(line.unit_price),
            "amount": yen(line.amount),
        }
    return data


def _component(part: Component) -> Data:
    return {"code": breakable(part.code), "name": breakable(part.name), "quantity": f"{part.quantity:,}"}


def _money(note: DeliveryNote, sums: Figures) -> Data:
    rows = [("商品合計", yen(sums.goods)), *((fee.label, yen(fee.amount)) for fee in note.fees)]
    rows += [(part.label, yen(-part.amount)) for part in note.deductions if part.lowers_price]
    payments = [(part.label, yen(-part.amount)) for part in note.deductions if not part.lowers_price]
    reduced = [total.rate for total in sums.rates if total.rate.reduced]
    return {
        "sums": rows,
        "total": yen(sums.total),
        "payments": payments,
        "due": yen(sums.due) if payments else "",
        "rates": [_rate_row(total) for total in sums.rates],
        "legend": f"※は軽減税率（{reduced[0]}）対象です。" if reduced else "",
    }


def _rate_row(total: RateTotal) -> Data:
    return {
        "label": f"{total.rate}対象{' ※' if total.rate.reduced else ''}",
        "amount": yen(total.amount),
        "base": yen(total.base),
        "tax": yen(total.tax),
    }


def _pick_order(order: PickOrder, place: int) -> Data:
    return {
        "slot": order.slot or str(place),
        "number": breakable(order.order_number),
        "recipient": order.recipient,
        "method": order.method,
        "ship_by": day(order.ship_by),
        "gifts": list(order.gifts),
        "remarks": order.remarks,
        "items": [_pick_item(item) for item in order.items],
        "quantity": f"{sum(item.quantity for item in order.items):,}",
        "barcode": code128_svg(order.barcode) if order.barcode else "",
    }


def _pick_item(item: PickItem) -> Data:
    return {
        "shelf": item.shelf or "—",
        "code": breakable(item.code),
        "jan": item.jan,
        "name": breakable(item.name),
        "options": breakable(item.options),
        "set": item.set_name,
        "quantity": f"{item.quantity:,}",
    }
