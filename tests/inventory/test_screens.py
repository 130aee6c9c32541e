"""The stock screens: pages and fragments, rights, what each number says and leads to."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inventory.models import Balance, Entry
from inventory.services import catalogue, stock
from inventory.services.audit import violations
from inventory.templatetags.stock_refs import ref_line, ref_words
from tests.inventory.builders import make_bundle, make_goods, make_location

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def shelf():
    """Three SKUs from the catalogue and a location."""
    catalogue.upsert_products([catalogue.ProductRow("CHAIR", "オフィスチェア"), catalogue.ProductRow("TEA", "緑茶")])
    ids = catalogue.upsert_skus(
        [
            catalogue.SkuRow("CH-BK", "CHAIR", "オフィスチェア", "黒", jan="4900000000017", shelf="A-1"),
            catalogue.SkuRow("CH-WH", "CHAIR", "オフィスチェア", "白"),
            catalogue.SkuRow("TEA-1", "TEA", "宇治の緑茶", tax_rate=8),
        ]
    )
    return ids, make_location("tokyo")


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def listed(response) -> list[str]:
    assert response.status_code == 200
    return [row.sku.code for row in response.context["rows"]]


@pytest.mark.parametrize(
    ("typed", "codes"),
    [("緑茶", ["TEA-1"]), ("ちぇあ", ["CH-BK", "CH-WH"]), ("490000", ["CH-BK"]), ("ch-w", ["CH-WH"]), ("無い", [])],
)
def test_the_list_is_searched_by_two_characters_of_name_code_or_jan(client_of, ben, shelf, typed, codes):
    page = client_of(ben).get(reverse("inventory:list"), {"q": typed})
    assert listed(page) == codes


def test_the_list_shows_what_is_there_promised_and_left(client_of, ben, shelf):
    ids, tokyo = shelf
    stock.receive([stock.Fact(ids["CH-BK"], tokyo.pk, 5, "arrival:1")])
    stock.reserve({stock.pool_ids(ids.values())[ids["CH-BK"]]: 2}, ref="line:1")
    page = client_of(ben).get(reverse("inventory:list"))
    row = next(row for row in page.context["rows"] if row.sku.code == "CH-BK")
    assert (row.on_hand, row.reserved, row.available, row.is_short) == (5, 2, 3, False)
    assert f"{reverse('inventory:ledger')}?sku={ids['CH-BK']}&amp;column=reserved" in text_of(page)


def test_the_list_narrows_to_short_backordered_ended_and_place(client_of, ben, shelf):
    ids, tokyo = shelf
    pools = stock.pool_ids(ids.values())
    stock.receive([stock.Fact(ids["CH-BK"], tokyo.pk, 5, "arrival:1")])
    stock.set_overcommit({pools[ids["TEA-1"]]: 3})
    stock.reserve({pools[ids["TEA-1"]]: 1}, ref="line:1")
    page = client_of(ben)

    def codes(**query):
        return listed(page.get(reverse("inventory:list"), query))

    assert codes(state="short") == ["CH-WH"]
    assert codes(state="backordered") == ["TEA-1"]
    assert codes(state="inactive") == []
    assert codes(location=tokyo.pk) == ["CH-BK"]
    assert codes(state="nonsense") == ["CH-BK", "CH-WH", "TEA-1"]


def test_a_bundle_is_listed_with_what_its_components_allow(client_of, ben, shelf):
    ids, tokyo = shelf
    stock.receive([stock.Fact(ids["CH-BK"], tokyo.pk, 5, "arrival:1")])
    make_bundle("SET", {ids["CH-BK"]: 2})
    page = client_of(ben).get(reverse("inventory:list"))
    row = next(row for row in page.context["rows"] if row.sku.code == "SET")
    assert (row.on_hand, row.reserved, row.available) == (None, None, 2)


def test_the_pages_of_the_list_join_without_loss(client_of, ben):
    place = make_location("tokyo")
    for number in range(60):
        make_goods(f"SKU-{number:03}", {place: 1})
    ben_client = client_of(ben)
    first = ben_client.get(reverse("inventory:list"))
    second = ben_client.get(first.context["page"].next_url)
    assert listed(first) + listed(second) == [f"SKU-{number:03}" for number in range(60)]


def test_queries_of_the_list_do_not_grow_with_its_rows(client_of, ben):
    place = make_location("tokyo")
    ben_client = client_of(ben)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert ben_client.get(reverse("inventory:list")).status_code == 200
        return len(captured)

    make_goods("SKU-A", {place: 1})
    make_bundle("SET-A", {make_goods("SKU-B", {place: 1}).sku_id: 1})
    few = queries()
    for number in range(20):
        make_bundle(f"SET-{number}", {make_goods(f"SKU-{number}", {place: 1}).sku_id: 1})
    assert queries() == few <= 12


def test_queries_of_a_sku_and_its_ledger_do_not_grow(client_of, ben, shelf):
    ids, tokyo = shelf
    ben_client = client_of(ben)

    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ben_client.get(url).status_code == 200
        return len(captured)

    urls = [reverse("inventory:sku", args=[ids["CH-BK"]]), f"{reverse('inventory:ledger')}?sku={ids['CH-BK']}"]
    stock.receive([stock.Fact(ids["CH-BK"], tokyo.pk, 1, "arrival:0")])
    few = [queries(url) for url in urls]
    for number in range(9):
        stock.receive([stock.Fact(ids["CH-BK"], make_location(f"store-{number}").pk, 1, f"arrival:{number}")])
    assert [queries(url) for url in urls] == few


def test_htmx_gets_the_table_alone(client_of, ben, shelf):
    body = text_of(client_of(ben).get(reverse("inventory:list"), headers=HTMX))
    assert body.lstrip().startswith('<section id="inventory-table"') and "<html" not in body


def test_the_sku_page_shows_pool_places_and_history(client_of, ben, shelf):
    ids, tokyo = shelf
    store = make_location("ginza", "store", online=False)
    stock.receive(
        [stock.Fact(ids["CH-BK"], tokyo.pk, 5, "arrival:1"), stock.Fact(ids["CH-BK"], store.pk, 7, "arrival:1")]
    )
    body = text_of(client_of(ben).get(reverse("inventory:sku", args=[ids["CH-BK"]])))
    assert "tokyo" in body and "ginza" in body and "通販対象外" in body and "+7" in body
    assert reverse("inventory:correct", args=[ids["CH-BK"]]) not in body, "ben may only look"


def test_the_ledger_behind_a_number_adds_up_to_it(client_of, ben, shelf):
    ids, tokyo = shelf
    pool = stock.pool_ids(ids.values())[ids["CH-BK"]]
    stock.receive([stock.Fact(ids["CH-BK"], tokyo.pk, 5, "arrival:1")])
    stock.reserve({pool: 2}, ref="line:1")
    stock.release(["line:1"])
    stock.reserve({pool: 3}, ref="line:2")
    ledger = reverse("inventory:ledger")
    ben_client = client_of(ben)
    rows = ben_client.get(ledger, {"balance": pool, "column": "reserved"}).context["entries"]
    assert sum(entry.reserved for entry in rows) == 3 and len(rows) == 3
    assert [entry.ref for entry in ben_client.get(ledger, {"ref": "line:2"}).context["entries"]] == ["line:2"]
    kinds = {
        entry.kind for entry in ben_client.get(ledger, {"sku": ids["CH-BK"], "kind": "receive"}).context["entries"]
    }
    assert kinds == {"receive"}
    assert ben_client.get(ledger, {"sku": "x", "balance": "9" * 30, "after": "nonsense"}).status_code == 200


def test_a_correction_needs_the_right_and_a_reason(client_of, aoi, ben, chie, shelf):
    ids, tokyo = shelf
    url = reverse("inventory:correct", args=[ids["CH-BK"]])
    data = {"location": tokyo.pk, "how": "set", "units": 5, "reason": "棚卸で発見"}
    assert client_of(ben).post(url, data).status_code == 403
    assert client_of(chie).get(reverse("inventory:list")).status_code == 403
    aoi_client = client_of(aoi)
    assert "field-error" in text_of(aoi_client.post(url, {**data, "reason": ""}))
    assert "field-error" in text_of(aoi_client.post(url, {**data, "units": -1}))
    assert not Entry.objects.exists()
    answer = aoi_client.post(url, data)
    assert answer.status_code == 302 and answer.url == reverse("inventory:sku", args=[ids["CH-BK"]])
    aoi_client.post(url, {**data, "how": "add", "units": -2, "reason": "破損"})
    assert stock.available([ids["CH-BK"]]) == {ids["CH-BK"]: 3}
    assert set(Entry.objects.values_list("by__username", "note")) == {("aoi", "棚卸で発見"), ("aoi", "破損")}
    assert violations() == []


def test_a_correction_below_promises_says_who_must_wait(client_of, aoi, shelf):
    ids, tokyo = shelf
    stock.receive([stock.Fact(ids["CH-BK"], tokyo.pk, 2, "arrival:1")])
    stock.reserve({stock.pool_ids(ids.values())[ids["CH-BK"]]: 2}, ref="line:1")
    url = reverse("inventory:correct", args=[ids["CH-BK"]])
    data = {"location": tokyo.pk, "how": "set", "units": 0, "reason": "盗難"}
    body = text_of(client_of(aoi).post(url, data, headers=HTMX))
    assert "1件の引当を解除し" in body and 'id="inventory-balances" hx-swap-oob="true"' in body


def test_goods_are_received_in_a_dialog_or_on_a_page(client_of, aoi, shelf):
    ids, tokyo = shelf
    url = reverse("inventory:receive", args=[ids["TEA-1"]])
    aoi_client = client_of(aoi)
    assert "<dialog" in text_of(aoi_client.get(url, headers=HTMX)) and "<html" in text_of(aoi_client.get(url))
    aoi_client.post(url, {"location": tokyo.pk, "units": 4, "document": "N-77"})
    assert stock.available([ids["TEA-1"]]) == {ids["TEA-1"]: 4}
    assert set(Entry.objects.values_list("ref", flat=True)) == {"arrival:N-77"}


def test_a_bundle_cannot_be_received(client_of, aoi):
    bundle = make_bundle("SET", {})
    assert client_of(aoi).get(reverse("inventory:receive", args=[bundle.pk])).status_code == 404


def test_the_home_panel_counts_and_links(client_of, ben, shelf):
    body = text_of(client_of(ben).get(reverse("inventory:home-panel")))
    assert "?state=short" in body and ">3<" in body


def test_open_promises_of_a_sku_are_listed_oldest_first(client_of, ben, chie, shelf):
    ids, tokyo = shelf
    sku = ids["CH-BK"]
    stock.receive([stock.Fact(sku, tokyo.pk, 9, "arrival:1")])
    pool, place = stock.pool_ids([sku])[sku], stock.place_ids([(sku, tokyo.pk)])[sku, tokyo.pk]
    for ref in ("line:1", "line:2", "line:3"):
        stock.reserve({pool: 2}, ref=ref)
    stock.allocate([stock.Request.of("line:2", place, 2)])
    stock.release(["line:1"])
    url = reverse("inventory:promises", args=[sku])
    page = client_of(ben).get(url)
    found = [(promise.ref, promise.quantity, promise.placed) for promise in page.context["promises"]]
    assert found == [("line:2", 2, 2), ("line:3", 2, 0)]
    assert text_of(client_of(ben).get(url, headers=HTMX)).lstrip().startswith("<section")
    assert client_of(chie).get(url).status_code == 403


def test_the_ledger_names_its_papers_in_words_and_leads_to_the_order(client_of, ben, shelf):
    ids, tokyo = shelf
    stock.receive([stock.Fact(ids["CH-BK"], tokyo.pk, 5, "arrival:N-1")])
    stock.reserve({stock.pool_ids(ids.values())[ids["CH-BK"]]: 2}, ref="line:12")
    text = text_of(client_of(ben).get(reverse("inventory:ledger")))
    assert ">受注明細 12</a>" in text and ">入荷 N-1</a>" in text and "/orders/lines/12/" in text
    said = {"opening": "開始時の在庫", "arrival": "入荷", "move:3:in": "データ移行 3", "X-9": "X-9"}
    assert {ref: ref_words(ref) for ref in said} == said
    assert [ref_line(ref) for ref in ("line:12", "line:", "opening")] == ["12", "", ""]


@pytest.mark.parametrize(
    ("form", "data"),
    [("receive", {"units": 4}), ("correct", {"units": 4, "how": "add", "reason": "見つかった"})],
)
def test_a_form_sent_twice_changes_the_stock_once(client_of, aoi, shelf, form, data):
    ids, tokyo = shelf
    url, client = reverse(f"inventory:{form}", args=[ids["TEA-1"]]), client_of(aoi)
    page = client.get(url)
    key = page.context["form"]["key"].value()
    assert f'value="{key}"' in page.content.decode()
    for _click in range(2):
        answer = client.post(url, {**data, "location": tokyo.pk, "key": key}, follow=True).content.decode()
        assert "在庫を更新しました。" in answer
    assert Balance.objects.get(sku=ids["TEA-1"], location=tokyo).on_hand == 4
    again = client.get(url).context["form"]["key"].value()
    assert again != key, "the next showing is another form"
    client.post(url, {**data, "location": tokyo.pk, "key": again})
    assert Balance.objects.get(sku=ids["TEA-1"], location=tokyo).on_hand == 8
