"""Promises for the next order, good customers by rank, and exceptions of reasons by rank."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from customers.models import Member, MemberNote
from customers.services import notes, profile, ranks
from oms.kernel import clock
from orders.decide.privacy import GONE
from orders.models import Order, OrderEvent, ReviewReason
from orders.services import promises, reason_settings, review
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.reason_settings import Setting
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
WORDS = "次回はサンプルを同梱する"


def take(**fields) -> Order:
    told = make_channel_order(**({"ordered_at": clock.now()} | fields))
    take_in(make_shop(), [told], sku_of=mapped(make_sku(stock_units=50)))
    return Order.objects.get(channel_order_no=told.channel_order_no)


def reason(order: Order, code: str) -> tuple[str, str]:
    return ReviewReason.objects.filter(order=order, code=code).values_list("state", "level").first() or ("", "")


@pytest.fixture
def member() -> Member:
    return take(ordered_at=clock.now() - timedelta(days=30)).member


@pytest.fixture
def promise(member, aoi) -> MemberNote:
    return notes.write(member.pk, "カタログを入れる", promise=True, by=aoi)


def test_a_promise_speaks_up_at_the_next_order_and_not_at_the_last(member, promise):
    last, order = Order.objects.get(), take()
    assert reason(order, "open_promise") == ("open", "warn") and reason(last, "open_promise") == ("", "")
    assert "カタログを入れる" in ReviewReason.objects.get(order=order, code="open_promise").evidence


def test_ticked_on_the_members_page_it_is_gone_from_the_order(member, promise, aoi):
    order = take()
    notes.tick([promise.pk], by=aoi)
    assert reason(order, "open_promise")[0] == "auto_resolved"
    notes.untick([promise.pk], by=aoi)
    assert reason(order, "open_promise")[0] == "open"


def test_the_card_ticks_it_for_all_orders_and_takes_the_tick_back(member, promise, client_of, aoi):
    reason_settings.save(Setting("open_promise", active=True, level="block"), by=None)
    order, other = take(), take()
    client = client_of(aoi)
    page = client.get(reverse("orders:inbox"), {"code": "open_promise"})
    card = page.context["reason"]
    assert "約束を済みにする" in page.content.decode() and card.code == "open_promise"
    row = ReviewReason.objects.get(order=order, code="open_promise")
    client.post("/orders/inbox/choose/", {"reason_row": row.pk, "verb": "promise_done"})
    promise.refresh_from_db()
    assert promise.done_by == aoi
    assert {reason(one, "open_promise")[0] for one in (order, other)} == {"auto_resolved"}
    client.post("/orders/inbox/undo/", {"code": "open_promise"})
    promise.refresh_from_db()
    assert promise.done_at is None
    assert {reason(one, "open_promise")[0] for one in (order, other)} == {"open"}


def test_the_orders_page_has_the_tick_too(member, promise, client_of, aoi, person_with):
    order = take()
    url = reverse("orders:promise-done", args=[order.pk])
    client = client_of(aoi)
    assert url in client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert client_of(person_with("warehouse")).post(url).status_code == 403 and client.get(url).status_code == 405
    client.post(url)
    client.post(url)
    promise.refresh_from_db()
    assert promise.done_by == aoi and reason(order, "open_promise")[0] == "auto_resolved"


# ---- 次の注文で知らせる: written and ticked on an order's page


def told(order: Order) -> bool:
    return reason(order, "open_promise")[0] == "open"


def journaled(order: Order) -> list[tuple[str, str, str]]:
    events = OrderEvent.objects.filter(order=order, kind__in=["promised", "promise_ticked"]).order_by("pk")
    return list(events.values_list("kind", "values__before", "values__after"))


def test_what_is_written_on_an_order_is_told_at_the_next_and_does_not_stop_it(aoi):
    weeks_ago = clock.now() - timedelta(days=20)
    before, first = take(ordered_at=weeks_ago), take(ordered_at=weeks_ago)
    assert promises.give(first.pk, f" {WORDS} ", actor=Actor(aoi))
    assert not promises.give(first.pk, WORDS, actor=Actor(aoi)), "written once"
    assert not promises.give(first.pk, "  ", actor=Actor(aoi))
    note = MemberNote.objects.get()
    assert (note.member, note.source_order, note.by, note.promise) == (first.member, first.pk, aoi, True)
    assert first.channel_order_no in note.source and journaled(first) == [("promised", "", WORDS)]
    second = take()
    row = ReviewReason.objects.get(order=second, code="open_promise")
    assert WORDS in row.evidence and row.level == "warn" and second.stage != "review"
    assert not told(first) and not told(before), "it is for orders that come after it"


def test_ticked_on_one_order_it_is_gone_from_all_and_may_be_promised_again(aoi):
    first = take()
    promises.give(first.pk, WORDS, actor=Actor(aoi))
    second, third = take(), take()
    note = MemberNote.objects.get()
    assert promises.tick(second.pk, note.pk, actor=Actor(aoi)) and not promises.tick(
        third.pk, note.pk, actor=Actor(aoi)
    )
    assert not told(second) and not told(third) and not told(take())
    assert journaled(second) == [("promise_ticked", WORDS, "")]
    assert promises.give(first.pk, WORDS, actor=Actor(aoi)) and told(take())


def test_who_has_read_it_on_one_order_is_told_again_on_the_next(aoi):
    promises.give(take().pk, WORDS, actor=Actor(aoi))
    second = take()
    review.accept([second.pk], codes=["open_promise"], actor=Actor(aoi))
    assert not told(second) and told(take())


def test_it_is_written_and_ticked_on_the_orders_page_and_found_on_the_members(client_of, aoi, ben):
    first, second, client = take(), take(), client_of(aoi)
    new = reverse("orders:promise-new", args=[first.pk])
    for text in (WORDS, WORDS, "", "長" * 301):
        client.post(new, {"text": text})
    note = MemberNote.objects.get()
    page = client.get(reverse("orders:detail", args=[second.pk])).content.decode()
    tick, first_url = (
        reverse("orders:promise-tick", args=[second.pk, note.pk]),
        reverse("orders:detail", args=[first.pk]),
    )
    assert WORDS in page and tick in page and f'<a href="{first_url}">{first.channel_order_no}</a>' in page
    page = client.get(reverse("customers:detail", args=[first.member_id])).content.decode()
    assert WORDS in page and f'<a href="{first_url}">受注 {first.channel_order_no}</a>' in page
    looker = client_of(ben)
    page = looker.get(reverse("orders:detail", args=[second.pk])).content.decode()
    assert tick not in page and reverse("orders:promise-new", args=[second.pk]) not in page
    assert looker.post(new, {"text": "x"}).status_code == looker.post(tick).status_code == 403
    for _twice in range(2):
        assert client.post(tick).status_code == 302
    note.refresh_from_db()
    assert note.done_by == aoi and tick not in client.get(reverse("orders:detail", args=[second.pk])).content.decode()


def test_another_members_promise_is_not_ticked(client_of, aoi, member, promise):
    other = take(buyer=replace(TOKYO_PARTY, name="岸 太郎", phone="090-7777-1234", email="kishi@example.com"))
    assert other.member_id not in {None, member.pk}
    url = reverse("orders:promise-tick", args=[other.pk, promise.pk])
    assert client_of(aoi).post(url).status_code == 404
    assert not promises.tick(other.pk, promise.pk, actor=Actor(aoi))
    promise.refresh_from_db()
    assert promise.done_at is None


def test_without_a_known_buyer_the_page_says_so_and_nothing_is_written(client_of, aoi):
    order, gone, client = take(), take(), client_of(aoi)
    Order.objects.filter(pk=order.pk).update(member=None)
    new = reverse("orders:promise-new", args=[order.pk])
    page = client.get(reverse("orders:detail", args=[order.pk])).content.decode()
    assert "会員がまだ分からない" in page and new not in page
    client.post(new, {"text": WORDS})
    Member.objects.update(name=GONE)
    new = reverse("orders:promise-new", args=[gone.pk])
    assert new not in client.get(reverse("orders:detail", args=[gone.pk])).content.decode()
    client.post(new, {"text": WORDS})
    assert not MemberNote.objects.exists(), "nor of somebody who was forgotten"


# ---- ranks


def test_a_rank_marked_as_good_customers_makes_a_vip(member):
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True))
    ranks.save(None, ranks.Wanted("silver", "シルバー", 2, is_vip=False))
    reason_settings.save(Setting("vip", active=True, level="info"), by=None)
    profile.change({member.pk: {"rank": "silver"}}, by=None)
    order = take()
    assert reason(order, "vip") == ("", "")
    profile.change({member.pk: {"rank": "gold"}}, by=None)
    assert reason(order, "vip") == ("open", "info")
    assert "ゴールド" in ReviewReason.objects.get(order=order, code="vip").evidence
    assert reason(take(), "vip") == ("open", "info")


def test_a_reason_has_another_level_for_a_rank_at_the_import_and_afterwards(member):
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True))
    setting = Setting(
        "high_amount", active=True, level="block", params={"yen": 1000}, overrides=[["rank", "gold", "info"]]
    )
    reason_settings.save(setting, by=None)
    first = take()
    assert reason(first, "high_amount") == ("open", "block")
    profile.change({member.pk: {"rank": "gold"}}, by=None)
    assert reason(first, "high_amount") == ("open", "info")
    assert reason(take(), "high_amount") == ("open", "info")


def test_the_exception_is_chosen_among_the_ranks(client_of, aoi):
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True))
    client = client_of(aoi)
    url = reverse("orders:reason", args=["high_amount"])
    form = client.get(url).context["form"]
    assert "ゴールド" in client.get(url).content.decode()
    data = {name: value for name, value in form.initial.items() if value is not None}
    data = {name: value for name, value in data.items() if value is not False}
    client.post(url, data | {"for_0": "rank:gold", "level_0": "warn", "save": "1"})
    assert reason_settings.read().of("high_amount").overrides == [["rank", "gold", "warn"]]
