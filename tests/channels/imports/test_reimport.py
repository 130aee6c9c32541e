"""受注番号を指定して取込: many numbers pasted, each fetched by itself, each with its answer."""

from dataclasses import replace
from datetime import date
from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.urls import reverse

from channels import tasks
from channels.connectors.contract import ChannelDown
from channels.models import Reimport
from channels.queries import refetched
from channels.services import reimport
from channels.services.reimport import numbers_in
from oms.kernel.models import User
from orders.models import Order
from orders.services import edit
from orders.services.journal import Actor
from tests.channels.imports.mall import ago
from tests.orders.builders import TOKYO_PARTY

pytestmark = pytest.mark.django_db


def test_numbers_are_read_however_they_were_pasted():
    pasted = numbers_in("249-1234567-1234567, ４０１１２２－２０２６\t401122-2026\n\n「何か」 A1")
    assert pasted.numbers == ["249-1234567-1234567", "401122-2026"] and pasted.wrong == ["「何か」", "A1"]


def test_each_number_gets_its_answer(connection, mall, aoi):
    mall.sells("N-1", ago(days=40))
    mall.sells("N-2", ago(days=40))
    mall.unreadable = {"N-2"}
    row = reimport.ask(connection, ["N-1", "N-2", "N-9"], by=aoi)
    done = reimport.work_off(row.pk)
    assert {no: outcome for no, (outcome, _words) in done.results.items()} == {
        "N-1": "created",
        "N-2": "failed",
        "N-9": "unknown",
    }
    assert done.ended_at and Order.objects.get().channel_order_no == "N-1"
    mall.asked.clear()
    reimport.work_off(row.pk)
    assert mall.asked == []


def test_a_worker_that_died_half_way_is_followed_by_one_that_goes_on(connection, mall, aoi, monkeypatch):
    for no in ("N-1", "N-2"):
        mall.sells(no, ago(days=40))
    row = reimport.ask(connection, ["N-1", "N-2"], by=aoi)
    real = reimport.bring
    monkeypatch.setattr(reimport, "bring", lambda c, no: real(c, no) if no == "N-1" else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        reimport.work_off(row.pk)
    monkeypatch.setattr(reimport, "bring", real)
    sent = []
    monkeypatch.setattr(tasks.by_number, "delay", sent.append)
    monkeypatch.setattr(tasks.compare_day, "delay", lambda *_what: None)
    tasks.compare_days_due()
    assert sent == [row.pk]
    assert reimport.work_off(row.pk).ended_at and mall.asked == ["N-1", "N-2"]


def test_a_closed_mall_is_said_for_each_number(connection, mall, aoi):
    mall.trouble = ChannelDown("メンテナンス中です。")
    row = reimport.work_off(reimport.ask(connection, ["N-1"], by=aoi).pk)
    assert row.results == {"N-1": ["failed", "メンテナンス中です。"]}


def test_the_screen_takes_a_paste_and_shows_the_answers(client_of, aoi, connection, mall):
    mall.sells("N-100", ago(days=40))
    client, url = client_of(aoi), reverse("channels:reimport-numbers")
    wrong = client.post(url, {"shop": connection.shop_id, "text": "N-100 「?」"})
    assert wrong.status_code == 200 and "読めない文字" in wrong.content.decode() and not Reimport.objects.exists()
    empty = client.post(url, {"shop": connection.shop_id, "text": " "})
    assert "受注番号を入れてください" in empty.content.decode()
    shown = client.post(url, {"shop": connection.shop_id, "text": "N-100\nN-999"}, follow=True)
    assert "取り込んでいます" in shown.content.decode()
    reimport.work_off(Reimport.objects.get().pk)
    text = client.get(reverse("channels:reimported", args=[Reimport.objects.get().pk])).content.decode()
    assert "新規" in text and "モールにこの注文が見つかりません" in text and "every 2s" not in text


def test_asking_is_for_those_who_may_change_orders(client_of, ben, connection):
    assert client_of(ben).get(reverse("channels:reimport-numbers")).status_code == 403
    assert client_of(ben).post(reverse("channels:reimport-numbers")).status_code == 403


def test_the_command_takes_numbers_too(connection, mall):
    mall.sells("N-1", ago(days=40))
    out = StringIO()
    call_command("pull", connection.shop.code, "--orders", "N-1", "N-404", stdout=out, stderr=StringIO())
    assert out.getvalue().splitlines()[-1] == '{"orders": {"N-1": "created", "N-404": "unknown"}}'
    with pytest.raises(CommandError, match="no order numbers"):
        call_command("pull", connection.shop.code, "--orders", "？！", stdout=out, stderr=StringIO())


def corrected(order: Order, by: User, **values: str) -> None:
    row = order.recipients.get()
    held = {name: getattr(row, name) for name in edit.RECIPIENT_FIELDS}
    seen = edit.Seen(order.version, edit.fingerprint(held))
    edit.edit_recipient(order.pk, 0, held | values, seen=seen, actor=Actor(by=by))


def test_what_fetching_anew_changed_stands_beside_before_and_after(client_of, aoi, ben, connection, mall):
    no = mall.sells("N-7", ago(days=2))
    reimport.work_off(reimport.ask(connection, [no], by=aoi).pk)
    order = Order.objects.get()
    corrected(order, aoi, name="佐藤 恵様方")
    moved = replace(TOKYO_PARTY, address="池尻3-1-8")
    mall.template = replace(mall.template, recipients=(moved,), wish_date=date(2027, 3, 9))
    mall.sells(no, ago(days=2), updated=ago(hours=1))
    row = reimport.work_off(reimport.ask(connection, [no], by=aoi).pk)
    assert row.results[no][0] == "updated"
    url = reverse("channels:reimported", args=[row.pk])
    page = client_of(aoi).get(url).content.decode()
    assert "池尻3-1-8" in page and TOKYO_PARTY.address in page and "2027-03-09" in page
    assert "こちらの修正を残しました" in page and f"モール: {TOKYO_PARTY.name}" in page
    assert reverse("orders:channel-changes", args=[order.pk]) in page
    masked = person_who_may_change_orders(ben)
    hidden = client_of(masked).get(url).content.decode()
    assert "池尻3-1-8" not in hidden and "2027-03-09" in hidden, "personal values are for who may see them"
    again = reimport.work_off(reimport.ask(connection, [no], by=aoi).pk)
    assert "池尻3-1-8" not in client_of(aoi).get(reverse("channels:reimported", args=[again.pk])).content.decode()


def person_who_may_change_orders(person: User) -> User:
    person.user_permissions.add(Permission.objects.get(codename="change_order"))
    return person


def test_the_answers_of_many_orders_cost_the_same_number_of_queries(connection, mall, aoi, django_assert_num_queries):
    numbers = [mall.sells(f"N-{n}", ago(days=2)) for n in range(5)]
    row = reimport.work_off(reimport.ask(connection, numbers, by=aoi).pk)
    ids = list(Order.objects.values_list("pk", flat=True))
    with django_assert_num_queries(4):
        refetched.differences(row, ids, personal=True)
