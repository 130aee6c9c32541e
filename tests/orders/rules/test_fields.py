"""What rules may ask, field by field, on stored orders."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import BlacklistEntry, MemberNote
from customers.services import notes, profile, ranks
from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.workdays import is_workday
from orders.channel_order import PaymentMethod, PaymentState
from orders.decide.rules.document import check
from orders.decide.rules.fields import FIELDS
from orders.models import Order, RuleList, RuleListVersion
from orders.services import reason_settings
from orders.services.intake import take_in
from orders.services.rules import active, facts, publish
from tests.orders.builders import (
    ORDERED_AT,
    make_channel_order,
    make_line,
    make_location,
    make_shop,
    make_sku,
    mapped,
)
from tests.orders.rules.builders import cond, do, document, group, make_rule

pytestmark = pytest.mark.django_db


def marked(*orders, shop=None) -> list[bool]:
    """Whether the rule in force marked each order as important."""
    skus = mapped(make_sku(stock_units=50), make_sku("GIFT", stock_units=50))
    take_in(shop or make_shop(), orders, sku_of=skus)
    return list(Order.objects.order_by("pk").values_list("important", flat=True))


def test_a_campaign_from_evening_to_morning():
    make_rule("セール", cond("ordered_at", "between", ["2026-11-20T20:00", "2026-11-21T01:59"]), then=do("flag"))
    at = [ORDERED_AT.replace(hour=10, minute=59), ORDERED_AT.replace(hour=11), ORDERED_AT.replace(hour=17)]
    assert marked(*(make_channel_order(ordered_at=one) for one in at)) == [False, True, False]


def test_before_and_after_a_moment():
    make_rule("前", cond("ordered_at", "before", "2026-11-20 12:00"), then=do("flag"))
    at = [ORDERED_AT - timedelta(minutes=1), ORDERED_AT]
    assert marked(*(make_channel_order(ordered_at=one) for one in at)) == [True, False]


def test_a_moment_that_is_none_is_refused():
    found = check(document(cond("ordered_at", "after", "きのう"), then=do("flag")), active.known())
    assert "日時は 2026-06-01 20:00" in found.faults[0][1]


def test_a_remark_that_names_a_day():
    make_rule("日付", cond("remarks_date", "yes"), then=do("flag"))
    assert marked(make_channel_order(remarks="12月24日に届けて"), make_channel_order(remarks="至急")) == [True, False]


def test_cash_at_the_door_and_dates_of_payment():
    make_rule(
        "支払",
        group(
            "any",
            cond("cod_amount", "ge", 1500),
            cond("authorized_until", "within_days", 3),
            cond("pay_by", "within_days", 3),
        ),
        then=do("flag"),
    )
    soon = clock.now() + timedelta(days=2)
    held = {"payment_method": PaymentMethod.CARD, "payment_state": PaymentState.AUTHORIZED}
    unpaid = {"payment_method": PaymentMethod.CONVENIENCE, "payment_state": PaymentState.UNPAID}
    assert marked(
        make_channel_order(),
        make_channel_order(payment_method=PaymentMethod.COD, payment_state=PaymentState.UNPAID),
        make_channel_order(**held, authorized_until=soon),
        make_channel_order(**held, authorized_until=soon + timedelta(days=9)),
        make_channel_order(**unpaid, pay_by=soon),
    ) == [False, True, True, False, True]


def test_what_came_for_nothing_before_and_where_somebody_bought():
    make_rule("景品", cond("member_gifts", "contains_any", ["GIFT"]), then=do("flag"))
    make_rule("他店", cond("member_channels", "contains_any", ["rakuten"]), then=do("add_tag", tag="楽天でも"))
    later = {"ordered_at": ORDERED_AT + timedelta(days=1)}
    gift = make_line("GIFT", 1, 0)
    assert marked(make_channel_order(make_line(), gift), make_channel_order(**later)) == [False, True]
    assert [order.tags for order in Order.objects.order_by("pk")] == [[], ["楽天でも"]]


def test_a_list_keeps_its_versions_and_goes_back():
    publish.save_list("停止", ["900", "901"])
    publish.save_list("停止", ["900", "901"])
    publish.save_list("停止", ["154"])
    make_rule("災害", cond("postal_code", "prefix_in_list", "停止"), then=do("flag"))
    assert marked(make_channel_order()) == [True]
    publish.list_back("停止", 1, by=None)
    assert RuleList.objects.get().values == ["900", "901"]
    assert [(row.number, len(row.values)) for row in RuleListVersion.objects.all()] == [(3, 2), (2, 1), (1, 2)]
    assert marked(make_channel_order()) == [True, False], "the rule asks the list as it is now"


def member_of(*, after_days: int = -30):
    """The member of an order from before."""
    told = make_channel_order(ordered_at=ORDERED_AT + timedelta(days=after_days))
    take_in(make_shop(), [told], sku_of=mapped(make_sku(stock_units=50)))
    return Order.objects.latest("pk").member


def test_rank_birthday_card_and_promise_of_the_member(aoi):
    ranks.save(None, ranks.Wanted("gold", "ゴールド", 3, is_vip=True), by=None)
    ranks.save(None, ranks.Wanted("silver", "シルバー", 2, is_vip=False), by=None)
    asked = {
        "gold": cond("member_rank", "in", ["gold"]),
        "上": cond("member_rank_level", "ge", 2),
        "上位": cond("vip_rank", "yes"),
        "11月生": cond("birth_month", "is", "11"),
        "誕生月": cond("in_birth_month", "yes"),
        "店舗": cond("store_member", "yes"),
        "約束": cond("open_promise", "yes"),
        "なし": cond("member_rank", "empty"),
    }
    for name, one in asked.items():
        make_rule(name, one, then=do("add_tag", tag=name))
    member = member_of()
    assert Order.objects.get().tags == ["なし"]
    profile.change(
        {member.pk: {"rank": "silver", "birthday": date(1990, 11, 3), "store_member": True}}, by=None
    )  # fmt: skip
    assert set(Order.objects.get().tags) == {"上", "11月生", "店舗"} | ({"誕生月"} if member_month() == 11 else set())
    profile.change({member.pk: {"rank": "gold"}}, by=None)
    note = notes.write(member.pk, "カタログ", promise=True, by=aoi)
    assert "約束" not in Order.objects.get().tags, "a promise is for the orders that come after it"
    MemberNote.objects.update(at=ORDERED_AT - timedelta(days=40))
    marked(make_channel_order())
    order = Order.objects.latest("pk")
    assert set(order.tags) == {"gold", "上", "上位", "11月生", "誕生月", "店舗", "約束"}
    notes.tick([note.pk], by=aoi)
    order.refresh_from_db()
    assert "約束" not in order.tags, "the rule takes its tag back"


def member_month() -> int:
    return clock.in_tokyo(Order.objects.earliest("pk").ordered_at).month


def test_tags_and_own_fields_of_the_goods():
    chair, gift = make_sku(stock_units=50), make_sku("GIFT", stock_units=50)
    Sku.objects.filter(pk=chair.pk).update(tags=["電池", "冬物"], custom={"素材": "綿100%", "原産国": "日本"})
    make_rule("電池", group("lines_any", cond("line.tags", "contains_any", ["電池"])), then=do("add_tag", tag="電池"))
    make_rule(
        "冬だけ", group("lines_all", cond("line.tags", "contains_all", ["冬物", "電池"])), then=do("add_tag", tag="冬")
    )
    make_rule(
        "綿", group("lines_any", cond("line.custom", "contains_any", ["綿"], of="素材")), then=do("add_tag", tag="綿")
    )
    make_rule(
        "原産国なし", group("lines_any", cond("line.custom", "empty", of="原産国")), then=do("add_tag", tag="不明")
    )
    marked(make_channel_order(), make_channel_order(make_line(), make_line("GIFT")))
    assert [set(order.tags) for order in Order.objects.order_by("pk")] == [{"電池", "冬", "綿"}, {"電池", "綿", "不明"}]
    assert gift.tags == []


def test_an_own_field_needs_its_name():
    found = check(document(group("lines_any", cond("line.custom", "is", "綿")), then=do("flag")), active.known())
    assert "項目名を入力" in found.faults[0][1]


def test_the_stock_of_a_sku_at_one_place():
    shop = make_location("S1", name="本店", kind="store", sells_online=False)
    make_sku(stock_units=50)
    make_sku("GIFT", stock_units=5)
    make_sku("GIFT", stock_units=2, location=shop)
    make_rule("本店", cond("stock", "is", 2, sku="GIFT", location="S1"), then=do("add_tag", tag="本店に2"))
    make_rule("倉庫", cond("stock", "is", 0, sku="CHAIR", location="S1"), then=do("add_tag", tag="本店になし"))
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(make_sku(stock_units=50)))
    assert Order.objects.get().tags == ["本店に2", "本店になし"]
    found = check(document(cond("stock", "ge", 1, sku="GIFT", location="どこか"), then=do("flag")), active.known())
    assert "見つかりません" in found.faults[0][1]


def test_who_is_on_the_blacklist_is_known_whatever_became_of_the_reason():
    BlacklistEntry.objects.create(phone="09012345678", reason="受取拒否", created_at=clock.now())
    reason_settings.save(reason_settings.Setting("blacklist_match", active=False, level="info"), by=None)
    make_rule("要注意", cond("blacklisted", "yes"), then=do("flag"))
    assert marked(make_channel_order()) == [True]


def test_the_day_and_hour_of_judging():
    today = clock.today()
    make_rule("曜日", cond("today_weekday", "is", str(today.weekday())), then=do("add_tag", tag="曜日"))
    make_rule("営業日", cond("today_workday", "yes" if is_workday(today) else "no"), then=do("add_tag", tag="営業日"))
    make_rule("今日", cond("today", "is", today.isoformat()), then=do("add_tag", tag="今日"))
    make_rule("時刻", cond("now_time", "between", ["00:00", "23:59"]), then=do("add_tag", tag="時刻"))
    make_rule("過去", cond("ordered_on", "past_days", 3000), then=do("add_tag", tag="過去"))
    make_rule("住所", cond("buyer_address", "contains_any", ["三軒茶屋"]), then=do("add_tag", tag="住所"))
    marked(make_channel_order())
    assert Order.objects.get().tags == ["曜日", "営業日", "今日", "時刻", "過去", "住所"]


def test_a_later_rule_sees_the_method_that_an_earlier_one_set():
    make_rule("方法", then=do("set_method", method="船便", carrier="japanpost"), priority=10)
    make_rule("船", cond("delivery_method", "is", "船便"), then=do("add_tag", tag="船"), priority=20)
    marked(make_channel_order())
    assert Order.objects.get().tags == ["船"]


def test_all_facts_of_many_orders_cost_as_many_queries_as_of_one():
    keys = {one.code for one in FIELDS.values() if not one.arg}
    keys |= {"member_orders:90", "member_amount:90", "member_returns:90", "stock:CHAIR", "stock:CHAIR\tW1"}
    keys |= {"line.custom:素材", "line.custom:色", "least_stock:W1"}
    told = [make_channel_order(ordered_at=ORDERED_AT + timedelta(days=n)) for n in range(12)]
    take_in(make_shop(), told, sku_of=mapped(make_sku(stock_units=90)))
    ids = list(Order.objects.values_list("pk", flat=True))
    counts = []
    for part in (ids[:1], ids):
        with CaptureQueriesContext(connection) as queries:
            loaded = facts.load(part, keys | {"lines"}, now=clock.now())
        counts.append(len(queries))
        assert len(loaded) == len(part) and loaded[part[0]]["member_rank"] == ""
    assert counts[0] == counts[1] <= 26
