"""Baskets over HTTP: put together from rows and claims, followed through their states."""

from datetime import timedelta

import pytest

from channels.connectors.contract import ChannelDown, CredentialsRefused, RateLimited, Refused
from channels.connectors.qoo10 import codes, fetch
from channels.connectors.qoo10.rows import plain, stamp
from channels.connectors.qoo10.transport import api_url, as_list, read_envelope
from channels.sandbox.qoo10.wire import envelope
from orders.channel_order import ChannelState, PaymentState


def numbers(orders):
    return [order.channel_order_no for order in orders]


def test_a_basket_arrives_with_all_its_lines(mall):
    placed = mall.sells((mall.keys[0], 2), (mall.keys[7], 1), remarks="置き配 & <在宅>")
    (raw,), pages = mall.pull()
    order = mall.connector().parse(raw.payload)
    assert pages[-1].cursor is not None
    assert (order.channel_order_no, order.state, order.remarks) == (
        placed.number,
        ChannelState.TO_CONFIRM,
        placed.remarks,
    )
    assert [(line.line_id, line.channel_sku) for line in order.lines] == [
        (line.line_id, line.listing.key) for line in placed.lines
    ]
    assert order.totals.total == placed.amount_due


@pytest.mark.parametrize("style", ["text", "int"])
def test_numbers_in_any_style(mall, style):
    mall.simulator.number_style = style
    mall.simulator.single_object = True
    placed = mall.sells((mall.keys[0], 3))
    (raw,), _ = mall.pull()
    assert mall.connector().parse(raw.payload).totals.total == placed.amount_due


def test_overlapping_polls_bring_each_version_once(mall):
    cursor = mall.time.now() - timedelta(minutes=5)
    came, placed = [], []
    for _ in range(5):
        placed.append(mall.sells().number)
        mall.time.skip(minutes=2)
        orders, pages = mall.pull(cursor - timedelta(minutes=15))
        cursor = pages[-1].cursor
        came += numbers(orders)
    assert came == placed


def test_many_baskets_come_in_pages(mall, monkeypatch):
    monkeypatch.setattr(fetch, "PAGE", 3)
    placed = [mall.sells().number for _ in range(7)]
    orders, pages = mall.pull()
    assert numbers(orders) == placed
    assert [page.cursor is None for page in pages] == [True, True, False]


def test_unpaid_waits_and_paid_is_to_be_confirmed(mall):
    placed = mall.sells(payment="konbini")
    (raw,), pages = mall.pull()
    order = mall.connector().parse(raw.payload)
    assert (order.state, order.payment_state) == (ChannelState.OPEN, PaymentState.UNPAID)
    mall.world.pay("qoo10", placed.number)
    mall.time.skip(minutes=1)
    (raw,), _ = mall.pull(pages[-1].cursor)
    assert mall.connector().parse(raw.payload).state is ChannelState.TO_CONFIRM


def test_a_cancelled_basket_vanishes_and_is_told_by_its_claim(mall):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    _, pages = mall.pull()
    mall.time.skip(hours=3)
    mall.world.cancel("qoo10", placed.number, by="buyer", reason="注文間違い")
    mall.time.skip(minutes=1)
    (raw,), _ = mall.pull(pages[-1].cursor)
    order = mall.connector().parse(raw.payload)
    assert (order.state, len(order.lines), order.cancel_reason) == (ChannelState.CANCELLED, 2, "注文間違い")
    assert {line.cancelled_quantity for line in order.lines} == {1}
    assert order.lines[0].channel_sku == placed.lines[0].listing.key


def test_a_cancelled_line_stays_in_its_basket(mall):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    _, pages = mall.pull()
    mall.world.cancel("qoo10", placed.number, by="buyer", reason="不要", line_nos=[2])
    mall.time.skip(minutes=1)
    (raw,), _ = mall.pull(pages[-1].cursor)
    order = mall.connector().parse(raw.payload)
    assert [line.cancelled_quantity for line in order.lines] == [0, 1]
    assert order.state is ChannelState.TO_CONFIRM


def test_a_basket_that_no_list_shows_any_more_is_asked_for(mall, monkeypatch):
    placed = mall.sells()
    _, pages = mall.pull()
    mall.world.cancel("qoo10", placed.number, by="mall", reason="未入金")
    mall.time.skip(minutes=1)
    monkeypatch.setattr(fetch, "_search_claims", lambda *given: [])
    (raw,), pages = mall.pull(pages[-1].cursor)
    assert mall.connector().parse(raw.payload).state is ChannelState.CANCELLED
    mall.time.skip(minutes=1)
    assert mall.pull(pages[-1].cursor)[0] == [], "it is settled now"


def test_an_empty_list_cancels_nothing(mall, monkeypatch):
    mall.sells()
    _, pages = mall.pull()
    monkeypatch.setattr(fetch, "_search", lambda *given: [])
    mall.time.skip(minutes=1)
    orders, _ = mall.pull(pages[-1].cursor)
    assert {mall.connector().parse(order.payload).state for order in orders} <= {ChannelState.TO_CONFIRM}


def test_a_wish_to_cancel_is_seen(mall):
    placed = mall.sells()
    _, pages = mall.pull()
    mall.world.request_cancel("qoo10", placed.number, "間違えました")
    mall.time.skip(minutes=1)
    (raw,), _ = mall.pull(pages[-1].cursor)
    order = mall.connector().parse(raw.payload)
    assert (order.cancel_requested, order.cancel_reason) == (True, "間違えました")


def test_what_was_sent_by_hand_in_qsm_is_seen(mall):
    placed = mall.sells()
    _, pages = mall.pull()
    mall.world.confirm("qoo10", placed.number)
    mall.world.ship(
        "qoo10", placed.number, carrier="yamato", tracking="400000000001", shipped_on=mall.time.now().date()
    )
    mall.time.skip(minutes=1)
    (raw,), _ = mall.pull(pages[-1].cursor)
    order = mall.connector().parse(raw.payload)
    assert (order.state, order.tracking_nos) == (ChannelState.SHIPPED, ("400000000001",))


def test_a_line_sent_long_ago_stays_in_an_open_basket(mall):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    mall.world.confirm("qoo10", placed.number)
    mall.world.ship(
        "qoo10",
        placed.number,
        carrier="yamato",
        tracking="400000000001",
        shipped_on=mall.time.now().date(),
        quantities={1: 1},
    )
    mall.time.skip(days=9)
    (raw,), _ = mall.pull()
    assert [line.shipped_quantity for line in mall.connector().parse(raw.payload).lines] == [1, 0]


def test_a_long_look_back_is_split(mall):
    old = mall.sells()
    mall.time.skip(days=85)
    new = mall.sells()
    found, _ = mall.pull(mall.time.now() - timedelta(days=200))
    assert numbers(found) == [old.number, new.number]


def test_one_basket(mall):
    placed = mall.sells((mall.keys[0], 1), (mall.keys[1], 1))
    assert len(mall.seen(placed.number).lines) == 2
    assert mall.connector().fetch_order("1") is None


def test_a_row_without_numbers_does_not_stop_the_rest(mall, monkeypatch):
    placed = mall.sells()
    real = fetch._search
    monkeypatch.setattr(fetch, "_search", lambda *given: [{"PackNo": None}, "odd", *real(*given)])
    orders, pages = mall.pull()
    assert numbers(orders) == [placed.number]
    assert len(pages[-1].problems) == 6


# ---- credentials and faults ----------------------------------------------------------------------------------------


def test_check_tells_what_it_saw(mall):
    mall.sells()
    assert mall.connector().check() == "Qoo10に接続しました。発注確認待ち 1件（直近7日）。"


def test_a_key_is_made_from_the_login_once_and_kept(mall):
    for _ in range(2):
        assert "接続しました" in mall.connector(certification_key="").check()
    assert mall.simulator.keys.state(mall.saved["certification_key"]) == "live"
    assert len(mall.simulator.keys._kept()) == 2


@pytest.mark.parametrize(
    "credentials",
    [
        {"certification_key": "wrong", "api_key": ""},
        {"certification_key": "", "password": "wrong"},
        {"certification_key": "", "api_key": ""},
    ],
)
def test_wrong_credentials_are_named(mall, credentials):
    with pytest.raises(CredentialsRefused) as caught:
        mall.connector(**credentials).check()
    assert "wrong" not in f"{caught.value.cause} {caught.value.detail}"


def test_an_expired_key_is_renewed_where_the_login_is_known(mall):
    mall.breaks("qoo10:expired_token")
    assert "接続しました" in mall.connector().check()
    assert mall.saved["certification_key"] != mall.simulator.keys.first


def test_an_expired_key_without_login_stops_the_shop(mall):
    mall.breaks("qoo10:expired_token")
    with pytest.raises(CredentialsRefused) as caught:
        mall.connector(password="").check()
    assert "期限" in caught.value.cause


def test_renewing_does_not_loop(mall):
    mall.breaks("qoo10:revoked")
    with pytest.raises(CredentialsRefused):
        mall.connector().check()
    made = len(mall.simulator.keys._kept())
    with pytest.raises(CredentialsRefused):
        mall.connector().check()
    assert len(mall.simulator.keys._kept()) == made


@pytest.mark.parametrize("fault", ["429:2", "500:2", "503:2", "maintenance:2", "cut:1", "reset:2"])
def test_passing_troubles_pass(mall, fault):
    placed = mall.sells()
    mall.breaks(f"qoo10:{fault}")
    assert numbers(mall.pull()[0]) == [placed.number]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("429", RateLimited), ("500", ChannelDown), ("maintenance", ChannelDown), ("reset", ChannelDown)],
)
def test_lasting_troubles_are_told(mall, fault, kind):
    mall.breaks(f"qoo10:{fault}")
    with pytest.raises(kind) as caught:
        mall.pull()
    assert caught.value.retry


def test_calls_keep_their_distance(mall):
    before = mall.time.now()
    for _ in range(3):
        mall.connector().check()
    assert (mall.time.now() - before).total_seconds() >= 0.6


def test_an_unknown_method_is_a_plain_refusal(mall):
    with pytest.raises(Refused):
        mall.connector().api.call("ShippingBasic.NoSuch", {})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "https://api.qoo10.jp/GMKT.INC.Front.QAPIService/ebayjapan.qapi"),
        ("http://h:1/qoo10", "http://h:1/qoo10/GMKT.INC.Front.QAPIService/ebayjapan.qapi"),
        ("http://h/GMKT.INC.Front.QAPIService/ebayjapan.qapi", "http://h/GMKT.INC.Front.QAPIService/ebayjapan.qapi"),
    ],
)
def test_addresses(given, expected):
    assert api_url(given) == expected


def test_all_shapes_of_an_answer():
    rows = [{"OrderNo": 1, "Buyer": "見本 & 花子"}]
    for as_json in (True, False):
        code, _, result = read_envelope(envelope(0, "成功", rows, as_json=as_json).data, uncertain=False)
        assert (code, [str(row["OrderNo"]) for row in as_list(result)]) == (0, ["1"])
    for empty in (
        b'{"ResultObject":null,"ResultCode":"0"}',
        b'{"ResultObject":"","ResultCode":0}',
        b'{"ResultCode":0}',
    ):
        code, _, result = read_envelope(empty, uncertain=False)
        assert (code, as_list(result)) == (0, [])
    assert read_envelope('\ufeff{"ErrorCode":-90001,"ErrorMsg":"存在しない"}'.encode(), uncertain=False)[0] == -90001
    assert as_list({"OrderNo": 1}) == [{"OrderNo": 1}]
    for broken in (b"{}", b"[1]", b'{"ResultCode":"x"}', b"<a"):
        with pytest.raises(ChannelDown):
            read_envelope(broken, uncertain=False)


def test_rows_in_xml_say_the_same_as_in_json(mall):
    mall.sells((mall.keys[0], 2), (mall.keys[1], 1), remarks="A & B <C>")
    api = mall.connector().api
    now = mall.time.now()
    fields = {
        "ShippingStatus": "0",
        "SearchStartDate": stamp(now - timedelta(days=1)),
        "SearchEndDate": stamp(now),
        "SearchCondition": "1",
    }
    key = mall.simulator.credentials()["certification_key"]
    answers = [
        api.send(codes.LIST_ORDERS, {**fields, "returnType": kind}, key, idempotent=True).rows
        for kind in ("application/json", "text/xml")
    ]
    as_json, as_xml = ([plain(row) for row in rows] for rows in answers)
    assert as_json == as_xml and len(as_xml) == 2
