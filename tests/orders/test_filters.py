"""The desk's filters, one by one and together, and their chips."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict

from oms.kernel import clock
from orders.filters import OrderFilter, chips
from orders.models import Order, Shop
from orders.services.intake import take_in
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
LIST = "/orders/"


def found(query: str) -> set[str]:
    filters = OrderFilter(QueryDict(query), queryset=Order.objects.all())
    assert not filters.form.errors
    return set(filters.qs.values_list("channel_order_no", flat=True))


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("ペンダント", {"G-0"}),
        ("しんちゅう", set()),
        ("のれん", {"G-1"}),
        ("ﾍﾟﾝﾀﾞﾝﾄ", {"G-0"}),
        ("4901234567894", {"G-0"}),
        ("LAMP01", {"G-0"}),
        ("zzz-9", {"G-1"}),
        ("154-0024", {"G-0", "G-1"}),
        ("佐藤 のれん", {"G-1"}),
    ],
)
def test_goods_and_postal_codes_are_searched(typed, numbers):
    taken_with_goods()
    assert found(f"q={typed}") == numbers


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("stage=awaiting_payment", {"R-0005"}),
        ("stage=awaiting_payment&stage=on_hold", {"R-0005", "R-0007"}),
        ("channel=yahoo", {"Y-0001", "Y-0002"}),
        ("reason=item_unmapped", {"R-0004"}),
        ("reason=item_unmapped&reason=channel_cancel_request", {"R-0004", "Y-0002"}),
        ("due=past", {"R-0002"}),
        ("payment_method=cod&payment_method=bank_transfer", {"R-0005", "R-0007"}),
        ("payment_state=unpaid", {"R-0005"}),
        ("prefecture=大阪府", {"R-0003"}),
        ("total_min=2000", {"R-0001", "R-0007", "Y-0001"}),
        ("total_min=2000&total_max=3000", {"R-0001"}),
        ("sync=failed", {"R-0006"}),
        ("has=remarks", {"R-0002", "Y-0002"}),
        ("has=gift", {"R-0003"}),
        ("has=remarks&has=gift", set()),
        ("channel=yahoo&has=remarks&stage=review", {"Y-0002"}),
        ("numbers=R-0001, Y-0002、R-9", {"R-0001", "Y-0002"}),
        ("level=block", {"R-0002", "R-0003", "R-0004", "Y-0002"}),
        ("edited=1", set()),
        ("person=山田", {"R-0003"}),
        ("postal=154&channel=yahoo", {"Y-0001", "Y-0002"}),
        ("postal=999", set()),
        ("sku=CHAIR&has=one_line&units_min=3", {"R-0007", "Y-0001"}),
        ("sku_only=DESK", {"R-0004"}),
        ("goods=昇降", {"R-0004"}),
        ("units_min=2&units_max=2", {"R-0001"}),
        ("has=single_unit&channel=yahoo", {"Y-0002"}),
        ("has=other_recipient", {"R-0003"}),
        ("has=cancel_requested", {"Y-0002"}),
        ("has=tracking", set()),
        ("allocation=full", set()),
        ("wish_from=2000-01-01", set()),
        ("mail_failed=shipped", set()),
        ("overdue=1", set()),
        ("channel=yahoo&not=channel&stage=review", {"R-0002", "R-0003", "R-0004"}),
        ("q=山田&not=q&has=gift", set()),
        ("goods=昇降&not=goods&reason=item_unmapped", set()),
        ("sku=CHAIR&not=sku&channel=rakuten", {"R-0004"}),
    ],
)
def test_a_filter_narrows_to(board, query, numbers):
    assert found(query) == numbers


def test_by_shop(board):
    assert found(f"shop={Shop.objects.get(code='yahoo-1').pk}") == {"Y-0001", "Y-0002"}


def test_deadlines_by_day_count_only_what_still_has_to_leave(board):
    in_three_days = (clock.in_tokyo(clock.now()) + timedelta(days=3)).date()
    assert found(f"ship_by_from={in_three_days}") == {"R-0003"}
    assert found(f"ship_by_to={in_three_days - timedelta(days=2)}") == {"R-0001", "R-0002", "Y-0001"}
    Order.objects.filter(channel_order_no="R-0003").update(shipped_at=clock.now())
    assert found(f"ship_by_from={in_three_days}") == set()


def test_days_of_ordering_are_days_in_tokyo(board):
    day = clock.in_tokyo(board["Y-0002"].ordered_at).date()
    assert "Y-0002" in found(f"ordered_from={day}&ordered_to={day}")
    assert "R-0001" not in found(f"ordered_to={day}")


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [("山田", {"R-0003"}), ("ヤマ", {"R-0003"}), ("やまだ", {"R-0003"}), ("Y-0001", {"Y-0001"}), ("desk", {"R-0004"})],
)
def test_two_characters_find_name_kana_number_and_sku(board, typed, numbers):
    assert found(f"q={typed}") == numbers


def test_the_tail_of_a_phone_and_a_mail_are_found(board):
    other = replace(TOKYO_PARTY, phone="080-7777-4321", email="hanako@example.org")
    take_in(make_shop(), [make_channel_order(number="R-0100", buyer=other)], sku_of=mapped(make_sku()))
    assert found("q=4321") == {"R-0100"} and found("q=hanako@") == {"R-0100"}


def test_search_and_filters_together(board):
    take_in(make_shop(), [make_channel_order(make_line("CHAIR"), number="R-0200")], sku_of=mapped(make_sku()))
    assert "R-0200" in found("q=佐藤&stage=awaiting_stock")
    assert found("q=山田&stage=awaiting_stock") == set()


def test_each_chosen_value_is_a_chip_that_takes_itself_off(board):
    query = QueryDict("stage=review&stage=on_hold&q=佐藤&total_min=1000&after=x&chosen=y")
    shown = chips(OrderFilter(query, queryset=Order.objects.all()))
    assert [chip.text for chip in shown] == [
        "検索: 「佐藤」", "ステータス: 確認待ち", "ステータス: 保留", "合計金額（下限）: ¥1,000",
    ]  # fmt: skip
    rest = QueryDict(shown[1].without)
    assert rest.getlist("stage") == ["on_hold"] and rest["q"] == "佐藤" and "after" not in rest and "chosen" not in rest
    assert "total_min" not in QueryDict(shown[3].without)


def test_what_cannot_be_read_is_left_out_and_said(client_of, aoi, board):
    page = client_of(aoi).get(LIST, {"stage": "nonsense", "payment_method": "cod", "ordered_from": "きのう"})
    assert [row.no for row in page.context["rows"]] == ["R-0007"]
    assert "読み取れない条件" in page.content.decode()


def test_only_the_named_filters_are_built_for_the_list_and_all_for_the_panel(client_of, aoi, board):
    query = QueryDict("stage=review")
    assert list(OrderFilter(query, queryset=Order.objects.all()).form.fields) == ["stage"]
    panel = client_of(aoi).get("/orders/filter/?stage=review&sort=ship_by")
    parts = [part for group in panel.context["groups"] for part in group.parts]
    assert len(parts) > 50 and len({part.first.name for part in parts}) == len(parts)
    html = panel.content.decode()
    assert (
        'value="review"' in html and "checked" in html and '<input type="hidden" name="sort" value="ship_by">' in html
    )


def test_the_panel_carries_what_it_has_no_field_for_and_opens_what_is_chosen(client_of, aoi, board):
    panel = client_of(aoi).get("/orders/filter/?number=late&number_from=2026-01-01&carrier=sagawa&after=x&find=")
    assert panel.context["carried"] == [("number", "late"), ("number_from", "2026-01-01")]
    assert [group.open for group in panel.context["groups"]] == [True, False, False, False, False, True, *[False] * 3]


def test_conditions_are_found_by_their_own_words_and_by_their_choices(client_of, aoi, board):
    panel = client_of(aoi).get("/orders/filter/?find=佐川&has=gift")
    shown = {part.first.name for group in panel.context["groups"] for part in group.parts if part.shown}
    assert shown == {"carrier"}
    carrier = next(part for group in panel.context["groups"] for part in group.parts if part.first.name == "carrier")
    assert [str(choice.choice_label) for choice, on in carrier.choices if on] == ["佐川急便"]
    html = panel.content.decode()
    assert 'value="gift"' in html, "what is chosen elsewhere stays in the form"
    asking = {"HX-Request": "true", "HX-Target": "desk-filter-groups"}
    nothing = client_of(aoi).get("/orders/filter/?find=存在しない", headers=asking)
    assert "その言葉の条件はありません" in nothing.content.decode() and "<form" not in nothing.content.decode()


def taken_with_goods():
    """One order of a lamp with a JAN code, and one of a listing that nobody has mapped."""
    lamp = make_sku("LAMP-01", jan="4901234567894")
    sku_of = {"LAMP-01": replace(mapped(lamp)["LAMP-01"], jan=lamp.jan)}
    lines = (make_line("LAMP-01", name="真鍮のペンダントライト"), make_line("zzz-9", name="送料無料 藍染のれん"))
    orders = [make_channel_order(line, number=f"G-{place}") for place, line in enumerate(lines)]
    take_in(make_shop(), orders, sku_of=sku_of)


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("@保留", {"R-0007"}),
        ("＠on_hold", {"R-0007"}),
        ("@入金待ち 佐藤", {"R-0005"}),
        ("@無い", set()),
        ("@", set()),
    ],
)
def test_a_stage_is_asked_with_an_at_sign(board, typed, numbers):
    assert found(f"q={typed}") == numbers


def test_the_filters_of_rare_facts_have_an_index_with_their_very_condition(board):
    """Were one written differently, the list would read every order to find that few have it."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off")
        for code, index in {
            "remarks": "order_remarked",
            "memo": "order_noted",
            "gift": "order_gift",
            "wish": "order_wished",
            "fba": "order_by_channel",
        }.items():
            rows = OrderFilter(QueryDict(f"has={code}"), queryset=Order.objects.all()).qs
            assert f"using {index} " in rows.order_by("-ordered_at", "-id").explain(), code


def test_a_turned_field_is_a_chip_that_says_so_and_goes_as_a_whole(board):
    query = QueryDict("stage=review&stage=on_hold&not=stage&not=tag&q=山田")
    filters = OrderFilter(query, queryset=Order.objects.all())
    texts = {chip.text: chip.without for chip in chips(filters)}
    assert set(texts) == {"ステータス（以外）: 確認待ち", "ステータス（以外）: 保留", "検索: 「山田」"}
    without = QueryDict(texts["ステータス（以外）: 確認待ち"])
    assert (without.getlist("stage"), without.getlist("not")) == (["on_hold"], ["stage", "tag"])
    one = OrderFilter(without, queryset=Order.objects.all())
    last = next(chip for chip in chips(one) if "保留" in chip.text)
    assert QueryDict(last.without).getlist("not") == ["tag"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("total_min=2000&total_max=3000&not=total_min", {"R-0002", "R-0003", "R-0004", "R-0005", "R-0006", "R-0007"}),
        ("total_max=3000&not=total_max", {"R-0007"}),
        ("total_min=2000&total_max=3000&not=total_max&reason=item_unmapped", {"R-0004"}),
        ("units_min=2&units_max=3&not=units_min&payment_method=cod", {"R-0007"}),
        ("wish_from=2000-01-01&not=wish_from&has=gift", {"R-0003"}),
        ("due=past&not=due&has=remarks", set()),
        ("edited=1&not=edited&has=gift", {"R-0003"}),
        ("overdue=1&not=overdue&has=gift", {"R-0003"}),
        ("not=total_min&has=gift", {"R-0003"}),
        ("cod_min=1", {"R-0007"}),
        ("cod_max=1", set()),
        ("lines_min=1&has=gift", {"R-0003"}),
        ("lines_min=2", set()),
        ("lines_max=1&has=gift", {"R-0003"}),
        ("country=JP&has=gift", {"R-0003"}),
        ("country=us, tw", set()),
        ("parcels_min=2", set()),
        ("parcels_max=1&has=gift", {"R-0003"}),
        ("arrival_from=2000-01-01", set()),
        ("short_sku=CHAIR", set()),
    ],
)
def test_a_range_is_turned_round_as_one(board, query, numbers):
    assert found(f"channel=rakuten&{query}") == numbers
