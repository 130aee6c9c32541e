"""Orders over HTTP: windows, pages, changes, faults. Nothing is lost, nothing comes twice without need."""

from datetime import timedelta

import pytest

from channels.connectors.contract import ChannelDown, CredentialsRefused, RateLimited
from channels.connectors.yahoo import fetch
from channels.connectors.yahoo.transport import api_url
from channels.sandbox.yahoo import wire
from orders.channel_order import ChannelState, PaymentState


def numbers(orders):
    return [order.channel_order_no for order in orders]


def test_an_order_arrives_with_all_it_says(mall):
    placed = mall.sells((mall.keys[0], 2), (mall.keys[7], 1), remarks="平日に <届けて> & 電話ください")
    (raw,), pages = mall.pull(mall.time.now() - timedelta(hours=1))
    order = mall.connector().parse(raw.payload)
    assert pages[-1].cursor == mall.time.now() or pages[-1].cursor is not None
    assert (order.channel_order_no, order.remarks) == (placed.number, placed.remarks)
    assert [line.channel_sku for line in order.lines] == [line.listing.key for line in placed.lines]
    assert order.totals is not None and order.totals.total == placed.amount_due
    assert (order.state, order.payment_state) == (ChannelState.OPEN, PaymentState.AUTHORIZED)
    assert order.recipients[0].name == placed.destination.recipient.name


def test_orders_of_the_last_ten_minutes_are_seen_and_settle_later(mall):
    mall.sells(settled=False)
    since = mall.time.now() - timedelta(hours=1)
    connector = mall.connector()
    (early,), pages = mall.pull(since, connector)
    assert connector.parse(early.payload).state is ChannelState.PROVISIONAL
    mall.time.skip(minutes=11)
    (later,), _ = mall.pull(pages[-1].cursor, connector)
    assert connector.parse(later.payload).state is ChannelState.OPEN


def test_pages_of_the_list_lose_and_double_nothing(mall, monkeypatch):
    monkeypatch.setattr(fetch, "ROWS", 3)
    monkeypatch.setattr(fetch, "PAGE", 2)
    since = mall.time.now() - timedelta(minutes=1)
    placed = [mall.sells(settled=False).number for _ in range(8)]
    mall.time.skip(minutes=11)
    mall.breaks("yahoo:duplicate:2")
    orders, pages = mall.pull(since)
    assert numbers(orders) == placed
    assert len(pages) == 4
    assert [page.cursor is None for page in pages] == [True, True, True, False]


def test_overlapping_polls_bring_each_version_once(mall):
    connector = mall.connector()
    cursor = mall.time.now() - timedelta(minutes=5)
    came: list[str] = []
    placed = []
    for _ in range(6):
        placed.append(mall.sells(settled=False).number)
        mall.time.skip(minutes=11)
        orders, pages = mall.pull(cursor - timedelta(minutes=15), connector)
        cursor = pages[-1].cursor
        came += numbers(orders)
    assert came == placed


def test_a_page_that_was_not_stored_comes_again(mall):
    mall.sells()
    since = mall.time.now() - timedelta(minutes=15)
    first = mall.connector().fetch_orders(since, mall.time.now())
    assert len(next(first).orders) == 1
    first.close()  # the importer died over this page
    assert len(mall.pull(since)[0]) == 1
    assert mall.pull(since)[0] == [], "now it is stored"


def test_asking_from_an_earlier_time_reads_everything_again(mall):
    mall.sells()
    since = mall.time.now() - timedelta(hours=1)
    assert [len(mall.pull(since)[0]) for _ in range(2)] == [1, 1]


def test_without_its_memory_the_overlap_still_finds_the_order(mall):
    mall.sells()
    since = mall.time.now() - timedelta(hours=1)
    _, pages = mall.pull(since)
    connector = mall.connector()
    connector.api.redis.delete(fetch.seen_by(connector.api).key)
    mall.time.skip(minutes=1)
    assert len(mall.pull(pages[-1].cursor, connector)[0]) == 1


def test_changes_and_cancellations_of_old_orders_are_picked_up(mall):
    first, second, third = (mall.sells() for _ in range(3))
    _, pages = mall.pull(mall.time.now() - timedelta(days=1))
    mall.time.skip(days=20)
    _, pages = mall.pull(pages[-1].cursor)
    mall.world.cancel("yahoo", second.number, by="buyer", reason="不要になった")
    mall.world.change_address("yahoo", third.number, first.destination.recipient.address)
    mall.time.skip(minutes=1)
    orders, _ = mall.pull(pages[-1].cursor)
    parsed = {order.channel_order_no: mall.connector().parse(order.payload) for order in orders}
    assert set(parsed) == {second.number, third.number}
    assert parsed[second.number].state is ChannelState.CANCELLED


def test_an_order_released_from_a_fraud_hold_comes_under_its_old_time(mall):
    held = mall.sells()
    mall.world.annotate("yahoo", held.number, fraud_hold="1")
    orders, pages = mall.pull(mall.time.now() - timedelta(hours=1))
    assert orders == []
    mall.time.skip(hours=30)
    _, pages = mall.pull(pages[-1].cursor)
    mall.time.skip(minutes=1)
    mall.world.annotate("yahoo", held.number, touch=False, fraud_hold="2", published_at=mall.time.now().isoformat())
    mall.time.skip(minutes=1)
    orders, _ = mall.pull(pages[-1].cursor)
    assert numbers(orders) == [held.number]


def test_nothing_new_is_an_empty_page_with_a_cursor(mall):
    orders, pages = mall.pull(mall.time.now() - timedelta(hours=1))
    assert (orders, len(pages)) == ([], 1)
    assert pages[0].cursor is not None


def test_one_order(mall):
    placed = mall.sells()
    found = mall.connector().fetch_order(placed.number)
    assert found is not None and found.updated_at is not None
    assert mall.connector().fetch_order("akari-store-1") is None


def test_one_unreadable_order_does_not_stop_the_rest(mall, monkeypatch):
    placed = [mall.sells().number for _ in range(3)]
    real = mall.simulator._answer

    def answer(name, request):
        if name == "orderInfo" and placed[1].encode() in request.get_data():
            return wire.reply("<ResultSet><Result><Status>OK</Status><OrderInfo><Orde")
        return real(name, request)

    monkeypatch.setattr(mall.simulator, "_answer", answer)
    orders, pages = mall.pull(mall.time.now() - timedelta(hours=2))
    assert numbers(orders) == [placed[0], placed[2]]
    assert [number for page in pages for number, _ in page.problems] == [placed[1]]
    monkeypatch.setattr(mall.simulator, "_answer", real)
    mall.time.skip(hours=5)
    orders, _ = mall.pull(pages[-1].cursor)
    assert numbers(orders) == [placed[1]], "what could not be read is asked for again"


# ---- credentials and faults ----------------------------------------------------------------------------------------


def test_check_tells_what_it_saw(mall):
    mall.sells()
    assert mall.connector().check() == "ストア「akari-store」に接続しました。新規注文 1件。"


def test_check_without_a_key_warns(mall):
    assert "12時間" in mall.connector(public_key="").check()


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        ({"client_secret": "wrong"}, "シークレット"),
        ({"refresh_token": "wrong"}, "もう一度連携"),
        ({"public_key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}, "公開鍵"),
        ({"public_key_version": "9"}, "公開鍵"),
        ({"client_id": ""}, "足りません"),
    ],
)
def test_wrong_credentials_are_named(mall, credentials, words):
    with pytest.raises(CredentialsRefused) as caught:
        mall.connector(**credentials).check()
    assert words in caught.value.cause
    assert "wrong" not in f"{caught.value.cause} {caught.value.detail}"


def test_a_key_pasted_into_one_line_works(mall):
    pem = mall.simulator.credentials()["public_key"]
    assert "接続しました" in mall.connector(public_key=pem.replace("\n", "\\n")).check()
    assert "接続しました" in mall.connector(public_key=pem.replace("\n", " ")).check()


def test_without_a_proof_the_order_calls_end_after_twelve_hours(mall):
    mall.sells()
    unsigned = mall.connector(public_key="")
    since = mall.time.now() - timedelta(hours=1)
    assert len(mall.pull(since, unsigned)[0]) == 1
    mall.time.skip(hours=13)
    with pytest.raises(CredentialsRefused) as caught:
        mall.pull(since, unsigned)
    assert "12時間" in caught.value.cause
    assert len(mall.pull(since)[0]) == 1, "a signed call passes"


def test_an_expired_token_is_replaced_without_a_word(mall):
    mall.sells()
    connector = mall.connector()
    connector.check()
    mall.breaks("yahoo:expired_token")
    assert len(mall.pull(mall.time.now() - timedelta(hours=1), connector)[0]) == 1


def test_tokens_are_shared_and_renewed_early(mall, monkeypatch):
    issued: list[float] = []
    real = mall.simulator.tokens.issue
    monkeypatch.setattr(mall.simulator.tokens, "issue", lambda **given: issued.append(1) or real(**given))
    for _ in range(3):
        mall.connector().check()
    assert len(issued) == 1
    mall.time.skip(minutes=56)
    mall.connector().check()
    assert len(issued) == 2


def test_a_consent_that_ended_asks_for_a_person(mall):
    mall.simulator.consent_life = timedelta(weeks=4)
    mall.simulator.consent()
    mall.time.skip(days=29)
    with pytest.raises(CredentialsRefused) as caught:
        mall.connector().check()
    assert "もう一度連携" in caught.value.cause


def test_a_revoked_consent_stops_the_shop(mall):
    mall.breaks("yahoo:revoked")
    with pytest.raises(CredentialsRefused):
        mall.connector().check()


@pytest.mark.parametrize("fault", ["429:2", "500:2", "503:2", "maintenance:2", "cut:1", "reset:2"])
def test_passing_troubles_pass(mall, fault):
    placed = mall.sells()
    connector = mall.connector()
    connector.check()
    mall.breaks(f"yahoo:{fault}")
    assert numbers(mall.pull(mall.time.now() - timedelta(hours=1), connector)[0]) == [placed.number]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("429", RateLimited), ("500", ChannelDown), ("maintenance", ChannelDown), ("reset", ChannelDown)],
)
def test_lasting_troubles_are_told(mall, fault, kind):
    connector = mall.connector()
    connector.check()
    mall.breaks(f"yahoo:{fault}")
    with pytest.raises(kind) as caught:
        mall.pull(mall.time.now() - timedelta(hours=1), connector)
    assert caught.value.retry


def test_calls_keep_their_distance(mall):
    """Seven details in a row pass a mall that blocks more than one call a second and address."""
    since = mall.time.now() - timedelta(minutes=1)
    for _ in range(12):
        mall.sells(settled=False)
    mall.time.skip(minutes=11)
    before = mall.time.now()
    assert len(mall.pull(since)[0]) == 12
    assert (mall.time.now() - before).total_seconds() >= 11


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "https://circus.shopping.yahooapis.jp/ShoppingWebService/V1"),
        ("http://h:1/yahoo", "http://h:1/yahoo/ShoppingWebService/V1"),
        ("http://h:1/ShoppingWebService/V1", "http://h:1/ShoppingWebService/V1"),
    ],
)
def test_addresses(given, expected):
    assert api_url(given) == expected


def test_names_that_yahoo_no_longer_knows_cost_these_fields_and_no_order(mall):
    mall.simulator.forgotten_fields = frozenset({"LeadTimeText", "FspLicenseName"})
    placed = [mall.sells() for _ in range(2)]
    connector = mall.connector()
    orders, pages = mall.pull(mall.time.now() - timedelta(hours=1), connector)
    assert numbers(orders) == [one.number for one in placed]
    assert not [page.problems for page in pages if page.problems]
    order = connector.parse(orders[0].payload)
    assert (order.state, order.totals.total) == (ChannelState.OPEN, placed[0].amount_due)


def test_a_used_up_day_stops_until_the_next(mall):
    placed = mall.sells()
    connector = mall.connector()
    connector.check()
    mall.simulator.calls_a_day = 0
    with pytest.raises(RateLimited) as caught:
        connector.check()
    assert "上限" in caught.value.cause
    mall.simulator.calls_a_day = 50_000
    assert connector.fetch_order(placed.number) is not None
