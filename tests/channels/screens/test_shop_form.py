"""Adding a shop and changing it: credentials are write-only, everything is journaled."""

import re

import pytest
from django.urls import reverse
from django.utils.html import escape

from channels.connectors.registry import CONNECTORS, connector_class
from channels.models import Connection, CredentialEvent
from channels.queries.abilities import abilities
from channels.services import credentials
from orders.models import Shop

pytestmark = pytest.mark.django_db

SETTINGS = {
    "name": "くらし 楽天市場店",
    "active": "on",
    "auto_confirm": "on",
    "ship_within_days": "2",
    "follow_up_days": "14",
    "mail_from": "order@example.com",
    "letterhead_name": "くらし道具店",
    "letterhead_address": "東京都渋谷区1-2-3",
    "letterhead_phone": "03-0000-0000",
    "registration_no": "T7000012050002",
    "delivery_note_message": "ありがとうございます。",
    "base_url": "",
    "auth_url": "",
}
SECRET = "SP-very-secret-9999"


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("channel", sorted(CONNECTORS))
def test_each_channel_asks_for_what_its_connector_declares(client_of, aoi, channel):
    text = text_of(client_of(aoi).get(reverse("channels:add"), {"channel": channel}))
    for key, label, secret in connector_class(channel).credential_fields:
        assert f'name="credential_{key}"' in text and label in text
        assert not secret or key == "public_key" or f'type="password" name="credential_{key}"' in text


def test_first_the_channel_is_chosen(client_of, aoi):
    text = text_of(client_of(aoi).get(reverse("channels:add")))
    assert all(f"?channel={channel}" in text for channel in CONNECTORS)


def test_a_shop_is_added_with_its_credentials_encrypted(client_of, aoi):
    client = client_of(aoi)
    posted = SETTINGS | {"code": "rakuten-9", "credential_service_secret": SECRET, "base_url": "http://sandbox:9000/"}
    page = client.post(f"{reverse('channels:add')}?channel=rakuten", posted, follow=True)
    connection = Connection.objects.select_related("shop").get(shop__code="rakuten-9")
    assert connection.shop.letterhead_name == "くらし道具店" and connection.shop.channel == "rakuten"
    assert connection.base_url == "http://sandbox:9000"
    assert credentials.read(connection) == {"service_secret": SECRET}
    assert SECRET.encode() not in bytes(connection.secrets)
    text = text_of(page)
    assert "店舗を登録しました" in text and "••••9999" in text and SECRET not in text
    assert page.redirect_chain[-1][0] == reverse("channels:edit", args=[connection.shop_id])
    assert set(CredentialEvent.objects.values_list("kind", flat=True)) >= {"added", "changed"}


def test_a_form_with_errors_never_gives_a_secret_back(client_of, aoi):
    posted = SETTINGS | {"code": "", "credential_service_secret": SECRET, "credential_license_key": SECRET}
    text = text_of(client_of(aoi).post(f"{reverse('channels:add')}?channel=rakuten", posted))
    assert SECRET not in text and not Shop.objects.exists()
    posted = SETTINGS | {"code": "", "credential_public_key": SECRET, "credential_client_secret": SECRET}
    assert SECRET not in text_of(client_of(aoi).post(f"{reverse('channels:add')}?channel=yahoo", posted))


def test_a_code_is_taken_once(client_of, aoi, connection):
    posted = SETTINGS | {"code": connection.shop.code}
    text = text_of(client_of(aoi).post(f"{reverse('channels:add')}?channel=rakuten", posted))
    assert 'aria-invalid="true"' in text and Shop.objects.count() == 1


def test_empty_credentials_keep_what_is_stored_and_new_ones_are_tried_at_once(client_of, aoi, connection):
    Connection.objects.update(next_poll_at="2030-01-01T00:00:00Z")
    url = reverse("channels:edit", args=[connection.shop_id])
    posted = SETTINGS | {"credential_service_secret": "", "credential_license_key": "SL-new-4321"}
    text = text_of(client_of(aoi).post(url, posted, follow=True))
    connection.refresh_from_db()
    assert credentials.read(connection) == {"service_secret": "SP-abcdefgh-1234", "license_key": "SL-new-4321"}
    assert connection.next_poll_at is None and connection.secrets_changed_by == aoi
    assert "••••4321" in text and "SL-new-4321" not in text and "SP-abcdefgh" not in text
    assert "認証情報を変更：ライセンスキー（licenseKey）" in text and "設定を変更：店舗名" in text


def test_saving_without_a_change_writes_nothing(client_of, aoi, connection):
    url = reverse("channels:edit", args=[connection.shop_id])
    client_of(aoi).post(url, SETTINGS)
    events = CredentialEvent.objects.count()
    text = text_of(client_of(aoi).post(url, SETTINGS, follow=True))
    assert CredentialEvent.objects.count() == events and "変わったところはありません" in text


@pytest.mark.parametrize(
    ("number", "stored", "warned"),
    [
        ("Ｔ７００００１２０５０００２", "T7000012050002", False),
        ("T1234567890123", "T1234567890123", True),
        ("", "", False),
    ],
)
def test_the_registration_number_is_normalised_and_its_check_digit_only_warns(
    as_aoi, connection, number, stored, warned
):
    url = reverse("channels:edit", args=[connection.shop_id])
    text = text_of(as_aoi.post(url, SETTINGS | {"registration_no": number}, follow=True))
    connection.shop.refresh_from_db()
    assert connection.shop.registration_no == stored and ("検査数字" in text) is warned


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("registration_no", "T12", "T と数字13桁"),
        ("base_url", "ftp://example.com", "http:// か https://"),
        ("base_url", "javascript:alert(1)", "http:// か https://"),
        ("mail_from", "nobody", "メールアドレス"),
        ("follow_up_days", "-1", ""),
    ],
)
def test_a_bad_value_is_refused_in_its_field(as_aoi, connection, field, value, says):
    url = reverse("channels:edit", args=[connection.shop_id])
    page = as_aoi.post(url, SETTINGS | {field: value})
    assert field in page.context["form"].errors and says in text_of(page)


def test_only_an_administrator_adds_and_changes(client_of, ben, person_with, connection):
    edit = reverse("channels:edit", args=[connection.shop_id])
    for user in (ben, person_with("operator"), person_with("shift_lead")):
        client = client_of(user)
        assert client.get(edit).status_code == 403 and client.post(edit, SETTINGS).status_code == 403
        assert client.get(reverse("channels:add")).status_code == 403
        assert "店舗を追加" not in text_of(client.get(reverse("channels:list")))


@pytest.mark.parametrize("channel", sorted(CONNECTORS))
def test_what_a_channel_can_and_cannot_do_is_told_before_it_is_added(client_of, aoi, channel):
    text = text_of(client_of(aoi).get(reverse("channels:add"), {"channel": channel}))
    can = connector_class(channel).capabilities
    assert can.cannot and all(escape(words) in text for words in can.cannot)
    correction = "ここからできます" if can.tracking_correction else "モールの画面で行います"
    assert re.search(rf"<dt>送り状番号の訂正</dt><dd>(<span[^>]*>)?{correction}", text)


def test_the_shops_own_page_tells_it_too_and_in_english(client_of, aoi, connection):
    address = reverse("channels:edit", args=[connection.shop_id])
    client = client_of(aoi)
    assert "このモールでできること" in text_of(client.get(address))
    client.cookies["django_language"] = "en"
    text = text_of(client.get(address, headers={"accept-language": "en"}))
    assert "What this channel can do" in text and "Possible from here" in text


def test_two_channels_differ_in_what_they_can():
    rakuten, qoo10 = abilities("rakuten"), abilities("qoo10")
    yes = {row.label for row in rakuten.rows if row.yes} - {row.label for row in qoo10.rows if row.yes}
    assert {"送り状番号の訂正", "店舗メモの書き込み"} <= yes
    assert {row.label for row in qoo10.rows if row.yes} - {row.label for row in rakuten.rows if row.yes} == {
        "一部キャンセル"
    }


def test_a_mall_that_sets_the_total_does_not_offer_splits_at_the_buyers_cost_and_says_why(client_of, aoi):
    client = client_of(aoi)
    why = "合計はモールが決めるため、分割の送料をお客様に請求する選択肢はありません"
    for channel in CONNECTORS:
        text = text_of(client.get(reverse("channels:add"), {"channel": channel}))
        ours = connector_class(channel).capabilities.own_payments
        assert ('value="customer"' in text, 'name="split_fee"' in text, why in text) == (ours, ours, not ours), channel
        assert 'value="ask"' in text and 'value="split"' in text


def test_a_shop_of_our_own_keeps_its_freight_of_a_split(client_of, aoi):
    keys = {f"credential_{key}": "x" for key, _label, _secret in connector_class("futureshop").credential_fields}
    posted = SETTINGS | keys | {"code": "own-1", "preorder_policy": "customer", "split_fee": "550"}
    client_of(aoi).post(f"{reverse('channels:add')}?channel=futureshop", posted)
    shop = Shop.objects.get(code="own-1")
    assert (shop.preorder_policy, shop.split_fee) == ("customer", 550)
    client_of(aoi).post(reverse("channels:edit", args=[shop.pk]), SETTINGS)
    shop.refresh_from_db()
    assert (shop.preorder_policy, shop.split_fee) == ("customer", 550), "what a form leaves out stays"
    mall = SETTINGS | {"code": "rakuten-7", "preorder_policy": "customer", "credential_service_secret": SECRET}
    page = client_of(aoi).post(f"{reverse('channels:add')}?channel=rakuten", mall)
    assert 'aria-invalid="true"' in page.content.decode() and not Shop.objects.filter(code="rakuten-7").exists()
