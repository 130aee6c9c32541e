"""One order as the JSON that other programs read; keys are documented in `docs/order_json.md` and stay stable."""

from typing import Any

from orders.models import Order, OrderLine, Recipient


def order_json(order: Order) -> dict[str, Any]:
    """The normalised order. Money in yen, tax-inclusive; times ISO 8601 in UTC; dates ISO."""
    lines = list(order.lines.select_related("sku").all())
    return {
        "number": order.channel_order_no,
        "channel": order.shop.channel,
        "shop": order.shop.code,
        "ordered_at": _time(order.ordered_at),
        "channel_state": order.channel_state,
        "sub_state": order.sub_state,
        "stage": order.stage,
        "payment": {
            "method": order.payment_method,
            "state": order.payment_state,
            "name": order.payment_name,
            "paid_at": _time(order.paid_at),
            "pay_by": _time(order.pay_by),
            "authorized_until": _time(order.authorized_until),
        },
        "buyer": {
            "name": order.buyer_name,
            "kana": order.buyer_kana,
            "phone": order.buyer_phone,
            "email": order.buyer_email,
            "postal_code": order.buyer_postal_code,
            "prefecture": order.buyer_prefecture,
            "city": order.buyer_city,
            "address": order.buyer_address,
            "company": order.buyer_company,
        },
        "recipients": [_recipient(recipient, lines) for recipient in order.recipients.all()],
        "lines": [_line(line) for line in lines],
        "totals": _totals(order),
        "delivery": {"date": _time(order.wish_date), "slot": order.wish_slot, "method": order.delivery_method},
        "gift": {"wrapping": order.gift, "noshi": order.noshi, "message_card": order.message_card},
        "remarks": order.remarks,
        "shop_memo": order.shop_memo,
        "flags": order.flags,
        "cancel_requested": order.cancel_requested,
        "deadlines": {
            "ship_by": _time(order.ship_by),
            "deliver_by": _time(order.deliver_by),
            "confirm_by": _time(order.confirm_by),
        },
        "reasons": sorted(order.reasons.filter(state="open").values_list("code", flat=True)),
        "shipments": {"tracking": order.tracking_label.split(), "channel_sync": order.channel_sync},
    }


def _time(value: Any) -> str | None:
    return value.isoformat() if value else None


def _recipient(recipient: Recipient, lines: list[OrderLine]) -> dict[str, Any]:
    return {
        "name": recipient.name,
        "kana": recipient.kana,
        "phone": recipient.phone,
        "email": "",
        "postal_code": recipient.postal_code,
        "prefecture": recipient.prefecture,
        "city": recipient.city,
        "address": recipient.address,
        "company": recipient.company,
        "lines": [line.channel_sku for line in lines if line.recipient_position == recipient.position],
        "delivery": {
            "date": _time(recipient.wish_date),
            "slot": recipient.wish_slot,
            "method": recipient.method,
            "sender": recipient.sender,
            "shipping": recipient.shipping_fee,
            "fees": recipient.fees,
        },
        "gift": {"wrapping": recipient.gift, "noshi": recipient.noshi, "message_card": recipient.message_card},
    }


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "channel_sku": line.channel_sku,
        "sku": line.sku.code if line.sku else None,
        "name": line.name,
        "options": line.options,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "tax_rate": line.tax_rate,
        "amount": line.amount,
        "discount": line.discount,
        "gift": line.gift,
    }


def _totals(order: Order) -> dict[str, Any]:
    return {
        "goods": order.goods,
        "shipping": order.shipping_fee,
        "fees": order.fees + order.gift_fees,
        "discount": order.discount,
        "coupons": order.coupons_shop + order.coupons_channel,
        "points": order.points,
        "tax": order.tax,
        "total": order.total,
        "coupon_list": [{"name": name, "amount": yen, "by": by} for name, yen, by in order.coupon_list],
        "by_rate": [{"rate": rate, "amount": yen, "tax": tax} for rate, yen, tax in order.tax_by_rate],
    }
