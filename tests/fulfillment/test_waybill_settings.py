"""送り状の設定: contracts of places with carriers, with versions and the way back."""

import pytest
from django.urls import reverse

from fulfillment.models import WaybillSetting
from fulfillment.queries.waybills import contracts_of
from fulfillment.services import waybill_settings
from fulfillment.waybill_forms import FORMS
from fulfillment.waybills.parcel import USUAL_LETTERS
from oms.kernel.models import SettingVersion
from oms.kernel.setting_kinds import KINDS, Who
from tests.fulfillment.waybill_builders import make_place

pytestmark = pytest.mark.django_db
TYPED = {
    "version": "0", "layout": "b2_42", "item": "雑貨", "customer_code": "03-1234-5678", "freight_no": "01",
    "code_nekopos": "7", "code_yupacket": "7", "most_rows": "500", "letters": "𠮷=吉\n鷗＝鴎", "header": "on",
    "fallback_phone": "03-1111-2222",
}  # fmt: skip


def url(carrier: str = "yamato", place: int | None = None) -> str:
    if place is None:
        return reverse("fulfillment:waybill-contract", args=[carrier])
    return reverse("fulfillment:waybill-contract-place", args=[carrier, place])


def test_what_a_lead_types_becomes_the_companys_contract(client_of, person_with):
    client, place = client_of(person_with("shift_lead")), make_place()
    assert client.post(url(), TYPED).status_code == 302
    held = contracts_of().of(place.pk, "yamato")
    assert held and (held.layout, held.customer_code, held.freight_no) == ("b2_42", "0312345678", "01")
    assert held.letters == {"𠮷": "吉", "鷗": "鴎"} and held.header and held.fallback_phone == "0311112222"
    before, after = SettingVersion.objects.filter(kind="waybill", ref="-/yamato").order_by("number")
    assert before.content is None and after.content["customer_code"] == "0312345678"
    assert "設定あり" in client.get(reverse("fulfillment:waybill-settings")).content.decode()


def test_a_place_begins_with_the_companys_contract_and_may_have_its_own(client_of, aoi):
    client, place = client_of(aoi), make_place()
    client.post(url(), TYPED)
    form = client.get(url(place=place.pk)).context["form"]
    assert form.initial["customer_code"] == "0312345678" and form.initial["version"] == 0
    client.post(url(place=place.pk), TYPED | {"customer_code": "0699999999"})
    assert contracts_of().of(place.pk, "yamato").customer_code == "0699999999"
    assert contracts_of().of(place.pk + 1, "yamato").customer_code == "0312345678"
    client.post(reverse("fulfillment:waybill-contract-remove", args=["yamato", place.pk]))
    assert contracts_of().of(place.pk, "yamato").customer_code == "0312345678"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("customer_code", "", "必須"),
        ("customer_code", "ABC", "数字"),
        ("item", "", "必須"),
        ("letters", "吉田=吉", "読み取れません"),
        ("letters", "a=𩸽", "読み取れません"),
        ("fallback_phone", "123", "10桁か11桁"),
        ("sender_city", "千代田区", "すべて"),
        ("item", "雑貨♥", "♥"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_saved(client_of, aoi, field, value, words):
    answer = client_of(aoi).post(url(), TYPED | {field: value})
    assert answer.status_code == 200 and words in str(answer.context["form"].errors)
    assert not WaybillSetting.objects.exists()


def test_two_people_do_not_overwrite_each_other_unseen(client_of, aoi):
    client = client_of(aoi)
    client.post(url(), TYPED)
    answer = client.post(url(), TYPED | {"item": "食品"})
    assert answer.status_code == 409 and WaybillSetting.objects.get().values["item"] == "雑貨"
    data = TYPED | {"item": "食品", "version": answer.context["form"].data["version"]}
    assert client.post(url(), data).status_code == 302 and WaybillSetting.objects.get().values["item"] == "食品"


def test_an_earlier_version_comes_back(aoi):
    for item, seen in (("雑貨", 0), ("食品", 1)):
        form = FORMS["japanpost"]({**TYPED, "layout": "yupuri", "code_parcel": "1", "code_packet": "2",
                                   "date_form": "%Y%m%d", "item": item}, contract=None, version=0)  # fmt: skip
        assert form.is_valid(), form.errors
        waybill_settings.save(None, "japanpost", form.values, by=aoi, seen=seen)
    first = SettingVersion.objects.filter(kind="waybill").order_by("number")[1]
    KINDS["waybill"].put("-/japanpost", first.content, Who(aoi))
    assert WaybillSetting.objects.get().values["item"] == "雑貨"
    KINDS["waybill"].put("-/japanpost", None, Who(aoi))
    assert not WaybillSetting.objects.exists()


def test_a_new_contract_begins_with_the_usual_letters_and_codes():
    form = FORMS["yamato"](contract=None, version=0)
    assert "𠮷=吉" in form.initial["letters"].splitlines() and len(USUAL_LETTERS) > 10
    assert (form["freight_no"].value(), form["code_nekopos"].value(), form["layout"].value()) == ("01", "A", "b2_95")


def test_the_right_is_asked_for(client_of, ben, person_with):
    place = make_place()
    for client in (client_of(ben), client_of(person_with("operator"))):
        assert client.get(reverse("fulfillment:waybill-settings")).status_code == 403
        assert client.get(url()).status_code == 403 and client.post(url(), TYPED).status_code == 403
        remove = reverse("fulfillment:waybill-contract-remove", args=["yamato", place.pk])
        assert client.post(remove).status_code == 403
    assert not WaybillSetting.objects.exists()


def test_an_unknown_carrier_or_place_is_not_found(client_of, aoi):
    client = client_of(aoi)
    assert client.get(url("other")).status_code == 404
    assert client.get(url(place=999_999)).status_code == 404
