"""What the connector says it can do, and that it does: carriers, buyers' wishes, terms, Amazon's own stock."""

import pytest

from channels.connectors.amazon import AmazonConnector
from channels.connectors.amazon.listings import FBA_MARK
from channels.connectors.contract import Parcel, Refused
from channels.connectors.limits import Plan, unattended
from tests.channels.amazon.conftest import Shop
from tests.channels.amazon.test_shipping_http import parcel


@pytest.mark.parametrize(
    ("carrier", "name", "setting", "told"),
    [
        ("yamato", "", "", ("YAMATO", None, "宅急便")),
        ("sagawa", "", "", ("SAGAWA", None, "飛脚宅配便")),
        ("japanpost", "", "", ("JP_EXPRESS", None, "ゆうパック")),
        ("other", "西濃運輸", "", ("Other", "西濃運輸", None)),
        ("other", "", "", ("Other", "その他", None)),
        ("other", "日本通運", "", ("NITTSU", None, None)),
        ("other", "FedEx", "", ("FEDEX_JP", None, None)),
        ("yamato", "", "sagawa=SagawaExpress、yamato=YamatoTransport:ネコポス", ("YamatoTransport", None, "ネコポス")),
        ("yamato", "", "yamato=YAMATO", ("YAMATO", None, None)),
        ("yamato", "", "nonsense", ("YAMATO", None, "宅急便")),
    ],
)
def test_carriers_have_amazons_codes(
    shop: Shop, carrier: str, name: str, setting: str, told: tuple[str, str | None, str | None]
) -> None:
    order = shop.place()
    sent: Parcel = parcel(shop, order, "470000000011", carrier=carrier, carrier_name=name)
    shop.connect(carrier_codes=setting).ship(shop.known(order.number), [sent])
    (call,) = shop.mall.calls("POST", "shipmentConfirmation")
    detail = call.request["packageDetail"]
    assert (detail["carrierCode"], detail.get("carrierName"), detail.get("shippingMethod")) == told


def test_a_buyers_wish_to_cancel_is_fulfilled_with_his_reason(shop: Shop) -> None:
    order = shop.place()
    shop.world.request_cancel("amazon", order.number, "間違えて注文した")
    with pytest.raises(Refused, match="出荷"):
        shop.connect().answer_cancel(shop.known(order.number), accept=False, message="")
    shop.connect().answer_cancel(shop.known(order.number), accept=True, message="承りました")
    told = shop.world.order("amazon", order.number)
    assert (told.state, told.cancel_reason) == ("cancelled", "BuyerCanceled")


def test_amazons_own_stock_is_seen_and_never_pushed(shop: Shop) -> None:
    seen = {info.code: info for page in shop.connect().list_listings() for info in page}
    own = [info for info in seen.values() if info.channel_keeps_stock]
    assert own and all(info.code.startswith(FBA_MARK) and info.quantity for info in own)
    live = shop.connect().read_stock([own[0].code, *shop.stocked(1)])
    assert live[own[0].code] == own[0].quantity and len(live) == 2


def test_a_seller_without_fba_has_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    listings = shop.world.listings("amazon")
    own = next(one for one in listings if one.fulfilled_by == "amazon")
    kept = [one for one in listings if one.fulfilled_by == "shop"]
    monkeypatch.setattr(shop.world, "listings", lambda channel: kept)
    assert shop.connect().read_stock([FBA_MARK + own.key]) == {}


def test_the_secret_has_a_term_and_what_amazon_cannot_do_is_named() -> None:
    assert AmazonConnector.credential_terms["client_secret"].days == 180
    known = {key for key, _label, _secret in AmazonConnector.credential_fields}
    assert AmazonConnector.credential_terms.keys() <= known
    assert {key for key, _label, secret in AmazonConnector.credential_fields if secret} == {
        "client_secret",
        "refresh_token",
        "sqs_secret_access_key",
    }
    able = AmazonConnector.capabilities
    assert able.events and able.captures and able.cancel_answer == "accept" and len(able.cannot) >= 6


def test_background_jobs_leave_the_last_calls_to_people(shop: Shop) -> None:
    pace = shop.connect().api._pace
    pace.plans = {"test": Plan(60, burst=5, reserve=2)}
    with unattended():
        for _ in range(3):
            pace.wait(shop.code, "test")
        assert shop.time.waited_s == 0
    pace.wait(shop.code, "test")
    pace.wait(shop.code, "test")
    assert shop.time.waited_s == 0, "two were left"
    with unattended():
        pace.wait(shop.code, "test")
    assert shop.time.waited_s >= 179
