"""The merge and split screens: what they show, what they do, and who may."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fulfillment.models import Merge, MergePair, Shipment
from fulfillment.services import merge
from orders.models import Mail, Order
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready, snapshot
from tests.orders.builders import TOKYO_PARTY, make_line, make_shop, make_sku

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop(capabilities={"confirm": True, "mail": "free", "partial_shipment": True}, merge_policy="ask")


@pytest.fixture
def chair():
    return make_sku(stock_units=50)


@pytest.fixture
def two(shop, chair) -> tuple[Order, Order]:
    return ready(shop, skus=[chair]), ready(shop, make_line("CHAIR", 2), skus=[chair])


def test_both_orders_stand_side_by_side_and_merge_with_one_press(two, aoi, client_of):
    one, other = two
    client = client_of(aoi)
    merge.merge_keys.sweep()
    page = client.get(reverse("fulfillment:merge", args=[one.pk]))
    assert [row.card.pk for row in page.context["candidates"]] == [other.pk]
    answer = client.post(reverse("fulfillment:merge", args=[one.pk]), {"ids": [other.pk]}, follow=True)
    assert "受注2件を同梱しました。" in answer.content.decode() and Merge.objects.get().by == aoi
    undone = client.post(reverse("fulfillment:merge-undo", args=[Merge.objects.get().pk]), follow=True)
    assert "元の出荷伝票と金額に戻しました" in undone.content.decode() and Shipment.objects.count() == 2


def test_a_pair_kept_apart_is_remembered(two, aoi, client_of):
    one, other = two
    client_of(aoi).post(reverse("fulfillment:merge-apart", args=[one.pk, other.pk]))
    assert MergePair.objects.get().decision == "apart"
    assert set(Order.objects.values_list("stage", flat=True)) == {"ready"}


def test_asking_the_customer_writes_a_draft_for_a_person_to_send(two, aoi, client_of):
    one, other = two
    for _again in range(2):
        client_of(aoi).post(reverse("fulfillment:merge-ask", args=[other.pk, one.pk]))
    assert Mail.objects.get(event="inquiry").state == "draft"


def test_what_cannot_be_merged_says_why_and_changes_nothing(two, shop, chair, aoi, client_of):
    one, _other = two
    late = ready(shop, make_line("CHAIR", 99), skus=[chair])
    before = snapshot()
    for ids in ([], [late.pk], [987654], ["x"]):
        answer = client_of(aoi).post(reverse("fulfillment:merge", args=[one.pk]), {"ids": ids}, follow=True)
        assert answer.context["messages"] and answer.status_code == 200
    assert snapshot() == before


def test_the_lists_make_a_fixed_number_of_queries(two, shop, chair, aoi, client_of):
    client = client_of(aoi)
    merge.merge_keys.sweep()
    counts = []
    for _step in range(2):
        for url in (reverse("fulfillment:merge-list"), reverse("fulfillment:merge", args=[two[0].pk])):
            client.get(url)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(url).status_code == 200
            counts.append(len(queries))
        for _more in range(3):
            ready(shop, skus=[chair])
        merge.merge_keys.sweep()
    assert counts[:2] == counts[2:] and max(counts) <= 22


def test_pieces_typed_into_the_form_become_a_parcel_of_their_own(two, aoi, client_of):
    _one, other = two
    client, line = client_of(aoi), other.lines.get().pk
    parcel = Shipment.objects.get(recipient__order=other)
    url = reverse("fulfillment:split-off", args=[other.pk, parcel.pk])
    for typed in ("たくさん", "-1", "3", "2", ""):
        answer = client.post(url, {f"pieces_{line}": typed}, follow=True)
        assert Shipment.objects.count() == 2 and answer.context["messages"]
    form = {f"pieces_{line}": "1", f"held_{line}": "2"}
    answer = client.post(url, form, follow=True)
    assert Shipment.objects.count() == 3 and "に分けました" in answer.content.decode()
    twice = client.post(url, form, follow=True)
    assert Shipment.objects.count() == 3 and "この荷物の中身が変わりました" in twice.content.decode()
    client.post(reverse("fulfillment:split-undo", args=[other.pk]))
    assert Shipment.objects.count() == 2


def test_a_parcel_of_another_order_is_not_split_from_here(two, aoi, client_of):
    one, other = two
    foreign = Shipment.objects.get(recipient__order=other)
    url = reverse("fulfillment:split-off", args=[one.pk, foreign.pk])
    assert client_of(aoi).post(url, {"pieces_1": "1"}).status_code == 404


def test_recipients_are_masked_for_who_may_not_see_them(two, ben, client_of):
    merge.merge_keys.sweep()
    for url in (reverse("fulfillment:merge", args=[two[0].pk]), reverse("fulfillment:merge-list")):
        page = client_of(ben).get(url).content.decode()
        assert "佐藤 恵" not in page and "三軒茶屋" not in page


def posts(one, other, parcel, merged) -> list[str]:
    return [
        reverse("fulfillment:merge", args=[one]),
        reverse("fulfillment:merge-apart", args=[one, other]),
        reverse("fulfillment:merge-ask", args=[one, other]),
        reverse("fulfillment:merge-undo", args=[merged]),
        reverse("fulfillment:split-off", args=[one, parcel]),
        reverse("fulfillment:split-run", args=[one]),
        reverse("fulfillment:split-undo", args=[one]),
    ]


def test_only_who_may_change_orders_merges_and_splits(two, aoi, ben, chie, client_of):
    one, other = two
    merged = merge.merge_orders([one.pk, other.pk], actor=Actor(aoi)).pk
    before = snapshot()
    for url in posts(one.pk, other.pk, Shipment.objects.get().pk, merged):
        assert client_of(ben).post(url).status_code == 403, url
        assert client_of(chie).post(url).status_code == 403, url
        if url != reverse("fulfillment:merge", args=[one.pk]):
            assert client_of(aoi).get(url).status_code == 405, url
    for name, *of in [("merge-list",), ("merge", one.pk), ("split", one.pk)]:
        assert client_of(ben).get(reverse(f"fulfillment:{name}", args=of)).status_code == 200
        assert client_of(chie).get(reverse(f"fulfillment:{name}", args=of)).status_code == 403
    assert snapshot() == before


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_story_09_in_the_browser_merge_and_undo(browser_page, screenshot):
    shop = make_shop(capabilities={"confirm": True, "mail": "free"}, merge_policy="ask", merge_refunds_shipping=True)
    chair, cake = make_sku(stock_units=9), make_sku("CAKE", stock_units=9, temperature="chilled")
    one = ready(shop, make_line("CHAIR", 2), make_line("CAKE"), skus=[chair, cake])
    ready(shop, make_line("CAKE", 3), skus=[chair, cake])
    merge.merge_keys.sweep()
    before = snapshot()
    page = browser_page
    page.goto(reverse("fulfillment:merge", args=[one.pk]))
    screenshot(page, "merge", full_page=True)
    page.get_by_role("button", name="選んだ受注を同梱する").click()
    page.get_by_text("1つの荷物で出荷します").wait_for()
    assert Shipment.objects.count() == 1
    screenshot(page, "merge-done", full_page=True)
    page.goto(reverse("fulfillment:merge-list"))
    screenshot(page, "merge-list", full_page=True)
    page.get_by_role("button", name="解除").click()
    page.get_by_role("button", name="選んだ受注を同梱する").wait_for()
    assert snapshot() == before
    page.goto(reverse("fulfillment:split", args=[one.pk]))
    screenshot(page, "split", full_page=True)
    page.get_by_role("radio", name="温度帯で分ける").check()
    page.get_by_role("button", name="この分け方で分ける").click()
    page.get_by_text("分割しました。").wait_for()
    screenshot(page, "split-done", full_page=True)
    page.get_by_role("button", name="分割を取り消して1つに戻す").click()
    page.get_by_text("分割を取り消し、1つにまとめました。").wait_for()
    assert snapshot() == before


def test_an_order_and_itself_are_no_pair_and_strangers_are_asked_nothing(shop, chair, client_of, aoi):
    one = ready(shop, skus=[chair])
    stranger = replace(TOKYO_PARTY, name="別人 太郎", phone="090-9999-0000", address="別の町1-1", email="x@example.com")
    other = ready(shop, skus=[chair], buyer=stranger, recipients=(stranger,))
    client = client_of(aoi)
    for verb in ("merge-apart", "merge-ask"):
        told = client.post(reverse(f"fulfillment:{verb}", args=[one.pk, one.pk]), follow=True)
        assert told.status_code == 200 and not MergePair.objects.exists(), verb
    told = client.post(reverse("fulfillment:merge-ask", args=[one.pk, other.pk]), follow=True).content.decode()
    assert "届け先が異なる" in told and not Mail.objects.filter(event="inquiry").exists()
