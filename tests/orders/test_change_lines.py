"""Changing an order's goods: fewer, more, others; what it does to money, stock, reasons and the channel."""

import pytest
from playwright.sync_api import expect

from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from inventory.services import stock
from oms.kernel.models import Effect
from oms.kernel.money import STANDARD
from orders.channel_order import PaymentMethod, PaymentState, Totals
from orders.decide.cut import CutLine, Sums
from orders.decide.grow import grow
from orders.decide.manual import Item
from orders.models import Order, OrderTask, Refund
from orders.services import audit
from orders.services.cancel import Ask
from orders.services.change_lines import Moved, TooLate, Wanted, change
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.payment import record_payments
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
OWN = {"own_payments": True, "mail": "free"}


@pytest.fixture
def chair():
    return make_sku("CHAIR", stock_units=5)


@pytest.fixture
def desk():
    return make_sku("DESK", stock_units=2, price=3000)


def own_order(chair, **fields) -> Order:
    """Two chairs at 1,000 and postage 500, by transfer, of our own shop."""
    values = {"payment_method": PaymentMethod.BANK_TRANSFER, "payment_state": PaymentState.UNPAID}
    told = make_channel_order(make_line("CHAIR", 2), **(values | fields))
    take_in(
        make_shop("honten", channel="futureshop", channel_label="本店", capabilities=OWN), [told], sku_of=mapped(chair)
    )
    return Order.objects.select_related("shop").get(channel_order_no=told.channel_order_no)


def item(sku, quantity=1) -> Item:
    return Item(sku.pk, sku.code, sku.name, sku.tax_rate, quantity, sku.price)


def changed(order, quantities=None, items=(), aoi=None):
    order.refresh_from_db()
    line = order.lines.first()
    wanted = Wanted(order.version, {line.pk: quantities} if quantities is not None else {}, items, Ask(key="k"))
    result = change(order.pk, wanted, actor=Actor(aoi))
    order.refresh_from_db()
    return result


# ---- deciding


def test_more_pieces_and_new_goods_raise_the_sums_and_their_tax():
    lines = [CutLine(1, 2, 0, 2000, 0, 10)]
    sums = Sums(2000, 0, 100, 0, 0, 0, 172, 1900)
    grown = grow(lines, {1: 1000}, sums, {1: 1}, [Item(9, "X", "X", 8, 1, 1080)], rates={STANDARD: 1900})
    assert (grown.sums.goods, grown.sums.total, grown.sums.tax) == (4080, 3980, 2900 // 11 + 80)
    assert grown.lines[0].quantity == 3 and grown.lines[0].amount == 3000 and grown.value == -2080


def test_prices_without_tax_get_theirs_on_top():
    sums = Sums(2000, 200, 0, 0, 0, 0, 0, 2200)
    grown = grow([CutLine(1, 2, 0, 2000, 0, 10)], {1: 1000}, sums, {1: 1}, [], rates={STANDARD: 2200})
    assert (grown.sums.goods, grown.sums.tax_excluded, grown.sums.total) == (3000, 300, 3300)


# ---- changing


def test_more_pieces_promise_stock_and_raise_what_is_owed(chair, aoi):
    order = own_order(chair)
    changed(order, 4, aoi=aoi)
    line = order.lines.get()
    assert (order.goods, order.total, order.quantity, line.quantity, line.amount) == (4000, 4500, 4, 4, 4000)
    assert line.reserved and stock.available([chair.pk])[chair.pk] == 1
    event = order.events.get(kind="lines_changed")
    assert event.by == aoi and {(v.field, v.before, v.after) for v in event.values.all()} >= {
        ("quantity", "2", "4"), ("total", "¥2,500", "¥4,500"),
    }  # fmt: skip
    assert order.item_summary == "CHAIR の品 ×4"
    assert audit.violations() == []
    assert not order.reasons.filter(code="amount_mismatch", state="open").exists()


def test_a_swap_is_one_change_and_one_sum(chair, desk, aoi):
    order = own_order(chair)
    record_payments([order.pk], actor=Actor(aoi))
    changed(order, 0, [item(desk)], aoi)
    gone, come = order.lines.order_by("position")
    assert (gone.quantity, gone.cancelled_quantity, come.quantity) == (0, 2, 1)
    assert (order.goods, order.total) == (3000, 3500)
    assert not Refund.objects.exists(), "the chairs' 2,000 pay for the desk"
    assert order.payment_state == "partially_paid"
    assert order.reasons.get(code="paid_short").state == "open" and order.stage == "review"
    assert stock.available([chair.pk, desk.pk]) == {chair.pk: 5, desk.pk: 1}
    assert come.reserved and order.cancellations.get().amount == 2000
    assert audit.violations() == []


def test_a_cheaper_swap_refunds_the_difference_alone(chair, aoi):
    cheap = make_sku("STOOL", stock_units=2, price=600)
    order = own_order(chair)
    record_payments([order.pk], actor=Actor(aoi))
    changed(order, 0, [item(cheap)], aoi)
    assert order.total == 1100 and Refund.objects.get().amount == 1400
    assert order.payment_state == "refund_due"


def test_the_tax_is_rounded_once_a_rate_however_often_lines_change(chair, desk, aoi):
    order = own_order(chair, totals=Totals(goods=2000, shipping=500, total=2500, tax=2500 // 11))
    for quantity, more in ((3, []), (1, [item(desk)]), (2, [])):
        changed(order, quantity, more, aoi)
        assert order.tax == order.total // 11, (quantity, order.total)


def test_fewer_pieces_go_the_way_of_a_cancellation(chair, aoi):
    order = own_order(chair)
    changed(order, 1, aoi=aoi)
    assert (order.quantity, order.total) == (1, 1500)
    assert order.cancellations.get().lines.get().quantity == 1


def test_an_authorised_card_that_does_not_cover_the_sum_any_more_stops_the_order(chair, aoi):
    order = own_order(chair, payment_method=PaymentMethod.CARD, payment_state=PaymentState.AUTHORIZED)
    changed(order, 3, aoi=aoi)
    reason = order.reasons.get(code="amount_increased")
    assert reason.state == "open" and "¥2,500 から ¥3,500" in reason.evidence and order.stage == "review"


def test_what_lacks_waits_and_the_rest_of_the_order_keeps_its_promise(chair, desk, aoi):
    order = own_order(chair)
    changed(order, None, [item(desk, 5)], aoi)
    first, added = order.lines.order_by("position")
    assert first.reserved and not added.reserved
    assert order.stage == "awaiting_payment"


def test_added_goods_are_placed_and_instructed_with_the_order(chair, desk, aoi):
    order = own_order(chair, payment_method=PaymentMethod.COD)
    allocate_waiting()
    changed(order, 3, [item(desk)], aoi)
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "ready" and list(order.lines.values_list("allocated_quantity", flat=True)) == [3, 1]
    assert instruct_orders([order.pk], actor=Actor(aoi))


def test_the_shops_admin_page_becomes_a_task(chair, desk, aoi):
    order = own_order(chair)
    result = changed(order, None, [item(desk)], aoi)
    assert result.by_hand and "DESK の品 ×1 を追加" in OrderTask.objects.get(kind="change").text
    assert not Effect.objects.filter(kind__startswith="channel_").exists()


# ---- refusing


def test_a_mall_order_does_not_grow_and_says_what_to_do_instead(chair, desk, aoi):
    take_in(make_shop(), [make_channel_order(make_line("CHAIR", 2))], sku_of=mapped(chair))
    order = Order.objects.get()
    for quantities, items in ((3, ()), (None, [item(desk)])):
        with pytest.raises(TooLate) as refusal:
            changed(order, quantities, items, aoi)
        assert "「複写」" in refusal.value.cause
    assert order.lines.get().quantity == 2


def test_after_the_instruction_nothing_is_changed(chair, aoi):
    order = own_order(chair, payment_method=PaymentMethod.COD)
    allocate_waiting()
    instruct_orders([order.pk], actor=Actor(aoi))
    with pytest.raises(TooLate, match="出荷指示"):
        changed(order, 3, aoi=aoi)


def test_everything_is_given_up_by_cancelling_the_order(chair, aoi):
    order = own_order(chair)
    with pytest.raises(TooLate, match="キャンセル"):
        changed(order, 0, aoi=aoi)


def test_a_sum_that_no_order_can_have_is_refused(chair, aoi):
    order = own_order(chair)
    with pytest.raises(TooLate, match="大きすぎます"):
        changed(order, 2_000_000, aoi=aoi)


def test_sent_twice_it_happens_once(chair, aoi):
    order = own_order(chair)
    line = order.lines.get()
    wanted = Wanted(order.version, {line.pk: 3})
    change(order.pk, wanted, actor=Actor(aoi))
    with pytest.raises(Moved):
        change(order.pk, wanted, actor=Actor(aoi))
    line.refresh_from_db()
    assert line.quantity == 3


# ---- the page


def posted(client, order, **fields):
    form = client.get(f"/orders/{order.pk}/lines/").context["form"]
    typed = {field.html_name: "" if field.value() is None else str(field.value()) for field in form}
    return client.post(f"/orders/{order.pk}/lines/", typed | fields)


def test_the_page_shows_the_change_before_it_saves_it(client_of, aoi, chair, desk):
    order = own_order(chair)
    line, client = order.lines.get(), client_of(aoi)
    shown = posted(client, order, **{f"line-{line.pk}": "3", "new-0-sku": "DESK", "step": "preview"}).content.decode()
    assert "¥6,500" in shown and "この内容で保存" in shown
    order.refresh_from_db()
    assert order.total == 2500
    saved = posted(client, order, **{f"line-{line.pk}": "3", "new-0-sku": "DESK", "step": "save"})
    order.refresh_from_db()
    assert saved.status_code == 302 and order.total == 6500
    assert "商品を変えました" in client.get(saved.url).content.decode()


def test_less_asks_for_a_reason_and_unknown_goods_are_named(client_of, aoi, chair):
    order = own_order(chair)
    line, client = order.lines.get(), client_of(aoi)
    page = posted(client, order, **{f"line-{line.pk}": "1", "new-0-sku": "NICHTS", "step": "save"}).content.decode()
    assert "減らす理由を選んでください" in page and "商品が見つかりません" in page and 'value="NICHTS"' in page
    order.refresh_from_db()
    assert order.quantity == 2


def test_a_change_made_meanwhile_is_shown_and_nothing_is_overwritten(client_of, aoi, chair):
    order = own_order(chair)
    line, client = order.lines.get(), client_of(aoi)
    form = client.get(f"/orders/{order.pk}/lines/").context["form"]
    typed = {field.html_name: "" if field.value() is None else str(field.value()) for field in form}
    changed(order, 4, aoi=aoi)
    answer = client.post(
        f"/orders/{order.pk}/lines/", typed | {f"line-{line.pk}": "3", "reason": "customer", "step": "save"}
    )
    assert answer.status_code == 409 and "まだ保存していません" in answer.content.decode()
    order.refresh_from_db()
    assert order.quantity == 4


def test_who_may_not_change_is_refused(client_of, ben, chie, chair):
    order = own_order(chair)
    for user in (ben, chie):
        assert client_of(user).get(f"/orders/{order.pk}/lines/").status_code == 403
        assert client_of(user).post(f"/orders/{order.pk}/lines/", {"step": "save"}).status_code == 403
    assert f"/orders/{order.pk}/lines/" not in client_of(ben).get(f"/orders/{order.pk}/").content.decode()


def test_the_page_of_a_mall_order_offers_a_copy_instead(client_of, aoi, chair):
    take_in(make_shop(), [make_channel_order(make_line("CHAIR", 2))], sku_of=mapped(chair))
    order = Order.objects.get()
    page = client_of(aoi).get(f"/orders/{order.pk}/lines/").content.decode()
    assert "増やせません" in page and f"/orders/{order.pk}/copy/" in page and "new-0-sku" not in page


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_in_the_browser_a_chair_gives_way_to_a_desk(page_as, aoi, screenshot):
    make_sku("DESK", stock_units=2, price=3000)
    order = own_order(make_sku("CHAIR", stock_units=5))
    page = page_as(aoi)
    page.goto(f"/orders/{order.pk}/")
    page.get_by_role("link", name="商品を変える").click()
    page.get_by_label("CHAIR の品").fill("0")
    page.locator("[name=new-0-sku]").fill("DESK")
    page.get_by_role("button", name="変更の内容を確かめる").click()
    expect(page.locator("#id_reason_error")).to_contain_text("減らす理由を選んでください")
    page.get_by_label("減らす理由").select_option("customer")
    page.get_by_role("button", name="変更の内容を確かめる").click()
    expect(page.locator("#lines-preview")).to_contain_text("¥3,500")
    screenshot(page, "change-lines", full_page=True)
    page.get_by_role("button", name="この内容で保存").click()
    expect(page.locator(f"#order-{order.pk}-lines")).to_contain_text("DESK")
    expect(page.locator(f"#order-{order.pk}-timeline, .timeline").first).to_contain_text("商品を変えました")
    screenshot(page, "changed-order", full_page=True)
