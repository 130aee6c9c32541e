"""The buyer's wish to cancel, and what Qoo10 does not let us do."""

import pytest
import requests

from channels.connectors.contract import Refused, StockAdjust
from channels.sandbox.qoo10 import render
from orders.channel_order import ChannelState


def test_a_wish_to_cancel_is_agreed_to_once(mall):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    order = mall.for_connector(placed.number)
    mall.world.request_cancel("qoo10", placed.number, "不要")
    for _ in range(2):
        mall.connector().answer_cancel(order, accept=True, message="")
    seen = mall.seen(placed.number)
    assert (seen.state, seen.cancel_requested) == (ChannelState.CANCELLED, False)
    assert len(mall.told("cancel")) == 2  # one for each order number


def test_saying_no_is_done_on_qoo10s_page(mall):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    mall.world.request_cancel("qoo10", placed.number, "不要")
    with pytest.raises(Refused) as caught:
        mall.connector().answer_cancel(order, accept=False, message="発送済みです")
    assert "QSM" in caught.value.cause
    assert mall.seen(placed.number).cancel_requested


def test_single_pieces_and_foreign_lines_cannot_be_cancelled(mall):
    placed = mall.sells((mall.keys[0], 2))
    order = mall.for_connector(placed.number)
    with pytest.raises(Refused) as caught:
        mall.connector().cancel_lines(order, {placed.lines[0].line_id: 1}, "buyer")
    assert "一部の個数" in caught.value.cause
    with pytest.raises(Refused):
        mall.connector().cancel_lines(order, {"999999999": 1}, "buyer")
    assert mall.told("cancel") == []


def test_what_cannot_be_done_is_declared_and_refused(mall):
    connector = mall.connector()
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    can = connector.capabilities
    assert can.partial_cancel and can.cancel_answer == "accept" and can.cannot
    assert not (can.memo or can.payment_report or can.captures or can.relative_stock)
    for run in (
        lambda: connector.write_memo(order, "済"),
        lambda: connector.report_payment(order, mall.time.now()),
        lambda: list(connector.adjust_stock([StockAdjust(mall.keys[0], 1)])),
    ):
        with pytest.raises(Refused):
            run()
    assert connector.credential_terms["certification_key"].days == 365


def test_a_json_body_is_not_what_the_mall_reads(mall):
    answer = connector_post(mall, json={"returnType": "json"})
    assert answer["ErrorCode"] == -90001


def test_a_wrong_version_header_is_refused(mall):
    answer = connector_post(mall, data={"returnType": "json"}, version="9.9")
    assert answer["ErrorCode"] == -90001


def connector_post(mall, *, version="1.0", **body):
    key = mall.simulator.credentials()["certification_key"]
    url = f"{mall.connector().api.base_url}/ShippingBasic.GetShippingInfo_v3"
    return requests.post(url, headers={"GiosisCertificationKey": key, "QAPIVersion": version}, timeout=5, **body).json()


@pytest.mark.parametrize("words", ["キャンセル完了", "Cancelled", "３"])
def test_an_accepted_cancellation_is_never_repeated_because_of_words_we_cannot_read(mall, monkeypatch, words):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    connector = mall.connector()
    monkeypatch.setitem(render.CLAIM_WORDS, 3, words)
    connector.cancel(order, "delay")
    assert len(mall.told("cancel")) == 1


def test_an_accepted_check_is_not_repeated_because_of_a_state_we_cannot_read(mall, monkeypatch):
    placed = mall.sells()
    order = mall.for_connector(placed.number)
    monkeypatch.setitem(render.STATUS_WORDS, 3, "Vorbereitung")
    mall.connector().confirm(order)
    assert len(mall.told("confirm")) == 1
