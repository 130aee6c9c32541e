"""Versions of settings: written with the change, shown with what differs, gone back to through the same form."""

import pytest
from django.contrib.auth.models import Permission
from django.db import Error, transaction
from django.urls import reverse

from fulfillment.models import FreightRate
from fulfillment.services import costs
from oms.kernel.models import SettingVersion, SignInEvent, SignInRule, User
from oms.kernel.setting_kinds import KINDS, Who
from orders.channel_order import PaymentMethod, PaymentState
from orders.models import Order, PaymentGate, ReasonSetting
from orders.services.intake import take_in
from tests.channels.builders import make_connection
from tests.conftest import person
from tests.orders.builders import make_channel_order, make_line, make_location, make_sku, mapped

pytestmark = pytest.mark.django_db

COSTS = {"material": "45", "wage": "1400", "action_s": "20", "rates": "ヤマト運輸 10 680\nヤマト運輸 1200"}


def costs_form(**changed):
    return COSTS | {"version": str(costs.costs().version)} | changed


def versions(kind, ref="-"):
    return list(SettingVersion.objects.filter(kind=kind, ref=ref).order_by("number"))


def back(client, version, **form):
    return client.post(reverse("pages:setting-back", args=[version.pk]), form, follow=True)


def test_a_change_keeps_what_stood_before_and_what_stands_now(client, aoi):
    client.force_login(aoi)
    client.post(reverse("fulfillment:costs"), costs_form())
    first, second = versions("costs")
    assert (first.how, first.by, first.content["material"]) == ("first", None, None)
    assert (second.how, second.by, second.number) == ("changed", aoi, 2)
    assert second.content == {
        "material": 45, "wage": 1400, "action_s": 20, "rates": "ヤマト運輸 10 680\nヤマト運輸 1200"
    }  # fmt: skip
    assert set(second.changed) == {"material", "wage", "action_s", "rates"}


def test_the_same_values_again_make_no_version(client, aoi):
    client.force_login(aoi)
    for _ in range(2):
        client.post(reverse("fulfillment:costs"), costs_form())
    assert len(versions("costs")) == 2


def test_the_page_of_a_setting_says_what_changed_and_going_back_makes_a_new_version(client, aoi):
    client.force_login(aoi)
    client.post(reverse("fulfillment:costs"), costs_form())
    client.post(reverse("fulfillment:costs"), costs_form(material="60", rates="ヤマト運輸 1300"))
    page = client.get(reverse("pages:setting-subject", args=["costs", "-"]))
    changed = {one.label: one for one in page.context["shown"][0].differences}
    assert (changed["1個口の資材費（税抜・円）"].before, changed["1個口の資材費（税抜・円）"].after) == ("45", "60")
    assert ("+", "ヤマト運輸 1300") in changed["1個口の送料（税抜・円）"].lines
    second = versions("costs")[1]
    asked = client.get(reverse("pages:setting-back", args=[second.pk]))
    assert next((one.before, one.after) for one in asked.context["differences"]) == ("60", "45")
    back(client, second, note="値上げは来月から")
    last = versions("costs")[-1]
    assert (last.number, last.how, last.back_to, last.note, last.by) == (4, "back", 2, "値上げは来月から", aoi)
    assert last.content == second.content and costs.costs().material == 45
    assert FreightRate.objects.count() == 2


def test_going_back_to_what_stands_changes_nothing(client, aoi):
    client.force_login(aoi)
    client.post(reverse("fulfillment:costs"), costs_form())
    answer = back(client, versions("costs")[-1])
    assert len(versions("costs")) == 2 and "今の設定は、第2版と同じです。" in answer.content.decode()


def test_what_was_changed_beside_the_pages_is_not_lost(client, aoi):
    client.force_login(aoi)
    client.post(reverse("fulfillment:costs"), costs_form())
    FreightRate.objects.filter(size_to=None).update(price=999)
    client.post(reverse("fulfillment:costs"), costs_form(wage="1500"))
    _first, _second, outside, last = versions("costs")
    assert outside.how == "outside" and "999" in outside.content["rates"] and outside.by is None
    assert set(last.changed) == {"wage", "rates"}


def test_a_version_is_written_with_the_change_or_not_at_all(aoi):
    with pytest.raises(RuntimeError), transaction.atomic():
        costs.save(costs.Costs(1, 2, {}, 0), by_id=aoi.pk)
        raise RuntimeError
    assert not versions("costs")


def test_versions_cannot_be_rewritten(client, aoi):
    client.force_login(aoi)
    client.post(reverse("fulfillment:costs"), costs_form())
    for change in (
        lambda: SettingVersion.objects.update(note="x"),
        lambda: SettingVersion.objects.all().delete(),
    ):
        with pytest.raises(Error), transaction.atomic():
            change()


def test_going_back_has_the_effects_of_an_edit(client, aoi):
    """Terms decide about stages: an order that waited for its money goes on under the terms of before."""

    shop = make_connection("own-1").shop
    sku = make_sku("CHAIR", stock_units=9, location=make_location("W1"))
    take_in(
        shop,
        [
            make_channel_order(
                make_line("CHAIR"), payment_method=PaymentMethod.BANK_TRANSFER, payment_state=PaymentState.UNPAID
            )
        ],
        sku_of=mapped(sku),
    )
    client.force_login(aoi)
    url = reverse("orders:payment-terms-edit", args=[shop.code]) + "?method=bank_transfer"
    form = {"code": "", "method": "bank_transfer", "collector": "us", "ships_when": "paid", "due_days": 7,
            "remind_days": 0, "final_days": 0, "cancel_days": 0, "scarce_days": 0}  # fmt: skip
    assert client.post(url, form).status_code == 302
    assert Order.objects.get().stage == "awaiting_payment"
    client.post(url, form | {"ships_when": "at_once"})
    assert Order.objects.get().stage != "awaiting_payment"
    ref = f"{shop.pk}/method/bank_transfer"
    standard, paid, _always = versions("payment_terms", ref)
    back(client, paid)
    assert Order.objects.get().stage == "awaiting_payment"
    back(client, standard)  # nothing set: the standard holds
    assert not PaymentGate.objects.exists() and versions("payment_terms", ref)[-1].content is None


def test_a_version_that_today_is_not_allowed_is_refused_with_the_cause(client, aoi):
    client.force_login(aoi)
    other = person("niko", "にこ", role="operator")
    url = reverse("pages:person", args=[other.pk])
    form = {"username": "niko", "display_name": "にこ", "is_active": "on", "roles": ["operator"]}
    client.post(url, form | {"display_name": "ニコ"})
    User.objects.filter(pk=other.pk).update(username="niko2")
    person("niko", "別のにこ")
    first = versions("person", other.pk)[0]
    answer = back(client, first)
    other.refresh_from_db()
    assert answer.status_code == 200 and "ユーザー名" in answer.context["causes"][0]
    assert other.username == "niko2"


def test_rights_of_a_person_have_versions_and_come_back(client, aoi):
    client.force_login(aoi)
    other = person("niko", "にこ", role="operator")
    form = {"username": "niko", "display_name": "にこ", "is_active": "on"}
    client.post(
        reverse("pages:person", args=[other.pk]), form | {"roles": ["shift_lead"], "password": "atarashii-kotoba"}
    )
    before, after = versions("person", other.pk)
    assert (before.content["roles"], after.content["roles"]) == (["operator"], ["shift_lead"])
    assert "atarashii" not in str(after.content) and "password" not in after.content
    back(client, before)
    assert [group.name for group in other.groups.all()] == ["operator"]
    other.refresh_from_db()
    assert other.check_password("atarashii-kotoba")


def test_a_sign_in_rule_that_would_shut_out_who_goes_back_is_refused(client, aoi):
    client.force_login(aoi)
    group = aoi.groups.get()
    url = reverse("pages:sign-in-rule", args=[group.pk])
    client.post(url, {"networks": "127.0.0.0/8"})
    client.post(url, {"networks": ""})
    narrow = versions("sign_in_rule", group.pk)[1]
    answer = client.post(reverse("pages:setting-back", args=[narrow.pk]), {}, REMOTE_ADDR="203.0.113.9", follow=True)
    assert "203.0.113.9" in answer.context["causes"][0]
    assert SignInRule.objects.get().networks == ""
    back(client, narrow)
    assert SignInRule.objects.get().networks == "127.0.0.0/8"
    assert SignInEvent.objects.filter(kind="rule_changed").count() == 3


def test_credentials_never_get_into_a_version(client, aoi):
    connection = make_connection("rakuten-1")
    client.force_login(aoi)
    url = reverse("channels:edit", args=[connection.shop_id])
    now = KINDS["shop"].form(str(connection.shop_id), None, None)
    form = KINDS["shop"].as_posted(now, {}).dict()
    assert not any("credential" in name for name in KINDS["shop"].fields_of(now))
    form |= {"credential_service_secret": "SP-himitsu-1234", "credential_license_key": "SL-himitsu-5678", "name": "新"}
    assert client.post(url, form).status_code == 302
    kept = versions("shop", connection.shop_id)
    assert kept[-1].content["name"] == "新"
    assert "himitsu" not in str([version.content for version in kept])


def test_more_exceptions_than_now_come_back(client, aoi):
    shop = make_connection("own-1").shop
    client.force_login(aoi)
    url = reverse("orders:reason", args=["buyer_note"])

    def form(*whom):
        now = KINDS["reason"].form("buyer_note", None, None)
        posted = KINDS["reason"].as_posted(now, {}).dict()
        posted |= {name: "" for name in posted if name.startswith("for_")}
        return (
            posted | {f"for_{n}": one for n, one in enumerate(whom)} | {f"level_{n}": "info" for n in range(len(whom))}
        )

    client.post(url, form(f"shop:{shop.code}", "payment:cod"))
    client.post(url, form(f"shop:{shop.code}", "payment:cod", "payment:card", "payment:bank_transfer"))
    many = versions("reason", "buyer_note")[-1]
    client.post(url, form())
    assert ReasonSetting.objects.get(pk="buyer_note").overrides == []
    page = client.get(reverse("pages:setting-subject", args=["reason", "buyer_note"]))
    assert page.status_code == 200 and "for_3" not in page.content.decode()
    back(client, many)
    assert len(ReasonSetting.objects.get(pk="buyer_note").overrides) == 4


def test_who_may_not_see_costs_neither_sees_nor_brings_them_back(client, aoi):

    sku = make_sku("CHAIR")
    client.force_login(aoi)

    def change(**values):
        now = KINDS["sku"].form(str(sku.pk), None, None)
        client.post(reverse("inventory:facts", args=[sku.pk]), KINDS["sku"].as_posted(now, values).dict())

    change(cost=100, brand="木")
    change(cost=300, brand="竹")
    helper = person("hana", "花")
    helper.user_permissions.set(Permission.objects.filter(codename="change_sku"))
    client.force_login(helper)
    page = client.get(reverse("pages:setting-subject", args=["sku", sku.pk]))
    assert page.status_code == 200 and "¥300" not in page.content.decode() and "仕入価格" not in page.content.decode()
    assert "竹" in page.content.decode()
    back(client, versions("sku", sku.pk)[1])
    sku.refresh_from_db()
    assert (sku.product.brand, sku.cost) == ("木", 300)


def test_versions_are_for_who_may_change_the_setting(client, aoi, ben, chie):
    client.force_login(aoi)
    client.post(reverse("fulfillment:costs"), costs_form())
    version = versions("costs")[0]
    for who in (ben, chie):
        client.force_login(who)
        assert client.get(reverse("pages:setting-subject", args=["costs", "-"])).status_code == 403
        assert client.post(reverse("pages:setting-back", args=[version.pk])).status_code == 403
    assert len(versions("costs")) == 2
    assert client.get(reverse("pages:setting-changes")).status_code == 403  # chie
    client.force_login(ben)  # may look at changes, but of no kind that ben may make
    assert client.get(reverse("pages:setting-changes")).context["rows"] == []


def test_changes_are_found_by_person_kind_and_words_in_a_fixed_number_of_queries(
    client, aoi, django_assert_max_num_queries
):
    client.force_login(aoi)
    for material in range(12):
        client.post(reverse("fulfillment:costs"), costs_form(material=str(material)))
    client.post(reverse("orders:personal-views-months"), {"months": 36})
    url = reverse("pages:setting-changes")
    with django_assert_max_num_queries(8):
        page = client.get(url)
    assert len(page.context["rows"]) == 13
    assert len(client.get(url, {"kind": "view_months"}).context["rows"]) == 1
    assert len(client.get(url, {"person": aoi.pk}).context["rows"]) == 13
    assert len(client.get(url, {"words": "ヤマト運輸"}).context["rows"]) == 12
    assert not client.get(url, {"words": "ないことば"}).context["rows"]
    assert not client.get(url, {"since": "2020-01-01", "until": "2020-01-31"}).context["rows"]


def test_two_people_changing_at_once_get_two_numbers(aoi, race):
    def save(n):
        return costs.save(costs.Costs(n + 1, None, {}, costs.costs().version), by_id=aoi.pk)

    outcomes = race(4, save)
    assert any(one is True for one in outcomes)
    numbers = [version.number for version in versions("costs")]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) == 1 + sum(one is True for one in outcomes)


def test_every_kind_reads_what_it_writes(aoi):
    """What a form reads can be posted again as it is; labels are words."""
    make_connection("rakuten-1")
    who = Who(aoi, "127.0.0.1")
    for code, ref in (("costs", "-"), ("stage_names", "-"), ("refund_limits", "-"), ("view_months", "-"),
                      ("stop_policy", "-"), ("sign_in_trust", "-"), ("person", aoi.pk)):  # fmt: skip
        kind = KINDS[code]
        content = kind.read(str(ref))
        form = kind.form(str(ref), kind.as_posted(kind.form(str(ref), None, who), content), who)
        assert form.is_valid(), (code, form.errors)
        teller = kind.teller(str(ref), who)
        assert all(teller.label(name) != name for name in teller.names if code != "stage_names"), code
