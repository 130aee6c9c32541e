"""A pick list sums by shelf in walking order, and no gift is overlooked."""

import re

import pytest

from orders.documents.figures import pick_totals, shelf_order
from orders.documents.values import PickOrder
from tests.orders.documents.paper import make_pick, pick_item, read_pick

ONE = PickOrder(
    order_number="100001",
    recipient="髙橋 花子",
    items=(pick_item("A-10-1", "TEA", 2), pick_item("A-2-1", "CUP", 1, options="藍")),
    gifts=("のし 御祝 山田",),
    remarks="割れ物",
    barcode="S000000001",
)
TWO = PickOrder(
    order_number="100002", items=(pick_item("A-2-1", "CUP", 3, set_name="ペアセット"), pick_item("", "NEW", 1))
)


def test_sums_are_by_shelf_in_walking_order():
    rows = pick_totals(make_pick(ONE, TWO))
    assert [(row.shelf, row.code, row.quantity, row.orders) for row in rows] == [
        ("A-2-1", "CUP", 4, 2),
        ("A-10-1", "TEA", 2, 1),
        ("", "NEW", 1, 1),
    ]
    assert rows[0].set_names == ("ペアセット",)


def test_shelves_sort_as_people_count():
    shelves = ["B-1", "A-10", "", "A-2", "10", "9", "A"]
    assert sorted(shelves, key=shelf_order) == ["9", "10", "A", "A-2", "A-10", "B-1", ""]


def test_everything_to_pick_is_printed():
    pages = read_pick(make_pick(ONE, TWO, by="佐藤"))
    totals, orders = pages[0], "".join(pages[1:])
    for text in ("B20260703-02", "東京第一倉庫", "2026年7月3日 10:00", "佐藤", "A-10-1", "4901234567894", "ペアセット"):
        assert text in totals
    for text in ("100001", "髙橋 花子 様", "ギフト　のし 御祝 山田", "備考：割れ物", "藍", "100002"):
        assert text in orders


def test_only_a_gift_is_marked_as_one():
    gift, plain = "".join(read_pick(make_pick(ONE))[1:]), "".join(read_pick(make_pick(TWO))[1:])
    assert "ギフト" in gift and "ギフト" not in plain


def test_many_orders_go_over_pages_and_none_is_lost():
    orders = [PickOrder(order_number=f"1{n:05d}", items=(pick_item("A-1", "CUP", 1),)) for n in range(120)]
    pages = read_pick(make_pick(*orders))
    text = "".join(pages)
    assert all(text.count(order.order_number) == 1 for order in orders)
    assert [re.findall(r"\d+ / \d+", page)[-1] for page in pages][-1] == f"{len(pages)} / {len(pages)}"


def test_no_order_is_no_list():
    with pytest.raises(ValueError):
        read_pick(make_pick())
