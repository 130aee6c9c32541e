"""The shipment screens: the list, papers, shipping, and the whole way from the order's page."""

import io
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from fulfillment.models import Batch, Shipment, ShipmentEvent
from fulfillment.services.allocate import allocate_waiting
from fulfillment.services.instruct import instruct_orders
from inventory.services.audit import violations
from orders.models import Mail, Order
from orders.services.intake import take_in
from orders.services.journal import Actor
from tests.orders.builders import make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
GOOD_NUMBER = "471203984414"


@pytest.fixture
def shop():
    return make_shop(
        capabilities={"confirm": True, "cancel": True, "mail": "free", "partial_shipment": True},
        letterhead_name="くらし道具店",
        registration_no="T8010401000002",
    )


def ready(shop, *lines, skus=(), **fields) -> Order:
    order = make_channel_order(*lines, **fields)
    take_in(shop, [order], sku_of=mapped(*skus))
    allocate_waiting()
    return Order.objects.get(channel_order_no=order.channel_order_no)


@pytest.fixture
def chair():
    return make_sku(stock_units=50, shelf="A-1")


@pytest.fixture
def instructed(shop, chair) -> Callable[..., Shipment]:
    """`instructed()`: a shipment under way, of one chair."""

    def make(**fields) -> Shipment:
        order = ready(shop, skus=[chair], **fields)
        return Shipment.objects.get(pk=instruct_orders([order.pk], actor=Actor()).shipments[0])

    return make


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def pdf_text(response) -> str:
    assert response["Content-Type"] == "application/pdf", response.content.decode()[:500]
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages)


def test_an_order_walks_from_its_page_to_shipped(client_of, aoi, shop, chair):
    order = ready(shop, skus=[chair], remarks="ガス圧の高さは何cmですか？")
    client = client_of(aoi)

    def post(name: str, *args: int, **data: object):
        return client.post(reverse(name, args=args), data, follow=True)

    assert order.stage == "review"
    post("orders:accept", order.pk, code="buyer_note")
    allocate_waiting()
    order.refresh_from_db()
    assert order.stage == "ready"
    panel, regroup = reverse("fulfillment:order-panel", args=[order.pk]), reverse("fulfillment:split", args=[order.pk])
    assert regroup in client.get(panel).content.decode()
    post("fulfillment:instruct", order.pk)
    assert regroup not in client.get(panel).content.decode(), "what is with the packers can't be split"
    order.refresh_from_db()
    shipment = Shipment.objects.get()
    assert (order.stage, shipment.state) == ("in_fulfillment", "instructed")
    assert order.channel_order_no in pdf_text(post("fulfillment:delivery-notes", ids=shipment.pk))
    assert "A-1" in pdf_text(post("fulfillment:pick-list", ids=shipment.pk))
    post(
        "fulfillment:ship-one",
        shipment.pk,
        order=order.pk,
        **{f"carrier-{shipment.pk}": "yamato", f"tracking-{shipment.pk}": "4712-0398-4414"},
    )
    order.refresh_from_db()
    assert (order.stage, order.tracking_label) == ("shipped", GOOD_NUMBER)
    assert Mail.objects.filter(order=order, event="shipped").count() == 1 and violations() == []


# ---- the list


def listed(client, **query) -> list[str]:
    return [row.shipment.number for row in client.get(reverse("fulfillment:list"), query).context["rows"]]


def test_the_list_shows_what_is_under_way_by_deadline_and_narrows(client_of, aoi, instructed):
    first, second = instructed(), instructed()
    client = client_of(aoi)
    assert listed(client) == [first.number, second.number]
    assert listed(client, tab="shipped") == []
    assert listed(client, batch=second.batch_id) == [second.number]
    assert listed(client, location=first.location_id) == [first.number, second.number]
    assert listed(client, q=second.number) == [second.number]
    assert listed(client, q=first.recipient.order.channel_order_no) == [first.number]
    assert listed(client, printed="yes") == []
    assert 'id="shipments-table"' in text_of(client.get(reverse("fulfillment:list"), headers=HTMX))


def test_a_stopped_order_is_marked_for_the_packers(client_of, person_with, instructed):
    shipment = instructed()
    Order.objects.update(cancel_requested=True)
    text = text_of(client_of(person_with("warehouse")).get(reverse("fulfillment:list")))
    assert shipment.number in text and "キャンセル申請" in text


def test_packers_see_the_address_but_no_price_and_no_mail_address(client_of, person_with, instructed):
    shipment = instructed()
    client = client_of(person_with("warehouse"))
    pages = [
        reverse("fulfillment:list"),
        reverse("fulfillment:shipment", args=[shipment.pk]),
        "/fulfillment/home-panel/",
    ]
    texts = [text_of(client.get(url)) for url in pages]
    assert "三軒茶屋2-14-3" in texts[1] and "佐藤 恵" in texts[0]
    for text in texts:
        assert "megumi@example.com" not in text and "¥" not in text and "1,000" not in text
        assert reverse("orders:detail", args=[shipment.recipient.order_id]) not in text
    assert client.get(reverse("orders:detail", args=[shipment.recipient.order_id])).status_code == 403
    assert client.get(reverse("fulfillment:order-panel", args=[shipment.recipient.order_id])).status_code == 403


def test_a_looker_sees_a_masked_recipient_and_no_buttons(client_of, ben, instructed):
    shipment = instructed()
    client = client_of(ben)
    for url in (reverse("fulfillment:list"), reverse("fulfillment:shipment", args=[shipment.pk])):
        text = text_of(client.get(url))
        assert "佐＊＊＊" in text and "佐藤" not in text and "三軒茶屋" not in text
        assert "納品書を印刷" not in text and "出荷を確定" not in text


def test_any_number_of_rows_costs_the_same_queries(client_of, aoi, instructed):
    client, url = client_of(aoi), reverse("fulfillment:list")
    instructed()
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(url)
    for _ in range(6):
        instructed()
    with CaptureQueriesContext(connection) as many:
        assert len(client.get(url).context["rows"]) == 7
    assert len(one) == len(many) <= 19


def test_rights_and_methods(client_of, ben, chie, instructed):
    shipment = instructed()
    posts = ["delivery-notes", "pick-list", "work-slips", "ship-confirm", "ship-paste"]
    for name in posts:
        url = reverse(f"fulfillment:{name}")
        assert client_of(ben).post(url, {"ids": shipment.pk}).status_code == 403, name
        assert client_of(chie).post(url).status_code == 403, name
    assert client_of(ben).post(reverse("fulfillment:instruct", args=[shipment.recipient.order_id])).status_code == 403
    assert client_of(ben).post(reverse("fulfillment:ship-one", args=[shipment.pk])).status_code == 403
    assert client_of(ben).get(reverse("fulfillment:ship")).status_code == 403
    assert client_of(chie).get(reverse("fulfillment:list")).status_code == 403
    shipment.refresh_from_db()
    assert shipment.state == "instructed" and not ShipmentEvent.objects.filter(kind="note_printed").exists()


def test_verbs_are_not_for_get(client_of, aoi, instructed):
    shipment = instructed()
    client = client_of(aoi)
    for name in ("delivery-notes", "pick-list", "work-slips", "ship-confirm", "ship-paste"):
        assert client.get(reverse(f"fulfillment:{name}")).status_code == 405, name
    assert client.get(reverse("fulfillment:ship-one", args=[shipment.pk])).status_code == 405
    assert client.get(reverse("fulfillment:shipment", args=[10**9])).status_code == 404


# ---- the order's page


def test_instructing_twice_says_why_not(client_of, aoi, shop, chair):
    order = ready(shop, skus=[chair])
    client, url = client_of(aoi), reverse("fulfillment:instruct", args=[order.pk])
    first = client.post(url, headers=HTMX)
    assert "出荷を指示しました" in text_of(first) and f'id="order-{order.pk}-header"' in text_of(first)
    assert "出荷指示できません" in text_of(client.post(url, follow=True))
    assert Batch.objects.count() == 1


def test_the_orders_page_holds_its_shipments(client_of, aoi, instructed):
    shipment = instructed()
    panel = reverse("fulfillment:order-panel", args=[shipment.recipient.order_id])
    assert panel in text_of(client_of(aoi).get(reverse("orders:detail", args=[shipment.recipient.order_id])))
    text = text_of(client_of(aoi).get(panel, headers=HTMX))
    assert shipment.number in text and "<html" not in text and "CHAIR ×1" in text


# ---- papers


def test_printing_is_remembered_and_a_second_note_says_so(client_of, aoi, instructed):
    shipments = [instructed(), instructed()]
    client, url = client_of(aoi), reverse("fulfillment:delivery-notes")
    ids = [shipment.pk for shipment in shipments]
    first = pdf_text(client.post(url, {"ids": ids}))
    assert all(shipment.number in first for shipment in shipments) and "T8010401000002" in first
    assert "再発行" not in first and "再発行" in pdf_text(client.post(url, {"ids": ids[0]}))
    shipments[0].refresh_from_db()
    assert shipments[0].printed_at and ShipmentEvent.objects.filter(kind="note_printed", by=aoi).count() == 3
    pick = reverse("fulfillment:pick-list")
    assert "再発行" not in pdf_text(client.post(pick, {"ids": ids}))
    assert "再発行" in pdf_text(client.post(pick, {"ids": ids}))


def test_all_that_match_are_printed_at_once(client_of, aoi, instructed):
    shipments = [instructed() for _ in range(3)]
    data = {"all_matching": "1", "query": f"tab=instructed&batch={shipments[1].batch_id}", "ids": shipments[0].pk}
    text = pdf_text(client_of(aoi).post(reverse("fulfillment:delivery-notes"), data))
    assert [shipment.number in text for shipment in shipments] == [False, True, False]


def test_printing_nothing_or_too_much_says_so(client_of, aoi, monkeypatch, instructed):
    client, url = client_of(aoi), reverse("fulfillment:pick-list")
    assert "出荷伝票を選んでください" in text_of(client.post(url, follow=True))
    instructed(), instructed()
    monkeypatch.setattr("fulfillment.forms.LIMIT", 1)
    monkeypatch.setattr("fulfillment.views.printing.LIMIT", 1)
    assert "1件までです" in text_of(client.post(url, {"all_matching": "1", "query": ""}, follow=True))


# ---- shipping


def row(shipment: Shipment, number: str, carrier: str = "yamato") -> dict[str, str]:
    return {f"carrier-{shipment.pk}": carrier, f"tracking-{shipment.pk}": number}


def test_rows_ship_together_and_the_refused_keep_what_was_typed(client_of, aoi, instructed):
    good, held, empty = instructed(), instructed(), instructed()
    Order.objects.filter(pk=held.recipient.order_id).update(held_at="2026-11-22T00:00Z")
    data = {
        "ids": [good.pk, held.pk, empty.pk],
        **row(good, "4712-0398-4414"),
        **row(held, "471203984425"),
        **row(empty, ""),
    }
    answer = client_of(aoi).post(reverse("fulfillment:ship-confirm"), data)
    text = text_of(answer)
    assert "1件を出荷しました" in text and "保留中です" in text and 'value="471203984425"' in text
    assert [typed.shipment_id for _row, typed in answer.context["rows"]] == [held.pk, empty.pk]
    states = dict(Shipment.objects.values_list("pk", "state"))
    assert (states[good.pk], states[held.pk], states[empty.pk]) == ("shipped", "instructed", "instructed")
    assert Shipment.objects.get(pk=good.pk).tracking_no == GOOD_NUMBER and violations() == []


def test_confirming_again_does_nothing_twice(client_of, aoi, instructed):
    shipment = instructed()
    client, url = client_of(aoi), reverse("fulfillment:ship-confirm")
    data = {"ids": shipment.pk, **row(shipment, GOOD_NUMBER)}
    client.post(url, data)
    assert "すでに出荷済みです" in text_of(client.post(url, data))
    assert Mail.objects.filter(event="shipped").count() == 1


def test_a_wrong_check_digit_is_asked_about_before_anything_ships(client_of, aoi, instructed):
    wrong, good = instructed(), instructed()
    client, url = client_of(aoi), reverse("fulfillment:ship-confirm")
    shown = client.post(reverse("fulfillment:ship-paste"), {"text": f"{wrong.number},471203984412"})
    assert "検査数字が合いません" in text_of(shown)
    data = {"ids": [wrong.pk, good.pk], **row(wrong, "471203984412"), **row(good, GOOD_NUMBER)}
    asked = client.post(url, data)
    assert "まだ出荷していません" in text_of(asked) and f'name="sure-{wrong.pk}"' in text_of(asked)
    assert [Shipment.objects.get(pk=one.pk).state for one in (wrong, good)] == ["instructed", "shipped"]
    client.post(url, {"ids": wrong.pk, **row(wrong, "4712-0398-4412"), f"sure-{wrong.pk}": "471203984412"})
    wrong.refresh_from_db()
    assert (wrong.state, wrong.tracking_no) == ("shipped", "471203984412")


def test_who_was_sure_of_one_number_is_asked_again_about_another(client_of, aoi, instructed):
    shipment = instructed()
    data = {"ids": shipment.pk, **row(shipment, "471203984413"), f"sure-{shipment.pk}": "471203984412"}
    client_of(aoi).post(reverse("fulfillment:ship-confirm"), data)
    assert Shipment.objects.get(pk=shipment.pk).state == "instructed"


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_one_shipment_with_a_doubtful_number_ships_at_the_second_word(client_of, aoi, instructed, headers):
    shipment = instructed()
    client, url = client_of(aoi), reverse("fulfillment:ship-one", args=[shipment.pk])
    data = row(shipment, "471203984412")
    asked = client.post(url, data, headers=headers)
    assert asked.status_code == 200 and "検査数字が合いません" in text_of(asked)
    assert f'<button class="button" name="sure-{shipment.pk}" value="471203984412">' in text_of(asked)
    assert Shipment.objects.get(pk=shipment.pk).state == "instructed"
    client.post(url, data | {f"sure-{shipment.pk}": "471203984412"}, headers=headers)
    assert Shipment.objects.get(pk=shipment.pk).state == "shipped"


def test_pasted_numbers_fill_the_form_and_every_line_is_accounted_for(client_of, aoi, instructed):
    waiting, gone, typed = instructed(), instructed(), instructed()
    client = client_of(aoi)
    client.post(reverse("fulfillment:ship-confirm"), {"ids": gone.pk, **row(gone, GOOD_NUMBER)})
    text = f"{waiting.number},471203984425,佐川急便\n{gone.number},1\nS9999999,2\nなにか1"
    answer = client.post(reverse("fulfillment:ship-paste"), {"text": text, "ids": typed.pk, **row(typed, "77")})
    report = answer.context["report"]
    assert (report.matched, report.shipped, report.unknown) == (1, [gone.number], ["S9999999"])
    assert report.unreadable == ["なにか1"]
    rows = {typed.shipment_id: typed for _row, typed in answer.context["rows"]}
    assert (rows[waiting.pk].tracking_no, rows[waiting.pk].carrier) == ("471203984425", "sagawa")
    assert rows[typed.pk].tracking_no == "77", "what was typed before stays"
    assert Shipment.objects.get(pk=waiting.pk).state == "instructed", "pasting ships nothing"


def test_the_lists_selection_brings_its_rows_to_the_form(client_of, aoi, instructed):
    first, second = instructed(), instructed()
    page = client_of(aoi).post(reverse("fulfillment:ship"), {"ids": [second.pk]})
    assert [typed.shipment_id for _row, typed in page.context["rows"]] == [second.pk]
    everything = client_of(aoi).post(reverse("fulfillment:ship"), {"all_matching": "1", "query": ""})
    assert [typed.shipment_id for _row, typed in everything.context["rows"]] == [first.pk, second.pk]


def test_an_unknown_carrier_is_refused_by_row(client_of, aoi, instructed):
    shipment = instructed()
    text = text_of(
        client_of(aoi).post(reverse("fulfillment:ship-confirm"), {"ids": shipment.pk, **row(shipment, "1", "ufo")})
    )
    assert "配送会社を選んでください" in text
    assert Shipment.objects.get().state == "instructed"


def test_a_packer_ships_from_the_shipments_own_page(client_of, person_with, instructed):
    shipment = instructed()
    client, url = client_of(person_with("warehouse")), reverse("fulfillment:ship-one", args=[shipment.pk])
    refused = text_of(client.post(url, row(shipment, "")))
    assert "送り状番号を入力してください" in refused
    assert client.post(url, row(shipment, GOOD_NUMBER)).url == reverse("fulfillment:shipment", args=[shipment.pk])
    shipment.refresh_from_db()
    assert shipment.state == "shipped" and shipment.events.filter(kind="shipped").exists()


def test_a_refusal_on_the_orders_page_is_only_a_message(client_of, aoi, instructed):
    shipment = instructed()
    url = reverse("fulfillment:ship-one", args=[shipment.pk])
    text = text_of(client_of(aoi).post(url, {"order": shipment.recipient.order_id, **row(shipment, "")}, headers=HTMX))
    assert "送り状番号を入力してください" in text and "<form" not in text
