"""What a wrong credential or address does to a call is said in plain words, and never with the credential in it."""

import pytest
import requests

from channels.connectors.contract import ChannelError, CredentialsRefused
from channels.connectors.http import Http


class NoLimit:
    def wait(self, *_):
        return None

    slow_down = wait


def call(url="http://127.0.0.1:9/", **kwargs) -> ChannelError:
    http = Http("shop-1", lambda _response: None, NoLimit())
    with pytest.raises(ChannelError) as caught:
        http.call("GET", url, operation="check", idempotent=True, tries=1, **kwargs)
    return caught.value


@pytest.mark.parametrize("secret", ["ひみつのかぎ", "SL-secret\nX-Evil: 1"])
def test_a_credential_that_fits_in_no_header_is_refused_in_plain_words(secret):
    error = call(headers={"Authorization": secret})
    assert isinstance(error, CredentialsRefused) and "認証情報" in error.cause
    seen: BaseException | None = error
    while seen is not None:
        assert secret not in str(seen) and secret not in getattr(seen, "detail", "")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


@pytest.mark.parametrize("url", ["http://[broken/", "nohttp://x/", "http:///path"])
def test_an_address_nobody_can_call_is_named_in_plain_words(url):
    error = call(url)
    assert "URL" in error.cause and not error.retry


def test_an_answer_that_cannot_be_unpacked_may_come_whole_the_next_time(monkeypatch):
    def broken(*_args, **_kwargs):
        raise requests.exceptions.ContentDecodingError

    monkeypatch.setattr(requests.Session, "request", broken)
    assert call().retry
