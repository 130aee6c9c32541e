"""Telling Amazon about parcels, and cancelling, over real HTTP."""

from typing import Any

import pytest

from channels.connectors.amazon.cancel import reason_code
from channels.connectors.contract import ChannelDown, Parcel, Refused
from channels.sandbox.amazon.feeds import ACKNOWLEDGEMENT
from channels.sandbox.errors import WrongState
from channels.sandbox.model import SandboxOrder
from tests.channels.amazon.conftest import Shop


def parcel(shop: Shop, order: SandboxOrder, tracking: str, reference: int = 1, **changes: Any) -> Parcel:
    told = {
        "carrier": "yamato",
        "tracking_no": tracking,
        "shipped_at": shop.time.now(),
        "lines": {line.line_id: line.quantity for line in order.lines},
        "reference": reference,
    }
    return Parcel(**{**told, **changes})


def test_one_parcel_ships_the_order(shop: Shop) -> None:
    order = shop.place()
    shop.connect().ship(shop.known(order.number), [parcel(shop, order, "470000000011")])
    after = shop.world.order("amazon", order.number)
    assert (after.state, after.parcels[0].carrier, after.parcels[0].tracking) == ("shipped", "yamato", "470000000011")
    (call,) = shop.mall.calls("POST", "shipmentConfirmation")
    assert call.request["packageDetail"]["packageReferenceId"] == "1"


def test_several_parcels_ship_it_bit_by_bit(shop: Shop) -> None:
    first, second = shop.stocked(2)
    order = shop.place((first, 2), (second, 1))
    one, two = (line.line_id for line in order.lines)
    known = shop.known(order.number)
    begun = [parcel(shop, order, "470000000011", lines={one: 1})]
    shop.connect().ship(known, begun)
    assert shop.world.order("amazon", order.number).state == "partially_shipped"
    rest = parcel(shop, order, "360000000022", 2, carrier="sagawa", lines={one: 1, two: 1})
    shop.connect().ship(known, [*begun, rest])
    after = shop.world.order("amazon", order.number)
    assert after.state == "shipped" and [p.carrier for p in after.parcels] == ["yamato", "sagawa"]
    found = shop.connect().parse(shop.connect().fetch_order(order.number).payload)  # type: ignore[union-attr]
    assert found.tracking_nos == ("470000000011", "360000000022")
    assert [line.shipped_quantity for line in found.lines] == [2, 1]


def test_telling_twice_is_harmless(shop: Shop) -> None:
    order = shop.place()
    known, parcels = shop.known(order.number), [parcel(shop, order, "470000000011")]
    shop.connect().ship(known, parcels)
    shop.connect().ship(known, parcels)
    assert len(shop.world.order("amazon", order.number).parcels) == 1


@pytest.mark.parametrize("spec", ["cut:1", "reset:1", "503:1", "429:1"])
def test_a_lost_answer_makes_no_second_parcel(shop: Shop, spec: str) -> None:
    order = shop.place()
    known = shop.known(order.number)
    shop.fault(spec)
    shop.connect().ship(known, [parcel(shop, order, "470000000011")])
    after = shop.world.order("amazon", order.number)
    assert after.state == "shipped" and len(after.parcels) == 1


def test_a_corrected_number_replaces_the_old_one(shop: Shop) -> None:
    order = shop.place()
    known = shop.known(order.number)
    shop.connect().ship(known, [parcel(shop, order, "470000000011")])
    shop.connect().ship(known, [parcel(shop, order, "470000000099")])
    assert [p.tracking for p in shop.world.order("amazon", order.number).parcels] == ["470000000099"]


def test_a_refusal_of_what_amazon_already_has_is_success(shop: Shop) -> None:
    order = shop.place()
    known = shop.known(order.number)
    shop.connect().ship(known, [parcel(shop, order, "4700-0000-0011", reference=1)])
    shop.connect().ship(known, [parcel(shop, order, "470000000011", reference=2)])
    assert len(shop.world.order("amazon", order.number).parcels) == 1
    with pytest.raises(Refused, match="PackageToUpdateNotFound"):
        shop.connect().ship(known, [parcel(shop, order, "470000000055", reference=3)])


def test_other_carriers_go_by_name(shop: Shop) -> None:
    order = shop.place()
    known = shop.known(order.number)
    shop.connect().ship(known, [parcel(shop, order, "55-1", carrier="other", carrier_name="西濃運輸")])
    shop.connect().ship(known, [parcel(shop, order, "55-1", carrier="other")])
    first, again = shop.mall.calls("POST", "shipmentConfirmation")
    assert first.request["packageDetail"]["carrierName"] == "西濃運輸"
    assert again.request["packageDetail"]["carrierName"] == "その他"


def test_the_merchant_may_name_his_own_carrier_code(shop: Shop) -> None:
    order = shop.place()
    connector = shop.connect(carrier_yamato="YamatoTransport")
    connector.ship(shop.known(order.number), [parcel(shop, order, "470000000011")])
    (call,) = shop.mall.calls("POST", "shipmentConfirmation")
    assert call.request["packageDetail"]["carrierCode"] == "YamatoTransport"


def test_a_parcel_without_a_number_is_not_invented(shop: Shop) -> None:
    order = shop.place()
    with pytest.raises(Refused, match="追跡番号"):
        shop.connect().ship(shop.known(order.number), [parcel(shop, order, "")])
    assert shop.mall.calls("POST", "shipmentConfirmation") == []


def test_too_many_units_are_refused(shop: Shop) -> None:
    order = shop.place()
    lines = {order.lines[0].line_id: 99}
    with pytest.raises(Refused):
        shop.connect().ship(shop.known(order.number), [parcel(shop, order, "470000000011", lines=lines)])
    assert shop.world.order("amazon", order.number).state == "ready"


def test_what_amazon_ships_is_not_told(shop: Shop) -> None:
    order = shop.world.place_order("amazon", traits=["fba"])
    known = shop.known(order.number)
    with pytest.raises(Refused, match="FBA"):
        shop.connect().ship(known, [parcel(shop, order, "470000000011")])
    easy = {"no": "503-1-1", "extra": {"programs": "PRIME,AMAZON_EASY_SHIP"}}
    with pytest.raises(Refused, match="マーケットプレイス配送サービス"):
        shop.connect().ship(easy, [parcel(shop, order, "470000000011")])
    assert shop.mall.calls("POST", "shipmentConfirmation") == []


def test_an_unknown_order_is_refused(shop: Shop) -> None:
    order = shop.place()
    with pytest.raises(Refused):
        shop.connect().ship({"no": "503-9999999-9999999", "extra": {}}, [parcel(shop, order, "470000000011")])


def test_confirming_asks_nothing_of_amazon(shop: Shop) -> None:
    known = shop.known(shop.place().number)
    before = len(shop.mall.exchanges)
    shop.connect().confirm(known)
    assert len(shop.mall.exchanges) == before


# ---- cancelling ----------------------------------------------------------------------------------------------------


def feeds_sent(shop: Shop) -> int:
    return len([call for call in shop.mall.calls("POST", "/feeds") if call.path.endswith("/feeds")])


def test_a_whole_order_is_cancelled_through_the_feed(shop: Shop) -> None:
    first, second = shop.stocked(2)
    order = shop.place((first, 2), (second, 1))
    shop.connect().cancel(shop.known(order.number), "在庫切れのため")
    after = shop.world.order("amazon", order.number)
    assert (after.state, after.cancelled_by, after.cancel_reason) == ("cancelled", "shop", "NoInventory")
    found = shop.connect().parse(shop.connect().fetch_order(order.number).payload)  # type: ignore[union-attr]
    assert [line.cancelled_quantity for line in found.lines] == [2, 1]
    assert found.cancel_reason == "NoInventory"


def test_cancelling_twice_sends_one_feed(shop: Shop) -> None:
    known = shop.known(shop.place().number)
    shop.connect().cancel(known, "buyer")
    shop.connect().cancel(known, "buyer")
    assert feeds_sent(shop) == 1


def test_a_slow_feed_is_asked_for_later_and_not_sent_again(shop: Shop) -> None:
    shop.mall.feeds.work_s = 600
    order = shop.place()
    known = shop.known(order.number)
    for _ in range(2):
        with pytest.raises(ChannelDown) as busy:
            shop.connect().cancel(known, "buyer")
        assert busy.value.uncertain and busy.value.retry_after_s
    shop.time.pass_minutes(11)
    shop.connect().cancel(known, "buyer")
    assert shop.world.order("amazon", order.number).state == "cancelled" and feeds_sent(shop) == 1


@pytest.mark.parametrize("zipped", [True, False])
def test_a_refused_cancellation_says_why(shop: Shop, monkeypatch: pytest.MonkeyPatch, zipped: bool) -> None:
    shop.mall.feeds.zipped = zipped
    known = shop.known(shop.place().number)

    def too_late(*args: Any, **kwargs: Any) -> None:
        raise WrongState("too late")

    monkeypatch.setattr(shop.world, "cancel", too_late)
    with pytest.raises(Refused, match="cannot be cancelled"):
        shop.connect().cancel(known, "buyer")
    assert feeds_sent(shop) == 1


def test_shipped_and_fba_orders_are_not_cancelled(shop: Shop) -> None:
    order = shop.place()
    known = shop.known(order.number)
    shop.connect().ship(known, [parcel(shop, order, "470000000011")])
    with pytest.raises(Refused, match="出荷済み"):
        shop.connect().cancel(known, "buyer")
    fba = shop.world.place_order("amazon", traits=["fba"])
    with pytest.raises(Refused, match="FBA"):
        shop.connect().cancel(shop.known(fba.number), "buyer")
    with pytest.raises(Refused, match="見つかりません"):
        shop.connect().cancel({"no": "503-9999999-9999999"}, "buyer")
    assert feeds_sent(shop) == 0


def test_a_broken_document_ends_fatal_and_is_sent_again_later(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    known = shop.known(shop.place().number)
    with monkeypatch.context() as broken:
        broken.setitem(shop.mall.feeds.workers, ACKNOWLEDGEMENT, lambda *_: ("FATAL", b"not xml", "text/xml"))  # type: ignore[arg-type]
        with pytest.raises(ChannelDown):
            shop.connect().cancel(known, "buyer")
    shop.connect().cancel(known, "buyer")
    assert feeds_sent(shop) == 2
    assert shop.world.order("amazon", known["no"]).state == "cancelled"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("CustomerReturn", "CustomerReturn"),
        ("お客様都合", "BuyerCanceled"),
        ("out of stock", "NoInventory"),
        ("住所不備", "ShippingAddressUndeliverable"),
        ("その他", "GeneralAdjustment"),
    ],
)
def test_reasons_become_amazons(reason: str, code: str) -> None:
    assert reason_code(reason, {"orderItems": [{}]}) == code
    asked = {"orderItems": [{}, {"cancellation": {"cancellationRequest": {"requester": "BUYER"}}}]}
    assert reason_code(reason, asked) == (code if code == reason else "BuyerCanceled")
