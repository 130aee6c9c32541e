"""In a browser: the strip opens its facts, and a credential is renewed by clicking through."""

from datetime import timedelta

import pytest
from django.urls import reverse

from channels.models import Connection, Credential, Renewal
from channels.services import credentials, shops
from oms.kernel import clock
from tests.channels.builders import make_connection

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Mall:
    """Answers every test as it should be."""

    def check(self):
        return "店舗「くらし」に接続しました。"


def test_a_key_is_renewed_by_clicking_through(page_as, aoi, monkeypatch, screenshot):
    monkeypatch.setattr(shops, "connector_of", lambda _connection, **_options: Mall())
    monkeypatch.setattr("channels.services.renewal.later", lambda *_what: None)
    connection = make_connection()
    Credential.objects.filter(key="license_key").update(
        issued_at=clock.now() - timedelta(days=87), expires_at=clock.now() + timedelta(days=3)
    )
    page = page_as(aoi)
    page.goto(reverse("channels:list"))
    strip = page.locator(".strip-shop").first
    strip.get_by_text("認証情報の期限まであと3日").wait_for()
    strip.locator("a").focus()
    assert strip.locator(".strip-detail").is_visible()
    page.locator(f"#shop-{connection.shop_id}").get_by_role("link", name="更新する").click()
    page.get_by_role("button", name="止めて準備する").click()
    page.get_by_label("ライセンスキー").fill("SL-brand-new-9999")
    page.get_by_role("button", name="預ける").click()
    page.get_by_role("button", name="新しい値をテスト").click()
    page.get_by_text("新しい値で接続できました").first.wait_for()
    screenshot(page, "renewal")
    page.get_by_role("button", name="新しい値に切り替える").click()
    page.get_by_text("切替完了").first.wait_for()
    assert page.locator(".steps li[data-state=done]").count() == 4
    row = Connection.objects.get(pk=connection.pk)
    assert credentials.read(row)["license_key"] == "SL-brand-new-9999" and not row.import_paused
    page.get_by_role("button", name="以前の値に戻す").click()
    page.get_by_text("以前の値に戻しました").first.wait_for()
    assert credentials.read(Connection.objects.get(pk=connection.pk))["license_key"] == "SL-secret-5678"
    assert Renewal.objects.get().state == "rolled_back"
