"""Screens of reminders, lists in versions, levels of stock, other texts of mails: with plain forms, by right."""

import pytest
from django.urls import reverse

from oms.kernel import clock
from orders.models import MailTemplate, Order, OrderEvent, OrderTask, Rule, RuleList, RuleListVersion
from orders.services import mail_templates
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped
from tests.orders.rules.builders import do, make_rule

pytestmark = pytest.mark.django_db
NEW = "/orders/rules/new/"


@pytest.fixture
def client(client_of, aoi):
    return client_of(aoi)


def take(*orders):
    take_in(make_shop(), list(orders), sku_of=mapped(make_sku(stock_units=50)))
    return list(Order.objects.order_by("pk"))


def test_a_rule_about_a_level_of_stock_is_built_with_plain_forms(client):
    make_sku(stock_units=9)
    form = {
        "name": "残りわずか", "priority": "100", "event": "stock_level", "when_sku": "CHAIR", "when_location": "",
        "when_side": "below", "when_level": "3", "node": ["if"], "match-if": "all",
        "act": ["then.0", "then.1"], "do-then.0": "set_delivery_note", "p-then.0-text": "ありがとう",
        "p-then.0-prices": "hide", "seen-then.0": "set_delivery_note", "do-then.1": "add_fee",
        "p-then.1-label": "離島", "p-then.1-amount": "500", "seen-then.1": "add_fee",
    }  # fmt: skip
    page = client.post(NEW, form | {"refresh": "1"}).content.decode()
    assert 'name="when_level"' in page and "販売できる数（全体）" in page and 'name="p-then.0-paper"' in page
    assert "「CHAIR」の在庫" in page, "the sentence says it while it is built"
    bad = client.post(NEW, form | {"when_sku": "NONE", "save": "1"}).content.decode()
    assert "SKU「NONE」は見つかりません" in bad and not Rule.objects.exists()
    client.post(NEW, form | {"publish": "1"})
    document = Rule.objects.get().versions.get().document
    assert document["when"] == {"event": "stock_level", "sku": "CHAIR", "location": "", "side": "below", "level": 3}
    assert [action["do"] for action in document["then"]] == ["set_delivery_note", "add_fee"]


def test_a_moment_has_its_own_field(client):
    form = {
        "name": "セール", "priority": "100", "event": "imported", "node": ["if", "if.0"], "match-if": "all",
        "field-if.0": "ordered_at", "op-if.0": "between", "value-if.0": "2026-06-01T20:00",
        "value2-if.0": "2026-06-02T01:59", "act": ["then.0"], "do-then.0": "flag", "seen-then.0": "flag",
    }  # fmt: skip
    assert client.post(NEW, form | {"refresh": "1"}).content.decode().count('type="datetime-local"') == 2
    client.post(NEW, form | {"save": "1"})
    [condition] = Rule.objects.get().versions.get().document["if"]["items"]
    assert condition["value"] == ["2026-06-01T20:00", "2026-06-02T01:59"]


def test_a_list_shows_its_versions_and_goes_back(client, client_of, ben):
    url = reverse("orders:rule-lists")
    for values in ("154", "154\n900", "900"):
        client.post(url, {"name": "停止", "values": values})
    page = client.get(url, {"name": "停止"}).content.decode()
    assert page.count("この版に戻す") == 2 and "−1" in page
    assert client.get(url).status_code == 200
    client.post(reverse("orders:rule-list-back"), {"name": "停止", "number": "1"})
    assert RuleList.objects.get().values == ["154"] and RuleListVersion.objects.count() == 4
    assert RuleListVersion.objects.first().by is not None
    back = reverse("orders:rule-list-back")
    assert client.post(back, {"name": "停止", "number": "x"}).status_code == 404
    assert client.get(back).status_code == 405 and client_of(ben).post(back, {}).status_code == 403


def test_a_reminder_is_put_off_from_the_order_and_the_list(client, client_of, aoi, ben):
    make_rule("電話", then=do("set_reminder", text="到着の確認", mode="today", days=0, user=aoi.username))
    [order] = take(make_channel_order())
    task = OrderTask.objects.get()
    later = reverse("orders:task-later", args=[task.pk])
    assert "今日のリマインダー" in client.get("/").content.decode()
    assert later in client.get(f"/orders/{order.pk}/").content.decode()
    assert later in client.get("/orders/tasks/?reminders=1").content.decode()
    for bad in ({}, {"days": "999"}, {"on": "2020-01-01"}, {"on": "きのう"}):
        assert "明日から1年以内" in client.post(later, bad | {"list": "1"}, follow=True).content.decode()
    client.post(later, {"days": "3", "list": "1"})
    task.refresh_from_db()
    assert (clock.in_tokyo(task.shown_from).date() - clock.today()).days == 3
    assert OrderEvent.objects.get(kind="task_put_off").by == aoi
    assert later not in client.get("/orders/tasks/?reminders=1").content.decode()
    assert "到着の確認" not in client.get("/").content.decode()
    assert later in client.get("/orders/tasks/?all=1").content.decode()
    assert "から" in client.get(f"/orders/{order.pk}/").content.decode()
    assert client.get(later).status_code == 405 and client_of(ben).post(later, {"days": "1"}).status_code == 403


def test_another_text_of_a_mail_is_made_beside_the_usual_one(client):
    mail_templates.save_template("shipped", None, subject="発送", body="発送しました", active=True)
    url = reverse("orders:mail-template", args=["shipped"])
    assert "別文面" in client.get(url).content.decode()
    page = client.get(url, {"variant": "ギフト向け"}).content.decode()
    assert "発送しました" in page and "ギフト向け" in page, "it starts from the usual text"
    form = {"subject": "贈り物", "body": "のし付きで発送しました", "look": "both", "active": "on"}
    client.post(f"{url}?variant=ギフト向け", form | {"anyway": "1"})
    assert MailTemplate.objects.filter(event="shipped").count() == 2
    assert MailTemplate.objects.get(event="shipped", variant="").subject == "発送"
    assert "ギフト向け" in client.get(reverse("orders:mail-templates")).content.decode()
    versions = reverse("orders:mail-template-versions", args=["shipped"])
    assert client.get(f"{versions}?variant=ギフト向け").status_code == 200
    builder = client.post(
        NEW, {"act": ["then.0"], "do-then.0": "set_mail_text", "seen-then.0": "set_mail_text", "refresh": "1"}
    ).content.decode()
    assert 'value="shipped:ギフト向け"' in builder
