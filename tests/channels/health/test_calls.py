"""Every call of a connector is on record; no secret and nobody's data is; the record never breaks a call."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from django.db import connection as database
from django.db.utils import OperationalError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels.connectors import http
from channels.connectors.contract import CredentialsRefused, Refused
from channels.models import ApiCall, CredentialUse
from channels.queries.health import shop_health
from channels.services import calls, credentials, shops
from oms.kernel import clock
from tests.channels.builders import make_connection

SECRET = "SP-planted-secret-1234"
HTMX = {"HX-Request": "true"}


def a_call(url="https://api.example/orders", *, error=None, body="", sent=None, headers=None, status=400):
    response = requests.Response()
    response.status_code, response._content = status, body.encode()
    response.headers.update(headers or {})
    return http.Call(
        datetime(2026, 11, 1, tzinfo=UTC), "getOrder", "POST", url, 1, 0.25, "*", 1.0, sent or {}, response, error
    )


def row(call, secrets=(SECRET,)):
    return dict(zip(calls.COLUMNS, calls.row_of(call, 1, "import", list(secrets)), strict=True))


@pytest.mark.parametrize(
    "url",
    [
        f"https://api.example/orders?key={SECRET}",
        f"https://user:{SECRET}@api.example/orders",
        f"https://api.example/{SECRET}/orders",
        "https://api.example/members/megumi@example.com/orders",
        "https://api.example/members/%E4%BD%90%E8%97%A4/orders",
        "https://api.example/members/09012345678/orders",
    ],
)
def test_an_address_carries_no_secret_and_no_person(url):
    address = row(a_call(url))["address"]
    assert address.startswith("api.example/") and "?" not in address
    for planted in (SECRET, "megumi", "佐藤", "%E4%BD", "09012345678"):
        assert planted not in address


def test_an_order_number_stays_readable():
    call = a_call(
        "https://api.example/orders/250-1234567-1234567", error=Refused("注文 401122-20261128-0001 は処理済みです。")
    )
    assert row(call)["address"].endswith("/orders/250-1234567-1234567")
    assert "401122-20261128-0001" in row(call)["error"]


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ('{"buyerName": "佐藤 恵", "msg": "佐藤 恵 is wrong"}', {}),
        ("<Order><BillLastName>佐藤 恵</BillLastName></Order>", {}),
        ("", {"data": '{"recipientName": "佐藤 恵", "address1": "三軒茶屋2-14-3"}'.encode()}),
    ],
)
def test_an_error_repeats_no_name_of_the_request_or_the_answer(body, sent):
    error = Refused(
        "受け付けませんでした：佐藤 恵", detail=f"key={SECRET} megumi@example.com 090-1234-5678 三軒茶屋 恵様"
    )
    words = row(a_call(error=error, body=body, sent=sent))["error"]
    for planted in ("佐藤", SECRET, "megumi@", "1234-5678", "恵様"):
        assert planted not in words, words
    assert "受け付けませんでした" in words


def test_the_request_id_of_the_channel_is_kept():
    assert row(a_call(headers={"x-amzn-RequestId": "abc-123"}))["request_id"] == "abc-123"


@pytest.mark.django_db
def test_an_import_leaves_its_calls_and_the_uses_of_the_keys(house):
    here = house("rakuten")
    here.sells(2)
    here.pull()
    found = ApiCall.objects.filter(shop=here.connection.shop)
    assert {one.operation for one in found} >= {"searchOrder", "getOrder"}
    assert all(one.ok and one.status == 200 and one.purpose == "import" and one.limit_s == 1.0 for one in found)
    written = repr(list(found.values()))
    for value in credentials.read(here.fresh()).values():
        assert value not in written or value in {"kurashi-dogu"}
    assert "@" not in written
    use = CredentialUse.objects.get(connection=here.connection, key="license_key", purpose="import")
    assert use.succeeded_at is not None and use.host.startswith("127.0.0.1") and use.reads >= 1


@pytest.mark.django_db
def test_a_refused_call_says_so_and_counts_as_no_good_use(house):
    here = house("rakuten")
    here.mall.license_key = "SL-another"
    with pytest.raises(CredentialsRefused):
        shops.check(here.fresh())
    one = ApiCall.objects.get(shop=here.connection.shop)
    assert (one.ok, one.status, one.purpose) == (False, 401, "test") and "認証に失敗" in one.error
    assert CredentialUse.objects.get(key="license_key").succeeded_at is None


@pytest.mark.django_db
def test_each_try_of_a_repeated_call_is_a_row(house):
    here = house("rakuten")
    here.sandbox.inject("rakuten:503:2")
    shops.check(here.fresh())
    tries = ApiCall.objects.order_by("pk").values_list("attempt", "status", "ok")
    assert list(tries)[:3] == [(1, 503, False), (2, 503, False), (3, 200, True)]


@pytest.mark.django_db
def test_a_log_that_cannot_be_written_breaks_no_call(house, monkeypatch):
    here = house("rakuten")

    def broken(*_args):
        raise OperationalError("disk full")

    monkeypatch.setattr(calls, "copy_rows", broken)
    here.sells(1)
    here.pull()
    assert len(here.taken_in()) == 1 and not ApiCall.objects.exists()


@pytest.mark.django_db
def test_a_call_that_cannot_be_described_breaks_nothing(house, monkeypatch):
    here = house("rakuten")
    here.sells(1)
    asked = []
    monkeypatch.setattr(calls, "row_of", lambda *args: asked.append(args) or 1 / 0)
    here.pull()
    assert asked and len(here.taken_in()) == 1 and not ApiCall.objects.exists()


@pytest.mark.django_db
def test_writing_costs_a_fixed_number_of_statements_however_many_calls(house):
    here = house("rakuten")
    here.sells(3)
    with CaptureQueriesContext(database) as captured:
        here.pull()
    assert ApiCall.objects.count() >= 2
    writes = [query["sql"] for query in captured if "channels_credentialuse" in query["sql"]]
    assert len(writes) == 1


@pytest.mark.django_db
def test_a_limit_of_few_calls_used_at_its_own_rhythm_is_no_warning():
    shop = make_connection().shop
    for minutes in (1, 4, 7):
        make_call(shop, at=clock.now() - timedelta(minutes=minutes), bucket="searchOrders", limit_s=182)
    assert [(one.quota, one.warnings) for one in shop_health()] == [(None, [])]
    for seconds in range(300):
        make_call(shop, at=clock.now() - timedelta(seconds=2 * seconds), bucket="getOrder", limit_s=2)
    (here,) = shop_health()
    assert here.quota is not None and here.quota > 0.9 and here.warnings == [("attention", "API 100%")]


@pytest.mark.django_db
def test_old_calls_are_forgotten_and_young_ones_stay():
    shop = make_connection().shop
    now = clock.now()
    make_call(shop, at=now - timedelta(days=15))
    kept = make_call(shop, at=now - timedelta(days=13))
    assert calls.forget_old(batch=1) == 1
    assert list(ApiCall.objects.values_list("pk", flat=True)) == [kept.pk]


def make_call(shop, **fields):
    values = {
        "at": clock.now(), "purpose": "import", "operation": "getOrder", "method": "GET",
        "address": "api.example/orders/1", "status": 200, "duration_ms": 12, "attempt": 1, "ok": True,
    }  # fmt: skip
    return ApiCall.objects.create(shop=shop, **values | fields)


@pytest.mark.django_db
def test_the_list_finds_by_shop_result_purpose_time_and_text(client_of, ben):
    one, two = make_connection().shop, make_connection("rakuten-2").shop
    make_call(one, operation="searchOrder")
    make_call(two, operation="ship", purpose="notice", ok=False, status=503, error="応答しません", request_id="req-77")
    make_call(one, operation="tooOld", at=clock.now() - timedelta(hours=2))
    client, url = client_of(ben), reverse("channels:calls")

    def shown(**query):
        text = client.get(url, query, headers=HTMX).content.decode()
        return {name for name in ("searchOrder", ">ship<", "tooOld") if name in text}

    assert shown() == {"searchOrder", ">ship<", "tooOld"}
    assert shown(shop=one.pk) == {"searchOrder", "tooOld"}
    assert shown(result="failed") == shown(purpose="notice") == shown(q="req-77") == shown(q="503") == {">ship<"}
    assert shown(q="応答しま") == {">ship<"}
    assert shown(span="1h", shop=one.pk) == {"searchOrder"}
    assert shown(shop="x", purpose="nothing", result="zz", span="9") == {"searchOrder", ">ship<", "tooOld"}


@pytest.mark.django_db
def test_the_list_is_paged_and_costs_the_same_however_long(client_of, ben):
    shop = make_connection().shop
    client, url = client_of(ben), reverse("channels:calls")
    make_call(shop)

    def queries():
        with CaptureQueriesContext(database) as captured:
            client.get(url)
        return len(captured)

    few = queries()
    for _ in range(60):
        make_call(shop)
    assert queries() == few <= 6
    page = client.get(url).context["page"]
    assert len(page) == 50 and len(client.get(page.next_url).context["page"]) == 11


@pytest.mark.django_db
def test_a_stranger_sees_no_call(client_of, chie):
    assert client_of(chie).get(reverse("channels:calls")).status_code == 403
