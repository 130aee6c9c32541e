"""The lives of credentials: dates by the connector's terms, warnings by step, the calendar, masking, addresses."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels import tasks
from channels.connectors.contract import CredentialsRefused, CredentialTerm
from channels.connectors.registry import CONNECTORS, connector_class
from channels.models import Connection, Credential, CredentialEvent
from channels.services import credentials, expiry, shop_settings, shops, terms
from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from tests.channels.builders import make_connection

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("channel", "key", "days", "overlap"),
    [
        ("rakuten", "license_key", 90, False),
        ("yahoo", "refresh_token", 28, True),
        ("yahoo", "public_key", 365, True),
        ("qoo10", "certification_key", 365, True),
        ("amazon", "client_secret", 180, True),
    ],
)
def test_the_connectors_declare_how_long_their_keys_live(channel, key, days, overlap):
    term = connector_class(channel).credential_terms[key]
    assert isinstance(term, CredentialTerm) and (term.days, term.overlap) == (days, overlap) and term.note


@pytest.mark.parametrize("channel", CONNECTORS)
def test_every_term_is_of_a_declared_key(channel):
    kind = connector_class(channel)
    assert set(kind.credential_terms) <= {key for key, _label, _secret in kind.credential_fields}


@pytest.mark.parametrize(
    ("left_days", "life_days", "step"),
    [(31, 90, None), (30, 90, 30), (15, 90, 30), (14, 90, 14), (6.5, 90, 7), (3, 90, 3), (1.2, 90, 3), (1, 90, 1),
     (0.1, 90, 1), (0, 90, 0), (-5, 90, 0), (27, 28, None), (14, 28, 14), (20, 28, None)],
)  # fmt: skip
def test_the_step_of_a_warning(left_days, life_days, step):
    ends = NOW + left_days * DAY
    assert expiry.step_of(ends - life_days * DAY, ends, NOW) == step


def test_a_credential_without_an_end_is_never_warned_of():
    assert expiry.step_of(NOW, None, NOW) is None and expiry.step_of(None, NOW + DAY, NOW) == 1


@pytest.mark.django_db
def test_a_new_value_begins_a_new_life_and_the_same_value_does_not(time):
    connection = make_connection()
    first = Credential.objects.get(connection=connection, key="license_key")
    assert first.expires_at == time.now() + 90 * DAY and first.renew_from == first.expires_at - 22 * DAY
    assert Credential.objects.get(connection=connection, key="service_secret").expires_at is None
    time.skip(days=10)
    credentials.change(connection.pk, {"license_key": "SL-secret-5678"}, by=None)
    first.refresh_from_db()
    assert first.expires_at == time.now() + 80 * DAY
    credentials.change(connection.pk, {"license_key": "SL-another"}, by=None)
    first.refresh_from_db()
    assert first.expires_at == time.now() + 90 * DAY


@pytest.mark.django_db
def test_named_people_are_told_once_per_step_and_nobody_else(time, aoi, ben):
    for person in (aoi, ben):
        person.email = f"{person.username}@example.com"
        person.save(update_fields=["email"])
    key = Credential.objects.get(connection=make_connection(), key="license_key")
    key.owners.add(ben)
    for days in (31, 30, 29, 14, 13, 7, 3, 1, 0):
        time.at = key.expires_at - days * DAY
        for _hour in range(2):
            expiry.warn()
            outbox.deliver_due()
    assert [one.to for one in mail.outbox] == [["ben@example.com"]] * 6  # 30, 14, 7, 3, 1, ended
    assert "期限が切れました" in mail.outbox[-1].subject
    assert "RMS" in mail.outbox[0].body and "SL-secret" not in mail.outbox[0].body


@pytest.mark.django_db
def test_a_beat_that_slept_tells_todays_step_only(time, aoi):
    aoi.email = "aoi@example.com"
    aoi.save(update_fields=["email"])
    key = Credential.objects.get(connection=make_connection(), key="license_key")
    time.at = key.expires_at - 2 * DAY
    assert expiry.warn() == 1 and expiry.warn() == 0


@pytest.mark.django_db
def test_a_mail_for_a_key_that_was_renewed_meanwhile_is_not_sent(time, aoi):
    aoi.email = "aoi@example.com"
    aoi.save(update_fields=["email"])
    connection = make_connection()
    key = Credential.objects.get(connection=connection, key="license_key")
    time.at = key.expires_at - 2 * DAY
    expiry.warn()
    credentials.change(connection.pk, {"license_key": "SL-another"}, by=None)
    outbox.deliver_due()
    assert mail.outbox == [] and Effect.objects.get().state == "done"


@pytest.mark.django_db
def test_a_shop_that_stopped_is_told_by_mail_once_per_stop(time, aoi, ben):
    for person in (aoi, ben):
        person.email = f"{person.username}@example.com"
        person.save(update_fields=["email"])
    connection = make_connection()
    shops.note_failure(connection, CredentialsRefused("ライセンスキーが違います。"))
    for _minute in range(3):
        tasks.renewals()
        outbox.deliver_due()
        time.skip(minutes=1)
    assert [(one.to, one.subject) for one in mail.outbox] == [
        (["aoi@example.com"], "楽天市場店の取込と在庫の連携が止まっています")
    ]
    assert "ライセンスキーが違います。" in mail.outbox[0].body
    Credential.objects.get(key="license_key").owners.add(ben)
    shops.note_success(connection)
    shops.note_failure(connection, CredentialsRefused("ライセンスキーが違います。"))
    tasks.renewals()
    outbox.deliver_due()
    assert [one.to for one in mail.outbox][1:] == [["ben@example.com"]]


@pytest.mark.django_db
def test_a_shop_that_runs_again_needs_no_mail(aoi):
    aoi.email = "aoi@example.com"
    aoi.save(update_fields=["email"])
    connection = make_connection()
    shops.note_failure(connection, CredentialsRefused("ライセンスキーが違います。"))
    tasks.renewals()
    shops.note_success(connection)
    outbox.deliver_due()
    assert mail.outbox == [] and Effect.objects.get().state == "done"


@pytest.mark.django_db
def test_a_shop_at_rest_warns_nobody(time, aoi):
    aoi.email = "aoi@example.com"
    aoi.save(update_fields=["email"])
    connection = make_connection()
    time.at = Credential.objects.get(key="license_key").expires_at - DAY
    shop_settings.change(connection.pk, settings={"active": False}, addresses={}, secrets={}, by=None)
    assert expiry.warn() == 0


@pytest.mark.django_db
def test_secrets_stored_before_anybody_kept_dates_get_them(time):
    connection = make_connection()
    Credential.objects.all().delete()
    time.skip(days=5)
    expiry.ensure_all()
    expiry.ensure_all()
    key = Credential.objects.get(connection=connection, key="license_key")
    assert key.expires_at == connection.secrets_changed_at + 90 * DAY


# ---- screens


@pytest.mark.django_db
def test_the_calendar_lists_all_shops_by_end_and_shows_no_secret(client_of, ben):
    make_connection()
    late = make_connection("rakuten-2")
    Credential.objects.filter(connection=late, key="license_key").update(expires_at=clock.now() + 2 * DAY)
    page = client_of(ben).get(reverse("channels:credentials"))
    entries = page.context["entries"]
    assert (entries[0].connection.pk, entries[0].credential.key) == (late.pk, "license_key")
    assert entries[-1].credential.expires_at is None and entries[0].tone == "danger"
    text = page.content.decode()
    assert "••••5678" in text and "SL-secret" not in text and "SP-abcdefgh" not in text
    assert reverse("channels:credential", args=[late.shop_id, "license_key"]) not in text  # ben may only look


@pytest.mark.django_db
def test_the_calendar_costs_the_same_however_many_shops(client_of, ben):
    make_connection()
    client = client_of(ben)

    def queries():
        with CaptureQueriesContext(database) as captured:
            client.get(reverse("channels:credentials"))
        return len(captured)

    few = queries()
    for number in range(4):
        make_connection(f"shop-{number}")
    assert queries() == few <= 8


@pytest.mark.django_db
def test_an_administrator_edits_dates_and_people(client_of, aoi, ben):
    connection = make_connection()
    url = reverse("channels:credential", args=[connection.shop_id, "license_key"])
    client = client_of(aoi)
    posted = {"issued_on": "2026-10-01", "expires_on": "2026-12-24", "renew_on": "2026-12-10", "owners": [ben.pk]}
    assert client.post(url, posted)["Location"] == reverse("channels:credentials")
    key = Credential.objects.get(connection=connection, key="license_key")
    assert clock.in_tokyo(key.expires_at) == datetime(2026, 12, 25, tzinfo=clock.TOKYO)  # the end of that day
    assert list(key.owners.all()) == [ben]
    event = CredentialEvent.objects.latest("pk")
    assert (event.kind, event.keys, event.by) == ("dates", "license_key", aoi)
    form = client.get(url).context["form"]
    assert str(form["expires_on"].value()) == "2026-12-24"
    count = CredentialEvent.objects.count()
    client.post(url, posted)
    assert CredentialEvent.objects.count() == count  # nothing differs
    wrong = client.post(url, posted | {"expires_on": "2026-01-01"})
    assert "発行日より後" in wrong.content.decode()


@pytest.mark.django_db
def test_who_may_not_is_refused(client_of, ben, chie):
    connection = make_connection()
    edit = reverse("channels:credential", args=[connection.shop_id, "license_key"])
    assert client_of(ben).get(edit).status_code == client_of(ben).post(edit).status_code == 403
    assert client_of(chie).get(reverse("channels:credentials")).status_code == 403
    assert client_of(chie).get(reverse("channels:expiry-panel")).status_code == 403


@pytest.mark.django_db
def test_a_key_that_the_shop_does_not_have_is_no_page(client_of, aoi):
    connection = make_connection()
    for key in ("shop_url", "nothing"):
        assert client_of(aoi).get(reverse("channels:credential", args=[connection.shop_id, key])).status_code == 404


# ---- another address


@pytest.mark.django_db
def test_stored_secrets_never_follow_to_another_address():
    connection = make_connection()
    shop_settings.change(
        connection.pk, settings={}, addresses={"base_url": "http://elsewhere.example"}, secrets={}, by=None
    )
    connection.refresh_from_db()
    assert credentials.read(connection) == {}
    assert CredentialEvent.objects.latest("pk").kind == "forgotten"


@pytest.mark.django_db
def test_the_form_asks_for_every_secret_when_the_address_changes(client_of, aoi):
    connection = make_connection()
    client, url = client_of(aoi), reverse("channels:edit", args=[connection.shop_id])
    posted = {"name": "店", "follow_up_days": "14", "active": "on", "base_url": "http://elsewhere.example"}
    page = client.post(url, posted | {"credential_license_key": "SL-typed-again"})
    assert page.status_code == 200 and "すべて入力し直してください" in page.content.decode()
    connection.refresh_from_db()
    assert connection.base_url == "" and credentials.read(connection)["license_key"] == "SL-secret-5678"
    both = {"credential_license_key": "SL-typed-again", "credential_service_secret": "SP-typed-again"}
    assert client.post(url, posted | both).status_code == 302
    connection.refresh_from_db()
    assert connection.base_url == "http://elsewhere.example"
    assert credentials.read(connection) == {"license_key": "SL-typed-again", "service_secret": "SP-typed-again"}


@pytest.mark.django_db
def test_the_command_does_not_carry_secrets_to_another_address_either():
    connection = shops.add_shop("r-1", channel="rakuten", base_url="http://one.example", values={"license_key": "SL-1"})
    again = shops.add_shop("r-1", channel="rakuten", base_url="http://one.example")
    assert credentials.read(again) == {"license_key": "SL-1"}
    shops.add_shop("r-1", channel="rakuten", base_url="http://two.example", values={"service_secret": "SP-2"})
    connection = Connection.objects.get(pk=connection.pk)
    assert credentials.read(connection) == {"service_secret": "SP-2"}


@pytest.mark.django_db
def test_what_is_no_secret_stays_at_another_address():
    connection = shops.add_shop(
        "r-1", channel="rakuten", base_url="http://one.example", values={"license_key": "SL-1", "shop_url": "kurashi"}
    )
    shop_settings.change(connection.pk, settings={}, addresses={"base_url": "http://two"}, secrets={}, by=None)
    assert credentials.read(Connection.objects.get(pk=connection.pk)) == {"shop_url": "kurashi"}


@pytest.mark.django_db
def test_dates_come_back_as_they_were(time):
    connection = make_connection()
    kept = terms.dates_of(connection, ["license_key"])
    before = Credential.objects.filter(key="license_key").values("issued_at", "expires_at", "renew_from").get()
    time.skip(days=3)
    credentials.change(connection.pk, {"license_key": "SL-another"}, by=None)
    terms.bring_back(connection, kept)
    assert Credential.objects.filter(key="license_key").values("issued_at", "expires_at", "renew_from").get() == before
