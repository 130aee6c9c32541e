"""What one payload of Amazon becomes. No database, no network."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from channels.connectors.amazon.parse import parse_order
from channels.connectors.contract import Unreadable
from orders.channel_order import ChannelOrder, ChannelState, PaymentMethod, PaymentState, Totals
from tests.channels.amazon.payloads import item, order, status, text, yen


def parsed(payload: Any) -> ChannelOrder:
    return parse_order(text(payload))


def adds_up(totals: Totals) -> bool:
    plus = totals.goods + totals.shipping + totals.fees + totals.gift_fees + totals.tax_excluded
    return plus - totals.discount - totals.coupons_shop - totals.coupons_channel - totals.points == totals.total


def test_an_ordinary_order_is_understood_whole() -> None:
    found = parsed(order())
    assert found.channel_order_no == "249-1830472-5520918"
    assert found.ordered_at == datetime(2026, 11, 18, 22, 41, 9, 310000, tzinfo=UTC)
    assert found.updated_at == datetime(2026, 11, 19, 3, 5, 51, 2000, tzinfo=UTC)
    assert (found.state, found.channel_state) == (ChannelState.OPEN, "UNSHIPPED")
    assert (found.buyer.name, found.buyer.email) == ("株式会社よこやま 購買部", "7x2k@marketplace.amazon.co.jp")
    assert found.ship_by == datetime(2026, 11, 20, 14, 59, 59, tzinfo=UTC)
    assert found.deliver_by == datetime(2026, 11, 24, 14, 59, 59, tzinfo=UTC)
    assert (found.gift, found.message_card) == ("ギフト箱", "いつもありがとう")
    assert (found.remarks, found.extra["drop_off"]) == ("受付にお渡しください\n置き場所の希望: 玄関前", "玄関前")
    assert found.extra["purchase_order_no"] == "PO-8831"
    assert set(found.flags) == {"prime", "business"}
    assert (found.wish_date, found.wish_slot, found.delivery_method) == (None, "", "STANDARD")
    assert not found.fulfilled_by_channel and not found.cancel_requested


def test_lines_keep_skus_as_they_are() -> None:
    kettle, coaster = parsed(order()).lines
    assert (kettle.line_id, kettle.channel_sku, kettle.quantity) == ("61200000000011", "KETTLE-06", 2)
    assert (kettle.unit_price, kettle.amount, kettle.name) == (5980, 11960, "南部鉄器 急須 0.6L")
    assert (coaster.channel_sku, coaster.unit_price, coaster.amount) == ("COASTER/藍 1", 980, 980)


def test_the_recipient_needs_no_city() -> None:
    (recipient,) = parsed(order()).recipients
    assert (recipient.prefecture, recipient.city) == ("宮城県", "")
    assert recipient.address == "仙台市青葉区一番町4-7-1 青葉ビル 3F"
    assert (recipient.company, recipient.postal_code, recipient.phone) == (
        "株式会社よこやま",
        "980-0811",
        "022-000-1234",
    )


def test_a_prefecture_or_city_said_twice_is_kept_once() -> None:
    address = {"stateOrRegion": "大阪府", "city": "堺市堺区", "addressLine1": "大阪府堺市堺区南瓦町3-1"}
    (recipient,) = parsed(order(recipient={"deliveryAddress": address})).recipients
    assert (recipient.prefecture, recipient.city, recipient.address) == ("大阪府", "堺市堺区", "南瓦町3-1")


def test_totals_add_up() -> None:
    totals = parsed(order()).totals
    assert totals == Totals(goods=12940, total=13420, shipping=560, gift_fees=220, discount=300)
    assert adds_up(totals)


@pytest.mark.parametrize(("tax", "grand", "excluded"), [(90, 1000, 0), (100, 1100, 100)])
def test_tax_is_inside_unless_the_total_needs_it(tax: int, grand: int, excluded: int) -> None:
    breakdowns = [{"type": "ITEM", "subtotal": yen(1000)}, {"type": "TAX", "subtotal": yen(tax)}]
    line = item(quantityOrdered=1, proceeds={"breakdowns": breakdowns})
    totals = parsed(order(orderItems=[line], proceeds={"grandTotal": yen(grand)})).totals
    assert totals is not None and (totals.tax, totals.tax_excluded) == (tax, excluded)
    assert adds_up(totals)


@pytest.mark.parametrize("amount", ["-150", "150"])
def test_a_discount_lowers_whatever_its_sign(amount: str) -> None:
    breakdowns = [{"type": "ITEM", "subtotal": yen(1000)}, {"type": "DISCOUNT", "subtotal": yen(amount)}]
    line = item(quantityOrdered=1, proceeds={"breakdowns": breakdowns})
    totals = parsed(order(orderItems=[line], proceeds={"grandTotal": yen(850)})).totals
    assert totals is not None and totals.discount == 150 and adds_up(totals)


def test_an_unknown_kind_of_money_is_not_hidden() -> None:
    breakdowns = [{"type": "ITEM", "subtotal": yen(1000)}, {"type": "ECO_FEE", "subtotal": yen(30)}]
    line = item(quantityOrdered=1, proceeds={"breakdowns": breakdowns})
    totals = parsed(order(orderItems=[line], proceeds={"grandTotal": yen(1030)})).totals
    assert totals is not None and not adds_up(totals)


def test_withheld_amounts_are_none() -> None:
    lines = [item(proceeds=None, product={"asin": "B0KETTLE01", "title": "急須", "sellerSku": "KETTLE-06"})]
    found = parsed(order(proceeds=None, orderItems=lines))
    assert found.totals is None
    assert (found.lines[0].unit_price, found.lines[0].amount) == (0, 0)


def test_without_a_grand_total_the_items_say_it() -> None:
    totals = parsed(order(proceeds=None)).totals
    assert totals is not None and totals.total == 12440 + 980


@pytest.mark.parametrize(
    ("raw", "state", "payment"),
    [
        ("PENDING_AVAILABILITY", ChannelState.PROVISIONAL, PaymentState.UNPAID),
        ("PENDING", ChannelState.PROVISIONAL, PaymentState.UNPAID),
        ("UNSHIPPED", ChannelState.OPEN, PaymentState.AUTHORIZED),
        ("PARTIALLY_SHIPPED", ChannelState.OPEN, PaymentState.AUTHORIZED),
        ("PartiallyShipped", ChannelState.OPEN, PaymentState.AUTHORIZED),
        ("SHIPPED", ChannelState.SHIPPED, PaymentState.PAID),
        ("InvoiceUnconfirmed", ChannelState.SHIPPED, PaymentState.PAID),
        ("CANCELLED", ChannelState.CANCELLED, PaymentState.UNPAID),
        ("Canceled", ChannelState.CANCELLED, PaymentState.UNPAID),
        ("UNFULFILLABLE", ChannelState.PROVISIONAL, PaymentState.UNPAID),
        ("AWAITING_DRONE", ChannelState.PROVISIONAL, PaymentState.UNPAID),
    ],
)
def test_states(raw: str, state: ChannelState, payment: PaymentState) -> None:
    found = parsed(status(raw))
    assert (found.state, found.channel_state, found.payment_state) == (state, raw, payment)


def test_an_unpaid_preorder_takes_no_stock() -> None:
    assert "no_reserve" in parsed(status("PENDING_AVAILABILITY")).flags
    assert "no_reserve" not in parsed(status("PENDING")).flags


@pytest.mark.parametrize("by", [None, "PARTNER_STORE"])
def test_an_open_order_of_unknown_shipper_never_ships(by: str | None) -> None:
    assert parsed(status("UNSHIPPED", by)).state is ChannelState.PROVISIONAL


def test_an_fba_order_is_marked() -> None:
    found = parsed(status("UNSHIPPED", "AMAZON"))
    assert found.fulfilled_by_channel and found.extra["fulfilled_by"] == "AMAZON"
    assert not parsed(order()).fulfilled_by_channel


@pytest.mark.parametrize(
    ("names", "method", "state"),
    [
        (["ConvenienceStore"], PaymentMethod.MALL, PaymentState.PAID),
        (["CreditCard", "PointsAccount"], PaymentMethod.MALL, PaymentState.AUTHORIZED),
        (["CashOnDelivery"], PaymentMethod.COD, PaymentState.AUTHORIZED),
        (["Teleportation"], PaymentMethod.MALL, PaymentState.AUTHORIZED),
        ([], PaymentMethod.MALL, PaymentState.AUTHORIZED),
    ],
)
def test_payment_is_amazons_but_keeps_its_name(names: list[str], method: PaymentMethod, state: PaymentState) -> None:
    found = parsed(order(payment={"paymentExecutions": [{"paymentMethod": name} for name in names]}))
    assert (found.payment_method, found.payment_state, found.payment_name) == (method, state, ", ".join(names))


def test_a_buyer_who_wants_to_cancel_is_heard() -> None:
    request = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "間違えて注文した"}}
    found = parsed(order(orderItems=[item(0, cancellation=request), item(1)]))
    assert (found.cancel_requested, found.cancel_reason) == (True, "間違えて注文した")
    assert found.state is ChannelState.OPEN


def test_a_cancelled_line_is_cancelled_and_asks_no_more() -> None:
    done = {
        "cancellationRequest": {"requester": "BUYER", "cancelReason": "不要"},
        "cancellationExecution": {"cancelledBy": "MERCHANT", "cancelReason": "BuyerCanceled"},
    }
    found = parsed(order(orderItems=[item(0, cancellation=done), item(1)]))
    assert [line.cancelled_quantity for line in found.lines] == [2, 0]
    assert (found.cancel_requested, found.cancel_reason) == (False, "BuyerCanceled")


def test_part_of_a_line_shipped_and_part_cancelled() -> None:
    done = {"cancellationExecution": {"cancelledBy": "AMAZON"}}
    line = item(quantityOrdered=5, cancellation=done, fulfillment={"quantityFulfilled": 2, "quantityUnfulfilled": 1})
    (found,) = parsed(order(orderItems=[line])).lines
    assert (found.quantity, found.shipped_quantity, found.cancelled_quantity) == (5, 2, 2)


@pytest.mark.parametrize(
    ("start", "end", "wish"),
    [
        ("2026-11-25T05:00:00Z", "2026-11-25T07:00:00Z", (date(2026, 11, 25), "1416")),
        ("2026-11-25T05:00:00Z", "2026-11-25T06:59:59Z", (date(2026, 11, 25), "1416")),
        ("2026-11-24T23:00:00Z", "2026-11-25T03:00:00Z", (date(2026, 11, 25), "am")),
        ("2026-11-24T23:00:00Z", "2026-11-25T12:00:00Z", (date(2026, 11, 25), "")),
        ("2026-11-24T23:00:00Z", "2026-11-26T03:00:00Z", (None, "")),
    ],
)
def test_a_scheduled_delivery_is_the_buyers_wish(start: str, end: str, wish: tuple[date | None, str]) -> None:
    window = {"earliestDateTime": start, "latestDateTime": end}
    payload = status("UNSHIPPED", fulfillmentServiceLevel="SCHEDULED")
    payload["orderItems"][0]["fulfillment"]["shipping"] = {"scheduledDeliveryWindow": window}
    found = parsed(payload)
    assert (found.wish_date, found.wish_slot) == wish
    payload["fulfillment"]["fulfillmentServiceLevel"] = "STANDARD"
    assert parsed(payload).wish_date is None


def test_packages_name_their_tracking_numbers_once() -> None:
    packages = [
        {"packageReferenceId": "1", "trackingNumber": "470000000011"},
        {"packageReferenceId": "2", "trackingNumber": "470000000022", "packageStatus": {"status": "DELIVERED"}},
        {"packageReferenceId": "3", "trackingNumber": "470000000033", "packageStatus": {"status": "CANCELLED"}},
        {"packageReferenceId": "4", "trackingNumber": "470000000011"},
        {"packageReferenceId": "5"},
    ]
    assert parsed(order(packages=packages)).tracking_nos == ("470000000011", "470000000022")


def test_marks_of_the_order_and_its_items() -> None:
    constrained = item(
        programs=["TRANSPARENCY"],
        product={"sellerSku": "RING-1", "customization": {"customizedUrl": "https://example.jp/engraving"}},
        fulfillment={"shipping": {"shippingConstraints": {"signatureConfirmation": "MANDATORY"}}},
    )
    found = parsed(
        order(
            programs=["AMAZON_EASY_SHIP", "SOMETHING_NEW"],
            salesChannel={"channelName": "NON_AMAZON"},
            associatedOrders=[{"orderId": "1", "associationType": "REPLACEMENT_ORIGINAL_ID"}],
            recipient={"deliveryAddress": {"addressType": "PICKUP_POINT"}},
            orderItems=[constrained],
        )
    )
    assert set(found.flags) == {
        "easy_ship",
        "something_new",
        "non_amazon",
        "replacement",
        "pickup_point",
        "transparency",
        "customized",
        "signature_required",
    }


def test_the_barest_order_is_readable() -> None:
    bare = {
        "orderId": "503-0000001-0000002",
        "createdTime": "2026-11-18T22:41:09Z",
        "lastUpdatedTime": "2026-11-18T22:41:09Z",
        "salesChannel": {"channelName": "AMAZON"},
        "orderItems": [{"orderItemId": "9", "quantityOrdered": 1, "product": {}}],
    }
    found = parsed(bare)
    assert (found.state, found.channel_state) == (ChannelState.PROVISIONAL, "")
    assert found.lines[0].channel_sku == "" and found.totals is None
    assert found.recipients[0].name == "" and found.buyer.email == ""


def with_nulls(value: Any) -> Any:
    """The same with every optional scalar null and an unknown field in every object."""
    kept = {"orderId", "createdTime", "orderItemId", "quantityOrdered", "orderItems", "fulfillmentStatus"}
    if isinstance(value, dict):
        inner = {
            name: part if name in kept and not isinstance(part, list) else with_nulls(part)
            for name, part in value.items()
        }
        return {**inner, "somethingNew": {"deep": [1, None]}}
    return [with_nulls(part) for part in value] if isinstance(value, list) else None


def test_nulls_and_unknown_fields_break_nothing() -> None:
    payload = with_nulls(order())
    found = parsed(payload)
    assert found.channel_order_no == "249-1830472-5520918" and len(found.lines) == 2
    assert found.updated_at is None and found.totals is None and found.flags == ()
    blocks = dict.fromkeys(("buyer", "recipient", "proceeds", "payment", "packages", "programs", "fulfillment"))
    assert parsed({**order(), **blocks}).state is ChannelState.PROVISIONAL


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "{",
        "[]",
        "null",
        text(order(orderId=None)),
        text(order(orderId=17)),
        text(order(createdTime=None)),
        text(order(createdTime="yesterday")),
        text(order(orderItems=None)),
        text(order(orderItems=[])),
        text(order(orderItems=["x"])),
        text(order(orderItems=[item(), item()])),
        text(order(orderItems=[item(orderItemId=None)])),
        text(order(orderItems=[item(quantityOrdered="2")])),
        text(order(orderItems=[item(quantityOrdered=-1)])),
        text(order(orderItems=[item(quantityOrdered=True)])),
        text(order(proceeds={"grandTotal": {"amount": "12,3", "currencyCode": "JPY"}})),
        text(order(proceeds={"grandTotal": {"amount": "29.80", "currencyCode": "USD"}})),
        text(order(proceeds={"grandTotal": {"amount": "NaN", "currencyCode": "JPY"}})),
        text(order(proceeds="free")),
        text(order(fulfillment="soon")),
        text(order(programs=[7])),
    ],
)
def test_what_cannot_be_read_is_unreadable_and_names_nobody(broken: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse_order(broken)
    assert "横山" not in refused.value.cause + refused.value.detail
