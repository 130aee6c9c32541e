"""No secret and no personal data reach a log line."""

import io
import json
import logging

import pytest
import structlog

from oms.kernel.observability import logs
from oms.kernel.observability.redact import MASK, clean_text, redact


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "refresh_token",
        "Authorization",
        "client_secret",
        "api_key",
        "sessionid",
        "buyer_name",
        "phone",
        "zip",
        "email",
    ],
)
def test_keys_that_tell_are_masked(key):
    assert redact(None, "info", {"event": "x", key: "visible?"})[key] == MASK


@pytest.mark.parametrize("key", ["shop", "order", "event", "sku", "user_id", "task"])
def test_other_keys_stay(key):
    assert redact(None, "info", {key: "A-1"})[key] == "A-1"


def test_nested_values_are_cleaned():
    event = redact(None, "info", {"event": "call", "answer": {"items": [{"token": "abc", "sku": "S1"}]}})
    assert event["answer"] == {"items": [{"token": MASK, "sku": "S1"}]}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("mail to taro.yamada@example.co.jp failed", "taro.yamada"),
        ("Authorization: Bearer eyJhbGciOi.abc-def", "eyJhbGciOi"),
        ("POST /token?client_secret=s3cr3t&x=1", "s3cr3t"),
        ("postgresql://oms:hunter2@db/oms is down", "hunter2"),
        ("call 090-1234-5678 now", "1234"),
    ],
)
def test_tell_tale_shapes_inside_texts_are_masked(text, secret):
    assert secret not in clean_text(text)


@pytest.mark.parametrize("text", ["order 503-1234567-7654321 shipped", "2026-11-22T10:00:00Z", "SKU 0123-AB"])
def test_order_numbers_and_times_stay_readable(text):
    assert clean_text(text) == text


def test_a_query_string_is_not_logged():
    assert redact(None, "info", {"request": "GET /orders/?q=山田太郎"})["request"] == "GET /orders/"


def test_production_writes_one_json_object_a_line_from_both_worlds():
    out = io.StringIO()
    formatter_of = logs.configure(json=True, level="INFO")["formatters"]["line"]
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter_of["()"](**{k: v for k, v in formatter_of.items() if k != "()"}))
    logger = logging.getLogger("test.redact.json")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel("INFO")
    logger.warning("mail to %s failed", "a@b.jp")
    structlog.get_logger("test.redact.json").info("pulled", shop="楽天", refresh_token="t0ken")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["event"] == "mail to ***@*** failed" and first["level"] == "warning"
    assert (second["shop"], second["refresh_token"]) == ("楽天", MASK)
