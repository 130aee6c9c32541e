"""The lead's screen for the reasons: settings, their effect before and after saving, the numbers and their rows."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from redis.exceptions import ConnectionError as Gone

from oms.kernel import own_words
from orders.channel_order import PaymentMethod, PaymentState
from orders.decide.stage_presets import PRESETS
from orders.models import Order, ReasonSetting, ReviewReason, ReviewSettingChange, StageName
from orders.queries import reasons as queries
from orders.reason_forms import StageNamesForm
from orders.services import edit, reason_preview, reason_settings, review, review_again
from orders.services.cancel import cancel_orders
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.reason_settings import Setting, StaleSetting
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
QUESTION = "組み立て方法を教えてください。"


@pytest.fixture(autouse=True)
def no_own_words():
    yield
    own_words.publish({})


def take(*numbers: str, remarks: str = QUESTION, shop=None, **fields) -> list[Order]:
    orders = [make_channel_order(number=number, remarks=remarks, **fields) for number in numbers]
    take_in(shop or make_shop(), orders, sku_of=mapped(make_sku(stock_units=50)))
    return list(Order.objects.filter(channel_order_no__in=numbers).order_by("pk"))


def form_of(client, code: str, **changed: str) -> dict[str, str]:
    """What the form posts when only these fields are touched."""
    form = client.get(reverse("orders:reason", args=[code])).context["form"]
    values = {field.html_name: field.value() for field in form}
    sent = {
        name: "on" if value is True else str(value)
        for name, value in values.items()
        if value is not None and value is not False
    }
    return {name: value for name, value in (sent | changed).items() if value != "-"}


# ---- what a change does


def test_a_preview_names_what_would_be_freed_and_stores_nothing(client_of, aoi):
    order, _other = take("P-1", "P-2")
    client = client_of(aoi)
    url = reverse("orders:reason", args=["buyer_note"])
    answer = client.post(url, form_of(client, "buyer_note", level="warn", preview="1"))
    preview = answer.context["preview"]
    assert (len(preview.freed), len(preview.stopped), preview.looked_at, preview.is_whole) == (2, 0, 2, True)
    assert "P-1" in answer.content.decode()
    assert not ReasonSetting.objects.exists()
    order.refresh_from_db()
    assert order.stage == "review"


def test_saving_frees_the_same_orders_in_the_background(client_of, aoi):
    take("P-1", "P-2")
    client = client_of(aoi)
    url = reverse("orders:reason", args=["buyer_note"])
    assert client.post(url, form_of(client, "buyer_note", level="warn", save="1")).status_code == 302
    row = ReasonSetting.objects.get()
    assert row.applied_version < row.version, "the open orders have not followed yet"
    assert "反映中" in client.get(reverse("orders:reasons")).content.decode()
    review_again.reapply_missed()  # what the sweep does when the wake-up was lost
    row.refresh_from_db()
    assert row.applied_version == row.version
    assert set(Order.objects.values_list("stage", flat=True)) == {"awaiting_stock"}


def test_a_reason_switched_on_stops_what_the_preview_said(aoi):
    order = take("P-1", remarks="")[0]
    wanted = Setting("first_order", True, "block")
    assert reason_preview.preview(wanted).stopped == [order.pk]
    reason_settings.save(wanted, by=aoi)
    review_again.reapply("first_order")
    order.refresh_from_db()
    assert order.stage == "review"


def test_an_order_that_something_else_blocks_is_neither_stopped_nor_freed(aoi):
    shop = make_shop()
    take_in(shop, [make_channel_order(number="P-1", remarks=QUESTION)], sku_of={})  # its product is unknown too
    preview = reason_preview.preview(Setting("buyer_note", True, "warn"))
    assert (preview.freed, preview.closed, preview.looked_at) == ([], [], 1)


def test_a_threshold_and_an_exception_are_used(client_of, aoi):
    client = client_of(aoi)
    url = reverse("orders:reason", args=["high_amount"])
    sent = form_of(client, "high_amount", param_yen="1000", for_0="channel:rakuten", level_0="info", save="1")
    make_shop()
    assert client.post(url, sent).status_code == 302
    setting = reason_settings.read().of("high_amount")
    assert (setting.params, setting.overrides) == ({"yen": 1000}, [["channel", "rakuten", "info"]])
    order = take("P-1", remarks="")[0]
    assert order.reasons.get(code="high_amount").level == "info"


def test_the_same_exception_twice_is_refused(client_of, aoi):
    make_shop()
    client = client_of(aoi)
    url = reverse("orders:reason", args=["high_amount"])
    twice = {"for_0": "channel:rakuten", "level_0": "info", "for_1": "channel:rakuten", "level_1": "warn"}
    answer = client.post(url, form_of(client, "high_amount", **twice, save="1"))
    assert answer.status_code == 200 and "同じ対象の例外が二つあります" in answer.content.decode()
    assert not ReasonSetting.objects.exists()


def test_a_colleagues_setting_is_not_overwritten_unseen(client_of, aoi):
    client = client_of(aoi)
    sent = form_of(client, "buyer_note", label="備考を読む", save="1")
    reason_settings.save(Setting("buyer_note", True, "warn"), by=aoi)
    answer = client.post(reverse("orders:reason", args=["buyer_note"]), sent)
    assert answer.status_code == 409 and "ほかの人がこの理由の設定を変えました" in answer.content.decode()
    assert reason_settings.read().of("buyer_note").label == ""
    with pytest.raises(StaleSetting):
        reason_settings.save(Setting("buyer_note", False, "warn"), by=aoi, seen=0)


def test_a_change_is_on_record_and_saving_the_same_again_adds_nothing(aoi):
    assert reason_settings.save(Setting("buyer_note", True, "warn"), by=aoi)
    assert not reason_settings.save(Setting("buyer_note", True, "warn"), by=aoi)
    change = ReviewSettingChange.objects.get()
    assert (change.by, change.before["level"], change.after["level"]) == (aoi, "block", "warn")
    assert ("区分", "停止", "注意") in queries.changes_of("buyer_note")[0].differences


def test_a_reset_goes_back_to_the_standard(client_of, aoi):
    reason_settings.save(Setting("buyer_note", False, "warn"), by=aoi)
    client_of(aoi).post(reverse("orders:reason-reset", args=["buyer_note"]))
    assert reason_settings.read().of("buyer_note").document == reason_settings.default("buyer_note").document


def test_a_reason_that_other_parts_open_is_not_switched_off_but_has_a_level_of_ones_own(client_of, aoi):
    client = client_of(aoi)
    sent = form_of(client, "oversold", active="-", level="info", label="在庫の食い違い", save="1")
    assert client.post(reverse("orders:reason", args=["oversold"]), sent).status_code == 302
    setting = reason_settings.read().of("oversold")
    assert (setting.active, setting.level, setting.label) == (True, "info", "在庫の食い違い")


# ---- names


def test_a_reasons_own_name_is_shown_on_the_order(client_of, aoi, django_capture_on_commit_callbacks):
    order = take("P-1")[0]
    with django_capture_on_commit_callbacks(execute=True):
        reason_settings.save(Setting("buyer_note", True, "block", label="お客様コメント"), by=aoi)
    page = client_of(aoi).get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert "お客様コメント" in page


def test_stages_get_the_companys_names_everywhere_and_back(client_of, aoi, django_capture_on_commit_callbacks):
    order = take("P-1", remarks="")[0]
    client, url = client_of(aoi), reverse("orders:stage-names")
    assert "在庫を待つ" not in client.get(reverse("orders:list")).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(url, {"awaiting_stock": "在庫を待つ"}).status_code == 302
    assert "在庫を待つ" in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert "在庫を待つ" in client.get(reverse("orders:list")).content.decode()
    assert "在庫を待つ" in client.get(url).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url, {})
    assert "在庫を待つ" not in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert ReviewSettingChange.objects.filter(subject="stage:awaiting_stock").count() == 2


def test_two_stages_may_not_have_one_name(client_of, aoi):
    answer = client_of(aoi).post(reverse("orders:stage-names"), {"ready": "確認待ち"})
    assert answer.status_code == 200 and "同じ呼び名のステータスが二つあります" in answer.content.decode()


def test_a_preset_fills_the_form_and_saves_nothing(client_of, aoi):
    page = client_of(aoi).get(reverse("orders:stage-names") + "?preset=printing").content.decode()
    assert 'value="印刷待ち"' in page
    assert not ReviewSettingChange.objects.exists()


@pytest.mark.parametrize(
    ("preset", "word"), [("next_engine", "印刷日待ち"), ("logiless", "出荷待ち"), ("cross_mall", "在庫警告")]
)
def test_a_team_that_changes_keeps_the_words_of_its_old_board(preset, word, client_of, aoi):
    client, url = client_of(aoi), reverse("orders:stage-names")
    form = client.get(url, {"preset": preset}).context["form"]
    client.post(url, {field.html_name: field.value() or "" for field in form})
    assert word in dict(StageName.objects.values_list("code", "label")).values()


@pytest.mark.parametrize("preset", PRESETS)
def test_no_preset_gives_two_stages_one_name(preset):
    form = StageNamesForm({}, {code: str(name) for code, name in PRESETS[preset].names.items()})
    assert form.is_valid(), form.errors


def test_without_redis_the_standard_names_stand(monkeypatch):
    class Broken:
        def get(self, *_given):
            raise Gone

        set = get

    monkeypatch.setattr(own_words.heartbeat, "client", Broken)
    monkeypatch.setattr(own_words._Known, "read_at", float("-inf"))
    own_words.refresh()
    assert str(own_words.own_word("stage:x", "標準")) == "標準"


# ---- numbers


def test_every_number_opens_as_many_rows_as_it_says(client_of, aoi):
    kept, noted, gone, still = take("S-1", "S-2", "S-3", "S-4")
    actor = Actor(aoi, "x")
    review.accept([kept.pk], actor=actor)
    noted.refresh_from_db()
    seen = edit.Seen(noted.version, edit.fingerprint({"internal_note": noted.internal_note}))
    edit.edit_note(noted.pk, "電話で説明した", seen=seen, actor=actor)
    review.accept([noted.pk], actor=actor)
    cancel_orders([gone.pk], reason="顧客都合", actor=actor)
    client = client_of(aoi)
    numbers = queries.stats(30)["buyer_note"]
    assert {name: n for name, n in numbers.outcomes.items() if n} == {
        "unchanged": 1, "changed": 1, "cancelled": 1, "open": 1
    }  # fmt: skip
    assert numbers.opened == {7: 4, 30: 4, 90: 4}
    assert numbers.median_s is not None
    rows_url = reverse("orders:reason-rows", args=["buyer_note"])
    for name, n in numbers.outcomes.items():
        answer = client.get(rows_url, {"days": 30, "outcome": name})
        assert (answer.context["count"], len(answer.context["rows"])) == (n, n), name
    assert len(client.get(rows_url, {"days": 7}).context["rows"]) == 4
    assert still.channel_order_no in client.get(rows_url, {"outcome": "open"}).content.decode()


def test_a_corrected_address_counts_as_corrected_and_a_vanished_cause_as_by_itself(aoi):
    nameless = replace(TOKYO_PARTY, address="三軒茶屋")
    order = take("S-1", remarks="", recipients=(nameless,))[0]
    values = {name: getattr(order.recipients.get(), name) for name in edit.RECIPIENT_FIELDS}
    seen = edit.Seen(order.version, edit.fingerprint(values))
    edit.edit_recipient(order.pk, 0, values | {"address": "三軒茶屋2-14-3"}, seen=seen, actor=Actor(aoi, "x"))
    assert queries.stats(30)["street_no_missing"].outcomes["corrected"] == 1
    other = take("S-2", remarks="", recipients=(nameless,))[0]
    other.recipients.update(address="三軒茶屋2-14-3")
    review_again.reapply("street_no_missing")
    numbers = queries.stats(30)["street_no_missing"]
    assert (numbers.outcomes["by_itself"], numbers.self_closed_percent) == (1, 50)


def test_a_stop_that_nearly_everybody_waves_through_is_called_worthless(client_of, aoi):
    orders = take(*(f"W-{n}" for n in range(20)))
    page_url = reverse("orders:reasons")
    client = client_of(aoi)
    assert "ほとんどが変更なしで通っています" not in client.get(page_url).content.decode()
    review.accept([order.pk for order in orders], actor=Actor(aoi, "x"))
    assert "ほとんどが変更なしで通っています" in client.get(page_url).content.decode()


def test_an_old_reason_falls_out_of_the_short_window():
    take("O-1")
    reason = ReviewReason.objects.get(code="buyer_note")
    reason.raised_at -= timedelta(days=20)
    reason.save(update_fields=["raised_at"])
    numbers = queries.stats(7)["buyer_note"]
    assert numbers.opened == {7: 0, 30: 1, 90: 1} and numbers.outcomes["open"] == 0


def test_the_lists_ask_a_fixed_number_of_queries(client_of, aoi):
    client = client_of(aoi)
    take("Q-1")
    urls = [reverse("orders:reasons"), reverse("orders:reason-rows", args=["buyer_note"])]
    few = [queries_of(client, url) for url in urls]
    take(*(f"Q-1{n}" for n in range(8)))
    assert [queries_of(client, url) for url in urls] == few


def queries_of(client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


# ---- rights


@pytest.mark.parametrize("name", ["reasons", "stage-names"])
def test_only_who_manages_reasons_sees_the_settings(client_of, aoi, ben, chie, name):
    assert client_of(aoi).get(reverse(f"orders:{name}")).status_code == 200
    assert client_of(ben).get(reverse(f"orders:{name}")).status_code == 403
    assert client_of(chie).get(reverse(f"orders:{name}")).status_code == 403


@pytest.mark.parametrize(
    ("name", "args"), [("reason", ["buyer_note"]), ("reason-reset", ["buyer_note"]), ("stage-names", [])]
)
def test_only_who_manages_reasons_changes_them(client_of, ben, chie, name, args):
    url = reverse(f"orders:{name}", args=args)
    for person in (ben, chie):
        assert client_of(person).post(url, {"level": "info"}).status_code == 403
    assert not ReviewSettingChange.objects.exists()


def test_a_reset_is_a_post(client_of, aoi):
    assert client_of(aoi).get(reverse("orders:reason-reset", args=["buyer_note"])).status_code == 405


def test_the_rows_hide_personal_evidence_from_who_may_not_see_it(client_of, ben):
    ben.user_permissions.add(Permission.objects.get(codename="manage_reasons"))
    nowhere = replace(TOKYO_PARTY, address="三軒茶屋")
    take("R-1", remarks="", recipients=(nowhere,))
    url = reverse("orders:reason-rows", args=["street_no_missing"])
    page = client_of(ben).get(url).content.decode()
    assert "R-1" in page and "三軒茶屋" not in page and "個人情報のため表示できません" in page


def test_rows_of_an_unknown_reason_or_outcome_are_not_found(client_of, aoi):
    client = client_of(aoi)
    assert client.get(reverse("orders:reason-rows", args=["no_such"])).status_code == 404
    assert client.get(reverse("orders:reason-rows", args=["buyer_note"]) + "?outcome=x").status_code == 404


# ---- reasons that another part opens


def test_a_reason_from_above_opens_at_the_companys_level_and_open_ones_follow(client_of, aoi):
    from orders.decide.found import Found  # noqa: PLC0415

    client, url = client_of(aoi), reverse("orders:reason", args=["oversold"])
    mall, cash = take("P-1", remarks="") + take(
        "P-2", remarks="", payment_method=PaymentMethod.COD, payment_state=PaymentState.UNPAID
    )
    review.open_from_above([(order.pk, Found("oversold", "2個足りません。", "lines")) for order in (mall, cash)])
    levels = ReviewReason.objects.filter(code="oversold").order_by("order").values_list("level", flat=True)
    assert list(levels) == ["block", "block"]
    asked = form_of(client, "oversold", level="warn", for_0="payment:cod", level_0="block")
    assert "active" not in asked, "it cannot be switched off"
    preview = client.post(url, asked | {"preview": "1"}).context["preview"]
    assert (preview.freed, preview.stopped) == ([mall.pk], [])
    client.post(url, asked | {"save": "1"})
    review_again.reapply_missed()
    assert list(levels.all()) == ["warn", "block"]
    mall.refresh_from_db()
    assert mall.stage != "review"
    [later] = take("P-3", remarks="")
    review.open_from_above([(later.pk, Found("oversold", "1個足りません。", "lines"))])
    assert later.reasons.get(code="oversold").level == "warn"


def test_what_a_rule_or_a_question_says_keeps_its_own_level(client_of, aoi):
    form = client_of(aoi).get(reverse("orders:reason", args=["rule_hold"])).context["form"]
    assert not {"level", "active", "for_0"} & set(form.fields)


def test_every_reason_has_its_page_and_its_numbers(client_of, aoi):
    from orders.decide.catalogue import CATALOGUE  # noqa: PLC0415

    client = client_of(aoi)
    listed = client.get(reverse("orders:reasons")).content.decode()
    for code in CATALOGUE:
        url = reverse("orders:reason", args=[code])
        assert url in listed and client.get(url).status_code == 200, code
