"""Taking personal data out asks why; who did and why is found again; what was erased is reported."""

from datetime import timedelta

import pytest
from django.urls import reverse

from oms.kernel import clock
from orders.documents.bill import BillKind
from orders.models import DocumentEvent, LegalHold, Order, PrivacyEvent
from orders.services import documents, privacy
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.channels.builders import make_connection
from tests.orders.builders import make_channel_order, make_line, make_location, make_sku, mapped

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(aoi):
    shop = make_connection("own-1").shop
    shop.letterhead_name, shop.registration_no = "くらし道具店", "T8010401000002"
    shop.channel, shop.capabilities = "futureshop", {"confirm": True, "mail": "free"}
    shop.save()
    sku = make_sku("CHAIR", stock_units=9, location=make_location("W1"))
    take_in(shop, [make_channel_order(make_line("CHAIR"))], sku_of=mapped(sku))
    result = documents.issue([Order.objects.get().pk], BillKind.INVOICE, actor=Actor(by=aoi))
    assert not result.refused, result.refused


@pytest.mark.parametrize("page", ["orders:papers-csv", "orders:papers-zip"])
def test_papers_leave_only_with_a_reason_that_stays_on_record(page, issued, client, aoi):
    client.force_login(aoi)
    for reason in ({}, {"reason": "  "}):
        refused = client.post(reverse(page), reason, follow=True)
        assert "何に使うか" in refused.content.decode()
    assert not DocumentEvent.objects.filter(kind="exported").exists()
    taken = client.post(reverse(page), {"reason": "税理士への提出"})
    assert taken.status_code == 200 and "attachment" in taken["Content-Disposition"]
    event = DocumentEvent.objects.get(kind="exported")
    assert (event.text, event.by) == ("税理士への提出", aoi)
    log = reverse("orders:exports")
    assert [(row.why, row.n, row.who) for row in client.get(log).context["papers"]] == [("税理士への提出", 1, str(aoi))]
    assert client.get(log, {"words": "税理士", "person": aoi.pk}).context["papers"]
    assert not client.get(log, {"words": "広告"}).context["papers"]
    assert not client.get(log, {"until": "2020-01-01"}).context["papers"]


def test_papers_just_issued_are_fetched_without_asking_again_and_are_on_record(issued, client, aoi):
    client.force_login(aoi)
    pk = DocumentEvent.objects.values_list("document", flat=True).first()
    assert client.post(reverse("orders:papers-zip"), {"ids": [pk]}).status_code == 200
    assert DocumentEvent.objects.get(kind="exported").text


def test_the_report_says_what_was_erased_by_month_and_shop(issued, client, aoi, django_assert_max_num_queries):
    shop = Order.objects.get().shop
    for count, days in ((3, 1), (4, 1), (5, 400)):
        PrivacyEvent.objects.create(
            kind="erased", shop=shop, count=count, at=clock.now() - timedelta(days=days), text="", by=None
        )
    PrivacyEvent.objects.create(kind="members", count=2, at=clock.now() - timedelta(days=1), text="", by=None)
    privacy.hold(Order.objects.get().channel_order_no, "係争", actor=Actor(by=aoi))
    client.force_login(aoi)
    url = reverse("orders:privacy-report")
    with django_assert_max_num_queries(12):
        page = client.get(url)
    report = page.context["report"]
    assert (report.orders, report.members, report.held, report.due) == (7, 2, 1, 0)
    assert {(row.shop, row.count, row.runs) for row in report.rows} == {(shop, 7, 2), (None, 2, 1)}
    far = client.get(url, {"since": "2020-01-01"}).context["report"]
    assert far.orders == 12
    csv = client.get(url, {"format": "csv"}).content.decode("utf-8-sig").splitlines()
    assert csv[0].startswith("月,店舗") and any(f"{shop.name},7,2" in line for line in csv)


def test_the_report_is_for_administrators(client, ben, person_with):
    for who in (ben, person_with("shift_lead")):
        client.force_login(who)
        assert client.get(reverse("orders:privacy-report")).status_code == 403


def test_an_order_that_must_not_be_erased_says_so_on_its_page(issued, client, aoi):
    order = Order.objects.get()
    client.force_login(aoi)
    url = reverse("orders:detail", args=[order.pk])
    assert "消去を保留" not in client.get(url).content.decode()
    privacy.hold(order.channel_order_no, "カード会社の調査", actor=Actor(by=aoi))
    page = client.get(url).content.decode()
    assert "消去を保留" in page and "カード会社の調査" in page
    privacy.lift(order.pk, actor=Actor(by=aoi))
    assert not LegalHold.objects.exists() and "消去を保留" not in client.get(url).content.decode()
