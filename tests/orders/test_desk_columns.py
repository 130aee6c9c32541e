"""What the list can show besides: mails, members, who travels together; deadlines in red and other people at work."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import expect

from customers.models import Member, Rank
from fulfillment.services import merge
from oms.kernel import clock
from orders.models import Mail, Order, OrderTag
from orders.services import presence
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.desk_board import fill_board

LOOKING = ("mail", "member", "merge", "allocation")
LIST, LIVE = "/orders/", "/orders/live/"
HTMX = {"HX-Request": "true"}
COLOUR = "(element) => getComputedStyle(element).color"
DANGER = """() => { const probe = document.createElement("span"); probe.style.color = "var(--danger-ink)";
    document.body.append(probe); const found = getComputedStyle(probe).color; probe.remove(); return found; }"""


def words(client, column: str) -> dict[str, str]:
    page = client.get(LIST, {"col": ["no", column]})
    return {row.no: row.added[column] for row in page.context["rows"]}


@pytest.mark.django_db
def test_the_last_mail_stands_with_what_became_of_it(client_of, aoi):
    order = fill_board()["R-0001"]
    now = clock.now()
    Mail.objects.all().delete()
    for number, (event, state) in enumerate((("order_received", "sent"), ("delay_notice", "failed"))):
        Mail.objects.create(order=order, event=event, key=f"m{number}", to="a@example.com", state=state, created_at=now)
    found = words(client_of(aoi), "mail")
    assert found["R-0001"] == "納期遅延・欠品連絡 · 送信失敗" and found["R-0002"] == ""


@pytest.mark.django_db
def test_the_member_column_says_how_often_somebody_has_ordered(client_of, aoi):
    board = fill_board()
    Member.objects.update(order_count=12)
    other = Member.objects.create(name="田村", created_at=clock.now(), order_count=1)
    Order.objects.filter(pk=board["R-0001"].pk).update(member=other)
    Order.objects.filter(pk=board["R-0002"].pk).update(member=None)
    found = words(client_of(aoi), "member")
    assert (found["R-0001"], found["R-0002"], found["R-0003"]) == ("初回", "", "12回")
    Member.objects.filter(pk=other.pk).update(rank=Rank.objects.create(code="gold-x", name="金", level=90, is_vip=True))
    assert words(client_of(aoi), "member")["R-0001"] == "金 · 初回"
    row = next(row for row in client_of(aoi).get(LIST).context["rows"] if row.no == "R-0001")
    assert ("金", "ready") in [(mark.text, mark.tone) for mark in row.marks]


@pytest.mark.django_db
def test_goods_that_are_there_stand_as_a_part_of_all_and_parcels_lead_to_their_carrier(client_of, aoi):
    shop, chair = make_shop(), make_sku(stock_units=4, temperature="frozen")
    done, half = ready(shop, skus=[chair]), ready(shop, make_line("CHAIR", 4), make_line("CHAIR", 1), skus=[chair])
    half.lines.filter(quantity=4).update(allocated_quantity=3)
    half.lines.filter(quantity=1).update(allocated_quantity=0)
    found = words(client_of(aoi), "allocation")
    assert found[done.channel_order_no] == "引当済" and found[half.channel_order_no] == "3/5"
    done.recipients.get().shipment_set.update(tracking_no="1111-2222-3333")
    OrderTag.objects.create(name="急ぎ", tone="danger")
    Order.objects.filter(pk=done.pk).update(tracking_label="1111-2222-3333", tags=["急ぎ"])
    Order.objects.filter(pk=half.pk).update(tracking_label="moved-in")
    html = client_of(aoi).get(LIST, {"col": ["tracking", "tags"]}).content.decode()
    assert 'rel="noopener noreferrer">1111-2222-3333</a>' in html and ">moved-in</td>" in html
    assert '<span class="badge desk-piece" data-tone="danger">急ぎ</span>' in html
    assert "冷凍" in client_of(aoi).get(LIST).content.decode()


@pytest.mark.django_db
def test_orders_that_travel_together_bear_one_letter(client_of, aoi):
    shop, chair = make_shop(capabilities={"confirm": True}), make_sku(stock_units=50)
    pairs = [[ready(shop, skus=[chair]), ready(shop, skus=[chair])] for _ in range(2)]
    alone = ready(shop, skus=[chair])
    for pair in pairs:
        merge.merge_orders([order.pk for order in pair], actor=Actor())
    found = words(client_of(aoi), "merge")
    newest, older = pairs[1], pairs[0]
    assert {found[order.channel_order_no] for order in newest} == {"A（2件）"}
    assert {found[order.channel_order_no] for order in older} == {"B（2件）"} and found[alone.channel_order_no] == ""


@pytest.mark.django_db
def test_each_column_that_looks_up_costs_one_query_however_long_the_page(client_of, aoi):
    fill_board()
    client = client_of(aoi)

    def asked(*columns: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST, {"col": ["no", *columns]})
        return len(queries)

    asked()
    few = asked(*LOOKING)
    assert few == asked() + len(LOOKING)
    sku = mapped(make_sku())
    take_in(make_shop(), [make_channel_order(number=f"N-{n}") for n in range(20)], sku_of=sku)
    assert asked(*LOOKING) == few


@pytest.mark.django_db
def test_a_mail_that_fails_refreshes_the_list_that_shows_mails_and_no_other(client_of, aoi):
    order = fill_board()["R-0001"]
    Mail.objects.create(
        order=order, event="order_received", key="m", to="a@example.com", state="sending", created_at=clock.now()
    )
    client = client_of(aoi)
    tokens = {col: client.get(LIST, {"col": ["no", col]}).context["token"] for col in ("mail", "tags")}
    Mail.objects.filter(key="m").update(state="failed")
    status = {
        col: client.get(LIVE, {"col": ["no", col], "token": token}, headers=HTMX).status_code
        for col, token in tokens.items()
    }
    assert status == {"mail": 200, "tags": 204}


@pytest.mark.django_db
def test_orders_stand_by_the_channels_clock_not_by_when_they_came_in(client_of, aoi):
    fill_board()
    late = make_channel_order(number="LATE", ordered_at=clock.now() - timedelta(hours=4, minutes=30))
    take_in(make_shop(), [late], sku_of=mapped(make_sku()))
    page = client_of(aoi).get(LIST, {"col": ["no", "time", "imported"]})
    numbers = [row.no for row in page.context["rows"]]
    assert numbers[numbers.index("LATE") - 1] == "R-0004" and numbers[numbers.index("LATE") + 1] == "R-0005"
    [row] = [row for row in page.context["rows"] if row.no == "LATE"]
    assert row.added["imported"] == f"{clock.in_tokyo(clock.now()):%m/%d}" + row.added["imported"][5:]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_what_is_due_today_stands_in_red_on_its_tile_and_leads_to_those_orders(transactional_db, browser_page):
    board = fill_board()
    end_of_today = clock.in_tokyo(clock.now()).replace(hour=23, minute=59)
    Order.objects.filter(pk=board["R-0001"].pk).update(ship_by=end_of_today)
    Order.objects.filter(pk=board["Y-0001"].pk).update(ship_by=end_of_today + timedelta(days=2))
    page = browser_page
    page.goto(LIST)
    red = page.evaluate(DANGER)
    tile = page.locator(".tile-row:has-text('引当待ち') .tile-due")
    assert tile.evaluate(COLOUR) == red
    late = page.locator("tr:has-text('R-0002') .countdown")
    assert late.get_attribute("data-tone") == "late" and late.evaluate(COLOUR) == red
    assert page.locator("tr:has-text('R-0003') .countdown").evaluate(COLOUR) != red
    tile.click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    expect(page.locator("tr[data-row]")).to_contain_text("R-0001")
    expect(page.locator(".chips")).to_contain_text("今日")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_one_sees_on_the_list_who_looks_at_an_order_and_who_edits_it(transactional_db, page_as, aoi, person_with):
    cache.clear()
    board = fill_board()
    colleague = person_with("operator")
    mine = page_as(aoi)
    mine.goto(LIST)
    expect(mine.locator(".presence-dot")).to_have_count(0)
    theirs = page_as(colleague)
    theirs.goto(f"/orders/{board['R-0003'].pk}/")
    expect(theirs.locator("main")).to_contain_text("R-0003")
    poll = "document.querySelectorAll('#desk-live').forEach(element => htmx.trigger(element, 'seen'))"
    dot = mine.locator("tr:has-text('R-0003') .presence-dot")
    for _ in range(20):
        if presence.present_at([board["R-0003"].pk], but=aoi.pk):
            break
        mine.wait_for_timeout(250)
    mine.evaluate(poll)
    expect(dot).to_have_attribute("title", f"{colleague}さんが見ています")
    assert mine.locator(".is-changed").count() == 0, "looking changes nothing"
    cache.clear()
