from datetime import timedelta
import pytest
from oms.kernel import clock
from orders.channel_order import PaymentMethod as M, PaymentState as P, Totals
from orders.models import *
from orders.models import OrderTask
from orders.services import *
from orders.services import authorisations, payment, refunds, tasks, reminders, cancel, change_lines, mail_stages, audit
from orders.services.audit_money import violations as mv
from orders.services.intake import take_in
from orders.services.journal import Actor
from orders.services.cancel import Ask, cancel_orders, cancel_pieces
from orders.services.facts import Fulfilment, write_fulfilment
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped
from tests.orders.payments.builders import own_shop
from tests.orders.payments.test_fee_follows_goods import cash, fresh, goods_to, take

pytestmark = pytest.mark.django_db

START = {M.CARD: P.AUTHORIZED, M.WALLET: P.AUTHORIZED, M.DEFERRED: P.AUTHORIZED}


def order(method, shop=None, state=None, **f):
    return cash(fee=0, method=method, shop=shop, payment_state=state or START.get(method, P.UNPAID), **f)


def show(o, what):
    o = fresh(o)
    print(f"   {what:22} stage={o.stage} pay={o.payment_state} paid={o.paid_amount} total={o.total} pay_by={o.pay_by}")
    print("      reasons", list(o.reasons.filter(state="open").values_list("code", "level")))
    for t in o.tasks.filter(done_at=None):
        print("      task", t.kind, t.text)
    for r in o.refunds.all():
        print("      refund", r.way, r.state, r.amount)
    print("      mails", list(o.mails.values_list("event", "state")))
    OrderTask.objects.filter(order=o, done_at=None).update(done_at=clock.now())


def ship(o):
    write_fulfilment([Fulfilment(o.pk, "full", "shipped", "W1", "1234-5678", clock.now(), clock.now())])


def test_probe(aoi):
    A = Actor(by=aoi)
    for m in M:
        print("=====", m)
        o = order(m)
        show(o, "fresh")
        if m in START:
            show(order(m, state=P.UNPAID), "unpaid")
            show(order(m, state=P.FAILED), "failed")
        if m == M.FREE:
            continue
        o = order(m)
        goods_to(o, 3)
        authorisations.ask_renewals()
        show(o, "higher")
        o = order(m)
        take(o, 1)
        show(o, "lower")
        o = order(m)
        cancel_orders([o.pk], ask=Ask(reason="customer"), actor=A)
        show(o, "cancel")
        o = order(m)
        payment.record_payments([o.pk], actor=A)
        show(o, "recorded")
        goods_to(o, 3)
        show(o, "paid, higher")
        o = order(m)
        payment.record_payments([o.pk], actor=A)
        take(o, 1)
        show(o, "paid, lower")
        o = order(m)
        payment.record_payments([o.pk], actor=A)
        cancel_orders([o.pk], ask=Ask(reason="customer"), actor=A)
        show(o, "paid, cancel")
        o = order(m)
        ship(o)
        show(o, "shipped")
    print(audit.violations(), mv())
