"""Issuing invoices and receipts for many orders at once."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.said import said
from orders.actions import Action, Group, Offer, Outcome, Params, Plan
from orders.desk_actions import outcome
from orders.documents.bill import BillKind
from orders.queries.papers import billable
from orders.services.documents import REFUSALS, issue, standing
from orders.services.journal import Actor


def _plan(order_ids: Sequence[int], kind: BillKind) -> Plan:
    found = billable(order_ids)
    having = set(standing().filter(order__in=found, kind=kind).values_list("order", flat=True))
    skipped = {pk: said("見つかりません。") for pk in order_ids if pk not in found}
    for pk, one in found.items():
        if pk in having:
            skipped[pk] = said("すでに発行しています。")
        elif refusal := one.refusal(kind):
            skipped[pk] = str(REFUSALS[refusal])
    will = [pk for pk in order_ids if pk not in skipped]
    return Plan(will, skipped, [said("番号をつけて発行し、控えを保存します。発行した帳票は消せません。")])


def _run(order_ids: Sequence[int], kind: BillKind, actor: Actor) -> Outcome:
    issued = issue(order_ids, kind, actor=actor)
    done = [pk for pk in order_ids if pk in issued.documents and pk not in issued.known]
    skipped = {pk: said("すでに発行しています。") for pk in issued.known} | dict(issued.refused)
    result = outcome(order_ids, done, skipped)
    fresh = [issued.documents[pk] for pk in done]
    offers = [Offer(said("PDFをまとめてダウンロード"), reverse("orders:papers-zip"), fresh)] if fresh else []
    return Outcome(result.done, result.skipped, offers=offers)


def plan_invoice(order_ids: Sequence[int], _params: Params) -> Plan:
    return _plan(order_ids, BillKind.INVOICE)


def run_invoice(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    return _run(order_ids, BillKind.INVOICE, actor)


def plan_receipt(order_ids: Sequence[int], _params: Params) -> Plan:
    return _plan(order_ids, BillKind.RECEIPT)


def run_receipt(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    return _run(order_ids, BillKind.RECEIPT, actor)


ACTIONS = (
    Action(
        "invoice",
        lazy("請求書を発行"),
        lazy("%(n)s件の請求書を発行しました。"),
        "print",
        "orders.issue_document",
        plan_invoice,
        run_invoice,
        rank=72,
        group=Group.PAPER,
    ),
    Action(
        "receipt",
        lazy("領収書を発行"),
        lazy("%(n)s件の領収書を発行しました。"),
        "print",
        "orders.issue_document",
        plan_receipt,
        run_receipt,
        rank=74,
        group=Group.PAPER,
    ),
)
