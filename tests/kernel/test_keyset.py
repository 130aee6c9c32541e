"""Pages by key: every row once, in order, forwards and backwards, with equal and empty keys."""

import random
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db.models import F
from django.test import RequestFactory

from oms.kernel.keyset import chosen_order, keyset_page
from oms.kernel.models import Effect

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 22, 3, 0, 0, 123456, tzinfo=UTC)
ORDERS = [
    ("id",),
    ("-id",),
    ("-next_try_at", "-id"),
    ("attempts", "-id"),
    ("done_at", "id"),
    ("-done_at", "id"),
    ("-done_at", "attempts", "-id"),
    ("attempts", "done_at", "-pk"),
    ("subject", "-done_at", "id"),
]


def make_effects(count=57, seed=3):
    dice = random.Random(seed)
    Effect.objects.bulk_create(
        Effect(
            kind="mail",
            key=f"key-{number}",
            subject=dice.choice(["注文:1", "注文:2", 'it\'s, [a] "subject"']),
            attempts=dice.randrange(3),
            next_try_at=START + timedelta(microseconds=dice.randrange(5)),
            done_at=dice.choice([None, None, START, START + timedelta(microseconds=1), START + timedelta(days=1)]),
            created_at=START,
        )
        for number in range(count)
    )


def page_at(url, order, rows=None, size=10):
    rows = Effect.objects.all() if rows is None else rows
    return keyset_page(RequestFactory().get(url), rows, order=order, size=size)


def walk(url, order, direction, rows=None):
    pages = []
    while url:
        pages.append(page_at(url, order, rows))
        url = getattr(pages[-1], direction)
    return pages


@pytest.mark.parametrize("order", ORDERS)
def test_forward_every_row_comes_once_and_in_order(order):
    make_effects()
    seen = [row.pk for page in walk("/list/", order, "next_url") for row in page]
    assert seen == list(Effect.objects.order_by(*order).values_list("pk", flat=True))


@pytest.mark.parametrize("order", ORDERS)
def test_backward_from_the_end_every_row_comes_once_and_in_order(order):
    make_effects()
    last = walk("/list/", order, "next_url")[-1]
    back = [last, *walk(last.prev_url, order, "prev_url")]
    seen = [row.pk for page in reversed(back) for row in page]
    whole = list(Effect.objects.order_by(*order).values_list("pk", flat=True))
    assert seen[-len(last) - 40 :] == whole[-len(last) - 40 :]
    assert set(seen) == set(whole)
    assert [row.pk for row in back[-1]] == whole[:10], "at the front edge a full first page is shown"


def test_the_first_page_has_no_way_back_and_the_last_none_on():
    make_effects(20)
    first, second = walk("/list/", ("-id",), "next_url")
    assert first.prev_url is None and first.next_url is not None
    assert second.prev_url is not None and second.next_url is None
    assert (len(first), len(second)) == (10, 10)


def test_rows_that_arrive_meanwhile_do_not_shift_the_next_page():
    make_effects(20)
    first = page_at("/list/", ("-id",))
    make = Effect.objects.order_by("-id").first()
    make.pk, make.key = None, "late"
    make.save()
    second = page_at(first.next_url, ("-id",))
    assert not {row.pk for row in first} & {row.pk for row in second}


def test_one_query_a_page_and_no_count(django_assert_num_queries):
    make_effects()
    deep = walk("/list/", ("-next_try_at", "-id"), "next_url")[3]
    with django_assert_num_queries(1) as captured:
        page_at(deep.next_url, ("-next_try_at", "-id"))
    assert "COUNT(" not in captured.captured_queries[0]["sql"].upper()


def test_other_parameters_stay_and_old_cursors_go():
    make_effects()
    first = page_at("/list/?stage=review&shop=1&shop=2", ("-id",))
    second = page_at(first.next_url, ("-id",))
    query = parse_qs(urlsplit(second.next_url).query)
    assert query["stage"] == ["review"] and query["shop"] == ["1", "2"] and len(query["after"]) == 1
    assert set(parse_qs(urlsplit(second.prev_url).query)) == {"stage", "shop", "before"}
    assert second.first_url == "/list/?stage=review&shop=1&shop=2"


@pytest.mark.parametrize(
    "cursor", ["x", "%", "bm8", "W10", "WzFd", "WyJhIiwiYiJd", "bnVsbA", "W3t9LDFd", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5LDFd"]
)
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_damaged_cursor_shows_the_first_page(cursor, name):
    make_effects(15)
    page = page_at(f"/list/?{name}={cursor}", ("attempts", "-id"))
    expected = list(Effect.objects.order_by("attempts", "-id").values_list("pk", flat=True)[:10])
    assert [row.pk for row in page] == expected


def test_it_works_on_values_and_on_computed_keys():
    make_effects()
    rows = Effect.objects.annotate(rank=F("attempts") * 10).values("rank", "pk")
    seen = [row["pk"] for page in walk("/list/", ("-rank", "pk"), "next_url", rows) for row in page]
    assert seen == list(rows.order_by("-rank", "pk").values_list("pk", flat=True))


def test_an_empty_list_is_an_empty_page():
    page = page_at("/list/", ("-id",))
    assert (len(page), page.next_url, page.prev_url) == (0, None, None)


def test_behind_the_end_the_way_back_leads_to_the_front():
    make_effects(20)
    first = page_at("/list/", ("-id",))
    Effect.objects.exclude(pk__in=[row.pk for row in first]).delete()
    second = page_at(first.next_url, ("-id",))
    assert len(second) == 0 and second.prev_url == "/list/"


def test_a_deep_page_starts_at_its_cursor(django_assert_num_queries):
    make_effects()
    second = page_at("/list/", ("-next_try_at", "-id")).next_url
    with django_assert_num_queries(1) as captured:
        page_at(second, ("-next_try_at", "-id"))
    assert '"next_try_at" <= ' in captured.captured_queries[0]["sql"]


def test_only_named_orders_can_be_asked_for():
    allowed = {"ship_by": ("ship_by", "id"), "-ship_by": ("-ship_by", "-id")}
    for asked, expected in [
        ("ship_by", ("ship_by", "id")),
        ("password", ("-ship_by", "-id")),
        ("", ("-ship_by", "-id")),
    ]:
        assert chosen_order(RequestFactory().get("/", {"sort": asked}), allowed, "-ship_by") == expected
