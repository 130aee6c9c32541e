"""What rules may ask, field by field, on stored orders."""

from datetime import timedelta

import pytest

from oms.kernel import clock
from orders.channel_order import PaymentMethod, PaymentState
from orders.decide.rules.document import check
from orders.models import Order, RuleList, RuleListVersion
from orders.services.intake import take_in
from orders.services.rules import active, publish
from tests.orders.builders import ORDERED_AT, make_channel_order, make_line, make_shop, make_sku, mapped
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
