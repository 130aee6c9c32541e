"""Thresholds that differ by shop, payment, carrier and buyer; areas where no parcel goes, or not in every way."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.urls import reverse

from oms.kernel import clock
from orders.channel_order import PaymentMethod
from orders.decide import areas
from orders.decide.areas import Parcel
from orders.decide.catalogue import CATALOGUE
from orders.models import Order, ReviewReason
from orders.queries import card as cards
from orders.queries.reasons import changes_of
from orders.services import decide_card, delivery, reason_settings, review_again
from orders.services.decide_card import Wanted
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.reason_settings import Setting
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped

OKINAWA = replace(TOKYO_PARTY, postal_code="900-0014", prefecture="沖縄県", city="那覇市", address="松尾1-2-3")
COOL = Parcel("沖縄県", "900-0014", "sagawa", frozenset({"冷凍", "宅配"}))


def take(shop=None, sku=None, **fields) -> Order:
    order = make_channel_order(make_line(), ordered_at=clock.now(), **fields)
    take_in(shop or make_shop(), [order], sku_of=mapped(sku or make_sku(stock_units=9)))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def keep(code: str, **fields) -> None:
    entry = CATALOGUE[code]
    reason_settings.save(Setting(code, True, str(entry.level), **fields), by=None)


def found(order: Order, code: str) -> ReviewReason | None:
    return order.reasons.filter(code=code, state=ReviewReason.State.OPEN).first()


# ---- thresholds of exceptions


@pytest.mark.django_db
def test_a_shop_a_payment_and_a_first_buyer_have_limits_of_their_own(aoi):
    shop = make_shop()
    exceptions = [["payment", "cod", "", {"yen": 500}], ["buyer", "first", "warn", {"yen": 800}]]
    keep("high_amount", params={"yen": 1_000_000}, overrides=exceptions)
    by_cod = take(shop, payment_method=PaymentMethod.COD)
    assert found(by_cod, "high_amount").level == "block", "an empty level is the reason's own"
    first = take(shop, buyer=replace(TOKYO_PARTY, name="佐藤 花", phone="03-9999-1111", email="hana@example.com"))
    assert found(first, "high_amount").level == "warn"
    again = take(shop, buyer=replace(TOKYO_PARTY, name="佐藤 花", phone="03-9999-1111", email="hana@example.com"))
    assert found(again, "high_amount") is None, "somebody known is asked from the general limit on"
    keep("high_amount", params={"yen": 1_000_000}, overrides=[["shop", shop.code, "", {"yen": 1}]])
    review_again.reapply("high_amount")
    assert found(again, "high_amount") and found(by_cod, "high_amount")


@pytest.mark.django_db
def test_a_limit_of_an_exception_is_typed_and_told(client_of, aoi):
    client, url = client_of(aoi), reverse("orders:reason", args=["cod_over_limit"])
    form = client.get(url).context["form"]
    sent = {name: value for name, value in form.initial.items() if value is not None and value is not False}
    sent |= {"active": "on", "for_0": "carrier:sagawa", "limit_0_yen": "200000", "save": "1"}
    assert client.post(url, sent).status_code == 302
    assert reason_settings.read().of("cod_over_limit").overrides == [["carrier", "sagawa", "", {"yen": 200_000}]]
    [change] = changes_of("cod_over_limit")
    assert change.differences[0][2] == "佐川急便 = 金額（円）: 200000"
    again = client.get(url).context["form"]
    assert again["limit_0_yen"].value() == 200_000
    settings = reason_settings.read()
    assert settings.most("cod_over_limit", "yen") == 300_000
    assert settings.tuning_for(reason_settings.Reader("", "", "cod", carrier="sagawa")) == {
        "cod_over_limit": {"yen": 200_000}
    }


# ---- areas


@pytest.mark.parametrize(
    ("line", "concerned"),
    [
        ("900", True), ("〒900-00", True), ("901", False), ("沖縄県", True), ("東京都", False), ("離島", False),
        ("沖縄県 佐川", True), ("沖縄県 ヤマト", False), ("沖縄県 ヤマト 佐川急便", True), ("沖縄県 クール", True),
        ("沖縄県 冷蔵", False), ("沖縄県 冷蔵 冷凍", True), ("沖縄県 佐川 代引", False), ("東京都\n沖縄県", True),
        ("沖縄県 2026/12/05まで", True), ("沖縄県 2026/12/04まで", False), ("", False),
        ("Okinawa sagawa cool until:2026/12/05", True), ("okinawa yamato", False), ("islands frozen", False),
    ],
)  # fmt: skip
def test_a_line_concerns_a_parcel_by_place_carrier_way_and_day(line, concerned):
    assert bool(areas.first(areas.read(line), COOL, date(2026, 12, 5))) is concerned


@pytest.mark.parametrize("line", ["那覇", "沖縄県 飛脚", "〒", "沖縄県 2026/13/40まで", "-"])
def test_a_line_that_cannot_be_read_is_named_and_stops_nobody(line):
    with pytest.raises(areas.Unreadable, match=line.split()[-1]):
        areas.read(line)
    assert [area.place for area in areas.known(f"{line}\n900")] == ["900"]


@pytest.mark.django_db
def test_the_form_refuses_a_line_that_nobody_can_read(client_of, aoi):
    client, url = client_of(aoi), reverse("orders:reason", args=["area_unservable"])
    sent = {"version": "0", "active": "on", "level": "block", "shown": "office", "save": "1"}
    answer = client.post(url, sent | {"param_areas": "那覇"})
    assert answer.status_code == 200 and "「那覇」の「那覇」は" in answer.content.decode()
    assert client.post(url, sent | {"param_areas": "沖縄県 冷凍\r\n900"}).status_code == 302
    assert [area.place for area in areas.read(reason_settings.read().tuned("area_unservable", "areas"))] == [
        "沖縄県", "900",
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_carrier_that_does_not_go_there_is_changed_on_the_card_and_back(aoi):
    keep("area_unservable", params={"areas": "沖縄県 ヤマト 冷凍"})
    frozen = make_sku("ICE", stock_units=9)
    frozen.temperature = "frozen"
    frozen.save(update_fields=["temperature"])
    assert found(take(sku=make_sku(stock_units=9), recipients=(OKINAWA,)), "area_unservable") is None
    order = make_channel_order(make_line("ICE"), ordered_at=clock.now(), recipients=(OKINAWA,))
    take_in(make_shop(), [order], sku_of=mapped(frozen))
    order = Order.objects.get(channel_order_no=order.channel_order_no)
    reason = found(order, "area_unservable")
    assert reason.evidence == "〒900-0014 には、この方法ではお届けできません（ヤマト運輸・冷凍）。"
    offered = cards.card_context(order, reason, personal=True)["choices"]
    assert [(one.verb, one.value) for one, _pieces in offered] == [("carrier", "sagawa"), ("carrier", "japanpost")]
    decide_card.decide([reason.pk], Wanted("carrier", "sagawa"), actor=Actor(aoi, "press"))
    order.refresh_from_db()
    assert order.carrier == "sagawa" and found(order, "area_unservable") is None
    decide_card.undo_last(actor=Actor(aoi, "undo"))
    order.refresh_from_db()
    assert order.carrier == "yamato" and found(order, "area_unservable")
    delivery.change([order.pk], {"carrier": "japanpost"}, actor=Actor(aoi, "bulk"))
    assert found(order, "area_unservable") is None, "a bulk change of the carrier is looked at too"


@pytest.mark.django_db
def test_a_suspension_ends_by_itself_after_its_last_day(monkeypatch):
    until = clock.today() + timedelta(days=2)
    keep("area_suspended", params={"areas": f"沖縄県 {until:%Y/%m/%d}まで"})
    order = take(recipients=(OKINAWA,))
    assert f"（{until:%Y/%m/%d}まで）" in found(order, "area_suspended").evidence
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=3))
    monkeypatch.setattr(clock, "today", lambda: until + timedelta(days=1))
    review_again.by_time()
    assert found(order, "area_suspended") is None
    order.refresh_from_db()
    assert order.blocking_reasons == 0


# ---- pieces for one person


@pytest.mark.django_db
def test_a_product_has_a_limit_of_its_own(client_of, aoi):
    keep("quantity_limit", params={"pieces": 50, "limits": "chair 1\nDESK 9"})
    order = make_channel_order(make_line("CHAIR", quantity=2), make_line("DESK", quantity=3), ordered_at=clock.now())
    take_in(make_shop(), [order], sku_of=mapped(make_sku("CHAIR", stock_units=9), make_sku("DESK", stock_units=9)))
    reason = found(Order.objects.get(channel_order_no=order.channel_order_no), "quantity_limit")
    assert reason.evidence == "お一人1個までのところ、7日間で CHAIR ×2 です。"
    client, url = client_of(aoi), reverse("orders:reason", args=["quantity_limit"])
    sent = {"version": "1", "active": "on", "level": "block", "shown": "office", "param_pieces": 50, "param_days": 7}
    assert "のように書いてください" in client.post(url, sent | {"param_limits": "CHAIR", "save": "1"}).content.decode()
