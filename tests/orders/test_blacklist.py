"""An order whose people are on the blacklist: it stops or is to be looked at, and follows corrections."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from customers.services import blacklist
from oms.kernel import clock
from orders.channel_order import PaymentMethod
from orders.models import Order
from orders.services import edit, reason_settings, review, review_again
from orders.services.edit import Seen
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.reason_settings import Setting
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
OTHER = replace(TOKYO_PARTY, name="田中 一郎", phone="03-1111-2222", email="ichiro@example.com", address="太子堂1-2-3")
PLACE = {"postal_code": "154-0024", "address": "東京都世田谷区三軒茶屋二丁目14番3号メゾン青葉402"}


def put_on(**items) -> None:
    empty = dict.fromkeys(("name", "phone", "email", "postal_code", "address"), "")
    blacklist.put_on(**{**empty, **items}, reason="受取拒否", by=None)


def take(**fields) -> Order:
    order = make_channel_order(**fields)
    take_in(make_shop(), [order], sku_of=mapped(make_sku(stock_units=50)))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def reasons(order: Order) -> dict[str, str]:
    """Code → evidence of what is open of the blacklist."""
    return dict(order.reasons.filter(state="open", code__startswith="blacklist").values_list("code", "evidence"))


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ({"phone": "+81 90 1234 5678"}, "注文者の電話番号が"),
        ({"email": "MEGUMI@example.com"}, "注文者のメールアドレスが"),
        ({"name": "佐藤恵", "postal_code": "1540024"}, "注文者の氏名・郵便番号が"),
        ({"name": "佐藤恵", **PLACE}, "注文者の住所・氏名が"),
    ],
)
def test_an_order_stops_and_says_what_matched(items, said):
    put_on(**items)
    order = take()
    assert reasons(order) == {"blacklist_match": f"{said}要注意リストと一致しました（受取拒否）。"}
    assert order.stage == "review" and order.reasons.get().level == "block"
    review.reevaluate([order.pk])  # what is stored says the same as what the channel told
    assert order.reasons.get().evidence == f"{said}要注意リストと一致しました（受取拒否）。"


def test_every_recipient_is_looked_at():
    put_on(phone="09012345678")
    one = take(buyer=OTHER, recipients=(TOKYO_PARTY,))
    assert reasons(one)["blacklist_match"].startswith("届け先の電話番号が")
    two = take(buyer=OTHER, recipients=(OTHER, TOKYO_PARTY))
    assert reasons(two)["blacklist_match"].startswith("届け先2の電話番号が")


def test_the_same_address_deserves_a_look_and_the_same_name_does_not():
    put_on(**PLACE)
    put_on(name="田中一郎", phone="0909999000")
    order = take()
    assert list(reasons(order)) == ["blacklist_similar"] and order.reasons.get().level == "warn"
    assert order.stage != "review"
    assert reasons(take(buyer=OTHER, recipients=(OTHER,))) == {}


def test_the_thresholds_are_the_companys_and_a_name_alone_never_stops():
    put_on(**PLACE)
    put_on(name="田中一郎", phone="0909999000")
    reason_settings.save(Setting("blacklist_match", active=True, level="block", params={"match_score": 10}), by=None)
    assert list(reasons(take())) == ["blacklist_match"]
    reason_settings.save(Setting("blacklist_similar", active=True, level="warn", params={"similar_score": 30}), by=None)
    assert list(reasons(take(buyer=OTHER, recipients=(OTHER,)))) == ["blacklist_similar"]


def correct(order: Order, by, **values: str) -> None:
    """What a person corrects of the first recipient."""
    held = {name: getattr(order.recipients.get(position=0), name) for name in edit.RECIPIENT_FIELDS}
    order.refresh_from_db()
    seen = Seen(order.version, edit.fingerprint(held))
    edit.edit_recipient(order.pk, 0, held | values, seen=seen, actor=Actor(by))
    order.refresh_from_db()


def test_a_corrected_phone_closes_the_reason_by_itself(aoi):
    put_on(phone="09012345678")
    order = take(buyer=OTHER)
    assert "届け先の電話番号が" in reasons(order)["blacklist_match"] and order.stage == "review"
    correct(order, aoi, phone="090-1234-5679")
    assert order.reasons.get(code="blacklist_match").state == "auto_resolved" and order.stage != "review"


def test_what_was_accepted_stays_so_while_the_same_matches(aoi):
    put_on(phone="09012345678", name="佐藤恵", postal_code="1540024")
    order = take(buyer=OTHER)
    review.accept([order.pk], actor=Actor(aoi))
    assert order.reasons.get(code="blacklist_match").state == "open"  # it wants a note
    review.accept([order.pk], actor=Actor(aoi), note="電話で確認")
    correct(order, aoi, phone="+81 90-1234-5678", name="佐藤　恵")
    assert order.reasons.get(code="blacklist_match").state == "accepted"
    correct(order, aoi, phone="090-1234-5679")
    row = order.reasons.get(code="blacklist_match")
    assert row.state == "open" and row.evidence.startswith("届け先の氏名・郵便番号が")


def test_a_buyer_whom_the_channel_corrects_is_looked_at_again():
    put_on(phone="09012345678")
    told = make_channel_order(recipients=(OTHER,))
    mapping = mapped(make_sku(stock_units=5))
    take_in(make_shop(), [told], sku_of=mapping)
    order = Order.objects.get()
    assert list(reasons(order)) == ["blacklist_match"]
    take_in(make_shop(), [replace(told, buyer=OTHER)], sku_of=mapping)
    assert reasons(order) == {}


def test_the_card_shows_both_sides_to_those_who_may_see_people(client_of, aoi, ben):
    put_on(name="佐藤恵", email="old@example.com", phone="09012345678")
    order = take()
    url = "/orders/inbox/?code=blacklist_match"
    page = client_of(aoi).get(url)
    text, side = page.content.decode(), page.context["listed"]
    assert (side.whose, side.score) == ("注文者", 90)
    assert {row.label: row.same for row in side.rows} == {
        "電話番号": True, "メールアドレス": False, "氏名": True, "郵便番号": False, "住所": False,
    }  # fmt: skip
    assert "old@example.com" in text and "<mark>090-1234-5678</mark>" in text
    hidden = client_of(ben).get(f"{url}&at={order.pk}").content.decode()
    assert "old@example.com" not in hidden and "1234-5678" not in hidden


def test_the_orders_page_compares_what_is_only_similar(client_of, aoi, ben):
    put_on(**PLACE, phone="0312345678")
    order = take()
    page = client_of(aoi).get(f"/orders/{order.pk}/")
    assert {row.label: row.same for row in page.context["listed"].rows} == {
        "電話番号": False, "メールアドレス": False, "氏名": False, "郵便番号": True, "住所": True,
    }  # fmt: skip
    assert "三軒茶屋二丁目14番3号" in page.content.decode()
    assert "三軒茶屋二丁目14番3号" not in client_of(ben).get(f"/orders/{order.pk}/").content.decode()


def test_a_card_of_an_entry_that_was_lifted_since_shows_no_sides(client_of, aoi):
    put_on(phone="09012345678")
    take()
    blacklist.lift(blacklist.BlacklistEntry.objects.get().pk, why="和解", by=None)
    page = client_of(aoi).get("/orders/inbox/?code=blacklist_match")
    assert page.status_code == 200 and page.context["listed"] is None


# ---- how strictly, for what, until when


def level(order: Order) -> str:
    return dict(order.reasons.filter(state="open").values_list("code", "level")).get("blacklist_match", "")


def test_an_entry_stops_no_more_than_it_says_and_the_setting_no_more_than_itself():
    put_on(phone="09012345678", severity="warn")
    order = take()
    assert level(order) == "warn" and order.stage != "review"
    reason_settings.save(Setting("blacklist_match", active=True, level="info"), by=None)
    assert level(take()) == "info", "the milder of both holds"
    put_on(email="megumi@example.com", severity="block")
    reason_settings.save(Setting("blacklist_match", active=True, level="block"), by=None)
    assert level(take()) == "block", "of two that surely mean the person the stricter counts"


def test_an_entry_is_for_its_shops_and_payment_methods():
    put_on(phone="09012345678", shops=["elsewhere"])
    assert reasons(take()) == {}
    put_on(phone="09012345678", payments=["cod"])
    assert reasons(take()) == {}
    order = take(payment_method=PaymentMethod.COD)
    assert "blacklist_match" in reasons(order)
    review.reevaluate([order.pk])
    assert "blacklist_match" in reasons(order)


def test_an_entry_ends_with_its_last_day_and_so_does_the_reason(monkeypatch):
    put_on(phone="09012345678", until=clock.today())
    order = take()
    assert "blacklist_match" in reasons(order)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=2))
    monkeypatch.setattr(clock, "today", lambda: now.date() + timedelta(days=2))
    assert reasons(take()) == {}
    review_again.by_time()
    assert reasons(order) == {}


def test_dots_and_tags_of_mail_addresses_make_no_difference_where_the_company_says_so(client_of, aoi):
    put_on(email="me.gumi+shop@example.com")
    assert reasons(take()) == {}
    client, url = client_of(aoi), reverse("orders:reason", args=["blacklist_match"])
    sent = {"version": "0", "active": "on", "level": "block", "shown": "everywhere", "note_required": "on"}
    sent |= {"param_match_score": "60", "param_loose_mail": "on", "save": "1"}
    assert client.post(url, sent).status_code == 302
    assert "を無視して照合する: はい" in client.get(url).content.decode()
    order = take()
    assert reasons(order)["blacklist_match"].startswith("注文者のメールアドレスが")
    review.reevaluate([order.pk])
    assert "blacklist_match" in reasons(order)
