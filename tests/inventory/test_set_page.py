"""セット商品 on the product's page: components, partial shipping, tax; refused in words where they make no sense."""

import pytest
from django.urls import reverse

from inventory.models import BundleComponent, KitChange, PublisherMark, Sku
from tests.inventory.builders import make_bundle, make_goods, make_location, make_sku

pytestmark = pytest.mark.django_db


@pytest.fixture
def tea_set():
    place = make_location("tokyo")
    cup, pot = make_goods("CUP", {place: 3}), make_goods("POT", {place: 3})
    return make_bundle("TEASET", {cup.sku_id: 2, pot.sku_id: 1})


def url_of(sku) -> str:
    return reverse("inventory:set", args=[sku.pk])


def test_the_page_shows_and_changes_what_a_set_is(client_of, aoi, ben, tea_set):
    shown = client_of(ben).get(reverse("inventory:sku", args=[tea_set.pk])).content.decode()
    assert "すべてそろってから" in shown and url_of(tea_set) not in shown
    assert client_of(ben).get(url_of(tea_set)).status_code == 403
    form = client_of(aoi).get(url_of(tea_set)).content.decode()
    assert "CUP 2\nPOT 1" in form
    data = {"parts": "CUP 4\nPOT", "ships_apart": "on", "tax_by_component": "on"}
    for _again in range(2):
        client_of(aoi).post(url_of(tea_set), data)
    tea_set.refresh_from_db()
    assert tea_set.ships_apart and tea_set.tax_by_component
    assert dict(BundleComponent.objects.values_list("component__code", "quantity")) == {"CUP": 4, "POT": 1}
    change = KitChange.objects.get()
    assert (change.before, change.after) == ("CUP × 2、POT × 1", "CUP × 4、POT × 1、一部出荷可、構成品ごとの税率")
    assert PublisherMark.objects.filter(sku_id=tea_set.pk).exists(), "every channel hears what is available now"
    shown = client_of(aoi).get(reverse("inventory:sku", args=[tea_set.pk])).content.decode()
    assert "構成品を別々の荷物で送れます" in shown and "構成品ごと" in shown


@pytest.mark.parametrize(("parts", "says"), [
    ("NOPE", "登録のないSKUコード"), ("TEASET", "セット自身"), ("", "1つ以上"), ("OUTER", "たがいの構成品"),
    ("CUP x y", "読み取れません"),
])  # fmt: skip
def test_what_makes_no_set_is_refused_in_words(client_of, aoi, tea_set, parts, says):
    make_bundle("OUTER", {tea_set.pk: 1})
    answer = client_of(aoi).post(url_of(tea_set), {"parts": parts}).content.decode()
    assert says in answer
    assert BundleComponent.objects.filter(bundle=tea_set).count() == 2 and not KitChange.objects.exists()


def test_a_third_level_is_refused_in_words(client_of, aoi, tea_set):
    outer = make_bundle("OUTER", {tea_set.pk: 1})
    top = make_bundle("TOP", {make_sku("BOX").pk: 1})
    answer = client_of(aoi).post(url_of(top), {"parts": "BOX 1\nOUTER 1"}).content.decode()
    assert "2段まで" in answer and outer.code in answer + "OUTER"
    assert not BundleComponent.objects.filter(bundle=top, component=outer).exists()
    assert not Sku.objects.get(pk=top.pk).ships_apart
    assert client_of(aoi).get(url_of(make_sku("PLAIN"))).status_code == 404
