"""The wire: kept connections, faults that really happen, and the control door."""

import socket
import time

import pytest
import requests

from channels.sandbox.server import running_sandbox
from channels.sandbox.world import World

from .builders import Clock, TinyMall


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sandbox(clock):
    world = World(1, clock)
    with running_sandbox(world, malls={"rakuten": TinyMall(world)}) as running:
        yield running


@pytest.fixture
def mall(sandbox):
    return f"{sandbox.root}/rakuten"


def test_a_mall_sees_the_paths_of_the_real_api(mall):
    answer = requests.post(f"{mall}/es/2.0/%E8%8C%B6?a=1", data="本文".encode(), timeout=5)
    assert answer.json() == {
        "path": "/es/2.0/茶",
        "root": "/rakuten",
        "query": {"a": "1"},
        "method": "POST",
        "body": "本文",
    }


def test_one_connection_serves_many_calls(sandbox):
    host, port = sandbox.root.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for number in (1, 2, 3):
            connection.sendall(b"POST /rakuten/count HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            assert f'"counted": {number}'.encode() in read_answer(connection)
        connection.sendall(b"GET /rakuten/nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 204")


def read_answer(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(4096)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(4096)
    return body


def test_a_chunked_request_arrives_whole(mall):
    answer = requests.post(f"{mall}/echo", data=iter([b"first ", b"second"]), timeout=5)
    assert answer.json()["body"] == "first second"


def test_a_cut_answer_breaks_in_its_body_after_the_call_was_done(sandbox, mall):
    sandbox.sandbox.inject("rakuten:cut:1")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        requests.post(f"{mall}/count", timeout=5)
    assert requests.post(f"{mall}/count", timeout=5).json()["counted"] == 2


def test_the_cut_test_would_notice_a_whole_answer(mall):
    assert requests.post(f"{mall}/count", timeout=5).json()["counted"] == 1


def test_a_cut_answer_without_a_body_is_no_answer(sandbox, mall):
    sandbox.sandbox.inject("rakuten:cut:1")
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{mall}/nothing", timeout=5)


def test_a_reset_connection_means_the_call_was_not_done(sandbox, mall):
    sandbox.sandbox.inject("rakuten:reset:1")
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{mall}/count", timeout=5)
    assert requests.post(f"{mall}/count", timeout=5).json()["counted"] == 1


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500), ("maintenance", 503), ("revoked", 503)])
def test_refusals_are_the_mall_s_own_and_end_after_their_count(sandbox, mall, kind, status):
    sandbox.sandbox.inject(f"rakuten:{kind}:2")
    answers = [requests.get(f"{mall}/echo", timeout=5) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json() == {"refused": kind}


def test_a_fault_ends_with_its_simulated_time(sandbox, mall, clock):
    sandbox.sandbox.inject("*:503:60s")
    assert requests.get(f"{mall}/echo", timeout=5).status_code == 503
    clock.forward(seconds=60)
    assert requests.get(f"{mall}/echo", timeout=5).status_code == 200


def test_a_slow_mall_is_slow(sandbox, mall):
    sandbox.sandbox.inject("rakuten:slow=0.3:1")
    begin = time.monotonic()
    assert requests.get(f"{mall}/echo", timeout=5).ok
    assert time.monotonic() - begin >= 0.3


def test_a_probable_fault_happens_sometimes(sandbox, mall):
    sandbox.sandbox.inject("rakuten:500:50%")
    codes = [requests.get(f"{mall}/echo", timeout=5).status_code for _ in range(40)]
    assert 8 < codes.count(500) < 32


def test_pages_overlap_while_the_mall_repeats_itself(sandbox, mall):
    sandbox.sandbox.inject("rakuten:duplicate:1")
    pages = [requests.get(f"{mall}/page", params={"start": start}, timeout=5).json() for start in (0, 3, 3)]
    assert pages == [[0, 1, 2], [2, 3, 4], [3, 4, 5]]


def test_tokens_end_at_once_on_demand(sandbox):
    tokens = sandbox.sandbox.malls["rakuten"].tokens
    token = tokens.issue()
    assert tokens.check(token) == "valid"
    sandbox.sandbox.inject("rakuten:expired_token")
    assert (tokens.check(token), tokens.check("another"), tokens.check(tokens.issue())) == (
        "expired",
        "unknown",
        "valid",
    )


def test_orders_become_visible_late_on_demand(sandbox, clock):
    sandbox.sandbox.inject("rakuten:late=300:1")
    late, prompt = sandbox.world.place_order("rakuten"), sandbox.world.place_order("rakuten")
    assert [one.number for one in sandbox.world.orders("rakuten")] == [prompt.number]
    clock.forward(seconds=300)
    assert {one.number for one in sandbox.world.orders("rakuten")} == {late.number, prompt.number}


@pytest.mark.parametrize("spec", ["rakuten:nonsense", "rakuten:429:many", "moon:429", "rakuten"])
def test_a_wrong_spec_says_what_is_wrong(sandbox, spec):
    with pytest.raises(ValueError, match=r"."):
        sandbox.sandbox.inject(spec)
    answer = requests.post(f"{sandbox.root}/_sandbox/faults", json={"spec": spec}, timeout=5)
    assert answer.status_code == 400 and "ValueError" in answer.json()["error"]


def test_a_failing_simulator_answers_and_the_others_go_on(mall, capsys):
    assert requests.get(f"{mall}/bug", timeout=5).status_code == 500
    assert requests.get(f"{mall}/echo", timeout=5).ok
    assert "as simulators sometimes do" in capsys.readouterr().err


def test_rates_are_kept_in_simulated_seconds(sandbox, clock):
    bucket = sandbox.sandbox.malls["rakuten"].bucket("orders", per_second=0.5, burst=2)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    assert bucket.wait_s() == pytest.approx(2)
    clock.forward(seconds=2)
    assert [bucket.take() for _ in range(2)] == [True, False]


# ---- the control door ------------------------------------------------------------------------------------------


def control(sandbox, method, call, **arguments):
    return requests.request(method, f"{sandbox.root}/_sandbox/{call}", timeout=5, **arguments)


def test_staff_place_orders_with_traits_and_see_them(sandbox):
    placed = control(sandbox, "POST", "orders", json={"channel": "yahoo", "traits": ["question"], "count": 2}).json()
    assert [order["truth"]["needs_judgement"] for order in placed] == ["question", "question"]
    seen = control(sandbox, "GET", "orders", params={"channel": "yahoo"}).json()
    assert [order["number"] for order in seen] == [order["number"] for order in placed]
    truth = control(sandbox, "GET", "truth").json()
    assert truth["orders"]["yahoo"][placed[0]["number"]]["needs_judgement"] == "question"


def test_a_sold_out_order_is_refused_in_words(sandbox):
    key = sandbox.world.listings("yahoo")[0].key
    control(sandbox, "POST", "stock", json={"channel": "yahoo", "key": key, "quantity": 1})
    answer = control(sandbox, "POST", "orders", json={"channel": "yahoo", "lines": [[key, 2]]})
    assert answer.status_code == 409 and answer.json()["refusal"] == "SoldOut"


def test_a_day_can_be_planned_and_events_fired(sandbox, clock):
    assert control(sandbox, "POST", "generate", json={"count": 20, "over_s": 600}).json()["planned"] == 20
    clock.forward(minutes=10)
    assert control(sandbox, "POST", "advance", json={}).json()["happened"] >= 19
    order = sandbox.world.place_order("amazon", traits=["cancel_wish"])
    fired = control(sandbox, "POST", "advance", json={"fire": "cancel_wish", "numbers": [order.number]}).json()
    assert fired["fired"] == 1
    told = control(sandbox, "POST", "advance", json={"fire": "rain"})
    assert told.status_code == 400 and "rain" in told.json()["error"]


def test_buyers_act_on_demand(sandbox):
    order = sandbox.world.place_order("amazon", payment="konbini")
    body = {"channel": "amazon", "number": order.number}
    assert control(sandbox, "POST", "buyer", json={**body, "does": "pay"}).json()["state"] == "ready"
    asked = control(sandbox, "POST", "buyer", json={**body, "does": "ask_to_cancel"}).json()
    assert asked["cancel_request"]["reason"]
    assert control(sandbox, "POST", "buyer", json={**body, "does": "cancel"}).json()["cancelled_by"] == "buyer"
    assert control(sandbox, "POST", "buyer", json={**body, "does": "pay"}).status_code == 409
    unknown = control(sandbox, "POST", "buyer", json={**body, "number": "0", "does": "pay"})
    assert unknown.status_code == 404


def test_the_journal_can_be_read_on(sandbox):
    key = sandbox.world.listings("yahoo")[0].key
    for quantity in (3, 2):
        sandbox.world.set_stock("yahoo", key, quantity)
    entries = control(sandbox, "GET", "journal", params={"since": 1, "kind": "stock"}).json()
    assert [(entry["number"], entry["payload"]["quantity"]) for entry in entries] == [(1, 2)]
    rows = control(sandbox, "GET", "stock", params={"channel": "yahoo"}).json()
    assert {row["quantity"] for row in rows if row["key"] == key} == {2}


def test_an_unknown_call_names_the_known_ones(sandbox):
    answer = control(sandbox, "GET", "nonsense")
    assert answer.status_code == 404 and "GET truth" in answer.json()["calls"]


def test_a_path_without_a_mall_is_said_so(sandbox):
    assert requests.get(f"{sandbox.root}/moon/orders", timeout=5).status_code == 404


def test_nothing_listens_after_the_end(clock):
    world = World(1, clock)
    with running_sandbox(world, malls={"rakuten": TinyMall(world)}) as running:
        assert requests.get(f"{running.root}/rakuten/echo", timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{running.root}/rakuten/echo", timeout=5)
