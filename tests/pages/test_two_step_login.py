"""Two-step login on its pages: setting up, the second page of the login, trust, being required, lost phones."""

import re
import time
from base64 import b32decode
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP

from oms.kernel import clock
from oms.kernel.models import Device, SecondStep, SignInEvent, SignInRule, SignInSettings
from oms.kernel.services import second_step

pytestmark = pytest.mark.django_db
PASSWORD = "himitsu-no-kotoba"
SECRET = bytes(range(20))
SET_UP, CODE = reverse("pages:second-step"), reverse("pages:login-code")


@pytest.fixture(autouse=True)
def moment(monkeypatch):
    """Time stands still for codes; `moment(60)` moves it."""
    now = [time.time()]
    monkeypatch.setattr("oms.kernel.services.second_step.time.time", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    move.now = lambda: now[0]
    return move


@pytest.fixture
def code(moment):
    """`code()`: what the app shows; `code(1)`: what it shows next."""

    def shown(steps: int = 0, secret: bytes = SECRET) -> str:
        app = TOTP(secret, drift=steps)
        app.time = moment.now()
        return f"{app.token():06d}"

    return shown


@pytest.fixture
def guarded(aoi, code):
    """aoi, with an app."""
    aoi.codes = second_step.set_up(aoi, SECRET, code(-1), keep=None, address="")
    return aoi


def give_password(client, username="aoi", **more):
    return client.post("/login/", {"username": username, "password": PASSWORD, **more})


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def text_of(response, status=200) -> str:
    assert response.status_code == status
    return response.content.decode()


def secret_on(page: str) -> tuple[bytes, str]:
    """(secret, sealed) of the page for setting up."""
    letters = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)[1]
    return b32decode(letters.replace(" ", "")), re.search(r'name="sealed" value="([^"]+)"', page)[1]


# ---- setting up


def test_who_wants_it_sets_it_up_and_keeps_ten_codes(client_of, aoi, code):
    client, elsewhere = client_of(aoi), client_of(aoi)
    secret, sealed = secret_on(text_of(client.get(SET_UP)))
    page = text_of(client.post(SET_UP, {"sealed": sealed, "code": "000000"}))
    assert "コードが合いません" in page and secret_on(page)[0] == secret  # the same picture: nothing to scan anew
    page = text_of(client.post(SET_UP, {"sealed": sealed, "code": code(secret=secret)}))
    codes = re.findall(r"<code>([0-9A-Z-]{19})</code>", page)
    assert len(codes) == 10 and "二段階認証を有効にしました" in page
    assert client.get("/").status_code == 200 and elsewhere.get("/").status_code == 302  # came in with a password alone
    page = text_of(client.get(SET_UP))
    assert "有効" in page and not any(one in page for one in codes)  # shown once
    file = client.post(reverse("pages:second-step-file"), {"codes": [*codes, "0000-0000-0000-0000"]})
    assert file["Content-Disposition"].startswith("attachment") and "no-store" in file["Cache-Control"]
    assert all(one in file.content.decode() for one in codes) and "0000-0000-0000-0000" not in file.content.decode()


def test_a_secret_of_somebody_else_or_of_yesterday_is_not_taken(client_of, aoi, ben, code):
    secret, sealed = secret_on(text_of(client_of(ben).get(SET_UP)))
    for wrong in (sealed, "nonsense", ""):
        page = text_of(client_of(aoi).post(SET_UP, {"sealed": wrong, "code": code(secret=secret)}))
        assert "新しいQRコードに替わりました" in page
    assert not SecondStep.objects.exclude(confirmed_at=None).exists()


def test_the_picture_needs_nothing_that_the_policy_forbids(client_of, aoi):
    response = client_of(aoi).get(SET_UP)
    page = text_of(response)
    picture = re.search(r"<svg [^>]*class=\"qr\".*?</svg>", page, re.S)[0]
    assert "style" not in picture and "<script" not in picture and "<path" in picture
    assert "'unsafe-inline'" not in response["Content-Security-Policy"]


# ---- signing in


def test_the_password_alone_leads_to_the_second_page_and_no_further(client, guarded, code):
    answer = give_password(client, next="/orders/")
    assert (answer.status_code, answer["Location"]) == (302, CODE) and not signed_in(client)
    assert client.get("/").status_code == 302
    page = text_of(client.get(CODE))
    assert 'autocomplete="one-time-code"' in page and 'inputmode="numeric"' in page and "省略する" not in page
    assert "認証コードが違います" in text_of(client.post(CODE, {"code": "12"}))
    spaced = f"{code()[:3]} {code()[3:]}"
    answer = client.post(CODE, {"code": spaced})
    assert (answer.status_code, answer["Location"]) == (302, "/orders/") and signed_in(client)
    assert client.get("/").status_code == 200


def test_a_code_that_was_seen_over_the_shoulder_is_worth_nothing(client, guarded, code):
    give_password(client)
    client.post(CODE, {"code": code()})
    thief = Client()
    give_password(thief)
    page = text_of(thief.post(CODE, {"code": code()}))
    assert "もう使われています" in page and not signed_in(thief)


def test_a_recovery_code_lets_one_in_and_says_how_many_are_left(client, guarded):
    give_password(client)
    page = text_of(client.post(CODE, {"code": guarded.codes[0]}, follow=True))
    assert "残りは9個" in page and signed_in(client)
    give_password(other := Client())
    assert "もう使われています" in text_of(other.post(CODE, {"code": guarded.codes[0]}))


def test_guessing_codes_ends_soon_and_says_so(client, guarded, code):
    give_password(client)
    for _try in range(second_step.ACCOUNT):
        assert client.post(CODE, {"code": "x"}).status_code == 200
    page = text_of(client.post(CODE, {"code": code()}), status=429)
    assert "15分ほど待って" in page and not signed_in(client)
    give_password(other := Client(REMOTE_ADDR="198.51.100.9"))
    assert other.post(CODE, {"code": code()}).status_code == 429


def test_the_second_page_waits_ten_minutes_and_only_for_the_same_password(client, guarded, code, moment):
    give_password(client)
    moment(601)
    assert "時間が過ぎました" in text_of(client.post(CODE, {"code": code()}, follow=True)) and not signed_in(client)
    give_password(client)
    guarded.set_password("betsu-no-kotoba")
    guarded.save(update_fields=["password"])
    assert client.post(CODE, {"code": code(1)})["Location"] == "/login/" and not signed_in(client)


def test_nobody_gets_to_the_second_page_without_the_first(client, guarded, code):
    assert client.get(CODE)["Location"] == "/login/"
    assert client.post(CODE, {"code": code()})["Location"] == "/login/" and not signed_in(client)


# ---- trust


def test_trust_is_offered_only_where_the_company_allows_it_and_ends(client, guarded, code, client_of):
    give_password(client)
    client.post(CODE, {"code": code(), "trust": "on"})
    assert not Device.objects.exclude(trusted_until=None).exists()  # not offered, so not given
    client.post("/logout/")
    SignInSettings.objects.create(may_trust=True)
    give_password(client)
    assert "30日間" in text_of(client.get(CODE))
    client.post(CODE, {"code": code(1), "trust": "on"})
    client.post("/logout/")
    assert give_password(client)["Location"] == "/" and signed_in(client)
    assert give_password(other := Client())["Location"] == CODE and not signed_in(other)
    device = Device.objects.exclude(trusted_until=None).get()
    client.post("/logout/")
    device.trusted_until = clock.now() - timedelta(seconds=1)
    device.save(update_fields=["trusted_until"])
    assert give_password(client)["Location"] == CODE


def test_trust_is_taken_back_with_the_device_and_with_the_setting(client, guarded, code, client_of):
    SignInSettings.objects.create(may_trust=True)
    give_password(client)
    client.post(CODE, {"code": code(), "trust": "on"})
    client.post("/logout/")
    device = Device.objects.exclude(trusted_until=None).get()
    client_of(guarded).post(reverse("pages:device-end", args=[device.pk]))
    assert give_password(client)["Location"] == CODE
    client.post(CODE, {"code": code(1), "trust": "on"})
    client.post("/logout/")
    keeper = client_of(guarded)
    keeper.post(reverse("pages:sign-in-trust"), {})
    keeper.post(reverse("pages:sign-in-trust"), {"may_trust": "on"})
    assert give_password(client)["Location"] == CODE


def test_a_forged_cookie_trusts_nobody(client, guarded, code):
    SignInSettings.objects.create(may_trust=True)
    give_password(client)
    client.post(CODE, {"code": code(), "trust": "on"})
    browser = Device.objects.exclude(trusted_until=None).get().browser
    thief = Client()
    thief.cookies["oms_browser"] = browser
    assert give_password(thief)["Location"] == CODE


# ---- required


@pytest.fixture
def required(aoi):
    return SignInRule.objects.create(group=Group.objects.get(name="operator"), second_step=True)


def test_who_must_have_it_can_do_nothing_before(client, person_with, required, code):
    person_with("operator")
    give_password(client, "has-operator")
    for path in ("/", "/orders/", reverse("pages:account"), reverse("pages:second-step-off")):
        assert client.get(path)["Location"] == SET_UP
    assert client.post("/orders/bulk/", {"action": "cancel"})["Location"] == SET_UP
    assert client.get("/orders/", headers={"HX-Request": "true"})["HX-Redirect"] == SET_UP
    page = text_of(client.get(SET_UP))
    assert "設定が終わるまで" in page and 'class="nav' not in page
    secret, sealed = secret_on(page)
    assert "リカバリーコード" in text_of(client.post(SET_UP, {"sealed": sealed, "code": code(secret=secret)}))
    assert client.get("/orders/").status_code == 200


def test_it_holds_for_who_is_signed_in_already_and_for_others_not(client_of, person_with, required, ben):
    worker, looker = client_of(person_with("operator")), client_of(ben)
    assert worker.get("/")["Location"] == SET_UP and looker.get("/").status_code == 200
    assert worker.post("/logout/")["Location"] == "/login/"


def test_a_superuser_counts_as_an_administrator(client_of, django_user_model, aoi):
    SignInRule.objects.create(group=Group.objects.get(name="administrator"), second_step=True)
    root = django_user_model.objects.create_superuser("root", password=PASSWORD)
    assert client_of(root).get("/")["Location"] == SET_UP


def test_where_it_is_required_the_app_can_only_be_changed(client_of, guarded, code):
    SignInRule.objects.create(group=Group.objects.get(name="administrator"), second_step=True)
    client = client_of(guarded)
    client.post(reverse("pages:second-step-off"), {"current": PASSWORD, "code": code()})
    assert client.get("/")["Location"] == SET_UP


# ---- switching off, renewing


def test_switching_off_asks_for_password_and_code(client_of, guarded, code):
    client, off = client_of(guarded), reverse("pages:second-step-off")
    assert "今のパスワードが違います" in text_of(client.post(off, {"current": "wrong", "code": code()}))
    assert "認証コードが違います" in text_of(client.post(off, {"current": PASSWORD, "code": "1"}))
    assert SecondStep.objects.exclude(confirmed_at=None).exists()
    page = text_of(client.post(off, {"current": PASSWORD, "code": code()}, follow=True))  # not used up by the first try
    assert "二段階認証を解除しました" in page and not SecondStep.objects.exclude(confirmed_at=None).exists()


def test_renewing_codes_asks_for_a_code(client_of, guarded, code):
    client, renew = client_of(guarded), reverse("pages:second-step-codes")
    assert "認証コードが違います" in text_of(client.post(renew, {"code": "1"}))
    fresh = re.findall(r"<code>([0-9A-Z-]{19})</code>", text_of(client.post(renew, {"code": code()})))
    assert len(fresh) == 10 and not set(fresh) & set(guarded.codes)
    assert client.get(renew).status_code == 405


# ---- a lost phone


def test_an_administrator_resets_a_lost_phone_and_the_person_sets_up_anew(client_of, person_with, aoi, code):
    lost = person_with("operator")
    second_step.set_up(lost, SECRET, code(-1), keep=None, address="")
    theirs, keeper = client_of(lost), client_of(aoi)
    reset = reverse("pages:second-step-reset", args=[lost.pk])
    assert "設定済み" in text_of(keeper.get(reverse("pages:people")))
    assert "本人であることを" in text_of(keeper.get(reset))
    page = text_of(keeper.post(reset, {"why": "電車に忘れた"}, follow=True))
    assert "リセットしました" in page and "未設定（必須）" in page
    assert theirs.get("/").status_code == 302
    give_password(fresh := Client(), lost.username)
    assert fresh.get("/")["Location"] == SET_UP
    event = SignInEvent.objects.get(kind="reset")
    assert (event.person_id, event.by, event.text) == (lost.pk, aoi, "電車に忘れた")


def test_only_who_may_resets(client_of, person_with, guarded):
    lead = client_of(person_with("shift_lead"))
    assert lead.post(reverse("pages:second-step-reset", args=[guarded.pk])).status_code == 403
    assert SecondStep.objects.exclude(confirmed_at=None).exists()


# ---- a person at a browser


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_person_sets_it_up_and_signs_in_with_it(page_as, aoi, code, moment, screenshot):
    page = page_as(aoi)
    page.goto("/account/")
    page.get_by_role("link", name="設定する").click()
    letters = page.locator("code.secret").inner_text().replace(" ", "")
    secret = b32decode(letters)
    screenshot(page, "second-step-set-up", full_page=True)
    page.get_by_label("認証コード").fill(code(secret=secret))
    page.get_by_role("button", name="確認して有効にする").click()
    assert page.locator(".recovery-codes code").count() == 10
    screenshot(page, "second-step-codes", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("button", name="ファイルに保存する").click()
    kept = download.value.path().read_text()
    assert len(re.findall(r"^[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}$", kept, re.M)) == 10
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    phone = page_as(None, width=390, height=760)
    phone.goto("/login/")
    phone.get_by_label("ユーザー名").fill("aoi")
    phone.get_by_label("パスワード").fill(PASSWORD)
    phone.get_by_role("button", name="ログイン").click()
    assert phone.locator("#id_code").evaluate("element => element === document.activeElement")
    screenshot(phone, "login-code-390")
    phone.get_by_role("textbox", name="認証コード").fill(code(1, secret))
    phone.get_by_role("button", name="ログイン", exact=True).click()
    phone.wait_for_url("**/")
    phone.goto("/account/")
    assert phone.locator("tbody tr").first.get_by_text("この端末").is_visible()
    screenshot(phone, "account-390", full_page=True)
