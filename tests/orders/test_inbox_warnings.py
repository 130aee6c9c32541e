"""Warnings in the inbox: reasons that stop nothing, worked off card after card, and the desk's actions on cards."""

import pytest
from django.urls import reverse

from orders.channel_order import PaymentMethod
from orders.decide.rules import document as documents
from orders.models import BulkRun, Order, PaymentGate, ReviewDecision
from orders.queries import card_actions, inbox, rule_start
from orders.services.intake import take_in
from orders.services.rules import active
from tests.orders.builders import Totals, make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
URL = "/orders/inbox/"
WARNINGS = f"{URL}?level=warn"


def take(*, shop=None, line=None, **fields) -> Order:
    order = make_channel_order(line or make_line(), **fields)
    take_in(shop or make_shop(), [order], sku_of=mapped(make_sku(stock_units=9)))
    return Order.objects.get(channel_order_no=order.channel_order_no)


def body_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def test_a_warning_has_a_queue_of_its_own_and_leaves_it_with_the_decision(client_of, aoi):
    first, second = take(gift="ラッピング（赤）"), take(gift="ラッピング（青）")
    assert not inbox.kinds()
    assert [(kind.code, kind.orders) for kind in inbox.kinds("warn")] == [("gift_wrap", 2)]
    client = client_of(aoi)
    assert "ラッピング・ギフト" not in body_of(client.get(URL)), "what stops orders stands apart"
    page = body_of(client.get(WARNINGS))
    assert first.channel_order_no in page and "code=gift_wrap&amp;level=warn&amp;after=" in page
    accepted = client.post(reverse("orders:inbox-accept"), {"reason_row": first.reasons.get(code="gift_wrap").pk})
    assert "level=warn" in accepted.url and second.channel_order_no in body_of(client.get(accepted.url))
    undone = client.post(reverse("orders:inbox-undo"), {"code": "gift_wrap", "level": "warn"})
    assert "level=warn" in undone.url and f"at={first.pk}" in undone.url
    assert ReviewDecision.objects.get().undone_at and inbox.kinds("warn")[0].orders == 2


def test_warnings_of_orders_on_their_way_are_only_those_that_went_wrong_afterwards():
    wrapped, unsent = take(gift="ラッピング"), take(remarks="")
    wrapped.reasons.model.objects.create(
        order=unsent,
        code="mail_failed",
        level="warn",
        evidence="届きません",
        fingerprint="x",
        raised_at=unsent.ordered_at,
    )
    Order.objects.filter(pk__in=[wrapped.pk, unsent.pk]).update(stage="in_fulfillment")
    assert [kind.code for kind in inbox.kinds("warn")] == ["mail_failed"]


def test_the_same_decision_counts_for_the_same_warnings(client_of, aoi):
    orders = [take(gift="ラッピング（赤）") for _n in range(3)]
    row = orders[0].reasons.get(code="gift_wrap")
    client_of(aoi).post(reverse("orders:inbox-accept"), {"reason_row": row.pk, "same": "1"}, headers=HTMX)
    assert not inbox.kinds("warn")


def test_a_card_offers_the_desks_actions_for_its_order(client_of, aoi):
    order = take(line=make_line("CHAIR", 1, 1000), payment_method=PaymentMethod.OTHER, payment_name="わくわく払い")
    client = client_of(aoi)
    page = body_of(client.get(f"{URL}?code=pay_method_unmapped"))
    assert "支払方法を変える…" in page and 'data-key="1"' in page
    row = order.reasons.get(code="pay_method_unmapped")
    chosen = client.post(reverse("orders:inbox-act"), {"reason_row": row.pk, "action": "payment_method"})
    assert BulkRun.objects.get().order_ids == [order.pk] and "/bulk/" in chosen.url


def test_an_action_counts_for_all_with_the_same_evidence_where_that_is_ticked(client_of, aoi, ben):
    orders = [take(payment_method=PaymentMethod.OTHER, payment_name="わくわく払い") for _n in range(3)]
    row = orders[1].reasons.get(code="pay_method_unmapped")
    asked = {"reason_row": row.pk, "action": "payment_method", "same": "1"}
    client_of(aoi).post(reverse("orders:inbox-act"), asked)
    assert BulkRun.objects.get().order_ids == [order.pk for order in orders]
    other = client_of(aoi).post(reverse("orders:inbox-act"), asked | {"action": "cancel"})
    assert other.status_code == 404, "only what settles this reason"
    assert client_of(ben).post(reverse("orders:inbox-act"), asked).status_code == 403
    assert client_of(aoi).get(reverse("orders:inbox-act")).status_code == 405


def test_actions_without_the_right_are_not_offered(person_with):
    packer, lead = person_with("warehouse"), person_with("shift_lead")
    assert card_actions.offered("payment_overdue", packer, first=1) == []
    found = card_actions.offered("payment_overdue", lead, first=3)
    assert [one.code for one in found] == ["remind", "payment_method", "cancel"] and found[0].key == "3"


def test_every_offered_action_and_reason_is_known():
    from orders import actions  # noqa: PLC0415
    from orders.decide.catalogue import CATALOGUE  # noqa: PLC0415

    assert set(card_actions.SETTLES) <= set(CATALOGUE)
    assert all(actions.get(code) for codes in card_actions.SETTLES.values() for code in codes)


def test_an_unknown_payment_name_leads_who_may_to_its_terms(client_of, person_with):
    for _n in range(2):  # one for each of them: a card is handed out to one person
        take(payment_method=PaymentMethod.OTHER, payment_name="わくわく払い")
    operator, lead = client_of(person_with("operator")), client_of(person_with("shift_lead"))
    assert "payments/terms/" not in body_of(operator.get(f"{URL}?code=pay_method_unmapped"))
    page = body_of(lead.get(f"{URL}?code=pay_method_unmapped"))
    assert (
        "この支払名の条件を決める" in page
        and "payments/terms/rakuten-1/?code=" in page
        and not PaymentGate.objects.exists()
    )


def test_a_delivery_name_without_a_carrier_offers_the_others_by_key(client_of, aoi):
    order = take(delivery_method="当店おまかせ便")
    page = body_of(client_of(aoi).get(f"{URL}?code=ship_method_unmapped"))
    assert "佐川急便で送る" in page and "日本郵便で送る" in page
    row = order.reasons.get(code="ship_method_unmapped")
    client_of(aoi).post(reverse("orders:inbox-choose"), {"reason_row": row.pk, "choice": "carrier|sagawa"})
    order.refresh_from_db()
    row.refresh_from_db()
    assert order.carrier == "sagawa" and row.state == "auto_resolved"


def test_a_sum_that_is_not_the_malls_is_shown_part_by_part(client_of, aoi):
    take(line=make_line("CHAIR", 2, 1000), totals=Totals(goods=1800, shipping=500, total=2300))
    page = body_of(client_of(aoi).get(f"{URL}?code=amount_mismatch"))
    for words in (
        "明細の計",
        "¥2,000",
        "計算した合計",
        "¥2,500",
        "モールの合計",
        "¥2,300",
        "-¥200",
        "モールの商品合計",
        "¥1,800",
    ):
        assert words in page, words


def test_a_refused_wish_to_cancel_takes_the_message_along(client_of, aoi):
    shop = make_shop("yahoo-9", capabilities={"cancel": True, "cancel_answer": "both"})
    order = take(shop=shop, cancel_requested=True)
    page = body_of(client_of(aoi).get(f"{URL}?code=channel_cancel_request"))
    assert "断るときの、お客様へのメッセージ" in page
    row = order.reasons.get(code="channel_cancel_request")
    client_of(aoi).post(
        reverse("orders:inbox-choose"),
        {"reason_row": row.pk, "choice": "decline_cancel|", "message": "発送の準備が済んでいます。"},
    )
    event = order.events.get(kind="cancel_declined")
    assert event.text == "発送の準備が済んでいます。"


def test_the_level_of_another_reason_is_said_in_words(client_of, aoi):
    take(remarks="6/12にお届けください。色は選べますか？")
    page = body_of(client_of(aoi).get(f"{URL}?code=buyer_note"))
    assert ">停止<" in page and ">block<" not in page


def test_a_rule_begins_with_what_sets_the_order_apart():
    unnamed = take(delivery_method="当店おまかせ便")
    document, name = rule_start.begun(unnamed, "ship_method_unmapped")
    assert name == "配送方法変換なし" and document["shops"] == ["rakuten-1"]
    assert {"field": "delivery_method", "op": "is", "value": "当店おまかせ便"} in document["if"]["items"]
    assert document["then"][0] == {"do": "set_method", "method": "当店おまかせ便", "carrier": "yamato"}
    unpaid = take(payment_method=PaymentMethod.OTHER, payment_name="わくわく払い")
    asked = rule_start.begun(unpaid, "pay_method_unmapped")[0]["if"]["items"]
    assert {"field": "payment_name", "op": "is", "value": "わくわく払い"} in asked
    for code in ("ship_method_unmapped", "pay_method_unmapped", "note_has_date", "message_card", "open_promise"):
        assert documents.check(rule_start.begun(unnamed, code)[0], active.known()).faults == [], code


def test_the_inbox_leads_to_the_list_of_its_reason(client_of, aoi):
    take(remarks="色は選べますか？")
    page = body_of(client_of(aoi).get(URL))
    assert "/orders/?reason=buyer_note" in page and reverse("orders:reason", args=["buyer_note"]) in page


def test_an_orders_page_offers_the_same_actions_beside_its_reasons(client_of, aoi, ben):
    order = take(payment_method=PaymentMethod.OTHER, payment_name="わくわく払い")
    page = body_of(client_of(aoi).get(reverse("orders:detail", args=[order.pk])))
    assert 'name="action" value="payment_method" data-key="2"' in page, "behind the way out, which is 1"
    assert 'data-key="3" data-key-label="この判断をルールにする"' in page
    assert 'value="payment_method"' not in body_of(client_of(ben).get(reverse("orders:detail", args=[order.pk])))


def test_an_action_that_would_change_nothing_says_why_at_once(client_of, aoi):
    order = take(payment_method=PaymentMethod.OTHER, payment_name="わくわく払い")  # paid already
    row = order.reasons.get(code="pay_method_unmapped")
    asked = {"reason_row": row.pk, "action": "payment_method"}
    page = body_of(client_of(aoi).post(reverse("orders:inbox-act"), asked, follow=True))
    assert '<details class="bulk-groups" open>' in page


def test_a_form_begins_with_what_the_reason_is_about():
    from orders import actions  # noqa: PLC0415

    for reason, own in card_actions.BEGINS.items():
        for code, values in own.items():
            action = actions.get(code)
            assert action and code in card_actions.SETTLES[reason]
            form = action.form(values, order_ids=[])
            assert form.is_valid() and {name: form.params[name] for name in values} == values
