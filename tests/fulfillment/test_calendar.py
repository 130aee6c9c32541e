"""出荷カレンダー: what a lead sets of working days, cut-offs and days of transit; orders that go by themselves."""

from datetime import date

import pytest
from django.urls import reverse

from fulfillment.calendar_forms import PlanForm
from fulfillment.models import Batch, ReleaseTime
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.release import release_due
from oms.kernel import clock
from oms.kernel.models import SettingVersion
from orders.models import Order, ShippingPlan
from orders.services import ship_plans
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_location, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
URL = "fulfillment:calendar"
TYPED = {
    "version": "0",
    "cutoffs": "15:00\n佐川急便 16:30",
    "lead_days": "1",
    "closed_weekdays": ["5", "6"],
    "closed_on_holidays": "on",
    "closed_days": "2026-12-31\n2027/1/4",
    "transit": "北海道 2\n離島 5\n佐川急便 沖縄県 4\n9071 7",
}


def test_what_a_lead_types_becomes_the_companys_plan(client_of, person_with):
    client = client_of(person_with("shift_lead"))
    assert client.post(reverse(URL), TYPED).status_code == 302
    row = ShippingPlan.objects.get(location=None)
    assert row.cutoffs == {"": "15:00", "sagawa": "16:30"} and row.closed_weekdays == [5, 6]
    assert row.closed_days == [date(2026, 12, 31), date(2027, 1, 4)]
    assert row.transit == [["", "北海道", 2], ["", "離島", 5], ["sagawa", "沖縄県", 4], ["", "9071", 7]]
    form = client.get(reverse(URL)).context["form"]
    assert form.initial["transit"] == TYPED["transit"] and form.initial["version"] == 1
    before, after = SettingVersion.objects.filter(kind="ship_plan", ref="-").order_by("number")
    assert before.content is None and after.content["lead_days"] == 1 and after.content["transit"] == TYPED["transit"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cutoffs", "25:00"),
        ("cutoffs", "飛脚 10:00"),
        ("transit", "関東 1"),
        ("transit", "東京都"),
        ("closed_days", "大晦日"),
    ],
)
def test_what_cannot_be_read_is_named_and_nothing_is_saved(name, text):
    form = PlanForm({**TYPED, name: text})
    assert not form.is_valid() and text in str(form.errors[name])


def test_two_people_do_not_overwrite_each_other_unseen(client_of, aoi):
    client = client_of(aoi)
    client.post(reverse(URL), TYPED)
    answer = client.post(reverse(URL), {**TYPED, "lead_days": "3"})
    assert answer.status_code == 409 and ShippingPlan.objects.get().lead_days == 1
    data = {**TYPED, "lead_days": "3", "version": answer.context["form"].data["version"]}
    assert client.post(reverse(URL), data).status_code == 302
    assert ShippingPlan.objects.get().lead_days == 3


def test_a_place_has_its_own_plan_and_goes_back_to_the_common_one(client_of, aoi):
    place, client = make_location(), client_of(aoi)
    client.post(reverse("fulfillment:calendar-place", args=[place.pk]), TYPED)
    assert ship_plans.read().of(place.pk).lead_days == 1 and ship_plans.read().company.lead_days == 0
    client.post(reverse("fulfillment:calendar-remove", args=[place.pk]))
    assert ship_plans.read().of(place.pk).lead_days == 0
    assert client.get(reverse("fulfillment:calendar-place", args=[place.pk])).status_code == 200


def history(kind, ref="-"):
    return reverse("pages:setting-subject", args=[kind, ref])


def test_the_calendar_leads_to_its_versions_also_before_there_are_any(client_of, aoi):
    place, client = make_location(), client_of(aoi)
    page = client.get(reverse(URL)).content.decode()
    assert history("ship_plan") in page and history("release_times") in page
    assert (
        history("ship_plan", place.pk)
        in client.get(reverse("fulfillment:calendar-place", args=[place.pk])).content.decode()
    )
    assert client.get(history("ship_plan")).status_code == 200
    assert client.get(history("ship_plan", place.pk)).status_code == 200
    assert client.get(history("ship_plan", 0)).status_code == 404


def test_a_plan_comes_back_also_for_who_reads_english(client_of, aoi):
    client = client_of(aoi)
    client.post(reverse(URL), TYPED)
    client.cookies["django_language"] = "en"
    assert "Sagawa Express 16:30" in client.get(reverse(URL)).content.decode()
    client.post(reverse(URL), {**TYPED, "version": "1", "lead_days": "3", "cutoffs": "Sagawa Express 16:30"})
    none, first, second = SettingVersion.objects.filter(kind="ship_plan").order_by("number")
    assert second.changed == ["cutoffs", "lead_days"] and second.content["cutoffs"] == "佐川急便 16:30"
    client.post(reverse("pages:setting-back", args=[first.pk]))
    row = ShippingPlan.objects.get()
    assert (row.cutoffs, row.lead_days, row.version) == ({"": "15:00", "sagawa": "16:30"}, 1, 3)
    asked = client.get(reverse("pages:setting-back", args=[none.pk])).context["differences"]
    assert [one.after for one in asked] == ["–", "–", "–", "No", "–", "–"], "no days to open on: nothing to tell"
    client.post(reverse("pages:setting-back", args=[none.pk]))
    assert not ShippingPlan.objects.exists()


def test_release_times_come_back_and_wait_for_tomorrow_where_they_are_past(client_of, aoi):
    client = client_of(aoi)
    for at in ("00:00", "23:59"):
        client.post(reverse("fulfillment:time-add"), {"at": at})
    both = SettingVersion.objects.get(kind="release_times", number=3)
    for row in ReleaseTime.objects.all():
        client.post(reverse("fulfillment:time-stop", args=[row.pk]))
    client.post(reverse("fulfillment:time-add"), {"at": "12:00"})
    ReleaseTime.objects.update(last_run_on=None)
    client.post(reverse("pages:setting-back", args=[both.pk]))
    active = {str(row): row.last_run_on for row in ReleaseTime.objects.filter(active=True)}
    assert active == {"00:00": clock.today(), "23:59": None}


def test_the_calendar_is_not_for_everybody(client_of, ben, person_with):
    for person in (ben, person_with("warehouse")):
        assert client_of(person).get(reverse(URL)).status_code == 403
        assert client_of(person).post(reverse("fulfillment:time-add"), {"at": "10:00"}).status_code == 403


def test_orders_go_by_themselves_at_a_time_that_a_lead_added(client_of, aoi):
    order = make_channel_order()
    take_in(make_shop(), [order], sku_of=mapped(make_sku(stock_units=5)))
    allocate_waiting()
    client = client_of(aoi)
    client.post(reverse("fulfillment:time-add"), {"at": "00:00"})
    assert release_due() == 0, "what was past when it was typed waits for tomorrow"
    ReleaseTime.objects.update(last_run_on=None)
    assert release_due() == 1
    assert Order.objects.get().stage == "in_fulfillment" and Batch.objects.get().by is None


def test_a_time_can_be_stopped_and_all_is_on_record(client_of, aoi):
    client = client_of(aoi)
    client.post(reverse("fulfillment:time-add"), {"at": "14:00"})
    client.post(reverse("fulfillment:time-add"), {"at": "14:00"})
    row = ReleaseTime.objects.get()
    client.post(reverse("fulfillment:time-stop", args=[row.pk]))
    row.refresh_from_db()
    assert not row.active
    told = SettingVersion.objects.filter(kind="release_times").order_by("number").values_list("content", "by__username")
    assert list(told) == [({"times": []}, None), ({"times": ["14:00"]}, "aoi"), ({"times": []}, "aoi")]
    client.post(reverse("fulfillment:time-add"), {"at": "14:00"})
    assert ReleaseTime.objects.get(active=True).at.hour == 14 and clock.today()
