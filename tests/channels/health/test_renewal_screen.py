"""認証情報の更新 on screen: each step is a button, nothing secret is ever in a page."""

import pytest
from django.urls import reverse

from channels.models import Renewal
from channels.services import credentials

pytestmark = pytest.mark.django_db
NEW_KEY = "SL401122_reissued00002"


def test_the_whole_way_by_buttons(house, client_of, aoi):
    here = house("rakuten")
    here.pull()
    client, shop = client_of(aoi), here.connection.shop_id
    url = reverse("channels:renewal", args=[shop])
    pages = [client.get(url)]
    assert "キーを再発行する前に" in pages[0].content.decode()

    def press(verb: str) -> str:
        page = client.post(reverse("channels:renewal-step", args=[shop, verb]), follow=True)
        pages.append(page)
        return page.content.decode()

    assert "取込・在庫・通知を止めました" in press("prepare")
    here.mall.license_key = NEW_KEY
    page = client.post(reverse("channels:renewal-enter", args=[shop]), {"credential_license_key": NEW_KEY}, follow=True)
    pages.append(page)
    assert "••••0002" in page.content.decode()
    assert "新しい値で接続できました" in press("test")
    assert "切り替えました" in press("switch")
    assert "以前の値は" in pages[-1].content.decode()
    assert not here.fresh().import_paused
    assert "以前の値を消しました" in press("finish")
    assert Renewal.objects.get().state == "done"
    for page in pages:
        assert NEW_KEY not in page.content.decode()
        assert "sandboxkey" not in page.content.decode() and "sandboxsecret" not in page.content.decode()


def test_a_step_that_does_not_fit_says_what_to_do(house, client_of, aoi):
    here = house("rakuten")
    client = client_of(aoi)
    page = client.post(reverse("channels:renewal-step", args=[here.connection.shop_id, "switch"]), follow=True)
    assert "進行中の更新がありません" in page.content.decode()
    url = reverse("channels:renewal-step", args=[here.connection.shop_id, "explode"])
    assert client.post(url).status_code == 404


def test_the_same_value_again_is_no_renewal(house, client_of, aoi):
    here = house("rakuten")
    same = {"credential_license_key": credentials.read(here.fresh())["license_key"]}
    page = client_of(aoi).post(reverse("channels:renewal-enter", args=[here.connection.shop_id]), same)
    assert page.status_code == 200 and "新しい値を入力してください" in page.content.decode()
    assert same["credential_license_key"] not in page.content.decode()


def test_a_refused_test_shows_the_cause(house, client_of, aoi):
    here = house("rakuten")
    client, shop = client_of(aoi), here.connection.shop_id
    client.post(reverse("channels:renewal-enter", args=[shop]), {"credential_license_key": "SL-wrong-wrong"})
    page = client.post(reverse("channels:renewal-step", args=[shop, "test"]), follow=True)
    assert "認証に失敗しました" in page.content.decode()
    page = client.post(reverse("channels:renewal-step", args=[shop, "abandon"]), follow=True)
    assert "取りやめました" in page.content.decode() and not here.fresh().import_paused


def test_a_renewal_under_way_is_on_the_card(house, client_of, aoi):
    here = house("rakuten")
    client = client_of(aoi)
    client.post(reverse("channels:renewal-step", args=[here.connection.shop_id, "prepare"]))
    assert "認証情報を更新しています：準備中" in client.get(reverse("channels:list")).content.decode()


def test_ben_may_not_look_at_it(client_of, ben, house):
    here = house("rakuten")
    assert client_of(ben).get(reverse("channels:renewal", args=[here.connection.shop_id])).status_code == 403
    step = reverse("channels:renewal-step", args=[here.connection.shop_id, "prepare"])
    assert client_of(ben).post(step).status_code == 403
    assert client_of(ben).get(step).status_code in {403, 405}
