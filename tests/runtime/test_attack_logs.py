"""A crash in production tells where it happened, never what was in the variables."""

import io
import logging
import logging.config

import pytest
import structlog

from oms.kernel.observability import logs

PAYLOAD = {"buyer": "佐藤 恵", "note": "SP-abcdefgh-1234"}


@pytest.mark.parametrize("json", [True, False])
def test_a_traceback_shows_no_variables(json):
    out = io.StringIO()
    settings = logs.configure(json=json, level="INFO")
    formatter = settings["formatters"]["line"]
    made = formatter.pop("()")(**formatter)
    handler = logging.StreamHandler(out)
    handler.setFormatter(made)
    logger = logging.getLogger("attack")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        crash(PAYLOAD)
    except ZeroDivisionError:
        structlog.get_logger("attack").exception("effect_failed")
        logger.exception("plain")
    finally:
        logger.removeHandler(handler)
    text = out.getvalue()
    assert text.count("ZeroDivisionError") >= 2 and "crash" in text
    assert "佐藤" not in text and "SP-abcdefgh-1234" not in text


def crash(payload):
    return len(payload) / 0
