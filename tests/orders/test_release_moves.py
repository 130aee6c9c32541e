"""発売日の変更: what waits moves with the SKU, buyers are told once, and the last move can be taken back."""

from datetime import UTC, date, datetime, time
from uuid import uuid4

import pytest
from django.urls import reverse

from inventory.models import AllocatorMark, PublisherMark, Sku
from oms.kernel import clock
from orders.models import Mail, MailTemplate, Order, OrderEvent, OrderLine, ReleaseMove
from orders.queries import release_days as queries
from orders.services import cancel, mail, mail_texts, release_days
from orders.services.audit import violations
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.release_days import CannotMove
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
ACTOR = Actor()
OLD, NEW, THIRD = date(2026, 12, 10), date(2027, 1, 20), date(2027, 2, 1)


@pytest.fixture(autouse=True)
def now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 20, 3, 0, tzinfo=UTC))
    mail_texts.ensure_standard_templates()


@pytest.fixture
def vase() -> Sku:
    return make_sku("VASE", release_date=OLD, preorder_limit=99)


def buy(vase: Sku, *others: Sku, shop: str = "rakuten-1", **fields) -> Order:
    lines = [make_line(sku.code, 2) for sku in (vase, *others)]
    told = make_channel_order(*lines, **fields)
    vase.refresh_from_db()
    take_in(make_shop(shop, ship_within_days=2), [told], sku_of=mapped(vase, *others))
    return Order.objects.get(channel_order_no=told.channel_order_no)


def move(vase: Sku, day: date = NEW, **fields) -> ReleaseMove:
    return release_days.move(vase.pk, day, **{"key": uuid4(), "draft": True, "actor": ACTOR} | fields)


def mails_of(order: Order) -> list[str]:
    return list(
        Mail.objects.filter(order=order, event="preorder_update").order_by("pk").values_list("state", flat=True)
    )


def stages_are_right() -> bool:
    return not [text for text in violations() if "stage" in text]


def test_waiting_orders_get_the_new_day_a_draft_and_an_entry(vase):
    order = buy(vase)
    mine, shop_said = order.ship_by, datetime.combine(OLD, time(9), clock.TOKYO)
    told = buy(vase, ship_by=shop_said)
    made = move(vase)
    for one in (order, told, vase):
        one.refresh_from_db()
    assert vase.release_date == order.release_date == OrderLine.objects.get(order=order).release_date == NEW
    assert order.stage == "awaiting_release" and order.stage_due_at.astimezone(clock.TOKYO).date() == NEW
    assert order.ship_by > mine and told.ship_by == shop_said
    assert mails_of(order) == mails_of(told) == ["draft"] and (made.order_count, made.mail_count) == (2, 2)
    [value] = OrderEvent.objects.get(order=order, kind="release_moved").values.all()
    assert (value.before, value.after) == (str(OLD), str(NEW)) and stages_are_right()
    assert PublisherMark.objects.filter(sku_id=vase.pk).exists()
    assert str(mail.Mail.objects.filter(order=order, state="draft").get().key).endswith(str(made.key))


def test_the_same_click_twice_is_one_move(vase):
    order, key = buy(vase), uuid4()
    assert move(vase, key=key) == move(vase, key=key)
    assert mails_of(order) == ["draft"] and OrderEvent.objects.filter(kind="release_moved").count() == 1


@pytest.mark.parametrize(("review", "state"), [(True, "draft"), (False, "scheduled")])
def test_without_drafts_the_template_decides(vase, review, state):
    order = buy(vase)
    MailTemplate.objects.filter(event="preorder_update").update(review=review)
    move(vase, draft=False)
    assert mails_of(order) == [state]


def test_what_has_goods_was_cancelled_or_is_no_preorder_stays(vase):
    placed, gone, plain = buy(vase), buy(vase), buy(vase)
    OrderLine.objects.filter(order=placed).update(allocated_quantity=2)
    cancel.cancel_orders([gone.pk], actor=ACTOR)
    OrderLine.objects.filter(order=plain).update(release_date=None)
    assert move(vase).order_count == 0
    assert [OrderLine.objects.get(order=one).release_date for one in (placed, gone, plain)] == [OLD, OLD, None]


def test_an_order_of_two_preorders_waits_for_the_later_one(vase):
    lamp = make_sku("LAMP", release_date=THIRD, preorder_limit=9)
    order = buy(vase, lamp)
    move(vase)
    order.refresh_from_db()
    assert order.release_date == THIRD and order.stage_due_at.astimezone(clock.TOKYO).date() == NEW


def test_a_day_that_has_come_lets_the_order_wait_for_goods_and_wakes_the_allocator(vase):
    order = buy(vase)
    AllocatorMark.objects.all().delete()
    move(vase, date(2026, 11, 20))
    order.refresh_from_db()
    assert order.stage == "awaiting_stock" and AllocatorMark.objects.filter(sku_id=vase.pk).exists()


def test_what_came_in_with_the_old_day_meanwhile_can_be_moved_too(vase):
    buy(vase)
    move(vase)
    late = buy(vase)
    OrderLine.objects.filter(order=late).update(release_date=OLD)
    assert move(vase).order_count == 1
    with pytest.raises(CannotMove):
        move(vase)


def test_undo_puts_days_back_withdraws_drafts_and_tells_again_who_was_told(vase):
    first, second = buy(vase), buy(vase)
    before = first.ship_by
    made = move(vase)
    Mail.objects.filter(order=second, event="preorder_update").update(state="sent")
    release_days.undo(made.pk, actor=ACTOR)
    for one in (first, second, vase):
        one.refresh_from_db()
    assert (vase.release_date, first.release_date, second.release_date) == (OLD, OLD, OLD)
    assert first.ship_by == before and mails_of(first) == ["suppressed"] and mails_of(second) == ["sent", "draft"]
    assert stages_are_right()
    with pytest.raises(CannotMove):
        release_days.undo(made.pk, actor=ACTOR)


def test_only_the_last_move_can_be_undone(vase):
    buy(vase)
    made, _later = move(vase), move(vase, THIRD)
    with pytest.raises(CannotMove):
        release_days.undo(made.pk, actor=ACTOR)
    vase.refresh_from_db()
    assert vase.release_date == THIRD


# ---- the screen


def url_of(sku: Sku) -> str:
    return reverse("orders:release-day", args=[sku.pk])


def test_the_preview_says_how_many_and_changes_nothing(client_of, aoi, vase):
    buy(vase), buy(vase), buy(vase, shop="own-1")
    placed = buy(vase)
    OrderLine.objects.filter(order=placed).update(allocated_quantity=2)
    page = client_of(aoi).get(url_of(vase), {"day": str(NEW)})
    text = page.content.decode()
    assert "3件（6個）" in text and "3件（うち下書き 3件）" in text and "1件。すでに在庫を引き当てています。" in text
    assert [(part.shop.code, part.orders) for part in page.context["preview"].shops] == [("own-1", 1), ("rakuten-1", 2)]
    vase.refresh_from_db()
    assert vase.release_date == OLD and not ReleaseMove.objects.exists()


def test_a_shop_that_sends_no_such_mail_is_named_in_the_preview(client_of, aoi, vase):
    buy(vase)
    MailTemplate.objects.filter(event="preorder_update").update(active=False)
    page = client_of(aoi).get(url_of(vase), {"day": str(NEW)})
    assert page.context["preview"].mails == 0 and page.context["preview"].unmailed == 1


def test_the_day_is_moved_and_taken_back_on_the_screen(client_of, aoi, vase):
    buy(vase)
    client = client_of(aoi)
    form = client.get(url_of(vase), {"day": str(NEW), "draft": "on"}).context["move_form"]
    posted = {"day": str(NEW), "draft": "on", "key": form["key"].value()}
    for _click in range(2):
        text = client.post(url_of(vase), posted, follow=True).content.decode()
    assert "受注 1件を移し、お知らせメール 1件を作成しました" in text and ReleaseMove.objects.get().by == aoi
    text = client.post(
        reverse("orders:release-undo", args=[ReleaseMove.objects.get().pk]), follow=True
    ).content.decode()
    assert "取り消しました" in text
    text = client.post(
        reverse("orders:release-undo", args=[ReleaseMove.objects.get().pk]), follow=True
    ).content.decode()
    assert "画面を読み直してください" in text


@pytest.mark.parametrize("typed", [{"day": "きのう"}, {"day": ""}, {"day": str(OLD)}])
def test_a_day_that_cannot_be_is_refused_in_its_field(client_of, aoi, vase, typed):
    page = client_of(aoi).get(url_of(vase), typed)
    assert page.context["form"].errors["day"] and page.context["preview"] is None
    bad = client_of(aoi).post(url_of(vase), {"day": str(NEW), "key": "x"})
    assert bad.status_code == 200 and not ReleaseMove.objects.exists()


def test_goods_without_a_release_day_have_none_to_move(client_of, aoi):
    page = client_of(aoi).get(url_of(make_sku("CUP")), {"day": str(NEW)})
    assert "予約商品ではない" in page.content.decode()


def test_who_may_not_change_orders_moves_nothing(client_of, aoi, ben, chie, vase):
    buy(vase)
    made = move(vase)
    for user in (ben, chie):
        client = client_of(user)
        assert client.get(url_of(vase)).status_code == client.post(url_of(vase), {}).status_code == 403
        assert client.post(reverse("orders:release-undo", args=[made.pk])).status_code == 403
    assert client_of(chie).get(reverse("orders:release-panel", args=[vase.pk])).status_code == 403
    vase.refresh_from_db()
    assert vase.release_date == NEW


def test_the_skus_page_leads_there_where_it_is_a_preorder(client_of, aoi, ben, vase):
    buy(vase)
    panel = reverse("orders:release-panel", args=[vase.pk])
    assert panel in client_of(aoi).get(reverse("inventory:sku", args=[vase.pk])).content.decode()
    assert (
        "orders/releases"
        not in client_of(aoi).get(reverse("inventory:sku", args=[make_sku("CUP").pk])).content.decode()
    )
    text = client_of(aoi).get(panel).content.decode()
    link = f'href="{url_of(vase)}"'
    assert "1件（2個）" in text and link in text
    assert link not in client_of(ben).get(panel).content.decode()


def test_the_preview_costs_the_same_for_any_number_of_orders(django_assert_max_num_queries, vase):
    counts = []
    for _round in range(2):
        buy(vase)
        with django_assert_max_num_queries(12) as seen:
            queries.preview(vase, NEW)
        counts.append(len(seen.captured_queries))
    assert counts[0] == counts[1]
