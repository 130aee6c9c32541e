"""One access token for all, asked for once."""

import contextlib
import threading
import time as wall

import pytest
import redis
from django.conf import settings

from channels.connectors.amazon import tokens
from channels.connectors.amazon.tokens import Tokens
from tests.channels.amazon.conftest import Shop


def ask_together(shop: Shop, people: int = 6) -> list[object]:
    """What `people` workers that start at the same moment get from the check."""
    answers: list[object] = [None] * people
    start = threading.Barrier(people)

    def work(number: int) -> None:
        connector = shop.connect()
        start.wait(10)
        try:
            answers[number] = connector.check()
        except Exception as error:  # the test shows it
            answers[number] = error

    threads = [threading.Thread(target=work, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


@pytest.fixture
def slow_tokens(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon takes a moment to answer, so that workers really meet."""
    token = shop.mall._token

    def slowly(request: object) -> object:
        wall.sleep(0.2)
        return token(request)  # type: ignore[arg-type]

    monkeypatch.setattr(shop.mall, "_token", slowly)


@pytest.mark.usefixtures("slow_tokens")
def test_workers_that_start_together_ask_for_one_token(shop: Shop) -> None:
    assert all(isinstance(answer, str) for answer in ask_together(shop))
    assert shop.mall.token_calls == 1


@pytest.mark.usefixtures("slow_tokens")
def test_without_the_lock_each_would_ask(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: it proves that the test above can fail."""
    monkeypatch.setattr(tokens, "alone", lambda *_given: contextlib.nullcontext())
    ask_together(shop)
    assert shop.mall.token_calls > 1


def test_what_is_kept_is_of_no_use_without_the_credentials(shop: Shop) -> None:
    shop.connect().check()
    client = redis.Redis.from_url(settings.REDIS_URL)
    kept = [client.get(key) or b"" for key in client.scan_iter("amazon:token:*") if not key.endswith(b":lock")]
    assert kept and not any(b"Atza" in value for value in kept)
    connector = shop.connect()
    tokens = Tokens(connector.settings, connector.api._http, client)
    assert tokens.current().startswith("Atza|") and shop.mall.token_calls == 1


def test_changed_credentials_do_not_find_the_old_token(shop: Shop) -> None:
    shop.connect().check()
    with pytest.raises(Exception, match="シークレット"):
        shop.connect(client_secret="another").check()
