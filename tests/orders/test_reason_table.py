"""Every kind of reason, row by row: its cause opens it, a person's word holds while the facts are the same, other facts
ask anew, and where the cause is gone it closes itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.clock import TOKYO
from orders.decide.catalogue import CATALOGUE
from orders.models import Order, OrderLine, ReasonSetting, Recipient, ReviewReason
from orders.services import review, review_again
from orders.services import stage as stages
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

ACTOR = Actor()
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """`cause` and `other` (the same kind of cause with other facts) are fields by where they stand: `to`, `sku`, `line`
    (the first one), else the order's own. `tune`: the company's thresholds."""

    cause: Facts
    other: Facts | None = None
    tune: Facts = field(default_factory=dict)


def day(days: int) -> Any:
    return clock.today() + timedelta(days=days)


def moment(days: float) -> datetime:
    return clock.now() + timedelta(days=days)


def tonight(minute: int) -> datetime:
    return datetime.combine(clock.today(), time(23, minute), TOKYO)


def to(**fields: Any) -> Facts:
    return {"to": fields}


def rows() -> dict[str, Row]:
    """By code; dates are reckoned when they are asked for."""
    cod = {"payment_method": "cod", "payment_state": "unpaid"}
    return {
        "item_unmapped": Row({"line": {"sku": None}}),
        "option_unparsed": Row({"line": {"options": "色:桃"}}, {"line": {"options": "色:緑"}}),
        "amount_mismatch": Row({"total": 1900}, {"total": 2000}),
        "tax_mismatch": Row({"tax_by_rate": [[10, 1100, 200]]}, {"tax_by_rate": [[10, 1100, 300]]}),
        "pay_method_unmapped": Row(
            {"payment_method": "other", "payment_name": "謎ペイ"}, {"payment_method": "other", "payment_name": "別ペイ"}
        ),
        "ship_method_unmapped": Row({"delivery_method": "当店指定"}, {"delivery_method": "特別なお届け"}),
        "channel_cancel_request": Row(
            {"cancel_requested": True, "cancel_reason": "不要"}, {"cancel_requested": True, "cancel_reason": "誤り"}
        ),
        "bad_characters": Row(to(name="佐藤😀"), to(name="佐藤🎀")),
        "buyer_note": Row({"remarks": "急いでください"}, {"remarks": "箱は要りますか"}),
        "note_has_date": Row({"remarks": "12月20日は使いますか？"}, {"remarks": "12月21日は使いますか？"}),
        "note_cancel_word": Row({"remarks": "キャンセルできますか？"}, {"remarks": "住所を直せますか？"}),
        "receipt_request": Row({"remarks": "領収書をください"}, {"line": {"options": "領収書:要"}}),
        "gift_wrap": Row({"gift": "箱"}, {"gift": "袋"}),
        "noshi": Row({"noshi": "のし希望"}, {"noshi": "御祝 名入れあり"}),
        "message_card": Row({"message_card": "おめでとう"}, {"message_card": "おめでとうございます"}),
        "engraving_missing": Row({}, tune={"goods": "CUP"}),
        "price_hidden": Row({"gift": "箱", **to(name="別の方")}),
        "postal_mismatch": Row(to(postal_code="060-0001"), to(postal_code="530-0001")),
        "street_no_missing": Row(to(address="三軒茶屋"), to(address="三軒茶屋 青葉荘")),
        "room_no_missing": Row(to(address="三軒茶屋2-14-3 コーポ青葉"), to(address="三軒茶屋2-14-3 ハイツ青葉")),
        "address_too_long": Row(to(address="三軒茶屋2-14-3" + "あ" * 60), to(address="三軒茶屋2-14-3" + "あ" * 61)),
        "name_too_long": Row(to(name="あ" * 20), to(name="あ" * 21)),
        "phone_invalid": Row(to(phone="123"), to(phone="456")),
        "remote_island": Row(to(postal_code="100-1511"), to(postal_code="100-0511")),
        "area_unservable": Row({}, tune={"areas": "154-0024"}),
        "area_suspended": Row({}, tune={"areas": "154-0024"}),
        "buyer_recipient_differ": Row(to(name="別の方")),
        "depot_pickup": Row(to(address="三軒茶屋2-14-3 世田谷営業所止め")),
        "overseas": Row(to(country="US"), to(country="TW")),
        "forwarder_address": Row(to(company="転送コム"), to(company="tenso")),
        "date_too_soon": Row({"wish_date": day(0)}),
        "date_past": Row({"wish_date": day(-1)}, {"wish_date": day(-2)}),
        "date_too_far": Row({"wish_date": day(90)}, {"wish_date": day(91)}),
        "time_slot_unavailable": Row({"wish_slot": "2021"}, {"wish_slot": "1214"}),
        "date_on_mailbox": Row(
            {"delivery_method": "ネコポス", "wish_slot": "am"}, {"delivery_method": "クリックポスト", "wish_slot": "am"}
        ),
        "due_today": Row({"ship_by": tonight(59)}, {"ship_by": tonight(58)}),
        "ship_by_risk": Row({"ship_by": moment(0.01)}, {"ship_by": moment(0.02)}),
        "payment_overdue": Row(
            {"payment_state": "unpaid", "pay_by": moment(-9)}, {"payment_state": "unpaid", "pay_by": moment(-8)}
        ),
        "auth_failed": Row(
            {"payment_state": "failed", "payment_name": "カード"}, {"payment_state": "failed", "payment_name": "後払い"}
        ),
        "credit_reviewing": Row({"payment_state": "unpaid", "payment_method": "deferred"}),
        "auth_expiring": Row(
            {"payment_state": "authorized", "authorized_until": moment(1)},
            {"payment_state": "authorized", "authorized_until": moment(2)},
        ),
        "high_amount": Row({"total": 400_000}, {"total": 500_000}),
        "cod_over_limit": Row(cod | {"total": 400_000}, cod | {"total": 500_000}),
        "cod_risk": Row(cod | {"total": 150_000}, cod | {"total": 160_000}),
        "paid_short": Row({"payment_state": "partially_paid", "paid_amount": 1}),
        "paid_over": Row(
            {"payment_state": "overpaid", "paid_amount": 9_000}, {"payment_state": "overpaid", "paid_amount": 9_500}
        ),
        "oversize": Row(
            {"delivery_method": "ネコポス", "sku": {"size_factor": 5}},
            {"delivery_method": "ネコポス", "sku": {"size_factor": 6}},
        ),
        "air_restricted": Row(to(prefecture="沖縄県"), tune={"goods": "CUP"}),
        "age_restricted": Row({}, tune={"goods": "CUP"}),
        "mixed_preorder": Row({"line": {"release_date": day(9)}}),
        "made_to_order": Row({"sku": {"is_made_to_order": True}}),
        "discontinued": Row({"sku": {"active": False}}),
        "quantity_limit": Row({"line": {"quantity": 60}}, {"line": {"quantity": 70}}, tune={"pieces": 50}),
        "temperature_mixed": Row({"sku": {"temperature": "chilled"}}, {"sku": {"temperature": "frozen"}}),
        "channel_caution": Row({"flags": ["caution"]}, {"flags": ["suspect"]}),
    }


# What needs more than one order's fields: where its life is told.
ELSEWHERE = {
    "duplicate_suspect": "orders/test_review_more.py",
    "channel_changed": "orders/test_channel_changes.py",
    "channel_reflected": "orders/test_channel_changes.py",
    "multi_ship_to": "orders/test_reason_table.py",
    "credit_over_limit": "orders/test_account_balance.py",
    "payer_mismatch": "orders/test_reasons_more.py",
    "amount_increased": "orders/payments/test_authorisations.py",
    "merge_candidate": "fulfillment/test_review_cards.py",
    "oversold": "channels/publishing/test_stories.py",
    "pick_short": "fulfillment/test_short_pick.py",
    "out_of_stock": "orders/test_reasons_more.py",
    "partial_stock": "orders/test_reason_table.py",
    "blacklist_match": "orders/test_review_cards.py",
    "blacklist_similar": "orders/test_blacklist.py",
    "refusal_history": "orders/test_reasons_more.py",
    "open_promise": "orders/test_promises.py",
    "member_duplicate": "customers/test_pairs.py",
    "first_order": "orders/test_reason_settings.py",
    "vip": "orders/test_promises.py",
    "mail_bounced": "orders/test_mail_life.py",
    "mail_failed": "orders/test_mail_life.py",
    "channel_push_failed": "channels/test_refused_words.py",
    "parcel_returned": "orders/returns/test_returns.py",
    "question_to_colleague": "orders/test_questions.py",
    "rule_hold": "orders/rules/test_run.py",
    "rule_error": "orders/rules/test_run.py",
}


@pytest.fixture
def order(db) -> Order:
    """Two goods of an order about which there is nothing to say."""
    cup, chair = make_sku("CUP", stock_units=99), make_sku("CHAIR", stock_units=99)
    Sku.objects.create(code="CUP-2", product=cup.product, name="CUP の品 青", price=1000)
    placed = make_channel_order(make_line("CUP", price=500), make_line("CHAIR", price=500))
    take_in(make_shop(), [placed], sku_of=mapped(cup, chair))
    return Order.objects.get()


def write(order: Order, facts: Facts) -> Facts:
    """Write these facts; returns what stood there before."""
    places = {
        "to": Recipient.objects.filter(order=order),
        "sku": Sku.objects.filter(code="CUP"),
        "line": OrderLine.objects.filter(order=order, channel_sku="CUP"),
    }
    own = {name: value for name, value in facts.items() if name not in places}
    asked = [(place, places[place], dict(facts[place])) for place in places if place in facts]
    if own:
        asked.append(("", Order.objects.filter(pk=order.pk), own))
    before: dict[str, Any] = {}
    for place, found, values in asked:
        [stood] = found.values(*values)
        before |= {place: stood} if place else stood
        found.update(**values)
    return before


def look(order: Order) -> None:
    with transaction.atomic():
        list(Order.objects.select_for_update(no_key=True).filter(pk=order.pk))
        review.sync([order.pk], timely=True)
        stages.recompute([order.pk])


def state(order: Order, code: str) -> str:
    return ReviewReason.objects.filter(order=order, code=code).values_list("state", flat=True).first() or ""


def switch(code: str, params: Facts) -> None:
    entry = CATALOGUE[code]
    ReasonSetting.objects.update_or_create(code=code, defaults={"active": True, "level": entry.level, "params": params})


def test_every_reason_has_its_row_or_its_story():
    tests = Path(__file__).parents[1]
    assert rows().keys() | ELSEWHERE.keys() == CATALOGUE.keys() and not rows().keys() & ELSEWHERE.keys()
    assert [code for code, path in ELSEWHERE.items() if code not in (tests / path).read_text()] == []


@pytest.mark.parametrize("code", rows())
def test_a_reason_lives_as_long_as_its_cause(order, code):
    row = rows()[code]
    look(order)
    assert state(order, code) == "", "there is nothing to say yet"
    switch(code, row.tune)
    before = write(order, row.cause)
    look(order)
    reason = ReviewReason.objects.get(order=order, code=code)
    assert (reason.state, reason.level) == ("open", CATALOGUE[code].level) and reason.evidence

    accepted = review.accept([order.pk], codes=[code], actor=ACTOR)
    if CATALOGUE[code].clearable:
        look(order)
        assert state(order, code) == "accepted", "nothing has changed"
    else:
        assert accepted.refused == {code: [order.pk]} and state(order, code) == "open", "only its cause settles it"

    if row.other:
        write(order, before)
        before = {**before, **write(order, row.other)}
        look(order)
        assert state(order, code) == "open" and ReviewReason.objects.get(pk=reason.pk).evidence != reason.evidence
    elif CATALOGUE[code].clearable:
        assert _comes_back(order, row, before, code) == "open", "it is new when its cause comes back"

    write(order, before)
    if not row.cause:
        ReasonSetting.objects.filter(code=code).update(params={})
    look(order)
    assert state(order, code) == "auto_resolved"


def _comes_back(order: Order, row: Row, before: Facts, code: str) -> str:
    write(order, before)
    ReasonSetting.objects.filter(code=code).update(params={})
    look(order)
    assert state(order, code) == "accepted"
    switch(code, row.tune)
    write(order, row.cause)
    look(order)
    return state(order, code)


def test_several_recipients_are_told_while_there_are_several(order):
    second = Recipient.objects.get(order=order)
    second.pk, second.position = None, 1
    second.save()
    look(order)
    assert state(order, "multi_ship_to") == "open"
    second.delete()
    look(order)
    assert state(order, "multi_ship_to") == "auto_resolved"


def test_a_part_without_stock_is_told_until_nothing_is_left_of_it(order):
    OrderLine.objects.filter(order=order, channel_sku="CUP").update(reserved=False)
    Order.objects.filter(pk=order.pk).update(stage="awaiting_stock", allocation_state="partial")
    review_again.short_of_stock()
    assert ReviewReason.objects.get(order=order, code="partial_stock").evidence.endswith("足りない商品: CUP ×1")
    Order.objects.filter(pk=order.pk).update(stage="awaiting_stock", allocation_state="none")
    review_again.short_of_stock()
    assert [state(order, code) for code in ("partial_stock", "out_of_stock")] == ["auto_resolved", "open"]
