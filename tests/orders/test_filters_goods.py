"""The desk's filters on goods, parcels, buyers and ways in; what orders lack; tags and stages typed into the search."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Member, Rank
from fulfillment.services import merge, split
from inventory.models import Sku
from inventory.services import catalogue
from oms.kernel import clock
from orders.channel_order import MOVED_IN
from orders.decide.manual import MANUAL
from orders.filter_facts import HAS
from orders.filters import OrderFilter
from orders.models import (
    Mail,
    ManualOrder,
    Order,
    OrderAttachment,
    OrderTag,
    OrderTalk,
    Recipient,
    ReturnCase,
    ReviewReason,
)
from orders.services.intake import take_in
from orders.services.internal import INTERNAL
from orders.services.journal import Actor
from tests.fulfillment.merge_builders import ready
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.test_filters import found

pytestmark = pytest.mark.django_db
GOODS = {
    "TEA": ("山の茶", "食品", "茶問屋", 8, "ambient"),
    "FISH": ("浜の幸", "食品", "鮮魚市場", 8, "frozen"),
    "MILK": ("", "食品", "牧場", 8, "chilled"),
    "DESK": ("山の家具", "家具", "家具問屋", 10, "ambient"),
}


@pytest.fixture(scope="module")
def board(module_rows):
    """One order for each of the goods, one for a tea and a desk, one for a set, one of an unknown listing."""
    catalogue.upsert_products(
        catalogue.ProductRow(code, f"{code} の品", brand, kind) for code, (brand, kind, *_rest) in GOODS.items()
    )
    rows = [
        catalogue.SkuRow(code, code, f"{code} の品", supplier=supplier, tax_rate=rate, temperature=temperature)
        for code, (_brand, _kind, supplier, rate, temperature) in GOODS.items()
    ]
    catalogue.upsert_products([catalogue.ProductRow("SET", "茶器の組")])
    catalogue.upsert_skus([*rows, catalogue.SkuRow("SET", "SET", "茶器の組", is_bundle=True)])
    skus = mapped(*(make_sku(code) for code in [*GOODS, "SET"]))
    bought = [[code] for code in GOODS] + [["TEA", "DESK"], ["SET"], ["zzz"]]
    now = clock.now()
    orders = [
        make_channel_order(
            *(make_line(code, tax_rate=None) for code in codes),
            number="+".join(codes),
            ordered_at=now - timedelta(hours=place + 1),
        )
        for place, codes in enumerate(bought)
    ]
    take_in(make_shop(), orders, sku_of=skus)
    return {order.channel_order_no: order for order in Order.objects.all()}


ALL = {"TEA", "FISH", "MILK", "DESK", "TEA+DESK", "SET", "zzz"}


def test_orders_that_travel_together_and_orders_in_several_parcels():
    shop, chair = make_shop(capabilities={"confirm": True}), make_sku(stock_units=50)
    pair = [ready(shop, skus=[chair]) for _ in range(2)]
    alone, two = ready(shop, skus=[chair]), ready(shop, make_line("CHAIR", 4), skus=[chair])
    merge.merge_orders([order.pk for order in pair], actor=Actor())
    line = two.lines.get()
    split.split_off(two.recipients.get().shipment_set.get().pk, {line.pk: 1}, actor=Actor())
    both = {order.channel_order_no for order in pair}
    assert found("has=merged") == both and found("has=split") == {two.channel_order_no}
    assert found("lack=merged&lack=split") == {alone.channel_order_no}
    assert found("parcels_min=2") == {two.channel_order_no} and found("parcels_min=3") == set()
    assert found("parcels_max=1") == {*both, alone.channel_order_no}, "one that travels with another has its parcel too"
    alone.recipients.get().shipment_set.update(package_count=3)
    assert found("parcels_min=2&parcels_max=2&not=parcels_min") == {*both, alone.channel_order_no}
    assert found("parcels_min=3&parcels_max=3") == {alone.channel_order_no}


def test_several_recipients_are_several_parcels():
    shop, chair = make_shop(), make_sku(stock_units=50)
    osaka = replace(TOKYO_PARTY, prefecture="大阪府", city="大阪市北区", postal_code="530-0001")
    lines = (make_line("CHAIR", recipient=0), make_line("CHAIR", recipient=1))
    order = ready(shop, *lines, skus=[chair], recipients=(TOKYO_PARTY, osaka))
    assert found("has=split") == {order.channel_order_no}


def test_orders_without_goods_by_what_they_lack_and_when_it_comes():
    day = clock.today() + timedelta(days=7)
    soon, some = make_sku("SOON", stock_units=1), make_sku("SOME")
    shop = make_shop()
    sold = [make_channel_order(make_line("SOON"), number="served")]
    sold += [make_channel_order(make_line(code, 2), make_line("SOME"), number=code) for code in ("SOON", "SOME")]
    take_in(shop, sold, sku_of=mapped(soon, some))
    Sku.objects.filter(pk=soon.pk).update(release_date=day)
    assert found("short_sku=SOON") == {"SOON"} and found("short_sku=SOON, SOME") == {"SOON", "SOME"}
    assert found("short_sku=SOON&not=short_sku") == {"SOME", "served"}
    assert found(f"arrival_from={day}&arrival_to={day}") == {"SOON"}
    assert found(f"arrival_from={day + timedelta(days=1)}") == set()
    assert found(f"arrival_to={day}&not=arrival_to") == {"SOME", "served"}, "no day is known for the other"


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("brand=山の", {"TEA", "DESK", "TEA+DESK"}),
        ("brand=浜の幸、山の茶", {"TEA", "FISH", "TEA+DESK"}),
        ("brand=海の", set()),
        ("brand=海の&not=brand", ALL),
        ("category=家具", {"DESK", "TEA+DESK"}),
        ("category=家具&not=category", {"TEA", "FISH", "MILK", "SET", "zzz"}),
        ("supplier=問屋", {"TEA", "DESK", "TEA+DESK"}),
        ("supplier=問屋&category=家具", {"DESK", "TEA+DESK"}),
        ("temperature=frozen&temperature=chilled", {"FISH", "MILK"}),
        ("temperature=ambient&not=temperature", {"FISH", "MILK", "zzz"}),
        ("tax=8", {"TEA", "FISH", "MILK", "TEA+DESK"}),
        ("tax=10", {"DESK", "TEA+DESK", "SET", "zzz"}),
        ("tax=8&not=tax", {"DESK", "SET", "zzz"}),
        ("has=bundle", {"SET"}),
        ("lack=bundle&lack=one_line", {"TEA+DESK"}),
        ("has=one_line&lack=bundle&category=食品", {"TEA", "FISH", "MILK"}),
    ],
)
def test_goods_narrow_to(board, query, numbers):
    assert found(query) == numbers


def test_what_the_channel_told_of_the_tax_wins_over_the_goods_own_rate(board):
    board["TEA"].lines.update(tax_rate=10)
    assert "TEA" in found("tax=10") and "TEA" not in found("tax=8")


def test_goods_that_are_many_are_asked_by_a_query_and_found_the_same(board, monkeypatch):
    few = {query: found(query) for query in ("brand=山の", "tax=8", "supplier=海")}
    monkeypatch.setattr("orders.filter_fields.MOST_NAMED", 1)
    assert {query: found(query) for query in few} == few


def test_cancelled_lines_do_not_count(board):
    board["TEA+DESK"].lines.filter(channel_sku="DESK").update(quantity=0)
    assert found("category=家具") == {"DESK"} and "TEA+DESK" in found("has=one_line")


@pytest.mark.parametrize("postal", ["100-0101", "1000101"])
def test_islands_are_found_however_the_code_is_written(board, postal):
    Recipient.objects.filter(order=board["TEA"]).update(postal_code=postal)
    assert found("has=island") == {"TEA"} and found("lack=island") == ALL - {"TEA"}


def test_first_orders_and_later_ones(board):
    Member.objects.all().delete()
    tea, desk, fish = board["TEA"], board["DESK"], board["FISH"]  # the tea was ordered last
    who = Member.objects.create(name="田村", created_at=clock.now())
    Order.objects.filter(pk__in=[tea.pk, desk.pk]).update(member=who)
    Order.objects.filter(pk=fish.pk).update(member=Member.objects.create(name="原", created_at=clock.now()))
    assert found("nth=first") == {"DESK", "FISH"} and found("nth=repeat") == {"TEA"}
    assert found("nth=first&nth=repeat") == {"TEA", "DESK", "FISH"}
    Order.objects.filter(pk=desk.pk).update(cancelled_at=clock.now())
    assert found("nth=repeat") == set()


def test_where_orders_came_in(board, aoi):
    def flag(number: str, *flags: str) -> None:
        Order.objects.filter(pk=board[number].pk).update(flags=list(flags))

    flag("TEA", MOVED_IN)
    flag("FISH", INTERNAL, MANUAL)
    flag("MILK", INTERNAL)
    flag("DESK", "prime")
    shop = board["FISH"].shop
    ManualOrder.objects.create(key="m", shop=shop, source="fax", order=board["FISH"], at=clock.now())
    assert found("source=api") == {"DESK", "TEA+DESK", "SET", "zzz"}
    assert found("source=file") == {"TEA"} and found("source=own") == {"MILK"}
    assert found("source=hand_fax") == {"FISH"} and found("source=hand_phone") == set()
    assert found("source=hand_fax&source=hand_phone&source=file") == {"FISH", "TEA"}
    assert found("source=api&not=source") == {"TEA", "FISH", "MILK"}


def test_returns_by_their_reason_leave_out_what_was_refused(board):
    for number, state, reason in (("TEA", "closed", "damaged"), ("DESK", "rejected", "damaged")):
        ReturnCase.objects.create(
            order=board[number], key=f"r-{number}", state=state, reason=reason, asked_at=clock.now()
        )
    assert found("has=returned") == {"TEA"} and found("lack=returned") == ALL - {"TEA"}
    assert found("return_reason=damaged") == {"TEA"} and found("return_reason=refused") == set()


def test_files_talks_and_people_to_watch(board, aoi):
    now = clock.now()
    file = {"content_type": "image/png", "size": 1, "at": now, "by": aoi}
    OrderAttachment.objects.create(order=board["TEA"], name="a", sha256="1", place="1", **file)
    OrderAttachment.objects.create(order=board["DESK"], name="b", sha256="2", place="2", removed_at=now, **file)
    OrderTalk.objects.create(order=board["FISH"], way="phone_in", text="…", key="k", at=now, by=aoi)
    for number, state in (("MILK", "open"), ("SET", "accepted"), ("zzz", "auto_resolved")):
        ReviewReason.objects.create(
            order=board[number], code="blacklist_match", level="block", state=state, raised_at=now, fingerprint="x"
        )
    assert found("has=attachments") == {"TEA"} and found("has=talks") == {"FISH"}
    assert found("has=blacklisted") == {"MILK", "SET"}


def test_mails_that_have_not_gone_out(board):
    now = clock.now()
    Mail.objects.all().delete()
    for number, event, state in (
        ("TEA", "order_received", "sent"),
        ("TEA", "shipped", "failed"),
        ("FISH", "shipped", "sent"),
    ):
        Mail.objects.create(
            order=board[number], event=event, key=f"{number}{event}", to="a@example.com", state=state, created_at=now
        )
    assert found("unmailed=order_received") == ALL - {"TEA"} and found("unmailed=shipped") == ALL - {"FISH"}
    assert found("mailed=order_received&unmailed=shipped") == {"TEA"}
    assert found("unmailed=order_received&unmailed=shipped") == ALL
    assert found("unmailed=shipped&not=unmailed") == {"FISH"}


def test_members_by_rank_and_recipients_by_country(board):
    gold = Rank.objects.create(code="gold-x", name="金", level=90)
    Member.objects.filter(pk=board["TEA"].member_id).update(rank=gold)
    assert found("rank=gold-x") == ALL
    Recipient.objects.filter(order=board["TEA"]).update(country="US")
    assert found("country=us、tw") == {"TEA"} and found("country=JP") == ALL - {"TEA"}
    assert found("country=jp, US") == ALL and found("country=US&not=country") == ALL - {"TEA"}


def test_every_fact_can_be_asked_for_and_against_and_both_make_the_whole(board):
    for code in HAS:
        has, lacks = found(f"has={code}"), found(f"lack={code}")
        assert has | lacks == ALL and not has & lacks, code
        assert found(f"has={code}&not=has") == lacks, code


def test_the_panel_offers_every_filter_once_with_its_turn_and_keeps_what_is_chosen(client_of, aoi, board):
    page = client_of(aoi).get("/orders/filter/?brand=山&not=brand&lack=island&temperature=frozen&unmailed=shipped")
    html = page.content.decode()
    known = set(OrderFilter(QueryDict(""), queryset=Order.objects.none(), whole=True).filters)
    ours = {"brand", "category", "supplier", "temperature", "tax", "nth", "source", "return_reason", "unmailed", "lack"}
    assert ours <= known
    for name in ours:
        assert f'name="not" value="{name}"' in html, name
    assert 'name="brand" value="山"' in html and [group.open for group in page.context["groups"]].count(True) == 4
    chips = client_of(aoi).get("/orders/?brand=山&not=brand&lack=island").content.decode()
    assert "ブランド（一部）（以外）: 「山」" in chips and "含まないもの: 離島" in chips


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("#至急", {"TEA", "FISH"}),
        ("＃至急", {"TEA", "FISH"}),
        ("#至急便", {"FISH"}),
        ("#vip", {"DESK"}),
        ("#vip #至急", set()),
        ("#至急 @確認", set()),
        ("@出荷待ち #無い", set()),
        ("#一度だけ", {"MILK"}),
        ("#", set()),
    ],
)
def test_a_tag_is_asked_with_a_hash(board, typed, numbers):
    for name in ("至急", "至急便", "VIP 顧客"):
        OrderTag.objects.get_or_create(name=name)
    for number, tag in (("TEA", "至急"), ("FISH", "至急便"), ("DESK", "VIP 顧客"), ("MILK", "一度だけ")):
        Order.objects.filter(pk=board[number].pk).update(tags=[tag])
    assert found("q=" + typed.replace("#", "%23")) == numbers


def test_the_search_above_every_page_knows_tags_and_stages_too(client_of, aoi, board):
    OrderTag.objects.get_or_create(name="至急")
    Order.objects.filter(pk=board["TEA"].pk).update(tags=["至急"])
    client = client_of(aoi)
    [group] = client.get(reverse("pages:search"), {"q": "#至"}).context["groups"]
    assert [hit.title for hit in group.hits] == ["TEA"]
    stage = str(Order.objects.get(pk=board["DESK"].pk).get_stage_display())
    [group] = client.get(reverse("pages:search"), {"q": f"@{stage} 佐藤"}).context["groups"]
    assert "DESK" in {hit.title for hit in group.hits}
    assert client.get(reverse("pages:search"), {"q": "#無い"}).context["groups"] == []


def test_goods_cost_one_query_more_and_nothing_the_longer_the_list(client_of, aoi, board):
    client = client_of(aoi)

    def asked(query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/orders/?{query}")
        return len(queries)

    asked("")
    assert asked("brand=山") == asked("category=家具&not=category") == asked("") + 1
