"""Mails as people read them, and the templates they come from."""

from datetime import date

import pytest
from django.urls import reverse

from oms.kernel.services.outbox import deliver_due
from orders.models import Mail, MailPolicy, MailTemplate, Order, ReviewSettingChange
from orders.services import mail as mailing
from orders.services import mail_templates
from orders.services.intake import take_in
from orders.services.mail_values import NAMES, values_of
from tests.orders.builders import TOKYO_PARTY, changed, make_channel_order, make_shop, make_sku, mapped

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
LIST = "/orders/mails/"


@pytest.fixture
def order() -> Order:
    mailing.ensure_standard_templates()
    take_in(make_shop(), [make_channel_order()], sku_of=mapped(make_sku(stock_units=3)))
    return Order.objects.get()


def body_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def edited(**fields: str) -> dict[str, str]:
    return {"subject": "発送しました", "body": "{{ buyer.name }} 様", "active": "on", "number": ""} | fields


def test_a_sent_mail_is_read_word_by_word(client_of, aoi, order):
    deliver_due()
    sent = Mail.objects.get()
    assert sent.state == "sent"
    page = body_of(client_of(aoi).get(reverse("orders:mail", args=[sent.pk])))
    assert sent.body.splitlines()[0] in page and "佐藤 恵 様" in page and order.channel_order_no in page
    dialog = body_of(client_of(aoi).get(reverse("orders:mail", args=[sent.pk]), headers=HTMX))
    assert dialog.lstrip().startswith("<dialog") and "佐藤 恵 様" in dialog


def test_a_waiting_mail_is_shown_as_it_would_go_and_says_so(client_of, aoi, order):
    waiting = Mail.objects.get()
    assert waiting.body == ""
    page = body_of(client_of(aoi).get(reverse("orders:mail", args=[waiting.pk])))
    assert "まだ送られていません" in page and "佐藤 恵 様" in page
    waiting.refresh_from_db()
    assert waiting.body == "", "looking writes nothing"


def test_a_suppressed_mail_says_why(client_of, aoi):
    take_in(make_shop("amazon-1", capabilities={"mail": "none"}), [make_channel_order()], sku_of={})
    suppressed = Mail.objects.get()
    page = body_of(client_of(aoi).get(reverse("orders:mail", args=[suppressed.pk])))
    assert suppressed.state == "suppressed" and suppressed.reason in page


def test_the_list_narrows_by_state_event_and_order(client_of, aoi, order):
    take_in(make_shop("amazon-1", capabilities={"mail": "none"}), [make_channel_order()], sku_of={})
    deliver_due()
    client = client_of(aoi)

    def states(**query: str) -> list[str]:
        return [row.mail.state for row in client.get(LIST, query).context["rows"]]

    assert states() == ["suppressed", "sent"]
    assert states(state="sent") == ["sent"] and states(event="shipped") == []
    assert states(q=order.channel_order_no) == ["sent"]
    assert 'id="mails-table"' in body_of(client.get(LIST, headers=HTMX))


def test_the_list_costs_a_fixed_number_of_queries(client_of, aoi, django_assert_max_num_queries):
    client, shop = client_of(aoi), make_shop()
    take_in(shop, [make_channel_order()], sku_of={})
    client.get(LIST)
    with django_assert_max_num_queries(8) as one:
        client.get(LIST)
    take_in(shop, [make_channel_order() for _ in range(20)], sku_of={})
    with django_assert_max_num_queries(8) as many:
        client.get(LIST)
    assert len(one) == len(many)


def test_who_may_not_see_the_buyer_reads_no_mail(client_of, ben, chie, person_with, order):
    sent = Mail.objects.get()
    for who in (ben, chie, person_with("warehouse")):
        assert client_of(who).get(reverse("orders:mail", args=[sent.pk])).status_code == 403
        assert client_of(who).get(LIST).status_code == 403
        assert client_of(who).get(reverse("orders:mail-templates")).status_code == 403
    operator = client_of(person_with("operator"))
    assert operator.get(LIST).status_code == 200 and operator.post(LIST).status_code == 405
    assert operator.get(reverse("orders:mail-template", args=["shipped"])).status_code == 403


# ---- templates


def test_the_names_a_template_may_use_are_those_that_are_filled(order):
    assert set(values_of(order)) == NAMES


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("{{ order.number }} {{buyer.name}}", []),
        ("{{ order.nmber }}", ["{{ order.nmber }}"]),
        ("{{ 注文番号 }} と {{ order.number", ["{{ 注文番号 }}", "{{"]),
        ("}} {{ Order.Number }}", ["}}", "{{ Order.Number }}"]),
        ("波括弧 { は } そのまま", []),
    ],
)
def test_what_cannot_be_filled_is_named(text, unknown):
    assert mail_templates.unknown_placeholders(text) == unknown


def test_a_template_with_an_unknown_name_is_never_written(order):
    with pytest.raises(ValueError, match="unknown"):
        mail_templates.save_template("shipped", None, subject="x", body="{{ nobody }}", active=True)


def test_the_editor_shows_a_real_order_and_saves(client_of, aoi, order):
    client, url = client_of(aoi), reverse("orders:mail-template", args=["shipped"])
    assert client.get(url).context["preview_order"] == order
    tried = client.post(url, edited(body="{{ buyer.name }} 様 {{ order.number }}", preview="1"))
    assert f"佐藤 恵 様 {order.channel_order_no}" in body_of(tried)
    assert MailTemplate.objects.get(event="shipped").body != "{{ buyer.name }} 様 {{ order.number }}"
    assert client.post(url, edited()).status_code == 302
    assert MailTemplate.objects.get(event="shipped", shop=None).body == "{{ buyer.name }} 様"


def test_a_text_is_tried_on_orders_that_such_a_mail_can_reach(client_of, aoi, order):
    forbids = make_shop("amazon-1", capabilities={"mail": "relay", "mail_events": ["inquiry"]})
    nameless = make_channel_order(buyer=changed(TOKYO_PARTY, name=""))
    take_in(forbids, [nameless], sku_of={})
    take_in(order.shop, [make_channel_order(buyer=changed(TOKYO_PARTY, name="", email=""))], sku_of={})
    client, url = client_of(aoi), reverse("orders:mail-template", args=["order_received"])
    shown = client.get(url).context
    assert shown["preview_order"] == order and "preview_problem" not in shown
    assert client.post(url, edited()).status_code == 302, "no order that gets this mail lacks a name"
    inquiry = client.get(reverse("orders:mail-template", args=["inquiry"])).context
    assert inquiry["preview_order"].channel_order_no == nameless.channel_order_no
    named = client.post(url, edited(number=nameless.channel_order_no, preview="1")).context
    assert named["preview_order"].channel_order_no == nameless.channel_order_no


def test_an_unknown_name_is_refused_before_saving_and_the_text_stays(client_of, aoi, order):
    client, url = client_of(aoi), reverse("orders:mail-template", args=["shipped"])
    answer = body_of(client.post(url, edited(body="{{ buyer.nmae }} 様")))
    assert "使えない差し込みがあります: {{ buyer.nmae }}" in answer and "{{ buyer.nmae }} 様" in answer
    assert "nmae" not in MailTemplate.objects.get(event="shipped").body


def test_a_shop_gets_its_own_text_and_the_company_keeps_its(client_of, aoi, order):
    client = client_of(aoi)
    url = f"{reverse('orders:mail-template', args=['order_received'])}?shop={order.shop.code}"
    assert client.post(url, edited(subject="楽天からのお礼")).status_code == 302
    deliver_due()
    assert Mail.objects.get().subject == "楽天からのお礼"
    assert MailTemplate.objects.get(event="order_received", shop=None).subject.startswith("【")
    rows = dict(client.get(reverse("orders:mail-templates")).context["groups"])["受注確認（サンキューメール）"]
    assert [row.template is not None for row in rows] == [True, True]


def test_a_switched_off_template_sends_nothing(client_of, aoi, order):
    data = edited()
    del data["active"]
    client_of(aoi).post(reverse("orders:mail-template", args=["order_received"]), data)
    deliver_due()
    assert Mail.objects.get().state == "suppressed"


def test_an_unknown_event_or_shop_is_missing(client_of, aoi, order):
    client = client_of(aoi)
    assert client.get(reverse("orders:mail-template", args=["birthday"])).status_code == 404
    assert client.get(f"{reverse('orders:mail-template', args=['shipped'])}?shop=nowhere").status_code == 404
    wrong = client.post(reverse("orders:mail-template", args=["shipped"]), edited(number="no-such", preview="1"))
    assert "試し表示に使える受注がありません" in body_of(wrong)


def test_the_list_says_which_mails_wait_for_approval(client_of, aoi, order):
    client = client_of(aoi)
    before = body_of(client.get(reverse("orders:mail-templates"))).count("承認してから送る")
    assert before == MailTemplate.objects.filter(active=True, review=True).count()
    client.post(reverse("orders:mail-template", args=["order_received"]), edited(review="on"))
    assert body_of(client.get(reverse("orders:mail-templates"))).count("承認してから送る") == before + 1


def test_the_editors_frame_may_show_a_mails_inline_styles_and_run_nothing(client_of, aoi, order):
    answer = client_of(aoi).get(reverse("orders:mail-template", args=["order_received"]))
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    assert policy["style-src"] == "'self' 'unsafe-inline'" and policy["default-src"] == "'self'"
    assert "script-src" not in policy and '<iframe class="mail-frame" sandbox ' in body_of(answer)


def test_a_shops_mail_settings_keep_who_changed_what(client_of, aoi, order):
    client, url = client_of(aoi), reverse("orders:mail-policy", args=[order.shop.code])
    assert "標準のまま使っています。" in body_of(client.get(url))
    typed = {"send_delay_s": "300", "off_events": ["cancelled"], "quiet_marks": "", "signature": "", "bank_account": ""}
    for _time in range(2):  # the second save changes nothing and is not written down
        assert client.post(url, typed).status_code == 302
    first = ReviewSettingChange.objects.get(subject=f"mail:{order.shop.code}")
    assert (first.version, first.by, first.after) == (1, aoi, {"send_delay_s": 300, "off_events": ["cancelled"]})
    client.post(url, typed | {"send_delay_s": ""})
    shown = client.get(url).context["changes"]
    assert [change.version for change in shown] == [2, 1]
    assert shown[0].differences == [("送信を取り消せる時間（秒）", "300", "（なし）")]
    assert ("送らない種類", "（なし）", "キャンセル") in shown[1].differences
    assert MailPolicy.objects.get(shop=order.shop).send_delay_s is None


def test_a_customer_reads_the_hours_of_delivery_in_words(order):
    order.wish_date, order.wish_slot = date(2026, 12, 4), "am"
    assert values_of(order)["order.wish"] == "2026年12月04日 午前中"
    order.wish_slot = "1416"
    assert values_of(order)["order.wish"].endswith("14–16時")
