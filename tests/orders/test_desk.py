"""受注一覧: what it shows, counts, refreshes, and who may see it."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oms.kernel import clock
from orders.models import Order, ReviewReason
from orders.queries.tiles import board_figures, rows_per_stage
from orders.services import review
from orders.services.hold import hold_orders
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.stage import fold_counts
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
LIST, LIVE = "/orders/", "/orders/live/"


def listed(response) -> list[str]:
    assert response.status_code == 200
    return [row.no for row in response.context["rows"]]


def row_of(response, number: str):
    return next(row for row in response.context["rows"] if row.no == number)


def marks_of(row) -> list[str]:
    return [mark.text for mark in row.marks]


def many(count: int) -> None:
    chair, at = make_sku("CHAIR"), clock.now()
    orders = [make_channel_order(number=f"N-{n:03}", ordered_at=at - timedelta(minutes=n)) for n in range(count)]
    take_in(make_shop(), orders, sku_of=mapped(chair))


def test_what_a_channel_sends_is_text_and_never_markup(client_of, aoi):
    evil = make_channel_order(number="<b>1</b>", remarks='"><script>alert(1)</script>？')
    take_in(make_shop(name="<i>店</i>"), [evil], sku_of=mapped(make_sku()))
    html = client_of(aoi).get(LIST).content.decode()
    assert "<b>1</b>" not in html and "<script>alert" not in html and "<i>店</i>" not in html
    assert "&lt;b&gt;1&lt;/b&gt;" in html


def test_pages_go_forth_and_back_and_keep_the_filter(client_of, aoi):
    many(120)
    client = client_of(aoi)
    first = client.get(LIST, {"shop": make_shop().pk})
    second = client.get(first.context["page"].next_url)
    third = client.get(second.context["page"].next_url)
    assert listed(first) + listed(second) + listed(third) == [f"N-{n:03}" for n in range(120)]
    assert third.context["page"].next_url is None
    assert listed(client.get(third.context["page"].prev_url)) == listed(second)
    assert f"shop={make_shop().pk}" in second.context["page"].next_url


def test_the_number_of_queries_does_not_depend_on_the_rows(client_of, aoi):
    client = client_of(aoi)
    many(2)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    many(40)
    with CaptureQueriesContext(connection) as lots:
        assert len(listed(client.get(LIST))) == 40
    assert len(few) == len(lots) == 6  # session, user, two of permissions, rows, tiles


def test_a_new_company_is_told_how_orders_get_here(client_of, aoi):
    assert "受注はまだありません" in client_of(aoi).get(LIST).content.decode()


@pytest.mark.parametrize("path", [LIST, LIVE, "/orders/filter/", "/orders/home-panel/"])
def test_only_who_may_see_orders_gets_in_and_only_by_get(client_of, aoi, ben, chie, path):
    assert client_of(ben).get(path, headers=HTMX).status_code == 200
    assert client_of(chie).get(path).status_code == 403
    assert client_of(aoi).post(path).status_code == 405


def test_a_refresh_keeps_page_sorting_and_filter(client_of, aoi):
    many(60)
    client = client_of(aoi)
    first = client.get(LIST, {"shop": make_shop().pk})
    second = client.get(first.context["page"].next_url)
    answer = client.get(second.context["live_url"], headers=HTMX)
    html = answer.content.decode()
    assert "N-050" in html and "N-049" not in html
    assert LIVE + "?" in html and f'href="{LIST}?shop={make_shop().pk}&amp;before=' in html
    assert f"{LIVE}?sort" not in html, "the table's head leads to the list, not to the poll"


def test_every_order_is_listed_newest_first_with_its_marks_and_next_step(client_of, aoi, board):
    page = client_of(aoi).get(LIST)
    assert listed(page) == ["R-0001", "R-0002", "R-0003", "R-0004", "R-0005", "R-0006", "R-0007", "Y-0001", "Y-0002"]
    assert row_of(page, "R-0001").step == "在庫の引当を待つ" and row_of(page, "R-0001").ship_by_tone == "soon"
    assert row_of(page, "R-0002").ship_by_tone == "late" and marks_of(row_of(page, "R-0002")) == ["備考あり", "×9"]
    assert row_of(page, "R-0003").recipient == "山田 太郎"
    assert row_of(page, "R-0004").step == "商品対応表で SKU を選ぶ"
    assert row_of(page, "R-0005").step == "入金を確かめて登録する" and row_of(page, "R-0005").payment_state == "未入金"
    assert marks_of(row_of(page, "R-0006")) == ["反映失敗", "×9"]
    assert row_of(page, "R-0007").step == "保留を解除する（お客様へ電話で確認中）"
    assert row_of(page, "Y-0002").step == "キャンセルするか、続けるかを決める（ほか1件）"


def test_the_page_names_people_goods_and_leads_to_the_order(client_of, aoi, board):
    html = client_of(aoi).get(LIST).content.decode()
    url = reverse("orders:detail", args=[board["R-0001"].pk])
    link = f'<a href="{url}" hx-get="{url}" hx-target="#drawer-root" data-open>R-0001</a>'
    for part in (link, "佐藤 恵", "→ 山田 太郎（大阪府）", "昇降デスク 幅120cm ナチュラル ×1", "¥1,500", "楽天市場店"):
        assert part in html


def test_the_step_is_the_button_that_does_it_for_who_may(client_of, aoi, ben, board):
    html, cards = client_of(aoi).get(LIST).content.decode(), reverse("orders:inbox")
    assert f'href="{cards}?code=item_unmapped&amp;at={board["R-0004"].pk}">商品対応表で SKU を選ぶ</a>' in html
    assert f'"ids":"{board["R-0005"].pk}","action":"pay"' in html and f'"ids":"{board["R-0001"].pk}"' not in html
    assert "desk-do" not in client_of(ben).get(LIST).content.decode(), "who may only look has nothing to press"


def test_shops_bear_the_mark_of_their_channel(client_of, aoi, board):
    html = client_of(aoi).get(LIST).content.decode()
    marks = {letter: re.search(f'data-hue="(.)"[^>]*>{letter}</span>', html)[1] for letter in "楽Y"}
    assert len(set(marks.values())) == 2 and '<span class="visually-hidden">楽天市場 </span>' in html


def test_the_stage_is_a_column_only_where_stages_are_mixed(client_of, aoi, board):
    client = client_of(aoi)
    for query, shown in {
        "": True, "?stage=review": False, "?stage=review&stage=new": True, "?stage=review&not=stage": True,
        "?stage=review&col=stage": True,
    }.items():  # fmt: skip
        assert ('data-column="stage"' in client.get(LIST + query).content.decode()) is shown, query


def test_names_remarks_and_evidence_are_hidden_from_who_may_not_see_people(client_of, ben, board):
    html = client_of(ben).get(LIST).content.decode()
    assert "R-0001" in html and "佐＊＊＊" in html and "備考あり" in html
    assert "佐藤" not in html and "山田" not in html and "玄関の色" not in html


def test_every_tile_counts_exactly_the_rows_it_leads_to(client_of, aoi, board):
    client = client_of(aoi)
    tiles = client.get(LIST).context["tiles"]
    for tile in tiles:
        assert len(listed(client.get(tile["url"]))) == int(tile["count"]), tile["label"]
        if tile["late"]:
            assert len(listed(client.get(tile["late_url"]))) == int(tile["late"]), tile["label"]
    assert {tile["label"]: tile["count"] for tile in tiles if tile["count"] != "0"} == {
        "確認待ち": "4", "入金待ち": "1", "引当待ち": "2", "保留": "1", "キャンセル": "1", "例外（反映失敗）": "1",
    }  # fmt: skip


def test_tile_counts_are_the_same_before_and_after_folding(board):
    before = board_figures()
    assert fold_counts() > 0
    assert board_figures() == before
    assert {stage: n for stage, n in before.count.items() if n} == rows_per_stage()


def test_brackets_lead_to_the_neighbouring_stages(client_of, aoi, board):
    tiles = client_of(aoi).get(LIST, {"stage": "awaiting_payment"}).context["tiles"]
    assert {tile["key"]: tile["label"] for tile in tiles if tile["key"]} == {"[": "確認待ち", "]": "引当待ち"}
    assert [tile["label"] for tile in tiles if tile["current"]] == ["入金待ち"]


def test_sorted_by_deadline_only_what_has_one_is_listed_and_the_page_says_so(client_of, aoi, board):
    page = client_of(aoi).get(LIST, {"sort": "ship_by"})
    assert listed(page) == ["R-0002", "R-0001", "Y-0001", "R-0003"]
    assert "出荷期限順では" in page.content.decode()
    assert listed(client_of(aoi).get(LIST, {"sort": "-ship_by"})) == ["R-0003", "Y-0001", "R-0001", "R-0002"]


def test_htmx_gets_the_desk_alone_and_a_browser_the_page(client_of, aoi, board):
    client = client_of(aoi)
    assert client.get(LIST).content.decode().startswith("<!doctype html>")
    assert client.get(LIST, headers=HTMX).content.decode().strip().startswith('<div id="desk"')


def test_an_empty_list_says_what_to_do(client_of, aoi, board):
    client = client_of(aoi)
    assert "条件に合う受注はありません" in client.get(LIST, {"q": "龍魚"}).content.decode()


class Screen:
    """A list that is open in a browser and polls."""

    def __init__(self, client, **query) -> None:
        self.client, self.query = client, query
        self.token = client.get(LIST, query).context["token"]

    def poll(self):
        return self.client.get(LIVE, {**self.query, "token": self.token}, headers=HTMX)


def test_an_unchanged_screen_is_answered_with_nothing(client_of, aoi, board):
    assert Screen(client_of(aoi)).poll().status_code == 204


def test_a_changed_row_a_new_order_and_a_closed_reason_are_shown(client_of, aoi, board):
    def hold():
        hold_orders([board["Y-0001"].pk], reason="在庫を確認", actor=Actor())

    def arrive():
        take_in(make_shop(), [make_channel_order(number="R-9999")], sku_of=mapped(make_sku()))

    def accept():
        review.accept([board["Y-0002"].pk], codes=["buyer_note"], actor=Actor())

    for change, shown in (
        (hold, "在庫を確認"),
        (arrive, "R-9999"),
        (accept, "キャンセルするか、続けるかを決める</a></td>"),
    ):
        screen = Screen(client_of(aoi))
        change()
        answer = screen.poll()
        html = answer.content.decode()
        assert answer.status_code == 200 and shown in html
        assert html.count("hx-swap-oob") == 3 and 'id="desk-live"' in html


def test_a_row_whose_fact_alone_changed_is_noticed(client_of, aoi, board):
    """Channel sync moves no stage and writes no journal: only the row itself says so."""
    screen = Screen(client_of(aoi), stage="awaiting_stock")
    Order.objects.filter(pk=board["R-0001"].pk).update(channel_sync="failed")
    assert "反映失敗" in screen.poll().content.decode()


def test_a_reason_that_leaves_the_order_where_it_was_is_noticed(client_of, aoi, board):
    """Its own row says so: the order's is not written."""
    screen = Screen(client_of(aoi), stage="awaiting_stock")
    ReviewReason.objects.create(
        order=board["R-0001"],
        code="gift_wrap",
        level="info",
        evidence="赤いリボン",
        fingerprint="x",
        raised_at=clock.now(),
    )
    assert "赤いリボン" in screen.poll().content.decode()


def test_a_count_of_another_stage_refreshes_the_tiles(client_of, aoi, board):
    screen = Screen(client_of(aoi), stage="awaiting_payment")
    hold_orders([board["R-0001"].pk], reason="確認", actor=Actor())
    assert screen.poll().status_code == 200


def test_without_scripts_the_poll_leads_to_the_list(client_of, aoi, board):
    answer = client_of(aoi).get(LIVE, {"stage": "review", "token": "x"})
    assert answer.status_code == 302 and answer["Location"] == f"{LIST}?{urlencode({'stage': 'review'})}"


def test_the_home_panel_has_the_tiles(client_of, aoi, board):
    assert "確認待ち" in client_of(aoi).get("/orders/home-panel/", headers=HTMX).content.decode()
