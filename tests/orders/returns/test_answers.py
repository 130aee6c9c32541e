"""What a customer is told of the return they asked for, and what the cancel dialog says before it is pressed."""

import pytest

from orders.models import Mail, MailTemplate, Order
from orders.queries import cancellations
from orders.services import exchange, returns
from orders.services.mail_texts import ensure_standard_templates
from orders.services.mail_values import values_of
from tests.orders.builders import make_line, make_shop, make_sku
from tests.orders.returns.test_money_of_returns import arrived, sent_first
from tests.orders.returns.test_returns import ACTOR, shipped

pytestmark = pytest.mark.django_db


def asked(**fields) -> returns.ReturnCase:
    order = shipped(make_shop(**fields), make_line("CHAIR"), skus=[make_sku(stock_units=2)])
    return returns.open_case(order.pk, {order.lines.get().pk: 1}, reason="customer", key="k", actor=ACTOR)


def test_an_answer_in_words_is_mailed_once_and_silence_is_not():
    case = asked()
    returns.approve(case.pk, answer="着払いでお送りください。", actor=ACTOR)
    mail = Mail.objects.get(event="return_answered")
    assert mail.state == "scheduled" and mail.extra["return.answer"] == "承ります"
    assert "着払いでお送りください。" in values_of(Order.objects.get(), mail.extra)["mail.message"]


def test_no_answer_no_mail():
    returns.approve(asked().pk, actor=ACTOR)
    assert not Mail.objects.filter(event="return_answered").exists()


def test_a_refusal_is_written_to_the_customer():
    returns.reject(asked().pk, answer="期限を過ぎています。", actor=ACTOR)
    mail = Mail.objects.get(event="return_answered")
    assert mail.extra["return.answer"] == "お断りいたします" and mail.extra["mail.message"] == "期限を過ぎています。"


def test_where_the_mall_forbids_mail_the_order_says_that_nothing_was_sent():
    returns.reject(asked(code="quiet", capabilities={"mail": "none"}).pk, answer="期限を過ぎています。", actor=ACTOR)
    mail = Mail.objects.get(event="return_answered")
    assert mail.state == "suppressed" and "認めていません" in mail.reason


def test_the_dialog_says_whether_a_mail_goes_out_before_it_is_pressed():
    ensure_standard_templates()
    order = asked().order
    words = {line.label: line.text for line in cancellations.before(order)}
    assert words["メール"] == "キャンセルのお知らせを送ります。"
    MailTemplate.objects.filter(event="cancelled").update(active=False)
    assert "使わない設定" in {line.label: line.text for line in cancellations.before(order)}["メール"]
    MailTemplate.objects.filter(event="cancelled").update(active=True)
    order.buyer_email = ""
    assert "メールアドレスがありません" in {line.label: line.text for line in cancellations.before(order)}["メール"]


def test_an_order_that_has_left_leads_from_cancelling_to_returning(client_of, aoi, ben):
    order = asked().order
    page = client_of(aoi).get(f"/orders/{order.pk}/cancel/").content.decode()
    assert f"/orders/{order.pk}/return/" in page and "受注に戻る" in page


def test_who_settles_an_exchange_reads_what_its_price_pays_for(client_of, aoi):
    case = arrived(sent_first(700))
    client = client_of(aoi)
    page = client.get(f"/orders/returns/{case.pk}/").content.decode()
    assert "-X" in page and "に充てています" in page and 'name="difference" value="300"' in page
    done = client.post(f"/orders/returns/{case.pk}/settle/", {"difference": "300", "note": ""}, follow=True)
    assert "交換の差額" in done.content.decode()
    sent = Order.objects.get(pk=case.exchange_order_id)
    again = returns.open_case(sent.pk, {sent.lines.get().pk: 1}, reason="customer", key="again", actor=ACTOR)
    returns.approve(again.pk, actor=ACTOR)
    page = client.get(f"/orders/returns/{arrived(again).pk}/").content.decode()
    assert "元の受注を開く" in page and f"/orders/{case.order_id}/" in page


def test_who_withdraws_what_was_sent_first_is_asked_to_charge(client_of, aoi):
    case = sent_first(1000)
    client = client_of(aoi)
    page = client.get(f"/orders/returns/{case.pk}/").content.decode()
    assert "代わりの商品はすでに出荷しています" in page
    refused = client.post(f"/orders/returns/{case.pk}/withdraw/", {}, follow=True).content.decode()
    assert "請求しない理由" in refused
    done = client.post(f"/orders/returns/{case.pk}/withdraw/", {"charge": "on"}, follow=True).content.decode()
    assert "入金のお願いを下書きにしました" in done
    assert Order.objects.get(pk=case.exchange_order_id).payment_state == "unpaid"
    assert exchange.return_money.exchange_of(case) is not None
