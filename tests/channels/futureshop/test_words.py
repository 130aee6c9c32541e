"""Payments, relative stock, numbers for the daily comparison, and what is left to futureshop's own pages."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.connectors.contract import ChannelDown, ConnectorSettings, Refused, StockAdjust
from channels.connectors.futureshop import FutureshopConnector
from tests.channels.futureshop.conftest import Mall
from tests.channels.futureshop.test_changes import ref

PAID = datetime(2026, 8, 3, 16, 0, tzinfo=UTC)  # the fourth of August in Tokyo

# ---- payments --------------------------------------------------------------------------------------------------------


def test_a_payment_is_marked_with_its_day(mall: Mall):
    order = mall.sells(payment="bank")
    assert mall.read(order.number).payment_state.value == "unpaid"
    mall.connector().report_payment(ref(order), PAID)
    got = mall.read(order.number)
    assert got.payment_state.value == "paid"
    assert got.paid_at == datetime(2026, 8, 3, 15, 0, tzinfo=UTC)


def test_a_payment_already_marked_stays_as_it_is(mall: Mall):
    order = mall.sells(payment="bank")
    mall.connector().report_payment(ref(order), PAID)
    mall.connector().report_payment(ref(order), PAID + timedelta(days=3))
    assert mall.read(order.number).paid_at == datetime(2026, 8, 3, 15, 0, tzinfo=UTC)
    assert len(mall.told("payment")) == 1


def test_no_payment_is_marked_on_a_cancelled_order(mall: Mall):
    order = mall.sells(payment="bank")
    mall.world.cancel("futureshop", order.number, by="buyer")
    with pytest.raises(Refused, match="注文取消"):
        mall.connector().report_payment(ref(order), PAID)


def test_a_locked_order_is_marked_later(mall: Mall):
    order = mall.sells(payment="bank")
    mall.simulator.locked = {order.number}
    with pytest.raises(ChannelDown, match="ロック") as locked:
        mall.connector().report_payment(ref(order), PAID)
    assert locked.value.retry_after_s == 300
    mall.simulator.locked = set()
    mall.connector().report_payment(ref(order), PAID)
    assert mall.read(order.number).payment_state.value == "paid"


# ---- stock -----------------------------------------------------------------------------------------------------------


def shown(mall: Mall, key: str) -> int:
    return mall.world.shown("futureshop", key).quantity


def adjust(mall: Mall, *items: tuple[str, int]) -> dict[str, tuple[bool, str]]:
    results = mall.connector().adjust_stock([StockAdjust(key, delta) for key, delta in items])
    return {result.listing_code: (result.ok, result.error) for result in results}


def test_relative_changes_are_added_and_those_for_one_listing_summed(mall: Mall):
    first, second = mall.keys[:2]
    before = shown(mall, first), shown(mall, second)
    assert all(ok for ok, _ in adjust(mall, (first, 3), (second, -2), (first, 1)).values())
    assert (shown(mall, first), shown(mall, second)) == (before[0] + 4, before[1] - 2)


def test_a_bad_relative_change_does_not_stop_the_others(mall: Mall):
    good, low, unmanaged = mall.keys[0], mall.keys[1], mall.keys[-1]
    mall.simulator.unmanaged = {unmanaged.partition("/")[0]}
    before = shown(mall, good)
    results = adjust(mall, (low, -200_000_000), ("nothing//", 1), ("odd", 1), (unmanaged, 1), (good, 1))
    assert results[good] == (True, "") and shown(mall, good) == before + 1
    assert "範囲" in results[low][1]
    assert not any(results[code][0] for code in ("nothing//", "odd", unmanaged))


@pytest.mark.parametrize(("fault", "done"), [("cut:1", True), ("reset:1", False), ("500:1", False)])
def test_a_relative_change_with_a_lost_answer_is_read_back_and_never_sent_twice(mall: Mall, fault: str, done: bool):
    key = mall.keys[0]
    before = shown(mall, key)
    connector = mall.connector()
    connector.check()
    send = connector._api.post

    def post(path: str, body: object, *, idempotent: bool = True) -> object:
        mall.breaks(f"futureshop:{fault}")
        return send(path, body, idempotent=idempotent)  # type: ignore[arg-type]

    connector._api.post = post  # type: ignore[method-assign,assignment]
    (result,) = connector.adjust_stock([StockAdjust(key, 5)])
    assert result.ok is done
    assert shown(mall, key) == before + (5 if done else 0)
    assert len(mall.told("stock")) == int(done)


# ---- numbers, limits, and what is left to people ---------------------------------------------------------------------


def test_the_numbers_of_a_day_come_by_the_search_alone(mall: Mall):
    mall.simulator.order_page = 2
    placed = [mall.sells() for _ in range(3)]
    mall.time.skip(hours=1)
    later = mall.sells()
    since, until = placed[0].ordered_at - timedelta(minutes=1), later.ordered_at - timedelta(minutes=1)
    found = [row for page in mall.connector().order_numbers(since, until) for row in page]
    assert [no for no, _ in found] == [order.number for order in placed]
    assert all(abs((at - placed[0].ordered_at).total_seconds()) < 60 for _, at in found)


def test_shops_of_one_client_share_its_limit(mall: Mall):
    def connector(code: str) -> FutureshopConnector:
        settings = ConnectorSettings(
            shop_code=code,
            base_url=mall.simulator.base_url(mall.root),
            auth_url="",
            credentials=mall.simulator.credentials(),
        )
        return FutureshopConnector(settings)

    connector("one").check()
    start = mall.time.now()
    for code in ("one", "two", "three"):
        connector(code).check()
    assert (mall.time.now() - start).total_seconds() >= 3 * 1.05


def test_wishes_to_cancel_and_memos_are_left_to_the_admin(mall: Mall):
    order = mall.sells()
    able = mall.connector().capabilities
    assert (able.cancel, able.cancel_answer, able.memo, able.payment_report) == (False, "none", False, True)
    assert len(able.cannot) >= 5
    for accept in (True, False):
        with pytest.raises(Refused, match="管理画面"):
            mall.connector().answer_cancel(ref(order), accept=accept, message="")
    with pytest.raises(Refused):
        mall.connector().write_memo(ref(order), "x")
    assert mall.connector().credential_terms == {}
