"""The shop's memo, the answer to a wish to cancel, relative stock, numbers for the daily comparison, the key's term."""

from datetime import timedelta

import pytest

from channels.connectors.contract import CredentialsRefused, Refused, StockAdjust
from tests.channels.rakuten.conftest import Mall
from tests.channels.rakuten.test_changes import ref

# ---- memo ------------------------------------------------------------------------------------------------------------


def test_a_memo_replaces_the_one_before_and_touches_nothing_else(mall: Mall):
    order = mall.sells()
    mall.world.annotate("rakuten", order.number, operator="佐藤", sub_status_id=101, sub_status_name="確認中")
    mall.connector().write_memo(ref(order), "電話確認済み\n8/10以降")
    got = mall.read(order.number)
    assert (got.shop_memo, got.sub_state, got.extra["operator"]) == ("電話確認済み\n8/10以降", "確認中", "佐藤")
    mall.connector().write_memo(ref(order), "")
    assert mall.read(order.number).shop_memo == ""


def test_a_memo_that_is_too_long_is_not_sent(mall: Mall):
    order = mall.sells()
    with pytest.raises(Refused, match="1000文字"):
        mall.connector().write_memo(ref(order), "あ" * 1001)
    assert mall.told("memo") == []


def test_a_memo_of_an_unknown_order_is_refused(mall: Mall):
    with pytest.raises(Refused, match="メモ"):
        mall.connector().write_memo({"no": "401122-20260803-0000000001"}, "x")


@pytest.mark.parametrize("fault", ["cut:1", "reset:1", "500:1", "429:2"])
def test_a_memo_is_sent_again_after_passing_trouble(mall: Mall, fault: str):
    order = mall.sells()
    mall.breaks(f"rakuten:{fault}")
    mall.connector().write_memo(ref(order), "確認済み")
    assert mall.read(order.number).shop_memo == "確認済み"


# ---- the buyer's wish to cancel --------------------------------------------------------------------------------------


def test_agreeing_to_a_wish_cancels_with_the_buyers_reason(mall: Mall):
    order = mall.sells()
    mall.world.request_cancel("rakuten", order.number, "都合")
    assert mall.read(order.number).cancel_requested
    mall.connector().answer_cancel(ref(order), accept=True, message="")
    mall.time.skip(minutes=5)
    got = mall.read(order.number)
    assert got.state.value == "cancelled"
    assert mall.told("cancel")[0].payload["reason"] == "1"


def test_declining_is_left_to_a_person_on_the_malls_page(mall: Mall):
    order = mall.sells()
    assert mall.connector().capabilities.cancel_answer == "accept"
    with pytest.raises(Refused, match="RMS"):
        mall.connector().answer_cancel(ref(order), accept=False, message="発送済みです")


# ---- stock -----------------------------------------------------------------------------------------------------------


def adjust(mall: Mall, *items: tuple[str, int]) -> dict[str, tuple[bool, str]]:
    results = mall.connector().adjust_stock([StockAdjust(key, delta) for key, delta in items])
    return {result.listing_code: (result.ok, result.error) for result in results}


def shown(mall: Mall, key: str) -> int:
    return mall.world.shown("rakuten", key).quantity


def test_relative_changes_are_added_and_those_for_one_listing_summed(mall: Mall):
    first, second = mall.keys[:2]
    before = shown(mall, first), shown(mall, second)
    results = adjust(mall, (first, 3), (second, -2), (first, 1))
    assert all(ok for ok, _ in results.values())
    assert (shown(mall, first), shown(mall, second)) == (before[0] + 4, before[1] - 2)


def test_a_bad_relative_change_does_not_stop_the_others(mall: Mall):
    good, low = mall.keys[:2]
    before = shown(mall, good)
    results = adjust(mall, (low, -100_000), ("nothing/here", 1), ("odd", 1), (good, 1))
    assert results[good] == (True, "") and shown(mall, good) == before + 1
    assert "範囲" in results[low][1] and "まだありません" in results["nothing/here"][1] and results["odd"][1]


@pytest.mark.parametrize(("fault", "done"), [("cut:1", True), ("reset:1", False), ("500:1", False)])
def test_a_relative_change_with_a_lost_answer_is_read_back_and_never_sent_twice(mall: Mall, fault: str, done: bool):
    key = mall.keys[0]
    before = shown(mall, key)
    connector = mall.connector()
    send = connector._rms.post

    def post(path: str, body: object, *, idempotent: bool = True) -> object:
        if not idempotent:
            mall.breaks(f"rakuten:{fault}")
        return send(path, body, idempotent=idempotent)  # type: ignore[arg-type]

    connector._rms.post = post  # type: ignore[method-assign,assignment]
    (result,) = connector.adjust_stock([StockAdjust(key, 5)])
    assert result.ok is done
    assert shown(mall, key) == before + (5 if done else 0)
    assert len(mall.told("stock")) == int(done)


def test_relative_changes_keep_lead_times_where_only_the_newer_call_exists(mall: Mall):
    key = mall.keys[0]
    before = shown(mall, key)
    mall.simulator.stock_version = "2.1"
    mall.world.remember("rakuten", f"held:{key}", {"operationLeadTime": {"normalDeliveryTimeId": 2}})
    assert adjust(mall, (key, 2)) == {key: (True, "")}
    assert mall.world.recall("rakuten", f"held:{key}") == {"operationLeadTime": {"normalDeliveryTimeId": 2}}
    assert shown(mall, key) == before + 2


# ---- numbers, versions, terms ----------------------------------------------------------------------------------------


def test_the_numbers_of_a_day_come_by_the_search_alone(mall: Mall):
    placed = [mall.sells(), mall.sells()]
    mall.time.skip(hours=1)
    later = mall.sells()
    since, until = placed[0].ordered_at - timedelta(minutes=1), later.ordered_at - timedelta(minutes=1)
    start = mall.time.now()
    found = [row for page in mall.connector().order_numbers(since, until) for row in page]
    assert {no for no, _ in found} == {order.number for order in placed}
    assert all(since <= at <= until for _, at in found)
    assert (mall.time.now() - start).total_seconds() < 1.5


def test_an_older_order_model_is_taken_where_the_newest_is_refused(mall: Mall, monkeypatch: pytest.MonkeyPatch):
    order = mall.sells()
    calls: list[int] = []
    connector = mall.connector()
    send = connector._rms.order

    def refuse_ten(name: str, body: dict[str, object], *, idempotent: bool) -> object:
        if name == "getOrder":
            calls.append(int(str(body["version"])))
            if body["version"] == 10:
                body = {**body, "version": 11}  # which the service does not know
        return send(name, body, idempotent=idempotent)

    monkeypatch.setattr(connector._rms, "order", refuse_ten)
    assert connector.fetch_order(order.number) is not None
    assert connector.fetch_order(order.number) is not None
    assert calls == [10, 9, 9]


def test_the_licence_key_ends_and_a_new_one_ends_the_old(mall: Mall):
    term = mall.connector().credential_terms["license_key"]
    assert (term.days, term.overlap) == (90, False) and "再発行" in term.note
    old = mall.connector()
    mall.simulator.license_key = "SL401122_reissued"
    with pytest.raises(CredentialsRefused):
        old.check()
    assert mall.connector().check()


def test_two_registrations_of_one_store_share_its_limit(mall: Mall):
    start = mall.time.now()
    for connector in (mall.connector(), mall.connector()):
        connector._rms.order("getSubStatusList", {}, idempotent=True)
    assert (mall.time.now() - start).total_seconds() >= 1


def test_what_cannot_be_done_is_said(mall: Mall):
    able = mall.connector().capabilities
    assert (able.memo, able.relative_stock, able.captures, able.partial_cancel) == (True, True, True, False)
    assert len(able.cannot) >= 4 and all("RMS" in words for words in able.cannot)
