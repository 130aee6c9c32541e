"""The page that shows what a mall changed beside what stood here."""

from dataclasses import replace

import pytest
from django.urls import reverse

from oms.kernel import clock
from orders.models import Order
from orders.services import edit
from orders.services.edit import Seen, fingerprint
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import TOKYO_PARTY, changed, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
OURS, THEIRS = "三軒茶屋2-14-3 メゾン青葉403", "三軒茶屋2-14-3 メゾン青葉404"


@pytest.fixture
def clash(aoi):
    """An address that we corrected and the mall changed too, with a wish told at the same time."""
    shop, chair = make_shop(), make_sku(stock_units=5)
    order = make_channel_order()
    take_in(shop, [order], sku_of=mapped(chair))
    stored = Order.objects.get()
    fields = {name: getattr(stored.recipients.get(), name) for name in edit.RECIPIENT_FIELDS}
    seen = Seen(stored.version, fingerprint(fields))
    edit.edit_recipient(stored.pk, 0, fields | {"address": OURS}, seen=seen, actor=Actor(by=aoi))
    told = changed(
        order, recipients=(replace(TOKYO_PARTY, address=THEIRS),), wish_date=clock.today().replace(year=2030)
    )
    take_in(shop, [told], sku_of=mapped(chair))
    stored.refresh_from_db()
    return stored


def decide(client, order, *ours, version=None):
    data = {"version": version or order.version, "ours": ours}
    return client.post(reverse("orders:channel-changes-decide", args=[order.pk]), data)


def test_both_values_stand_side_by_side_and_the_reason_leads_there(client, aoi, clash):
    client.force_login(aoi)
    page = client.get(reverse("orders:channel-changes", args=[clash.pk])).content.decode()
    assert OURS in page and THEIRS in page and "2030" in page
    assert reverse("orders:channel-changes", args=[clash.pk]) in client.get(f"/orders/{clash.pk}/").content.decode()


def test_one_field_goes_back_to_ours_and_the_rest_stays_the_malls(client, aoi, clash):
    client.force_login(aoi)
    assert decide(client, clash, "address").status_code == 302
    after = Order.objects.get()
    assert after.recipients.get().address == OURS and after.wish_date.year == 2030
    assert after.reasons.get(code="channel_changed").state == "accepted" and after.blocking_reasons == 0


def test_a_wish_goes_back_to_none(client, aoi, clash):
    client.force_login(aoi)
    decide(client, clash, "wish_date")
    after = Order.objects.get()
    assert after.wish_date is None and after.planned_ship_date is None and after.recipients.get().address == THEIRS


def test_nothing_chosen_accepts_the_malls_words(client, aoi, clash):
    client.force_login(aoi)
    decide(client, clash)
    after = Order.objects.get()
    assert after.recipients.get().address == THEIRS and after.reasons.get(code="channel_changed").state == "accepted"


def test_a_page_that_is_no_longer_true_saves_nothing(client, aoi, clash):
    client.force_login(aoi)
    answer = decide(client, clash, "address", version=clash.version - 1)
    assert answer.status_code == 409 and "選び直して" in answer.content.decode()
    assert Order.objects.get().recipients.get().address == THEIRS
    assert decide(client, clash, version="x").status_code == 409


def test_after_the_instruction_nothing_can_be_chosen(client, aoi, clash):
    Order.objects.update(fulfillment_state="instructed")
    client.force_login(aoi)
    assert 'name="ours"' not in client.get(reverse("orders:channel-changes", args=[clash.pk])).content.decode()
    decide(client, clash, "address")
    assert Order.objects.get().recipients.get().address == THEIRS


def test_who_may_only_look_sees_no_address_and_decides_nothing(client, ben, chie, clash):
    url = reverse("orders:channel-changes", args=[clash.pk])
    client.force_login(ben)
    page = client.get(url).content.decode()
    assert OURS not in page and THEIRS not in page and "2030" in page
    assert decide(client, clash, "address").status_code == 403
    client.force_login(chie)
    assert client.get(url).status_code == 403


def test_an_order_the_mall_left_alone_says_so_and_an_unknown_one_is_not_found(client, aoi):
    shop, chair = make_shop(), make_sku(stock_units=5)
    take_in(shop, [make_channel_order()], sku_of=mapped(chair))
    client.force_login(aoi)
    assert "変えた項目はありません" in client.get(
        reverse("orders:channel-changes", args=[Order.objects.get().pk])
    ).content.decode()  # fmt: skip
    assert client.get(reverse("orders:channel-changes", args=[987])).status_code == 404
    assert client.get(reverse("orders:channel-changes-decide", args=[987])).status_code == 405


def test_a_change_that_came_after_the_instruction_is_never_said_to_be_taken(client, aoi):
    shop, chair = make_shop(), make_sku(stock_units=5)
    told = make_channel_order()
    take_in(shop, [told], sku_of=mapped(chair))
    client.force_login(aoi)
    for state, words in (("instructed", "取り込み直して反映します"), ("partially_shipped", "自動では反映しません")):
        Order.objects.update(fulfillment_state=state)
        told = changed(told, recipients=(replace(TOKYO_PARTY, address=f"{THEIRS} {state}"),))
        take_in(shop, [told], sku_of=mapped(chair))
        order = Order.objects.get()
        page = client.get(reverse("orders:channel-changes", args=[order.pk])).content.decode()
        assert words in page and "未反映" in page
        url = reverse("orders:channel-changes-decide", args=[order.pk])
        said = client.post(url, {"version": order.version}, follow=True).content.decode()
        assert "反映しないまま、確認済みにしました" in said and "モールの内容で確認済み" not in said
