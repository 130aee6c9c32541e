"""Credentials are renewed in steps, over HTTP against the malls' simulators; no order is lost on the way."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from channels.connectors.contract import ChannelDown, CredentialsRefused
from channels.models import Connection, Credential, CredentialEvent, Renewal
from channels.sandbox.yahoo.consent import Code
from channels.services import credentials, expiry, pausing, polling, renewal, shop_settings, shops
from oms.kernel.services import outbox
from orders.models import Order

pytestmark = pytest.mark.django_db
State = Renewal.State
NEW_KEY = "SL401122_reissued00002"


def test_story_14_a_credential_that_ends_in_three_days_is_renewed_without_an_import_gap(house, aoi, client_of):
    """Warning → staged renewal at a mall where the new key ends the old one → every order is there."""
    aoi.email = "aoi@example.com"
    aoi.save(update_fields=["email"])
    here = house("rakuten")
    before = here.sells(2)
    here.pull()
    key = Credential.objects.get(connection=here.connection, key="license_key")
    here.time.at = key.expires_at - timedelta(days=2, hours=20)
    outbox.deliver_due()

    expiry.warn()
    expiry.warn()  # the next hour: nothing new
    outbox.deliver_due()
    assert [(one.to, one.subject) for one in mail.outbox] == [
        (["aoi@example.com"], "rakutenの店：ライセンスキーはあと3日で切れます")
    ]
    home = client_of(aoi).get(reverse("channels:expiry-panel"))
    assert "あと3日で切れます" in home.content.decode()

    renewal.prepare(here.connection.pk, by=aoi)
    assert polling.due_for_import() == []  # nothing runs into the refusal
    here.mall.license_key = NEW_KEY  # the person reissues: from now on the old key is void
    during = here.sells(2)
    entered = renewal.enter(here.connection.pk, {"license_key": NEW_KEY}, by=aoi)
    assert "接続できました" in renewal.test(entered.pk, by=aoi)
    renewal.switch(entered.pk, by=aoi)
    assert "接続できました" in renewal.verify(entered.pk, by=aoi)

    after = here.sells(1)
    assert polling.due_for_import() == [here.connection.pk]  # at once, from where the cursor stood
    here.pull()
    assert here.taken_in() == {*before, *during, *after}
    shop = here.fresh()
    assert (shop.import_paused, shop.publish_paused, shop.notices_paused) == (False, False, False)
    assert shop.health == "running" and shop.stopped_since is None
    key.refresh_from_db()
    assert key.expires_at - here.time.now() > timedelta(days=89)
    assert expiry.warn() == 0
    kinds = CredentialEvent.objects.filter(kind__startswith="renewal_").order_by("pk").values_list("kind", "by")
    assert list(kinds) == [
        (f"renewal_{step}", aoi.pk) for step in ("prepared", "entered", "tested", "switched", "kept")
    ]


def test_a_key_that_dies_during_the_renewal_loses_nothing(house, aoi):
    """Nobody prepared: the old key is void while the import still runs."""
    here = house("rakuten")
    first = here.sells()
    here.pull()
    here.mall.license_key = NEW_KEY
    second = here.sells()
    with pytest.raises(CredentialsRefused):
        here.pull()
    stopped = here.fresh()
    assert stopped.health == "stopped" and "認証に失敗" in stopped.health_cause
    assert stopped.stopped_since is not None
    entered = renewal.enter(here.connection.pk, {"license_key": NEW_KEY}, by=aoi)
    assert here.fresh().import_paused and here.fresh().publish_paused
    renewal.test(entered.pk, by=aoi)
    renewal.switch(entered.pk, by=aoi)
    renewal.verify(entered.pk, by=aoi)
    here.pull()
    assert here.taken_in() == {*first, *second}
    assert here.fresh().health == "running" and not here.fresh().import_paused


def test_a_wrong_new_value_is_found_out_before_the_switch(house, aoi):
    here = house("amazon")
    here.pull()
    entered = renewal.enter(here.connection.pk, {"client_secret": "amzn1.oa2-cs.wrong"}, by=aoi)
    with pytest.raises(CredentialsRefused):
        renewal.test(entered.pk, by=aoi)
    entered.refresh_from_db()
    assert entered.state == State.ENTERED and entered.error and not entered.paused
    with pytest.raises(renewal.NotNow):
        renewal.switch(entered.pk, by=aoi)
    assert here.fresh().health == "running"  # the shop itself still works with the old value
    here.pull()
    renewal.abandon(entered.pk, by=aoi)
    entered.refresh_from_db()
    assert bytes(entered.fresh) == b"" and not here.fresh().import_paused


def test_where_both_keys_work_nothing_pauses_and_the_way_back_stays_open(house, aoi):
    here = house("yahoo")
    here.pull()
    stored = credentials.read(here.fresh())
    dates = Credential.objects.get(connection=here.connection, key="public_key").expires_at
    here.time.skip(days=1)
    moved = {"public_key": stored["public_key"] + "\n"}
    assert renewal_refused(here, moved)  # white space is no renewal
    here.mall.consent_life = None
    fresh = _consented_token(here)
    entered = renewal.enter(here.connection.pk, {"refresh_token": fresh}, by=aoi)
    renewal.test(entered.pk, by=aoi)
    assert not here.fresh().import_paused
    renewal.switch(entered.pk, by=aoi)
    renewal.verify(entered.pk, by=aoi)
    assert credentials.read(here.fresh())["refresh_token"] == fresh
    here.pull()
    renewal.roll_back(entered.pk, by=aoi)
    assert credentials.read(here.fresh()) == stored
    assert Credential.objects.get(connection=here.connection, key="public_key").expires_at == dates
    here.pull()
    assert here.fresh().health == "running"


def renewal_refused(here, values) -> bool:
    try:
        renewal.enter(here.connection.pk, values, by=None)
    except renewal.NotNow:
        return True
    return False


def _consented_token(here) -> str:
    """A person agreed at the mall."""
    back = "https://oms.example/back"
    code = "code-1"
    here.mall.consents._codes[code] = Code(back, here.time.now() + timedelta(minutes=5))
    return dict(shops.connector_of(here.fresh()).take_consent(code, back))["refresh_token"]


def test_a_process_that_dies_after_the_switch_is_taken_up_by_the_sweep(house, aoi):
    here = house("rakuten")
    here.pull()
    here.mall.license_key = NEW_KEY
    entered = renewal.enter(here.connection.pk, {"license_key": NEW_KEY}, by=aoi)
    renewal.test(entered.pk, by=aoi)
    renewal.switch(entered.pk, by=aoi)
    assert here.fresh().import_paused  # and here the process dies
    renewal.sweep()
    assert here.fresh().import_paused  # not while the first one may still be at it
    here.time.skip(minutes=2)
    renewal.sweep()
    entered.refresh_from_db()
    assert entered.state == State.KEPT and not here.fresh().import_paused
    here.time.at = entered.old_until + timedelta(seconds=1)
    renewal.sweep()
    entered.refresh_from_db()
    assert entered.state == State.DONE and bytes(entered.old) == b"" and bytes(entered.fresh) == b""


def test_a_mall_that_is_down_after_the_switch_keeps_the_pause_and_says_why(house, aoi):
    here = house("rakuten")
    here.pull()
    here.mall.license_key = NEW_KEY
    entered = renewal.enter(here.connection.pk, {"license_key": NEW_KEY}, by=aoi)
    renewal.test(entered.pk, by=aoi)
    renewal.switch(entered.pk, by=aoi)
    here.sandbox.inject("rakuten:503")
    with pytest.raises(ChannelDown):
        renewal.verify(entered.pk, by=aoi)
    entered.refresh_from_db()
    assert entered.state == State.SWITCHED and entered.error and here.fresh().import_paused
    here.sandbox.clear_faults()
    here.time.skip(minutes=2)
    renewal.sweep()
    assert not here.fresh().import_paused


def test_a_function_that_a_person_paused_stays_paused(house, aoi):
    here = house("rakuten")
    pausing.set_paused(here.connection.pk, "stock", paused=True, by=aoi)
    opened = renewal.prepare(here.connection.pk, by=aoi)
    assert opened.paused == ["import", "notices"]
    assert renewal.prepare(here.connection.pk, by=aoi).pk == opened.pk
    renewal.abandon(opened.pk, by=aoi)
    shop = here.fresh()
    assert (shop.import_paused, shop.publish_paused, shop.notices_paused) == (False, True, False)


def test_a_refusal_of_the_old_key_that_comes_late_does_not_stop_the_new_one(house):
    here = house("rakuten")
    old = here.fresh()
    here.time.skip(minutes=1)
    credentials.change(old.pk, {"license_key": NEW_KEY}, by=None)
    shops.note_success(old)
    shops.note_failure(old, CredentialsRefused("古いキーが断られました。"))
    assert here.fresh().health == "running"
    shops.note_failure(here.fresh(), CredentialsRefused("新しいキーも断られました。"))
    assert here.fresh().health == "stopped"


def test_two_people_at_once_switch_once(house, aoi):
    here = house("rakuten")
    here.mall.license_key = NEW_KEY
    entered = renewal.enter(here.connection.pk, {"license_key": NEW_KEY}, by=aoi)
    renewal.test(entered.pk, by=aoi)
    renewal.switch(entered.pk, by=aoi)
    with pytest.raises(renewal.NotNow):
        renewal.switch(entered.pk, by=aoi)
    renewal.verify(entered.pk, by=aoi)
    with pytest.raises(renewal.NotNow):
        renewal.verify(entered.pk, by=aoi)


def test_what_a_person_typed_later_is_not_undone_by_the_way_back(house, aoi):
    here = house("rakuten")
    here.mall.license_key = NEW_KEY
    entered = renewal.enter(here.connection.pk, {"license_key": NEW_KEY}, by=aoi)
    renewal.test(entered.pk, by=aoi)
    renewal.switch(entered.pk, by=aoi)
    renewal.verify(entered.pk, by=aoi)
    shop_settings.change(here.connection.pk, settings={}, addresses={}, secrets={"license_key": "SL-third-one"}, by=aoi)
    with pytest.raises(renewal.NotNow):
        renewal.roll_back(entered.pk, by=aoi)


def test_no_renewal_row_holds_a_value_in_the_clear(house, aoi):
    here = house("rakuten")
    entered = renewal.enter(here.connection.pk, {"license_key": NEW_KEY}, by=aoi)
    row = Renewal.objects.filter(pk=entered.pk).values().get()
    assert NEW_KEY not in repr({name: bytes(v) if isinstance(v, memoryview) else v for name, v in row.items()})
    assert not CredentialEvent.objects.filter(text__contains=NEW_KEY).exists()
    assert not Order.objects.exists() and Connection.objects.get().import_paused
