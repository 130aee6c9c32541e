"""Webhooks leave through the outbox, once, and never inwards."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from oms.kernel.models import Effect
from oms.kernel.services import outbox
from orders.services.intake import take_in
from orders.services.rules import webhook
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped
from tests.orders.rules.builders import do, make_rule

pytestmark = pytest.mark.django_db


class Listener(BaseHTTPRequestHandler):
    heard: list = []
    answer = 200

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Listener.heard.append((self.headers["Idempotency-Key"], json.loads(body)))
        self.send_response(Listener.answer)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_args):
        """Quiet."""


@pytest.fixture
def listener():
    Listener.heard, Listener.answer = [], 200
    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()  # it ends within that
    yield f"http://localhost:{server.server_port}/hook?x=1"
    server.shutdown()


def call(url):
    make_rule("知らせる", then=[do("call_webhook", url=url), do("add_tag", tag="A")])
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(make_sku(stock_units=5)))
    effect = Effect.objects.get(kind="webhook")
    outbox.deliver_subject(effect.subject)
    effect.refresh_from_db()
    return effect


def test_an_address_outside_hears_numbers_and_no_names(listener, settings):
    settings.WEBHOOK_PRIVATE = True
    effect = call(listener)
    [(key, body)] = Listener.heard
    assert effect.state == "done" and key == effect.key
    assert body["tags"] == ["A"] and body["rule"] == "知らせる" and "佐藤" not in json.dumps(body, ensure_ascii=False)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0"]
)
def test_addresses_inside_are_refused(host, listener):
    effect = call(f"http://{host}:{listener.split(':')[2].split('/')[0]}/")
    assert effect.state == "failed" and "社内のアドレス" in effect.last_error and Listener.heard == []


def test_a_name_that_points_inwards_is_refused_and_a_redirect_is_not_followed(listener, settings, monkeypatch):
    inward = [(2, 1, 6, "", ("8.8.8.8", 80)), (2, 1, 6, "", ("10.1.1.1", 80))]
    monkeypatch.setattr(webhook.socket, "getaddrinfo", lambda *_a, **_k: inward)
    assert call("http://example.test/").state == "failed"


@pytest.mark.parametrize(("status", "state"), [(302, "failed"), (404, "failed"), (503, "waiting"), (429, "waiting")])
def test_what_the_other_side_answers_decides(status, state, listener, settings):
    settings.WEBHOOK_PRIVATE, Listener.answer = True, status
    assert call(listener).state == state
