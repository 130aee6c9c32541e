"""受注詳細: what the page says, who may see it, and what each button does."""

from dataclasses import replace

import pytest
from django.urls import reverse

from fulfillment.services.allocate import allocate_waiting
from inventory.services.audit import violations
from orders.channel_order import ChannelState, PaymentMethod, PaymentState
from orders.models import Order
from orders.queries.detail import order_for
from orders.services.intake import take_in
from tests.orders.builders import TOKYO_PARTY, make_channel_order, make_line, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def shop():
    return make_shop()


def take(shop, *lines, skus=(), **fields) -> Order:
    order = make_channel_order(*lines, **fields)
    take_in(shop, [order], sku_of=mapped(*skus))
    return Order.objects.get(channel_order_no=order.channel_order_no)


@pytest.fixture
def order(shop):
    """One chair, in stock, with a remark that asks something."""
    return take(shop, skus=[make_sku(stock_units=3)], remarks="ガス圧の高さは何cmですか？")


def page_of(client, order):
    return client.get(reverse("orders:detail", args=[order.pk]))


def body_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_says_why_the_order_stands_where_it_stands(client_of, aoi, order):
    page = page_of(client_of(aoi), order)
    marks = {gate.code: gate.mark for gate in page.context["gates"]}
    assert marks["import"] == "done" and marks["review"] == "here" and marks["payment"] == "done"
    assert "ガス圧の高さは何cmですか" in body_of(page) and "備考あり" in body_of(page)
    assert [reason.code for reason in page.context["open_reasons"]] == ["buyer_note"]


def test_the_recipient_shows_how_full_the_labels_lines_are(client_of, aoi, ben, shop):
    order = take(shop, skus=[make_sku()])
    page = body_of(page_of(client_of(aoi), order))
    assert "ヤマト運輸の送り状" in page and "7/16字" in page and 'max="16"' in page
    assert "の送り状" not in body_of(page_of(client_of(ben), order)), "a masked address has no label"


def test_an_address_that_no_label_holds_says_so(client_of, aoi, shop):
    far = replace(TOKYO_PARTY, address="三軒茶屋" * 20 + "2-14-3")
    order = take(shop, skus=[make_sku()], recipients=(far,))
    assert "ヤマト運輸の送り状の住所欄に収まりません" in body_of(page_of(client_of(aoi), order))


def test_an_order_nothing_stops_shows_every_gate_up_to_the_one_that_holds_it(client_of, aoi, shop):
    order = take(shop, skus=[make_sku(stock_units=1)])
    allocate_waiting()
    page = page_of(client_of(aoi), order)
    marks = [(gate.code, gate.mark) for gate in page.context["gates"]]
    assert marks == [
        ("import", "done"),
        ("review", "done"),
        ("confirm", "done"),
        ("payment", "done"),
        ("stock", "done"),
        ("instruct", "here"),
        ("ship", "later"),
    ]
    assert page.context["step"].text and reverse("fulfillment:instruct", args=[order.pk]) in body_of(page)


@pytest.mark.parametrize(
    ("fields", "here"),
    [
        ({"state": ChannelState.PROVISIONAL}, "import"),
        ({"remarks": "包装は不要ですか？"}, "review"),
        ({"state": ChannelState.TO_CONFIRM}, "confirm"),
        ({"payment_method": PaymentMethod.BANK_TRANSFER, "payment_state": PaymentState.UNPAID}, "payment"),
        ({}, "stock"),
    ],
)
def test_the_gate_marked_is_the_one_behind_the_stage(client_of, aoi, shop, fields, here):
    order = take(shop, skus=[make_sku()], **fields)
    gates = page_of(client_of(aoi), order).context["gates"]
    assert [gate.code for gate in gates if gate.mark == "here"] == [here]


def test_a_reason_no_one_may_wave_through_leads_to_its_cause(client_of, aoi, shop):
    order = take(shop)
    page = page_of(client_of(aoi), order)
    reason = page.context["open_reasons"][0]
    assert (reason.code, reason.clearable) == ("item_unmapped", False)
    assert reason.url == reverse("channels:map", args=[shop.pk, "CHAIR"])
    assert f'value="{reason.code}"' not in body_of(page)
    answer = client_of(aoi).post(reverse("orders:accept", args=[order.pk]), {"code": "item_unmapped"}, follow=True)
    assert "商品対応表で SKU を選ぶ" in body_of(answer)
    order.refresh_from_db()
    assert order.stage == "review"


def test_the_sum_sheet_shows_what_the_channels_total_leaves_unexplained(client_of, aoi, shop):
    order = take(shop, skus=[make_sku(stock_units=1)])
    Order.objects.filter(pk=order.pk).update(total=1300)
    money = page_of(client_of(aoi), order).context["money"]
    assert (money["total"], money["difference"]) == (1300, -200)


# ---- personal data


def test_without_the_right_nothing_personal_reaches_the_page(client_of, ben, shop):
    order = take(
        shop,
        skus=[make_sku(stock_units=1)],
        recipients=(TOKYO_PARTY.__class__(**{**fields_of(TOKYO_PARTY), "phone": "090-0000-000", "address": "青葉町"}),),
        remarks="着いたら 090-1234-5678 か megumi@example.com へ連絡してもらえますか？",
    )
    text = body_of(page_of(client_of(ben), order))
    assert "佐＊＊＊" in text
    for secret in (
        "佐藤",
        "恵",
        "サトウ",
        "1234-5678",
        "12345678",
        "megumi",
        "三軒茶屋",
        "青葉町",
        "154-0024",
        "世田谷区",
    ):
        assert secret not in text, secret


def fields_of(party) -> dict[str, str]:
    return {name: getattr(party, name) for name in party.__dataclass_fields__}


def test_what_masks_the_page_never_touches_the_stored_order(client_of, ben, order):
    page_of(client_of(ben), order)
    order.refresh_from_db()
    assert (order.buyer_name, order.recipients.get().phone) == ("佐藤 恵", "090-1234-5678")
    assert order_for(order.pk, personal=True).buyer_name == "佐藤 恵"


def test_the_head_offers_the_next_step_alone_and_keeps_the_rest_in_the_menu(client_of, aoi, order):
    def head() -> tuple[list[str], list[str]]:
        context = page_of(client_of(aoi), order).context
        return [verb.name for verb in context["verbs_now"]], [verb.name for verb in context["verbs_more"]]

    assert head() == (["accept"], ["hold", "later", "reimport", "copy", "cancel"])
    Order.objects.update(cancel_requested=True)
    assert head()[0] == ["decline_cancel", "cancel"]
    Order.objects.update(cancel_requested=False, stage="shipped", fulfillment_state="shipped")
    assert head()[0] == ["return"]
    Order.objects.update(stage="awaiting_payment", fulfillment_state="none", payment_state="unpaid")
    assert head()[0] == ["pay"]


def test_a_looker_finds_no_button_and_is_refused_every_verb(client_of, ben, order):
    client = client_of(ben)
    text = body_of(page_of(client, order))
    assert (
        "確認済みにする" not in text
        and "キャンセルする" not in text
        and reverse("orders:hold", args=[order.pk]) not in text
    )
    for name in ("accept", "hold", "lift", "confirm", "pay", "cancel"):
        assert client.post(reverse(f"orders:{name}", args=[order.pk])).status_code == 403, name
    assert client.get(reverse("orders:edit-recipient", args=[order.pk, 0])).status_code == 403
    order.refresh_from_db()
    assert order.stage == "review"


def test_a_stranger_sees_nothing(client_of, chie, order):
    client = client_of(chie)
    assert page_of(client, order).status_code == 403
    assert client.get(reverse("orders:detail-live", args=[order.pk]), headers=HTMX).status_code == 403


def test_verbs_answer_only_to_post_and_unknown_orders_are_missing(client_of, aoi, order):
    client = client_of(aoi)
    for name in ("accept", "lift", "confirm"):
        assert client.get(reverse(f"orders:{name}", args=[order.pk])).status_code == 405, name
    assert client.post(reverse("orders:detail", args=[order.pk])).status_code == 405
    assert client.get(reverse("orders:detail", args=[order.pk + 999])).status_code == 404
    assert client.get(reverse("orders:cancel", args=[order.pk + 999])).status_code == 404


# ---- verbs


def test_accepting_moves_the_order_on_and_the_answer_carries_the_page(client_of, aoi, order):
    answer = client_of(aoi).post(
        reverse("orders:accept", args=[order.pk]), {"code": "buyer_note"}, headers={"HX-Request": "true"}
    )
    text = body_of(answer)
    for part in ("header", "gates", "people", "timeline"):
        assert f'id="order-{order.pk}-{part}" hx-swap-oob="true"' in text, part
    assert "確認済みにしました" in text and answer["HX-Trigger"]
    order.refresh_from_db()
    reason = order.reasons.get()
    assert (order.stage, reason.state, reason.closed_by) == ("awaiting_stock", "accepted", aoi)


def test_a_hold_wants_a_reason_and_is_lifted_again(client_of, aoi, order):
    client, url = client_of(aoi), reverse("orders:hold", args=[order.pk])
    assert "このフィールドは必須" in body_of(client.post(url, {"reason": ""}))
    assert client.post(url, {"reason": "返事待ち"}).url == reverse("orders:detail", args=[order.pk])
    order.refresh_from_db()
    assert (order.stage, order.hold_reason) == ("on_hold", "返事待ち")
    assert "保留中ではありません" not in body_of(client.post(reverse("orders:lift", args=[order.pk]), follow=True))
    assert "保留中ではありません" in body_of(client.post(reverse("orders:lift", args=[order.pk]), follow=True))


def test_cancelling_says_when_a_person_must_finish_at_the_mall(client_of, aoi):
    shop = make_shop("amazon-1", capabilities={"cancel": False, "mail": "free"})
    order = take(shop, skus=[make_sku(stock_units=1)])
    client, url = client_of(aoi), reverse("orders:cancel", args=[order.pk])
    assert "連携がないため、モールの画面での手続きを作業として残します" in body_of(client.get(url, headers=HTMX))
    assert "必須" in body_of(client.post(url, {}))
    form = {"scope": "whole", "reason": "customer", "asked_by": "customer", "note": "お電話", "key": "a"}
    done = client.post(url, form, follow=True)
    assert "モールの画面での手続きを作業に残しました" in body_of(done)
    order.refresh_from_db()
    assert (order.stage, order.cancel_reason) == ("cancelled", "顧客都合（お電話）") and violations() == []


def test_money_is_recorded_once(client_of, aoi, shop):
    order = take(
        shop,
        skus=[make_sku(stock_units=1)],
        payment_method=PaymentMethod.BANK_TRANSFER,
        payment_state=PaymentState.UNPAID,
    )
    client, url = client_of(aoi), reverse("orders:pay", args=[order.pk])
    assert "入金を登録しました" in body_of(client.post(url, {"note": "ヤマダ"}, follow=True))
    assert "入金を登録できません" in body_of(client.post(url, {"note": ""}, follow=True))
    order.refresh_from_db()
    assert (order.payment_state, order.stage) == ("paid", "awaiting_stock")
    assert order.events.filter(kind="paid", by=aoi, text="¥1,500 ヤマダ").count() == 1


def test_confirming_asks_the_channel_once(client_of, aoi):
    shop = make_shop("manual", auto_confirm=False)
    order = take(shop, skus=[make_sku(stock_units=1)], state=ChannelState.TO_CONFIRM)
    client, url = client_of(aoi), reverse("orders:confirm", args=[order.pk])
    assert url in body_of(page_of(client, order))
    assert "注文確定を依頼しました" in body_of(client.post(url, follow=True))
    order.refresh_from_db()
    assert order.channel_sync == "pending"


# ---- the page as drawer, live, and its cost


def test_htmx_gets_the_drawer(client_of, aoi, order):
    text = body_of(client_of(aoi).get(reverse("orders:detail", args=[order.pk]), headers=HTMX))
    assert text.lstrip().startswith('<aside class="drawer"') and "<html" not in text


def test_the_poll_answers_only_after_a_change(client_of, aoi, order):
    client = client_of(aoi)
    token = page_of(client, order).context["token"]
    url = reverse("orders:detail-live", args=[order.pk])
    assert client.get(url, {"token": token}, headers=HTMX).status_code == 204
    client.post(reverse("orders:hold", args=[order.pk]), {"reason": "確認中"})
    text = body_of(client.get(url, {"token": token}, headers=HTMX))
    assert "保留中" in text and f"token={token}" not in text


def test_the_page_costs_a_fixed_number_of_queries(client_of, aoi, shop, order, django_assert_max_num_queries):
    skus = [make_sku(f"SKU-{n}", stock_units=5) for n in range(8)]
    large = take(shop, *(make_line(sku.code) for sku in skus), skus=skus, remarks="色は選べますか？")
    client = client_of(aoi)
    page_of(client, order)
    with django_assert_max_num_queries(30) as small:
        page_of(client, order)
    with django_assert_max_num_queries(30) as big:
        page_of(client, large)
    assert len(small) == len(big)


def test_the_history_tells_what_happened_in_words(client_of, aoi, order):
    client_of(aoi).post(reverse("orders:accept", args=[order.pk]))
    happened = page_of(client_of(aoi), order).context["timeline"]
    titles = [event.title for event in happened]
    assert titles[-1] == "取り込みました" and "確認済みにしました" in titles
    assert any(event.text == "確認待ち → 引当待ち" and event.who == "青井 あおい" for event in happened)


def test_a_lines_number_leads_to_its_order(client_of, aoi, chie, order):
    url = reverse("orders:line", args=[order.lines.first().pk])
    assert client_of(aoi).get(url)["Location"] == reverse("orders:detail", args=[order.pk])
    assert client_of(chie).get(url).status_code == 403 and client_of(aoi).post(url).status_code == 405
    assert client_of(aoi).get(reverse("orders:line", args=[999_999])).status_code == 404
