"""An order's papers: the panel on its page, issuing an invoice, a receipt or a credit note."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from oms.kernel import clock
from oms.kernel.web import render_page
from orders.decide import receipt_wish
from orders.documents.bill import BillKind
from orders.documents.credit import TooMuch
from orders.documents.rules import receipt_warnings
from orders.models import DocumentKind
from orders.paper_forms import MOST_RECEIPTS, USUAL_RECEIPTS, CreditForm, OnPaperForm, SharesFormSet, WordingForm
from orders.queries import documents as reading
from orders.queries.detail import PERSONAL
from orders.queries.papers import Billable, billable, buyer_of
from orders.services import documents as issuing
from orders.services.documents import REFUSALS, Refused, Share, Wording
from orders.views.order import actor_of, user_of

ISSUE = ["orders.view_order", "orders.view_issueddocument", "orders.issue_document", PERSONAL]


@require_GET
@permission_required(["orders.view_order", "orders.view_issueddocument"], raise_exception=True)
def order_papers(request: HttpRequest, pk: int) -> HttpResponse:
    context = reading.order_papers(pk, user_of(request))
    return render_page(request, "orders/order_papers.html", context, fragment="orders/_order_papers.html")


@require_http_methods(["GET", "POST"])
@permission_required(ISSUE, raise_exception=True)
def order_issue(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """A form with the wording, or the reason why there is none."""
    if kind not in {BillKind.INVOICE, BillKind.RECEIPT}:
        raise Http404
    one, chosen = _billable(pk), BillKind(kind)
    if answer := _held(request, pk, kind):
        return answer
    refusal = one.refusal(chosen)
    wish = receipt_wish.read(one.order.remarks, *(line.options for line in one.order.lines.all()))
    initial = {
        "name": wish.name or one.order.buyer_company or buyer_of(one.order).name,
        "subject": wish.subject or one.papers.receipt_for,
    }
    form = WordingForm(request.POST or None, receipt=chosen == BillKind.RECEIPT, initial=initial)
    if not refusal and form.is_valid():
        issued = issuing.issue([pk], chosen, form.wording, actor=actor_of(request))
        if document := issued.documents.get(pk):
            messages.success(request, _("発行しました。"))
            return redirect("orders:paper", document)
        form.add_error(None, issued.refused.get(pk, ""))
    context = {
        "order": one.order,
        "form": form,
        "title": _("%(kind)sを発行") % {"kind": DocumentKind(kind).label},
        "verb": _("発行する"),
        "refusal": str(REFUSALS[refusal]) if refusal else "",
        "notices": [str(reading.NOTICES[notice]) for notice in receipt_warnings(one.sale)]
        if chosen == BillKind.RECEIPT
        else [],
    }
    return render_page(request, "orders/order_issue.html", context)


def _held(request: HttpRequest, pk: int, kind: str) -> HttpResponse | None:
    """To the paper that holds; where there are several, to all of them."""
    held = list(issuing.standing().filter(order=pk, kind=kind).order_by("-pk").values_list("pk", flat=True)[:2])
    if not held:
        return None
    messages.info(request, _("すでに発行しています。控えの表示・再発行・訂正はここからできます。"))
    return redirect("orders:paper", held[0]) if len(held) == 1 else redirect("orders:order-papers", pk)


@require_http_methods(["GET", "POST"])
@permission_required(ISSUE, raise_exception=True)
def order_split(request: HttpRequest, pk: int) -> HttpResponse:
    """領収書 for several names or amounts. Rows that are left empty are none."""
    one = _billable(pk)
    if answer := _held(request, pk, BillKind.RECEIPT):
        return answer
    refusal, due = one.refusal(BillKind.RECEIPT), one.sale.due or 0
    first = {"name": one.order.buyer_company or buyer_of(one.order).name, "subject": one.papers.receipt_for}
    count = MOST_RECEIPTS if "more" in request.GET else USUAL_RECEIPTS
    rows = SharesFormSet(request.POST or None, initial=[first, *[{}] * (count - 1)])
    for form in rows.forms:
        form.empty_permitted, form.use_required_attribute = True, False
    paper, problem = OnPaperForm(request.POST or None), ""
    if not refusal and rows.is_valid() and paper.is_valid():
        shares = [_share(form.cleaned_data, paper.cleaned_data["on_paper"]) for form in rows.forms if form.cleaned_data]
        try:
            made = issuing.issue_split(pk, shares, actor=actor_of(request))
        except Refused as refused:
            problem = str(refused)
        else:
            messages.success(request, _("領収書を %(n)s 枚に分けて発行しました。") % {"n": len(made)})
            return redirect("orders:order-papers", pk)
    context = {
        "order": one.order,
        "rows": rows,
        "most": 0 if "more" in request.GET else MOST_RECEIPTS,
        "paper": paper,
        "problem": problem,
        "due": due,
        "refusal": str(REFUSALS[refusal]) if refusal else "",
        "notices": [str(reading.NOTICES[notice]) for notice in receipt_warnings(one.sale)],
    }
    return render_page(request, "orders/order_split.html", context)


def _share(data: dict[str, Any], on_paper: bool) -> Share:
    return Share(Wording(data["name"], data["subject"], on_paper), data["amount"])


@require_http_methods(["GET", "POST"])
@permission_required(ISSUE, raise_exception=True)
def order_credit(request: HttpRequest, pk: int) -> HttpResponse:
    """返還インボイス."""
    one = _billable(pk)
    sold, given = issuing.invoiced(one), issuing.pieces_given(pk)
    initial = {"day": clock.today(), "key": uuid4().hex}
    form = CreditForm(request.POST or None, sold=sold, given=given, sets=issuing.sets_of(pk), initial=initial)
    if form.is_valid():
        data = form.cleaned_data
        try:
            document = issuing.issue_credit_note(
                pk, form.wish, day=data["day"], reason=data["reason"], even_if_exempt=data["even_if_exempt"],
                actor=actor_of(request), key=data["key"],
            )  # fmt: skip
        except Refused as refused:
            form.add_error(None, str(refused))
        except TooMuch as much:
            left = _("%(what)sで返せるのはあと %(left)s までです。") % {"what": much.what, "left": f"{much.left:,}"}
            form.add_error(None, left)
        else:
            messages.success(request, _("返還インボイスを発行しました。"))
            return redirect("orders:paper", document)
    context = {
        "order": one.order,
        "form": form,
        "title": _("返還インボイスを発行"),
        "verb": _("発行する"),
        "refusal": "",
        "notices": [_("返金・値引の合計が税込1万円未満なら、交付の義務はありません。金額は返金全体で判断します。")],
    }
    return render_page(request, "orders/order_issue.html", context)


def _billable(pk: int) -> Billable:
    found = billable([pk])
    if pk not in found:
        raise Http404
    return found[pk]
