"""What rules do to money, papers, mails, people and members: done once, taken back exactly, and said so."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Member, MemberNote, MemberTag
from fulfillment.documents import note_choice
from fulfillment.queries import merging
from fulfillment.services import merge_keys
from fulfillment.services.allocate import allocate_waiting
from oms.kernel import clock
from oms.kernel.models import User
from orders.channel_order import PaymentMethod, PaymentState, RateSum, Totals
from orders.decide.rules.document import check
from orders.models import (
    Mail,
    MailTemplate,
    Order,
    OrderAdjustment,
    OrderChoice,
    OrderEvent,
    OrderTask,
    ReviewReason,
    RuleMark,
    RuleTrace,
)
from orders.services import audit, mail_send, mail_templates, reminders, tasks
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.rules import active, dry
from orders.services.rules import run as rules
from tests.orders.builders import changed, make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.rules.builders import change_rule, cond, do, document, make_rule

pytestmark = pytest.mark.django_db
OURS = {"own_payments": True, "mail": "free"}
UNPAID = {"payment_method": PaymentMethod.BANK_TRANSFER, "payment_state": PaymentState.UNPAID}
NEVER = cond("total", "ge", 10**9)


def take(*orders, **shop_fields) -> list[Order]:
    """Orders of our own shop."""
    shop = make_shop("honten", channel="futureshop", channel_label="本店", **({"capabilities": OURS} | shop_fields))
    take_in(shop, orders, sku_of=mapped(make_sku(stock_units=50)))
    return list(Order.objects.order_by("pk"))


def sums(order: Order) -> tuple:
    order.refresh_from_db()
    return order.fees, order.discount, order.total, order.tax, order.tax_by_rate


def again(order: Order) -> None:
    rules.run([order.pk], {}, every=True)


def open_codes(order: Order) -> set[str]:
    return set(order.reasons.filter(state="open").values_list("code", flat=True))


# ---- money


def test_a_fee_and_a_discount_stand_in_the_sums_once_and_go_exactly():
    rule = make_rule(
        "離島",
        then=[
            do("add_fee", label="離島送料", amount=500),
            do("add_discount", label="会員割引", mode="percent", amount=10),
        ],
    )
    [order] = take(make_channel_order(make_line("CHAIR", 2), **UNPAID))
    assert sums(order)[:3] == (500, 200, 2500 + 500 - 200)
    assert not list(audit.violations()) and "amount_mismatch" not in open_codes(order)
    assert OrderEvent.objects.get(order=order, kind="rule").text.count("離島送料") == 1
    again(order)
    assert sums(order)[2] == 2800 and OrderAdjustment.objects.count() == 2
    change_rule(rule, NEVER, then=do("add_fee", label="離島送料", amount=500))
    again(order)
    assert sums(order)[:3] == (0, 0, 2500) and not OrderAdjustment.objects.exists()
    assert {mark.state for mark in RuleMark.objects.all()} == {"taken_back"}


def test_the_tax_that_the_channel_told_follows_and_comes_back():
    fee = do("add_fee", label="包装", amount=1100)
    rule = make_rule("包装", then=fee)
    told = {"totals": Totals(goods=1000, shipping=500, tax=136, total=1500), "by_rate": (RateSum(10, 1500, 136),)}
    [order] = take(make_channel_order(**told, **UNPAID))
    assert sums(order) == (1100, 0, 2600, 236, []) and "tax_mismatch" not in open_codes(order)
    change_rule(rule, NEVER, then=fee)
    again(order)
    assert sums(order) == (0, 0, 1500, 136, [[10, 1500, 136]])
    change_rule(rule, then=do("add_discount", label="割引", mode="yen", amount=150))
    again(order)
    assert sums(order) == (0, 150, 1350, 136 - 13, [])


def test_a_rule_judges_the_sum_without_what_it_put_on():
    make_rule("大口割引", cond("total", "ge", 2500), then=do("add_discount", label="割引", mode="yen", amount=300))
    [order] = take(make_channel_order(make_line("CHAIR", 2), **UNPAID))
    again(order)
    assert sums(order)[:3] == (0, 300, 2200)
    tree, _facts = dry.explain_one(order.pk, active.active().rules[0])
    assert tree.result, "the order page's explanation asks the same total"


def test_what_the_channel_tells_anew_is_raised_by_the_fee_that_stands():
    make_rule("手数料", then=do("add_fee", label="包装", amount=300))
    told = make_channel_order(make_line("CHAIR", 1), **UNPAID)
    [order] = take(told)
    take(changed(told, totals=Totals(goods=1000, shipping=700, total=1700)))
    assert sums(order)[:3] == (300, 0, 2000) and "amount_mismatch" not in open_codes(order)
    assert not list(audit.violations())


def test_a_malls_sum_stays_and_a_reason_says_what_the_rule_wanted():
    rule = make_rule("離島", then=do("add_fee", label="離島送料", amount=500))
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(make_sku(stock_units=5)))
    order = Order.objects.get()
    assert (order.fees, order.total, order.stage) == (0, 1500, "review")
    assert "離島送料" in order.reasons.get(code="rule_hold", state="open").evidence
    again(order)
    assert "モールが決める" in str(order.rule_trace.rows) and OrderEvent.objects.filter(kind="rule").count() == 1
    change_rule(rule, NEVER, then=do("add_fee", label="離島送料", amount=500))
    again(order)
    assert "rule_hold" not in open_codes(order)


def test_more_than_was_authorised_stops_the_order_until_the_fee_goes():
    rule = make_rule("手数料", then=do("add_fee", label="包装", amount=300))
    [order] = take(make_channel_order(payment_method=PaymentMethod.CARD, payment_state=PaymentState.AUTHORIZED))
    assert "amount_increased" in open_codes(order)
    order.refresh_from_db()
    assert order.stage == "review"
    change_rule(rule, NEVER, then=do("add_fee", label="包装", amount=300))
    again(order)
    order.refresh_from_db()
    assert "amount_increased" not in open_codes(order) and order.stage != "review"


def test_a_discount_on_money_that_was_taken_is_money_to_give_back():
    rule = make_rule("お詫び", then=do("add_discount", label="お詫び", mode="yen", amount=200))
    [order] = take(make_channel_order(payment_method=PaymentMethod.CARD))
    assert sums(order)[2] == 1300 and order.payment_state == "overpaid" and "paid_over" in open_codes(order)
    change_rule(rule, NEVER, then=do("add_discount", label="お詫び", mode="yen", amount=200))
    again(order)
    assert sums(order)[2] == 1500 and order.payment_state == "paid" and "paid_over" not in open_codes(order)


def test_a_discount_never_exceeds_the_sum():
    make_rule("割引", then=do("add_discount", label="大割引", mode="yen", amount=99_999))
    [order] = take(make_channel_order(**UNPAID))
    assert sums(order)[2] == 1500 and "超える" in str(order.rule_trace.rows) and not RuleMark.objects.exists()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["fee", "yen", "percent"]), st.integers(1, 100)), min_size=1, max_size=5, unique=True
    )
)
def test_whatever_rules_put_on_the_books_balance_and_everything_goes_again(wanted):
    with transaction.atomic():
        _put_on_and_take_off(wanted)
        transaction.set_rollback(True)


def _put_on_and_take_off(wanted) -> None:
    made = []
    for number, (kind, size) in enumerate(wanted):
        deed = (
            do("add_fee", label=f"{number}", amount=size)
            if kind == "fee"
            else do("add_discount", label=f"{number}", mode=kind, amount=size)
        )
        made.append(make_rule(f"r{number}", then=deed, priority=number + 1))
    [order] = take(make_channel_order(make_line("CHAIR", 3), **UNPAID))
    rows = OrderAdjustment.objects.filter(order=order)
    more = sum(row.amount if row.kind == "fee" else -row.amount for row in rows)
    assert sums(order)[2] == 3500 + more >= 0 and not list(audit.violations())
    for rule in made:
        change_rule(rule, NEVER, then=do("flag"))
    again(order)
    assert sums(order)[:3] == (0, 0, 3500) and not list(audit.violations())


def test_held_money_becomes_one_task_where_no_notice_takes_it():
    rule = make_rule("売上", then=do("capture"))
    [order] = take(make_channel_order(payment_method=PaymentMethod.CARD, payment_state=PaymentState.AUTHORIZED))
    again(order)
    task = OrderTask.objects.get(kind="capture")
    assert "¥1,500" in task.text and task.key == f"capture:{order.pk}"
    change_rule(rule, NEVER, then=do("capture"))
    again(order)
    task.refresh_from_db()
    assert task.done_at


def test_where_the_shipping_notice_takes_the_money_the_trace_says_so_and_nobody_is_asked():
    make_rule("売上", then=do("capture"))
    [order] = take(
        make_channel_order(payment_method=PaymentMethod.CARD, payment_state=PaymentState.AUTHORIZED),
        capabilities=OURS | {"captures": True},
    )
    assert not OrderTask.objects.exists() and "確定します" in str(order.rule_trace.rows)


# ---- papers and mails


def test_a_delivery_note_is_chosen_once_and_given_back():
    first = make_rule("P", then=do("set_delivery_note", text="P の文"), priority=1)
    make_rule("Q", then=do("set_delivery_note", text="Q の文"), priority=2)
    make_rule("R", then=do("set_delivery_note", text="R の文", prices="hide", paper="a5"), priority=3)
    [order] = take(make_channel_order())
    assert note_choice([order]) == {"text": "P の文", "prices": "hide", "paper": "a5"}
    assert [row["actions"][0]["status"] for row in order.rule_trace.rows] == ["do", "overruled", "do"]
    change_rule(first, NEVER, then=do("set_delivery_note", text="P の文"), priority=1)
    again(order)
    assert note_choice([Order.objects.get(pk=order.pk)])["text"] in {"Q の文", "R の文"}
    assert OrderChoice.objects.filter(order=order).count() == 2


def test_another_text_of_a_mail_goes_out_for_the_orders_that_a_rule_chose():
    mail_templates.save_template("order_received", None, subject="いつもの", body="いつもの文", active=True)
    mail_templates.save_template(
        "order_received", None, variant="ギフト向け", subject="贈り物", body="のしを付けます", active=True
    )
    rule = make_rule("ギフト", cond("noshi", "filled"), then=do("set_mail_text", template="order_received:ギフト向け"))
    plain, gift = take(make_channel_order(), make_channel_order(noshi="御祝"))
    subjects = {
        order.pk: mail_send.text_of(mail, mail_send.template_of(mail)).subject
        for order in (plain, gift)
        for mail in Mail.objects.select_related("order__shop").filter(order=order, event="order_received")
    }
    assert subjects == {plain.pk: "いつもの", gift.pk: "贈り物"}
    change_rule(rule, NEVER, then=do("flag"))
    again(gift)
    assert not OrderChoice.objects.exists()
    MailTemplate.objects.filter(variant="").update(active=False)
    assert mail_send.template_of(Mail.objects.select_related("order__shop").filter(order=gift).first()) is None


# ---- people


def team(name: str, *usernames: str) -> list[User]:
    from django.contrib.auth.models import Group  # noqa: PLC0415

    people = [User.objects.create_user(username, password="x") for username in usernames]
    for person in people:
        person.groups.add(Group.objects.get(name=name))
    return people


def test_a_teams_orders_go_to_whoever_has_the_fewest():
    aoi, ben = team("shift_lead", "aoi", "ben")
    rule = make_rule("責任者", then=do("assign_team", team="shift_lead"))
    one, two, three = take(make_channel_order(), make_channel_order(), make_channel_order())
    assert [order.assignee for order in (one, two, three)] == [aoi, ben, aoi]
    again(one)
    change_rule(rule, NEVER, then=do("assign_team", team="shift_lead"))
    again(one)
    one.refresh_from_db()
    assert one.assignee is None


def test_a_reminder_rests_until_its_day_is_put_off_and_ends_once(monkeypatch):
    from orders.queries.labels import due_reminders, open_tasks  # noqa: PLC0415

    [aoi] = team("operator", "aoi")
    make_rule("電話", then=do("set_reminder", text="到着を電話で確かめる", mode="today", days=3, team="operator"))
    [order] = take(make_channel_order())
    again(order)
    task = OrderTask.objects.get(kind="reminder")
    assert task.rests and not due_reminders(aoi) and not open_tasks(aoi, mine=True)
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert due_reminders(aoi) == [task] and open_tasks(aoi, mine=True) == [task]
    day = clock.today() + timedelta(days=1)
    assert tasks.put_off(task.pk, day, actor=Actor(aoi)) and not tasks.put_off(task.pk, day, actor=Actor(aoi))
    assert not due_reminders(aoi) and OrderEvent.objects.filter(kind="task_put_off", by=aoi).count() == 1
    assert tasks.finish(task.pk, actor=Actor(aoi)) and not tasks.put_off(task.pk, day, actor=Actor(aoi))


def test_a_reminder_counts_from_the_orders_own_dates_and_goes_when_its_reason_goes():
    team("operator", "aoi")
    rule = make_rule("前日", then=do("set_reminder", text="確認", mode="wish", days=-1, team="", user="aoi"))
    wish = clock.today() + timedelta(days=10)
    dated, dateless = take(make_channel_order(wish_date=wish), make_channel_order())
    task = OrderTask.objects.get()
    assert task.order == dated and clock.in_tokyo(task.shown_from).date() == wish - timedelta(days=1)
    assert "日付がない" in str(dateless.rule_trace.rows)
    change_rule(rule, NEVER, then=do("flag"))
    again(dated)
    assert not OrderTask.objects.exists()


# ---- members


def test_a_member_bears_a_tag_while_one_order_gives_it_and_rules_do_not_see_their_own():
    rule = make_rule(
        "常連",
        cond("member_tags", "contains_none", ["常連"]),
        then=[do("add_member_tag", tag="常連"), do("add_member_note", text="丁寧に")],
    )
    one, other = take(make_channel_order(), make_channel_order(number="2"))
    member = Member.objects.get()
    assert MemberTag.objects.filter(member=member).count() == MemberNote.objects.count() == 2
    again(one)
    assert MemberTag.objects.filter(source_order=one.pk).count() == 0, "another order's tag is seen"
    assert MemberTag.objects.filter(source_order=other.pk).count() == 1
    again(other)
    assert MemberTag.objects.filter(source_order=other.pk).count() == 1, "one's own is not"
    change_rule(rule, NEVER, then=do("flag"))
    again(other)
    assert not MemberTag.objects.exists() and not MemberNote.objects.exists()


def test_an_order_without_a_member_says_why_nothing_was_written():
    from orders.channel_order import Party  # noqa: PLC0415

    make_rule("常連", then=do("add_member_tag", tag="常連"))
    nobody = Party(name="", postal_code="154-0024", prefecture="東京都", city="世田谷区", address="三軒茶屋2-14-3")
    [order] = take(make_channel_order(buyer=nobody))
    assert not MemberTag.objects.exists() and "会員が分からない" in str(order.rule_trace.rows)


# ---- said beforehand


def test_the_dry_run_shows_the_new_actions_and_writes_nothing():
    team("operator", "aoi")
    rule = make_rule("後", NEVER, then=do("flag"))
    [order] = take(make_channel_order(**UNPAID))
    deeds = [
        do("add_fee", label="送料", amount=100),
        do("set_delivery_note", text="P"),
        do("set_reminder", text="確認", mode="today", days=1, team="operator"),
        do("add_member_tag", tag="常連"),
        do("assign_team", team="operator"),
    ]
    compiled = active.compiled(rule.pk, 2, rule.name, check(document(then=deeds), active.known()).document)
    tried = dry.try_rule(compiled)
    assert tried.hits == 1 and len(tried.changes[0].does) == len(deeds)
    assert sums(order)[2] == 1500 and not (OrderTask.objects.exists() or MemberTag.objects.exists())


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (do("add_discount", label="x", mode="percent", amount=101), "100％まで"),
        (do("set_delivery_note"), "どれかを選んで"),
        (do("set_reminder", text="x", mode="today", days=1), "だれに知らせるか"),
        (do("set_reminder", text="x", mode="planned", team="operator"), "日数を入力"),
        (do("set_mail_text", template="shipped:なし"), "見つかりません"),
        (do("add_fee", label="x", amount=0), "1 から"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(deed, said):
    found = check(document(then=deed), active.known())
    assert said in " ".join(text for _place, text in found.faults)


def test_reasons_about_money_do_not_multiply():
    make_rule("手数料", then=do("add_fee", label="包装", amount=300))
    [order] = take(make_channel_order(payment_method=PaymentMethod.CARD, payment_state=PaymentState.AUTHORIZED))
    again(order)
    again(order)
    assert ReviewReason.objects.filter(order=order, code="amount_increased").count() == 1


# ---- trust


def test_who_is_trusted_ships_before_payment_is_still_asked_and_reminded_and_trust_can_end():
    rule = make_rule("常連", cond("member_tags", "contains_any", ["信用"]), then=do("ship_unpaid"))
    ordered = clock.now() - timedelta(days=4)
    first, *_ = take(make_channel_order(ordered_at=ordered, **UNPAID))
    assert first.stage == "awaiting_payment"
    MemberTag.objects.create(member=first.member, tag="信用", key="t", at=clock.now())
    again(first)
    first.refresh_from_db()
    assert first.ships_unpaid and first.stage == "awaiting_stock" and first.payment_state == "unpaid"
    assert Mail.objects.filter(order=first, event="payment_request").count() == 1
    assert not Mail.objects.filter(order=first, event="payment_received").exists()
    Order.objects.filter(pk=first.pk).update(fulfillment_state="shipped", phase="shipped", shipped_at=clock.now())
    assert reminders.send_due() == 1, "it has left, and is still reminded"
    Order.objects.filter(pk=first.pk).update(ordered_at=clock.now() - timedelta(days=60))
    assert reminders.expired() == [], "what has left is not cancelled"
    Order.objects.filter(pk=first.pk).update(fulfillment_state="none", phase="open", shipped_at=None)
    change_rule(rule, NEVER, then=do("ship_unpaid"))
    again(first)
    first.refresh_from_db()
    assert not first.ships_unpaid and first.stage == "awaiting_payment"


def test_what_a_mall_collects_waits_for_the_malls_word():
    make_rule("全員", then=do("ship_unpaid"))
    (order,) = take(
        make_channel_order(payment_method=PaymentMethod.CONVENIENCE, payment_state=PaymentState.UNPAID),
        capabilities={"mail": "free"},
    )
    assert not order.ships_unpaid and order.stage == "awaiting_payment"
    trace = RuleTrace.objects.get(order=order)
    assert "モールの入金を待ちます" in json.dumps(trace.rows, ensure_ascii=False)


def test_a_trusted_order_says_so_on_its_page_and_may_be_merged(client, aoi):
    make_rule("全員", then=do("ship_unpaid"))
    one, two = take(make_channel_order(**UNPAID), make_channel_order(**UNPAID))
    ReviewReason.objects.all().delete()
    client.force_login(aoi)
    assert "ルールにより入金前に出荷" in client.get(f"/orders/{one.pk}/").content.decode()
    allocate_waiting()
    merge_keys.renew([one.pk, two.pk])
    assert all(merging.is_paid(candidate) for candidate in merging.candidates([one.pk, two.pk]))
