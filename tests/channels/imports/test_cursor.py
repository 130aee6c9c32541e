"""The cursor moves only over what was read; older news changes nothing; what a dead worker left is taken up."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from channels.connectors.contract import ChannelDown
from channels.models import QuarantinedOrder, RawOrder
from channels.services import intake
from channels.services.intake import LONGEST, OVERLAP, ranges
from orders.models import Order
from tests.channels.imports.mall import ago

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


def test_a_short_arrears_is_one_range_with_an_overlap():
    assert ranges(NOON - timedelta(minutes=5), None, NOON) == [(NOON - timedelta(minutes=5) - OVERLAP, NOON)]


def test_a_long_arrears_is_read_in_parts_that_overlap_and_leave_no_hole():
    parts = ranges(NOON - timedelta(days=3, hours=5), None, NOON)
    assert parts[0][0] == NOON - timedelta(days=3, hours=5) - OVERLAP and parts[-1][1] == NOON and len(parts) == 4
    assert all(after[0] == before[1] - OVERLAP for before, after in pairwise(parts))
    assert all(end - begin <= LONGEST + OVERLAP for begin, end in parts)


def test_a_cursor_from_a_clock_that_was_ahead_does_not_stop_the_import():
    assert ranges(NOON + timedelta(days=2), None, NOON) == [(NOON - OVERLAP, NOON)]


def test_a_range_that_breaks_off_leaves_the_cursor_and_keeps_what_was_read(connection, mall):
    before = connection.cursor
    mall.sells("N-1", ago(minutes=5))
    intake.pull(connection)
    assert connection.cursor > before
    reached = connection.cursor
    mall.sells("N-2", ago(minutes=1))
    mall.trouble = ChannelDown("モールにつながりません。")
    with pytest.raises(ChannelDown):
        intake.pull(connection)
    connection.refresh_from_db()
    assert connection.cursor == reached and connection.import_error == "モールにつながりません。"
    mall.trouble = None
    assert intake.pull(connection).created == 1


def test_an_import_of_the_last_minutes_does_not_jump_over_what_is_still_unread(connection, mall):
    """A person imports `--since` a moment ago while the shop is hours behind."""
    connection.cursor = ago(hours=5)
    connection.save(update_fields=["cursor"])
    mall.sells("OLD-1", ago(hours=3))
    mall.sells("NEW-1", ago(minutes=2))
    assert intake.pull(connection, since=ago(minutes=5)).created == 1
    connection.refresh_from_db()
    assert connection.cursor < ago(hours=4)
    assert intake.pull(connection).created == 1 and Order.objects.count() == 2


def test_a_long_arrears_confirms_each_part_by_itself(connection, mall):
    connection.cursor = ago(days=3)
    connection.save(update_fields=["cursor"])
    mall.sells("N-1", ago(days=2, hours=12))
    mall.sells("N-2", ago(hours=1))
    real, calls = mall.fetch_orders, []

    def second_part_fails(since, until):
        calls.append(since)
        if len(calls) == 2:
            raise ChannelDown("閉じています。")
        return real(since, until)

    mall.fetch_orders = second_part_fails
    with pytest.raises(ChannelDown):
        intake.pull(connection)
    connection.refresh_from_db()
    assert ago(days=2, hours=1) < connection.cursor < ago(days=1, hours=23)
    assert list(Order.objects.values_list("channel_order_no", flat=True)) == ["N-1"]
    assert intake.pull(connection).created == 1


def test_an_older_version_that_comes_late_is_kept_and_not_applied(connection, mall):
    mall.sells("N-1", ago(minutes=9), updated=ago(minutes=2))
    intake.pull(connection)
    newest = mall.raw("N-1")
    mall.sells("N-1", ago(minutes=9), updated=ago(minutes=8))
    older = mall.raw("N-1")
    for _again in range(2):
        pulled = intake.Pulled()
        intake.take_raw(connection, mall, [older], pulled)
        assert (pulled.created, pulled.updated, pulled.unchanged) == (0, 0, 1)
    kept = RawOrder.objects.order_by("pk")
    assert [row.is_current for row in kept] == [True, False]
    assert intake.payload_of(kept[0]) == newest.payload


def test_an_older_version_does_not_open_the_quarantine_of_a_newer_one(connection, mall):
    mall.sells("N-1", ago(minutes=9), updated=ago(minutes=2))
    mall.unreadable = {"N-1"}
    intake.pull(connection)
    mall.unreadable = set()
    mall.sells("N-1", ago(minutes=9), updated=ago(minutes=8))
    intake.take_raw(connection, mall, [mall.raw("N-1")], intake.Pulled())
    assert QuarantinedOrder.objects.get().resolved_at is None and not Order.objects.exists()


def test_what_a_dead_worker_had_only_kept_is_taken_in_by_the_next_import(connection, mall):
    """Also when the order lies far outside the range that the next import reads."""
    mall.sells("N-1", ago(days=30))
    intake.archive(connection, [mall.raw("N-1")])
    RawOrder.objects.update(first_seen_at=ago(minutes=3))
    assert intake.pull(connection).created == 1
    assert RawOrder.objects.get().applied and intake.pull(connection).fetched == 0


def test_a_long_range_is_taken_in_by_order_time_however_the_mall_pages_it(connection, mall):
    connection.cursor = ago(hours=6)
    connection.save(update_fields=["cursor"])
    for hours in (1, 5, 3, 2, 4):
        mall.sells(f"N-{hours}", ago(hours=hours))
    intake.pull(connection)
    came = Order.objects.order_by("pk").values_list("channel_order_no", flat=True)
    assert list(came) == ["N-5", "N-4", "N-3", "N-2", "N-1"]
