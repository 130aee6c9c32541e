"""One basket (PackNo) → `ChannelOrder`. Pure. Its lines are Qoo10's orders (OrderNo), each with a state of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from channels.connectors.contract import Unreadable
from channels.connectors.qoo10 import codes
from channels.connectors.qoo10.rows import TOKYO, Row, day, instant, listing_code, plain, status_number
from oms.kernel.said import said
from orders.channel_order import (
    ChannelLine,
    ChannelOrder,
    ChannelState,
    Coupon,
    Delivery,
    Party,
    PaymentMethod,
    PaymentState,
    Totals,
)

PREFECTURES = """
北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県
東京都 神奈川県 新潟県 富山県 石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県
滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県
香川県 愛媛県 高知県 福岡県 佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県
"""
PREFECTURE_NAMES = tuple(PREFECTURES.split())
FREIGHT_COLLECT = "charge on delivery"
NO = ("", "n", "no", "0", "false")
RESERVED_SENDING = ("1", "2")  # AvailableSendType
END_OF_DAY = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Line:
    """One row with what its claim makes of it. `status` is None when the words are unknown."""

    row: Row
    status: int | None
    claim: int | None
    claim_words: str = ""

    @property
    def cancelled(self) -> bool:
        return self.claim in codes.CANCELLED


def parse_order(payload: str) -> ChannelOrder:
    """Raises Unreadable for a basket without number, time or readable rows."""
    try:
        body = json.loads(payload)
        pack_no = str(body["PackNo"])
        rows = [plain(row) for row in body["Rows"]]
        claims = [plain(row) for row in body.get("Claims") or ()]
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise Unreadable(said("Qoo10の注文データが読み取れません。"), detail=type(broken).__name__) from None
    try:
        return _build(pack_no, _lines(rows, claims), claims)
    except (ValueError, OverflowError) as broken:
        raise Unreadable(
            said("Qoo10の注文 %(pack_no)s を読み取れません（%(broken)s）。", pack_no=pack_no, broken=broken)
        ) from None


def _lines(rows: Sequence[Row], claims: Sequence[Row]) -> list[Line]:
    """By order number; of several claims of one row the latest counts."""
    latest: dict[str, Row] = {}
    for claim in sorted(claims, key=lambda row: row.get("requestdate", "")):
        latest[claim.get("orderno", "")] = claim
    found = []
    for row in rows:
        if not row.get("orderno"):
            raise ValueError(said("注文番号のない明細があります"))
        claim = latest.get(row["orderno"], row)
        status = status_number(row.get("shippingstatus", ""))
        known = status if status in (1, 2, 3, 4, 5) else None
        words = claim.get("claimstatus", "")
        found.append(Line(row, known, status_number(words), words))
    if not found:
        raise ValueError("明細がありません")
    return sorted(found, key=lambda line: (len(line.row["orderno"]), line.row["orderno"]))


def _build(pack_no: str, lines: list[Line], claims: Sequence[Row]) -> ChannelOrder:
    first = lines[0].row
    times = [at for line in lines if (at := instant(line.row.get("orderdate", ""))) is not None]
    if not times:
        raise ValueError("注文日時がありません")
    live = [line for line in lines if not line.cancelled]
    recipients = list(dict.fromkeys(_recipient_key(line.row) for line in lines))
    wishes = [day(line.row.get("desireddeliverydate", "")) for line in live]
    state = _state(live)
    return ChannelOrder(
        channel_order_no=pack_no,
        ordered_at=min(times),
        channel_state=_raw_states(lines),
        state=state,
        buyer=_party(first, "buyer"),
        recipients=tuple(_recipient(lines, key) for key in recipients),
        lines=tuple(_channel_line(line, recipients.index(_recipient_key(line.row))) for line in lines),
        totals=_totals(live or lines),
        payment_method=PaymentMethod.MALL,
        payment_state=_payment_state(lines, live),
        payment_name=first.get("paymentmethod", ""),
        paid_at=_earliest(lines, "paymentdate"),
        remarks="\n".join(dict.fromkeys(filter(None, (line.row.get("shippingmessage") for line in lines)))),
        wish_date=next(filter(None, wishes), None),
        delivery_method=first.get("shippingway", ""),
        ship_by=_ship_by(live),
        cancel_requested=any(line.claim in codes.CANCEL_ASKED for line in live),
        cancel_reason=_claim_reasons(lines, claims),
        tracking_nos=tuple(dict.fromkeys(filter(None, (line.row.get("trackingno") for line in lines)))),
        flags=_flags(live or lines, buyer=first.get("buyer", "")),
        sub_state=_claim_words(lines),
        deliveries=_deliveries(lines, recipients),
        coupons=_coupons(live or lines),
        extra={**_extra(lines, live), **_claims_extra(lines, claims)},
    )


# ---- states --------------------------------------------------------------------------------------------------------


def _state(live: Sequence[Line]) -> ChannelState:
    """The lowest state of what is left; one unknown word makes the whole basket provisional."""
    if not live:
        return ChannelState.CANCELLED
    statuses = [line.status for line in live]
    if None in statuses:
        return ChannelState.PROVISIONAL
    lowest = min(status for status in statuses if status is not None)
    if lowest >= codes.SENT:
        return ChannelState.SHIPPED
    return ChannelState.TO_CONFIRM if lowest == codes.REQUESTED else ChannelState.OPEN


def _raw_states(lines: Sequence[Line]) -> str:
    told = [line.row.get("shippingstatus") or f"claim {line.row.get('claimstatus', '?')}" for line in lines]
    return " / ".join(dict.fromkeys(told))


def _payment_state(lines: Sequence[Line], live: Sequence[Line]) -> PaymentState:
    """Qoo10 passes an order on as paid; state 1 waits for the buyer's money."""
    if any(line.status == codes.UNPAID for line in live):
        return PaymentState.UNPAID
    if live:
        return PaymentState.UNPAID if any(line.status is None for line in live) else PaymentState.PAID
    return PaymentState.REFUNDED if any(line.row.get("paymentdate") for line in lines) else PaymentState.UNPAID


def _claim_reasons(lines: Sequence[Line], claims: Sequence[Row]) -> str:
    asked = {line.row["orderno"] for line in lines if line.claim in codes.CANCEL_ASKED | codes.CANCELLED}
    told = [row.get("reason") for row in (*claims, *(line.row for line in lines)) if row.get("orderno") in asked]
    return " / ".join(dict.fromkeys(filter(None, told)))


def _claim_words(lines: Sequence[Line]) -> str:
    """Qoo10's own words for the claims of the basket, each once."""
    return " / ".join(dict.fromkeys(filter(None, (line.claim_words for line in lines))))


CLAIM_FACTS = {
    "orderno": "order_no",
    "claimstatus": "status",
    "reason": "reason",
    "requestdate": "requested",
    "cancelrefunddate": "completed",
    "deliverycompanyreturn": "return_carrier",
    "trackingnoreturn": "return_tracking",
    "pickupaddress": "pickup_address",
    "pickupzipcode": "pickup_zip",
    "paymentreturnshipping": "return_shipping",
    "itemcondition": "item_condition",
    "paymentamount": "amount",
}


def _claims_extra(lines: Sequence[Line], claims: Sequence[Row]) -> dict[str, str]:
    """Cancellations, returns and exchanges as they were told, one JSON list of facts; nothing where there is none."""
    told = list(claims) or [line.row for line in lines if line.row.get("claimstatus")]
    facts = [{name: row[key] for key, name in CLAIM_FACTS.items() if key in row} for row in told]
    facts.sort(key=lambda fact: (fact.get("order_no", ""), fact.get("requested", ""), fact.get("status", "")))
    return {"claims": json.dumps(facts, ensure_ascii=False)} if facts else {}


def _flags(lines: Sequence[Line], *, buyer: str) -> tuple[str, ...]:
    found = [codes.CLAIM_FLAGS[line.claim] for line in lines if line.claim in codes.CLAIM_FLAGS]
    for line in lines:
        sending = line.row.get("availablesendtype", "")
        if sending in RESERVED_SENDING:
            found.append("preorder")
        if sending == "3":
            found.append("same_day")
        if line.row.get("sendername", buyer) != buyer:
            found.append("other_sender")
        if line.row.get("overseaconsignment", "").lower() not in NO:
            found.append("overseas")
        if line.row.get("gift"):
            found.append("free_gift")
        rate_type = line.row.get("shippingratetype", "").lower()
        if rate_type == FREIGHT_COLLECT:
            found.append("freight_collect")
        if rate_type == "store pickup" or line.row.get("vouchercode"):
            found.append("store_pickup")
    return tuple(dict.fromkeys(found))


# ---- money ---------------------------------------------------------------------------------------------------------


def _totals(lines: Sequence[Line]) -> Totals:
    """Postage counts once per basket. `Total` is taken as told, so that a row that does not add up is seen.

    A line's discount is the shop's part and what Qoo10 pays; basket coupons come on top.
    """
    rows = [line.row for line in lines]
    shop = sum(min(max(_yen(row, "sellerdiscount"), 0), max(_yen(row, "discount"), 0)) for row in rows)
    cart_shop = sum(_yen(row, "cartdiscountseller") for row in rows)
    cart_mall = sum(_yen(row, "cartdiscountqoo10") for row in rows)
    shipping = max((_yen(row, "shippingrate") for row in rows if not _is_collect(row)), default=0)
    told = sum(_line_total(row) for row in rows)
    return Totals(
        goods=sum(_yen(row, "orderprice") * _quantity(row) for row in rows),
        total=told + shipping - cart_shop - cart_mall,
        shipping=shipping,
        discount=shop,
        coupons_shop=cart_shop,
        coupons_channel=sum(_yen(row, "discount") for row in rows) - shop + cart_mall,
    )


def _coupons(lines: Sequence[Line]) -> tuple[Coupon, ...]:
    """What was taken off, by who pays for it, as in the totals; the shop's line discounts are no coupon."""
    rows = [line.row for line in lines]
    shop_lines = sum(min(max(_yen(row, "sellerdiscount"), 0), max(_yen(row, "discount"), 0)) for row in rows)
    found = (
        Coupon("カート割引（販売者負担）", sum(_yen(row, "cartdiscountseller") for row in rows), "shop"),
        Coupon("カート割引（Qoo10負担）", sum(_yen(row, "cartdiscountqoo10") for row in rows), "channel"),
        Coupon("商品割引（Qoo10負担）", sum(_yen(row, "discount") for row in rows) - shop_lines, "channel"),
    )
    return tuple(coupon for coupon in found if coupon.amount)


def _line_total(row: Row) -> int:
    if "total" in row:
        return _yen(row, "total")
    return _yen(row, "orderprice") * _quantity(row) - _yen(row, "discount")


def _is_collect(row: Row) -> bool:
    return row.get("shippingratetype", "").lower() == FREIGHT_COLLECT


def _yen(row: Row, name: str) -> int:
    return whole(row.get(name, "")) or 0


def _quantity(row: Row) -> int:
    quantity = whole(row.get("orderqty", ""))
    if quantity is None or quantity < 1:
        raise ValueError(said("明細%(line_id)sの数量がありません", line_id=row["orderno"]))
    return quantity


def whole(text: str) -> int | None:
    """ "1500", "1500.0", "1,500.00" → 1500; None when empty. Raises ValueError for anything else."""
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        value = float(text.replace(",", ""))
        if not value.is_integer():
            raise ValueError("金額または数量が整数ではありません") from None
        return int(value)


# ---- lines and people ----------------------------------------------------------------------------------------------


def _channel_line(line: Line, recipient: int) -> ChannelLine:
    row, quantity = line.row, _quantity(line.row)
    price = _yen(row, "orderprice")
    sent = not line.cancelled and line.status is not None and line.status >= codes.SENT
    return ChannelLine(
        line_id=row["orderno"],
        channel_sku=listing_code(row),
        name=row.get("itemtitle", ""),
        quantity=quantity,
        unit_price=price,
        amount=price * quantity,
        options=row.get("option", ""),
        recipient=recipient,
        discount=_yen(row, "discount"),
        gift=row.get("gift", ""),
        cancelled_quantity=quantity if line.cancelled else 0,
        shipped_quantity=quantity if sent else 0,
    )


def _deliveries(lines: Sequence[Line], keys: Sequence["RecipientKey"]) -> tuple[Delivery, ...]:
    """By recipient: the wished day, the way, and whose name stands as the sender."""
    found = []
    for key in keys:
        rows = [line.row for line in lines if _recipient_key(line.row) == key]
        wishes = [wish for row in rows if (wish := day(row.get("desireddeliverydate", ""))) is not None]
        found.append(
            Delivery(
                wish_date=wishes[0] if wishes else None,
                method=next(filter(None, (row.get("shippingway") for row in rows)), "") or "",
                sender=next(filter(None, (row.get("sendername") for row in rows)), "") or "",
            )
        )
    return tuple(found)


RecipientKey = tuple[str, ...]


def _recipient_key(row: Row) -> RecipientKey:
    get = row.get
    address = get("shippingaddress") or f"{get('address1', '')} {get('address2', '')}"
    key = get("receiver", ""), get("zipcode", ""), address, get("receivermobile", ""), get("receivertel", "")
    return tuple("".join(part.split()) for part in key)


def _recipient(lines: Sequence[Line], key: RecipientKey) -> Party:
    """From the row that tells most about this recipient."""
    rows = [line.row for line in lines if _recipient_key(line.row) == key]
    row = next((row for row in rows if row.get("address1")), rows[0])
    prefecture, rest = split_prefecture(row)
    return _party(row, "receiver", prefecture=prefecture, address=rest, postal_code=row.get("zipcode", ""))


def split_prefecture(row: Row) -> tuple[str, str]:
    """The prefecture at the head of the address, and all after it. City and town stay together: Qoo10 has one field."""
    if "address1" in row:
        whole_address = f"{row['address1']} {row.get('address2', '')}".strip()
    else:
        whole_address = row.get("shippingaddress", "")
    text = whole_address.lstrip("〒 　").removeprefix(row.get("zipcode", "")).strip()
    found = next((name for name in PREFECTURE_NAMES if text.startswith(name)), "")
    return found, text.removeprefix(found).strip()


COUNTRIES = {"JAPAN": "JP", "日本": "JP"}


def _party(row: Row, who: str, **address: Any) -> Party:
    phone = row.get(f"{who}mobile") or row.get(f"{who}tel") or ""
    return Party(
        name=row.get(who, ""),
        kana=row.get(f"{who}kana", ""),
        phone=domestic(phone),
        email=row.get(f"{who}email", ""),
        country=_country(row) if who == "receiver" else "JP",
        **address,
    )


def _country(row: Row) -> str:
    """The older query tells it; "JP" where nothing is told."""
    told = row.get("shippingcountry", "").upper()
    found = COUNTRIES.get(told, told)
    return found if len(found) == 2 else "JP"


def domestic(phone: str) -> str:
    """ "+81-90-0000-0000" → "090-0000-0000"."""
    for head in ("+81-", "+81 ", "+81"):
        if phone.startswith(head):
            return f"0{phone.removeprefix(head).removeprefix('0')}"
    return phone


# ---- dates and the rest --------------------------------------------------------------------------------------------


def _earliest(lines: Sequence[Line], name: str) -> datetime | None:
    times = [at for line in lines if (at := instant(line.row.get(name, ""))) is not None]
    return min(times, default=None)


def _ship_by(live: Sequence[Line]) -> datetime | None:
    """The end of the earliest planned day, once one was declared."""
    days = [found for line in live if (found := day(line.row.get("estimatedshippingdate", ""))) is not None]
    return datetime.combine(min(days), END_OF_DAY, TOKYO) if days else None


EXTRA = {
    "seller_item_codes": "selleritemcode",
    "free_gift": "gift",
    "sender_name": "sendername",
    "sender_tel": "sendertel",
    "sender_zip": "senderzipcode",
    "sender_address": "senderaddress",
    "sender_nation": "sendernation",
    "shipping_rate_type": "shippingratetype",
    "carrier": "deliverycompany",
    "voucher": "vouchercode",
    "packing_no": "packingno",
    "seller_delivery_no": "sellerdeliveryno",
    "branch": "branchname",
    "material": "material",
    "currency": "currency",
    "delay_type": "delaytype",
    "delay_memo": "delaymemo",
    "shipped_on": "shippingdate",
    "delivered_on": "delivereddate",
}


def _extra(lines: Sequence[Line], live: Sequence[Line]) -> dict[str, str]:
    """What later calls need: the order numbers, and the days a planned ship date depends on. And what the rows tell
    beside: each text once."""
    rows = [line.row for line in live or lines]
    extra = {"order_nos": ",".join(row["orderno"] for row in rows)}
    paid_at = _earliest(live, "paymentdate")
    if paid_at:
        extra["paid_on"] = paid_at.astimezone(TOKYO).date().isoformat()
    available = [found for row in rows if (found := day(row.get("availableshippingdate", ""))) is not None]
    if available:
        extra["available_on"] = max(available).isoformat()
    wishes = [found for row in rows if (found := day(row.get("desireddeliverydate", ""))) is not None]
    if wishes:
        extra["wish_on"] = min(wishes).isoformat()
    for key, name in EXTRA.items():
        if told := " / ".join(dict.fromkeys(row[name] for row in rows if name in row)):
            extra[key] = told
    settle = [_yen(row, "settleprice") for row in rows if "settleprice" in row]
    if settle:
        extra["settle_amount"] = str(sum(settle))
    collect = [
        _yen(row, name) for row in rows for name in ("codprice", "shippingrate") if name in row and _is_collect(row)
    ]
    if any(collect):
        extra["collect_on_delivery"] = str(max(collect))
    return extra
