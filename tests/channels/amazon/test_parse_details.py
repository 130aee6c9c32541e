"""The rarer things Amazon tells of an order: promotions, points, options, parcels, marks."""

import json
import random
from typing import Any

from channels.connectors.amazon.parse import parse_order
from orders.channel_order import ChannelOrder, ChannelState, Coupon
from tests.channels.amazon.payloads import ORDER, item, order, status, text, yen


def parsed(payload: Any) -> ChannelOrder:
    return parse_order(text(payload))


def adds_up(found: ChannelOrder) -> bool:
    t = found.totals
    assert t is not None
    added = t.goods + t.shipping + t.fees + t.gift_fees + t.tax_excluded
    return added - t.discount - t.coupons_shop - t.coupons_channel - t.points == t.total


def discounted(*ids: str, **parts: Any) -> dict[str, Any]:
    breakdowns = [
        {"type": "ITEM", "subtotal": yen(3000)},
        {"type": "SHIPPING", "subtotal": yen(500)},
        {"type": "DISCOUNT", "subtotal": yen(-700), **parts},
    ]
    promotion = {"breakdowns": [{"promotionId": name} for name in ids]}
    return item(quantityOrdered=2, proceeds={"proceedsTotal": yen(2800), "breakdowns": breakdowns}, promotion=promotion)


def test_a_named_promotion_is_the_shops_coupon() -> None:
    found = parsed(order(orderItems=[discounted("AUTUMN-300", "FREE-SHIP")], proceeds={"grandTotal": yen(2800)}))
    assert found.coupons == (Coupon("AUTUMN-300、FREE-SHIP", 700, "shop"),)
    assert found.totals is not None and (found.totals.discount, found.totals.coupons_shop) == (0, 700)
    assert found.lines[0].discount == 700 and adds_up(found)


def test_a_lines_discount_leaves_out_what_was_taken_off_the_shipping() -> None:
    split = [{"subtype": "ITEM", "value": yen(-200)}, {"subtype": "SHIPPING", "value": yen(-500)}]
    found = parsed(order(orderItems=[discounted(detailedBreakdowns=split)], proceeds={"grandTotal": yen(2800)}))
    assert found.totals is not None and (found.totals.discount, found.totals.coupons_shop) == (700, 0)
    assert found.lines[0].discount == 200 and found.coupons == () and adds_up(found)


def test_a_tip_of_the_order_is_a_fee() -> None:
    line = item(quantityOrdered=1, proceeds={"breakdowns": [{"type": "ITEM", "subtotal": yen(1000)}]})
    tip = {"type": "DELIVERY_TIP", "status": "CHARGED", "subtotal": yen(120)}
    found = parsed(order(orderItems=[line], proceeds={"grandTotal": yen(1120), "breakdowns": [tip]}))
    assert found.totals is not None and found.totals.fees == 120 and adds_up(found)


def test_old_cash_on_delivery_and_gift_wrap_fees_are_told_apart() -> None:
    breakdowns = [
        {"type": "GIFT_WRAP", "subtotal": yen(220)},
        {"type": "COD_FEE", "subtotal": yen(330)},
        {"type": "ITEM", "subtotal": yen(1000)},
    ]
    line = item(quantityOrdered=1, proceeds={"breakdowns": breakdowns})
    found = parsed(order(orderItems=[line], proceeds={"grandTotal": yen(1550)}))
    assert found.totals is not None and (found.totals.fees, found.totals.gift_fees) == (330, 220) and adds_up(found)


def test_points_granted_are_a_note_and_no_discount() -> None:
    granted = {"pointsCost": {"pointsGranted": {"pointsNumber": 30, "pointsMonetaryValue": yen(30)}}}
    found = parsed(order(orderItems=[item(0, expense=granted), item(1)]))
    assert found.extra["points_granted"] == "30" and found.totals == parsed(order()).totals


def test_customisation_condition_and_measure_stand_at_the_line() -> None:
    product = {
        "sellerSku": "RING-1",
        "condition": {"conditionType": "USED", "conditionSubtype": "VERY_GOOD", "conditionNote": "箱なし"},
        "customization": {"customizedUrl": "https://example.jp/c.zip"},
    }
    line = parsed(order(orderItems=[item(product=product, measurement={"unit": "GRAMS", "value": 250})])).lines[0]
    assert line.options.splitlines() == [
        "カスタマイズ内容: https://example.jp/c.zip",
        "商品の状態: USED / VERY_GOOD / 箱なし",
        "量: 250 GRAMS",
    ]
    plain = item(
        product={"condition": {"conditionType": "NEW", "conditionSubtype": "NEW"}},
        measurement={"unit": "COUNT", "value": 1},
    )
    assert parsed(order(orderItems=[plain])).lines[0].options == ""


def test_the_wrapping_stands_at_its_line() -> None:
    found = parsed(order())
    assert [line.gift for line in found.lines] == ["ギフト箱", ""] and found.gift == "ギフト箱"


def test_parcels_are_kept_with_what_is_in_them() -> None:
    packages = [
        {
            "packageReferenceId": "1",
            "carrier": "YAMATO",
            "shippingService": "宅急便",
            "trackingNumber": "470000000011",
            "shipTime": "2026-11-22T06:30:00.000Z",
            "packageStatus": {"status": "DELIVERED", "detailedStatus": "DELIVERED"},
            "packageItems": [{"orderItemId": "61200000000011", "quantity": 1}],
        },
        {"packageReferenceId": "2", "trackingNumber": "470000000022", "packageStatus": {"status": "IN_TRANSIT"}},
    ]
    found = parsed(order(packages=packages))
    assert found.tracking_nos == ("470000000011", "470000000022") and found.sub_state == "DELIVERED, IN_TRANSIT"
    first = json.loads(found.extra["packages"])[0]
    assert (first["reference"], first["service"], first["lines"]) == ("1", "宅急便", {"61200000000011": 1})


def test_replacements_name_the_order_they_replace() -> None:
    association = {"orderId": "249-0000001-0000001", "associationType": "REPLACEMENT_ORIGINAL_ID"}
    free = item(proceeds={"proceedsTotal": yen(0), "breakdowns": [{"type": "ITEM", "subtotal": yen(0)}]})
    found = parsed(order(associatedOrders=[association], orderItems=[free], proceeds={"grandTotal": yen(0)}))
    assert "replacement" in found.flags and found.extra["original_order"] == "249-0000001-0000001"
    assert found.totals is not None and found.totals.total == 0 and adds_up(found)
    unknown = parsed(order(associatedOrders=[{"orderId": "1", "associationType": "TWIN"}]))
    assert "twin" in unknown.flags


def test_rare_marks_of_lines() -> None:
    line = item(
        product={"sellerSku": "X", "price": {"unitPrice": yen(5980), "priceDesignation": "BUSINESS_PRICE"}},
        associatedOrderItems=[{"orderItemId": "9", "associationType": "VALUE_ADD_SERVICE"}],
        fulfillment={
            "packing": {"serialNumberRequirement": {"requirementType": "REQUIRED"}},
            "shipping": {"internationalShipping": {"iossNumber": "IM3720000000"}},
        },
    )
    found = parsed(order(orderItems=[line]))
    assert {"business_price", "value_add_service", "serial_required", "ioss"} <= set(found.flags)


def test_where_to_leave_it_is_a_remark() -> None:
    preference = {"addressInstruction": "裏口へ", "dropOffLocation": "玄関前"}
    recipient = {**ORDER["recipient"], "deliveryPreference": preference}
    assert parsed(order(recipient=recipient)).remarks == "裏口へ\n置き場所の希望: 玄関前"


def test_an_unpaid_preorder_in_the_old_spelling_takes_no_stock_either() -> None:
    found = parsed(status("PendingAvailability"))
    assert found.state is ChannelState.PROVISIONAL and "no_reserve" in found.flags


def shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        rng.shuffle(names)
        return {name: shuffled(value[name], rng) for name in names}
    return [shuffled(part, rng) for part in value] if isinstance(value, list) else value


def test_the_order_of_fields_means_nothing() -> None:
    for seed in range(5):
        assert parsed(shuffled(order(), random.Random(seed))) == parsed(order())
