"""受注詳細: the page of one order (also as a drawer), and what people do to it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.models import User
from oms.kernel.money import yen
from oms.kernel.web import answer, live, render_page
from orders.decide.reasons import CATALOGUE
from orders.forms import HoldForm, PaymentForm, SnoozeForm
from orders.models import Order, RefundRequest
from orders.queries import detail
from orders.services import confirm as confirming
from orders.services import hold as holding
from orders.services import payment, personal_views, review, take_back
from orders.services.journal import Actor
from orders.services.personal_views import Where

F = TypeVar("F", bound=forms.Form)

FRAGMENTS = (
    "orders/_header.html",
    "orders/_gates.html",
    "orders/_labels.html",
    "orders/_people.html",
    "orders/_delivery.html",
    "orders/_lines.html",
    "orders/_cancellations.html",
    "orders/_returns.html",
    "orders/_money.html",
    "orders/_note.html",
    "orders/_channel.html",
    "orders/_mails.html",
    "orders/_timeline.html",
    "orders/_live.html",
    "orders/_listener.html",
)
CHANGED = "order-changed"


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def order_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page for a browser, the desk's drawer for htmx."""
    context = page_context(request, pk)
    if context["personal"]:
        personal_views.saw_orders([pk], Where.ORDER, by=user_of(request))
    return render_page(request, "orders/detail.html", context, fragment="orders/_drawer.html")


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def order_live(request: HttpRequest, pk: int) -> HttpResponse:
    return live(
        request,
        token=detail.live_token(pk),
        fragments=FRAGMENTS,
        context=lambda: page_context(request, pk),
        to=reverse("orders:detail", args=[pk]),
    )


@require_POST
@permission_required("orders.review_order", raise_exception=True)
def order_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept the reasons named by `code`, or all of them."""
    codes = request.POST.getlist("code") or None
    accepted = review.accept([pk], codes=codes, actor=actor_of(request), note=request.POST.get("note", ""))
    if accepted.orders:
        messages.success(request, _("確認済みにしました。"))
    for code in accepted.refused:
        messages.warning(request, refusal_of(code))
    for code in accepted.noteless:
        text = _("「%(names)s」を確認済みにするには、メモを入力してください。")
        messages.warning(request, text % {"names": CATALOGUE[code].label})
    return changed(request, pk)


@require_http_methods(["GET", "POST"])
@permission_required("orders.hold_order", raise_exception=True)
def order_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """`?later` offers a day until which it waits, and a reason."""

    def write(form: HoldForm) -> None:
        wanted = form.cleaned_data
        held = holding.hold_orders([pk], reason=wanted["reason"], until=wanted["until"], actor=actor_of(request))
        _say(
            request,
            held,
            _("保留にしました。"),
            _("この受注は保留にできません（出荷済み、キャンセル済み、または保留中）。"),
        )

    if "later" in request.GET:
        return action_dialog(request, pk, SnoozeForm, write, title=_("日付まで保留にする"), action=_("保留にする"))
    return action_dialog(request, pk, HoldForm, write, title=_("保留にする"), action=_("保留にする"))


@require_POST
@permission_required("orders.hold_order", raise_exception=True)
def order_lift(request: HttpRequest, pk: int) -> HttpResponse:
    lifted = holding.lift_holds([pk], actor=actor_of(request))
    _say(request, lifted, _("保留を解除しました。"), _("この受注は保留中ではありません。"))
    return changed(request, pk)


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def order_take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back one's own last deed, as long as one may still do it: whoever did it could."""
    try:
        take_back.take_back(pk, actor=actor_of(request))
    except take_back.Refused as refused:
        messages.warning(request, refused.cause)
    else:
        messages.success(request, _("元に戻しました。"))
    return changed(request, pk)


@require_POST
@permission_required("orders.confirm_order", raise_exception=True)
def order_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    queued = confirming.confirm_orders([pk], actor=actor_of(request))
    _say(
        request,
        queued,
        _("モールへの注文確定を依頼しました。"),
        _("この受注はモールへ確定できません（確認待ちの理由が残っているか、すでに確定しています）。"),
    )
    return changed(request, pk)


@require_http_methods(["GET", "POST"])
@permission_required("orders.record_payment", raise_exception=True)
def order_pay(request: HttpRequest, pk: int) -> HttpResponse:
    def write(form: PaymentForm) -> None:
        paid = payment.record_payments([pk], actor=actor_of(request), note=form.cleaned_data["note"])
        _say(
            request,
            paid,
            _("入金を登録しました。"),
            _("この受注は入金を登録できません（入金済み、またはキャンセル済み）。"),
        )

    return action_dialog(request, pk, PaymentForm, write, title=_("入金を登録"), action=_("入金済みにする"))


# ---- shared by the order's views, here and upstairs


def page_context(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Everything the page shows. Raises Http404."""
    user = user_of(request)
    order = detail.order_for(pk, personal=user.has_perm(detail.PERSONAL))
    if order is None:
        raise Http404
    return detail.order_page(order, user)


def changed(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer of every verb: the page's parts as they are now, and word to the panels from upstairs."""
    context = page_context(request, pk)
    return answer(
        request, to=reverse("orders:detail", args=[pk]), fragments=FRAGMENTS, context=context, trigger=CHANGED
    )


def say_asked(request: HttpRequest, asked: RefundRequest) -> None:
    """What was wanted gives back more than this person may alone, and waits for an approval now."""
    text = _("返金額 %(amount)s はあなたの上限を超えるため、承認を申請しました。承認されるまで実行されません。")
    messages.warning(request, text % {"amount": yen(asked.amount)})


def user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def actor_of(request: HttpRequest) -> Actor:
    """The person, and one action id for this click."""
    return Actor(by=user_of(request), action=uuid4().hex)


def refusal_of(code: str) -> str:
    """Why a reason is not waved through."""
    entry = CATALOGUE[code]
    return _("「%(label)s」は原因を直すと自動で解消します: %(step)s。") % {
        "label": entry.label,
        "step": entry.next_step,
    }


def _say(request: HttpRequest, done: Sequence[int], good: str, bad: str) -> None:
    if done:
        messages.success(request, good)
    else:
        messages.warning(request, bad)


def action_dialog(
    request: HttpRequest,
    pk: int,
    form_class: type[F],
    write: Callable[[F], None],
    *,
    title: str,
    action: str,
    template: str = "action",
) -> HttpResponse:
    """A small form in a dialog, or on a page of its own."""
    form = form_class(request.POST) if request.method == "POST" else form_class()
    if form.is_bound and form.is_valid():
        write(form)
        return changed(request, pk)
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    context = {
        "order": order,
        "form": form,
        "title": title,
        "action": action,
    }
    return render_page(request, f"orders/{template}.html", context, fragment=f"orders/_{template}.html")
