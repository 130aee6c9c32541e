"""Saved lists, their counts and columns: what one saves stands beside the list, and its link is the whole of it."""

import pytest
from django.db import OperationalError

from orders.models import DeskView, Order
from orders.queries import desk_counts
from tests.orders.desk_board import fill_board

pytestmark = pytest.mark.django_db
LIST, VIEWS, SAVE, TILES = "/orders/", "/orders/views/", "/orders/views/save/", "/orders/views/tiles/"


@pytest.fixture
def board():
    return fill_board()


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch):
    """Each test counts for itself: the cache outlives the database's rollback."""
    monkeypatch.setattr(desk_counts.cache, "get_many", lambda _keys: {})


@pytest.fixture
def cast(aoi, ben, chie):
    return aoi, ben, chie


def saved(client, name: str, query: str, **fields) -> DeskView:
    client.post(SAVE, {"name": name, "query": query, "pinned": "on", **fields})
    return DeskView.objects.get(name=name)


def shown(client) -> dict[str, tuple[str, str]]:
    return {one["view"].name: (one["count"].text, one["count"].due_text) for one in client.get(TILES).context["views"]}


def test_a_saved_list_stands_beside_the_tiles_with_its_count_and_red_number(client_of, aoi, board):
    client = client_of(aoi)
    saved(client, "ヤフーの確認", "channel=yahoo&stage=review")
    view = saved(client, "今日まで", "stage=review&sort=ship_by&after=x&token=y")
    assert view.query == "stage=review&sort=ship_by", "where one stood in it is not saved"
    assert shown(client) == {"ヤフーの確認": ("1", ""), "今日まで": ("2", "1")}
    page = client.get(f"{LIST}?{view.query}")
    assert [row.no for row in page.context["rows"]] == ["R-0002", "R-0003"]
    assert "/orders/views/tiles/?stage=review&amp;sort=ship_by" in page.content.decode()
    assert client.get(f"{TILES}?{view.query}").context["views"][1]["current"]


def test_the_same_name_takes_the_old_ones_place(client_of, aoi, board):
    client = client_of(aoi)
    saved(client, "朝", "stage=new")
    assert saved(client, "朝", "stage=review").query == "stage=review"


def test_shared_ones_are_seen_by_all_and_changed_by_their_owner(client_of, cast, board):
    aoi, ben, chie = cast
    own = saved(client_of(aoi), "全員の朝", "stage=review", shared="on")
    private = saved(client_of(aoi), "私の朝", "stage=new")
    assert list(shown(client_of(ben))) == ["全員の朝"]
    assert client_of(ben).post(f"{VIEWS}{own.pk}/", {"do": "delete"}).status_code == 404
    assert client_of(ben).post(f"{VIEWS}{private.pk}/", {"do": "up"}).status_code == 404
    assert not saved(client_of(ben), "弁の", "stage=new", shared="on").shared, "who may only look shares nothing"
    for url in (VIEWS, TILES, SAVE, "/orders/views/columns/"):
        assert client_of(chie).get(url).status_code in {403, 405}
    assert client_of(chie).post(SAVE, {"name": "x"}).status_code == 403
    assert client_of(aoi).get(SAVE).status_code == client_of(aoi).post(TILES).status_code == 405


def test_views_are_renamed_moved_unpinned_and_deleted(client_of, aoi, board):
    client = client_of(aoi)
    first, second = saved(client, "一", "stage=new"), saved(client, "二", "stage=review")
    client.post(f"{VIEWS}{second.pk}/", {"do": "up"})
    assert list(shown(client)) == ["二", "一"]
    client.post(f"{VIEWS}{second.pk}/", {"do": "up"})
    assert list(shown(client)) == ["二", "一"], "at the end nothing happens"
    client.post(f"{VIEWS}{first.pk}/", {"do": "keep", "name": "朝いち"})
    assert list(shown(client)) == ["二"] and DeskView.objects.get(pk=first.pk).name == "朝いち"
    answer = client.post(f"{VIEWS}{first.pk}/", {"do": "keep", "name": "二"}, follow=True)
    assert "同じ名前のビューがあります" in answer.content.decode()
    client.post(f"{VIEWS}{second.pk}/", {"do": "delete"})
    assert list(DeskView.objects.values_list("name", flat=True)) == ["朝いち"]


def test_counts_stop_at_the_limit_and_ask_once(client_of, aoi, board, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(desk_counts, "LIMIT", 3)
    with django_assert_num_queries(5):  # the statement with its savepoint and its patience around it
        known = desk_counts.counts(["", "stage=review", "stage=new", "stage=awaiting_payment"])
    assert {query: one.text for query, one in known.items()} == {
        "": "3+", "stage=review": "3+", "stage=new": "0", "stage=awaiting_payment": "1",
    }  # fmt: skip


def test_a_view_that_takes_too_long_or_cannot_be_read_keeps_no_other_back(board, monkeypatch):
    ask = desk_counts._ask

    def impatient(readable):
        if "stage=review" in readable:
            raise OperationalError("canceling statement due to statement timeout")
        return ask(readable)

    monkeypatch.setattr(desk_counts, "_ask", impatient)
    known = desk_counts.counts(["stage=review", "stage=nonsense", "stage=awaiting_payment"])
    assert [known[query].text for query in ("stage=review", "stage=nonsense", "stage=awaiting_payment")] == [
        "",
        "",
        "1",
    ]


def test_columns_are_chosen_and_ordered_by_the_address(client_of, aoi, ben, board):
    Order.objects.filter(pk=board["R-0001"].pk).update(
        internal_note="とても長い社内メモなので途中で切れます。ここは見えない", assignee=ben, tracking_label="1234-5678"
    )
    client = client_of(aoi)
    led = client.get(
        "/orders/views/columns/",
        {"query": "stage=awaiting_stock", "col": ["memo", "no", "assignee"], "place-assignee": "1", "place-no": "2",
         "place-memo": "3"},
    )["Location"]  # fmt: skip
    assert led == "/orders/?stage=awaiting_stock&col=assignee&col=no&col=memo"
    html = client.get(led).content.decode()
    assert html.index('data-column="assignee"') < html.index('data-column="no"') < html.index('data-column="memo"')
    assert (
        str(ben) in html
        and "とても長い社内メモなので途中で切れます。…" in html
        and "ここは見えない" not in html.split("desk-marks")[0]
    )
    assert "次にすること</th>" not in html
    assert "&amp;col=assignee" in html, "the columns stay from tile to tile"
    masked = client_of(ben).get("/orders/?col=no&col=memo").content.decode()
    assert "とても長い" not in masked
    back = client.get("/orders/views/columns/", {"query": "col=memo&stage=new", "col": ["memo"], "default": "1"})
    assert back["Location"] == "/orders/?stage=new"


def test_every_column_can_be_shown(client_of, aoi, board):
    codes = [
        column["code"] if isinstance(column, dict) else column[0].code
        for column in client_of(aoi).get(VIEWS).context["columns"]
    ]
    page = client_of(aoi).get(LIST, {"col": codes})
    assert page.status_code == 200 and len(page.context["columns"]) == len(codes) == 28


def test_an_empty_name_and_too_many_are_said(client_of, aoi, board, monkeypatch):
    client = client_of(aoi)
    assert "field-error" in client.post(SAVE, {"name": "", "query": ""}).content.decode()
    monkeypatch.setattr("orders.services.desk_views.MOST", 1)
    saved(client, "一", "")
    assert "保存できるのは 1個までです。" in client.post(SAVE, {"name": "二", "query": ""}).content.decode()
