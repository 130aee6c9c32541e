"""返品: the list, one case with its next step, and what the order's page opens."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel import clock
from oms.kernel.keyset import keyset_page
from oms.kernel.money import yen
from oms.kernel.text import clean_text
from oms.kernel.web import answer, render_page
from orders.decide.slots import slot_label
from orders.documents.render import render_return_label
from orders.forms_returns import (
    AnswerForm,
    ExchangeForm,
    InspectForm,
    OpenForm,
    PickupForm,
    ReceiveForm,
    SettleForm,
    WayForm,
    WithdrawForm,
)
from orders.models import Order, ReturnCase
from orders.models.order import Stage
from orders.queries import return_label
from orders.queries import returns as queries
from orders.queries.detail import PERSONAL, order_for
from orders.queries.payments import plan_rows
from orders.services import exchange, personal_views, refund_requests, return_pickup, returns
from orders.services.cancel import Cancelled
from orders.services.internal import is_internal
from orders.services.personal_views import Where
from orders.services.refund_limits import NeedsApproval
from orders.services.refunds import NothingToRefund, Wish, preview
from orders.services.return_money import at_the_door, exchange_of, owed_less, rest_of, wish_of
from orders.services.return_papers import credit_note_of
from orders.services.returns import Refused
from orders.views.order import actor_of, say_asked, user_of

LABELLED = {"approved", "in_transit"}
CHANGE = ["orders.change_returncase", "orders.view_returncase"]


@require_GET
@permission_required("orders.view_returncase", raise_exception=True)
def return_list(request: HttpRequest) -> HttpResponse:
    tab = request.GET.get("tab", "")
    tab = tab if tab in queries.TABS else "open"
    word = clean_text(request.GET.get("q", ""))[:100]
    rows = queries.with_contents(queries.listed(tab, word))
    page = keyset_page(request, rows, order=("-id",))
    context = {
        "tab": tab,
        "word": word,
        "tabs": _tabs(),
        "page": page,
        "rows": queries.case_rows(page.rows, user_of(request)),
        "overdue": list(queries.with_contents(queries.overdue_exchanges())[:50]),
        "parcels": queries.unknown_parcels(),
        "may_work": request.user.has_perm("orders.inspect_returncase"),
    }
    return render_page(request, "orders/returns/list.html", context, fragment="orders/returns/_table.html")


def _tabs() -> list[tuple[str, str, int | None]]:
    counts = queries.tab_counts()
    labels = {
        "open": _("すべての未完了"),
        "decide": _("受付（承認待ち）"),
        "coming": _("到着待ち"),
        "inspect": _("検品待ち"),
        "settle": _("精算待ち"),
        "over": _("完了・お断り"),
    }
    return [(code, label, counts.get(code)) for code, label in labels.items()]


@require_GET
@permission_required("orders.view_returncase", raise_exception=True)
def return_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _show(request, pk)


def _case(pk: int) -> ReturnCase:
    rows = ReturnCase.objects.select_related("order__shop", "exchange_order__shop", "location")
    return get_object_or_404(rows, pk=pk)


def _show(request: HttpRequest, pk: int, **bound: Any) -> HttpResponse:
    """The case with the forms of its next steps; `bound` holds one that came back with errors, or what it comes to."""
    case, user = _case(pk), user_of(request)
    personal = user.has_perm(PERSONAL)
    shown = order_for(case.order_id, personal=personal)
    if personal:
        personal_views.saw_orders([case.order_id], Where.RETURN, by=user)
    context: dict[str, Any] = {
        "case": case,
        "order": shown,
        "tone": queries.TONES[queries.State(case.state)],
        "lines": case.lines.select_related("line", "component").order_by("line__position", "component__position"),
        "grades": case.grades.select_related("sku", "location").order_by("sku__code", "grade"),
        "items": case.exchange_items.select_related("sku"),
        "refund": queries.refund_of(case),
        "credit_note": credit_note_of(case) if user.has_perm("orders.view_issueddocument") else None,
        "events": [
            (event, str(queries.EVENTS.get(event.kind, event.kind)))
            for event in case.events.select_related("by").order_by("-pk")
        ],
        "pickup_slot": slot_label(case.pickup_slot),
        "may_change": user.has_perm("orders.change_returncase"),
        "may_inspect": user.has_perm("orders.inspect_returncase"),
        "may_settle": user.has_perm("orders.settle_returncase"),
        "sees_order": user.has_perm("orders.view_order"),
        **_forms(case),
        **bound,
    }
    return render_page(request, "orders/returns/detail.html", context)


def _forms(case: ReturnCase) -> dict[str, Any]:
    """The forms that the case's state asks for."""
    state = case.state
    if state == "requested":
        return {
            "answer_form": AnswerForm(),
            "exchange_form": ExchangeForm(case=case),
            "withdraw_form": WithdrawForm(case=case),
        }
    if state in {"approved", "in_transit"}:
        ways = {"pickup_form": PickupForm(), "places": return_label.places()} if state == "approved" else {}
        coming = {"receive_form": ReceiveForm(case=case), "withdraw_form": WithdrawForm(case=case)}
        return {"way_form": WayForm(), **coming, **ways}
    if state == "received":
        return {"inspect_form": InspectForm(units=queries.units_to_grade(case), reason=case.reason)}
    if state == "inspected":
        form = SettleForm(case=case)
        return {"settle_form": form, **_told_before_settling(case, form)}
    return {}


def _told_before_settling(case: ReturnCase, form: SettleForm) -> dict[str, Any]:
    """What whoever settles should know: what goes back if all is left as proposed, and what is unusual."""
    if sent := exchange_of(case):
        words = _("商品の代金は交換・再送の受注 %(no)s に充てています。返すのは差額と費用だけです。") % {
            "no": sent.channel_order_no
        }
        missing = exchange.missing_value(case)
        lost = _("到着していない商品 %(amount)s 分の代金も充てています。お客様に返送か支払いを頼んでください。")
        return {"estimate": words, "warning": lost % {"amount": yen(missing)} if missing else ""}
    first = ReturnCase.objects.filter(exchange_order=case.order_id).select_related("order").first()
    if first and not case.order.total:
        words = _(
            "この受注は交換・再送で、商品の代金は元の受注 %(no)s で受け取っています。"
            "返金は元の受注の「返金する」から行い、ここでは返した金額をメモに入れて精算してください。"
        )
        number = {"no": first.order.channel_order_no}
        return {"estimate": words % number, "first": reverse("orders:detail", args=[first.order_id])}
    door = at_the_door(case, case.order)
    told = {"estimate": _estimate(case, form, door), "warning": ""}
    if door:
        told["warning"] = _(
            "代引の代金 %(amount)s は、配達のときに配送会社が受け取ったものとして記帳してから返金します。"
        ) % {"amount": yen(door)}
    return told


def _calculated(case: ReturnCase, form: SettleForm) -> dict[str, Any]:
    """What the settlement as typed comes to."""
    wish = wish_of(case, form.settlement)
    try:
        less = owed_less(case, case.order, wish)
        rest, at_most = rest_of(case.order, wish, less)
        plan = preview(case.order_id, rest, beside=at_the_door(case, case.order), at_most=at_most)
    except NothingToRefund as nothing:
        form.add_error(None, str(nothing))
        return {}
    return {"plan": plan, "goods": plan_rows(case.order, plan), "less": less}


def _estimate(case: ReturnCase, form: SettleForm, door: int) -> str:
    """What the proposal would give back, in words."""
    pieces = {row.key: row.start for row in form.rows if not row.part}
    units = {row.key: row.start for row in form.rows if row.part}
    wish = Wish(pieces, tuple(form.initial.get("fees") or ()), units=units)
    try:
        less = owed_less(case, case.order, wish)
        rest, at_most = rest_of(case.order, wish, less)
        plan = preview(case.order_id, rest, beside=door, at_most=at_most)
    except NothingToRefund as nothing:
        return str(nothing)
    if less:
        text = _("まだ入金されていないため、請求を %(less)s 減らします。返金 %(amount)s")
        return text % {"less": yen(less), "amount": yen(plan.amount)}
    parts = [_("商品と選んだ費用をすべて返す場合: 返金 %(amount)s") % {"amount": yen(plan.amount)}]
    if plan.points_back:
        parts.append(_("ポイント %(amount)s を返還") % {"amount": yen(plan.points_back)})
    if plan.coupon_back:
        parts.append(_("クーポン %(amount)s を返還") % {"amount": yen(plan.coupon_back)})
    return _("、").join(parts)


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_returncase", "orders.view_order"], raise_exception=True)
def return_open(request: HttpRequest, pk: int) -> HttpResponse:
    """A new case of an order: which pieces, why."""
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    data = request.POST if request.method == "POST" else None
    form = OpenForm(data, order=order)
    if form.is_bound and form.is_valid():
        fields = form.cleaned_data
        try:
            case = returns.open_case(
                pk,
                form.pieces,
                reason=fields["reason"],
                kind=fields["kind"],
                key=f"form:{fields['key']}",
                note=fields["note"],
                units=form.units,
                actor=actor_of(request),
            )
        except Refused as refused:
            form.add_error(None, refused.cause)
        else:
            messages.success(request, _("返品 %(no)s を受け付けました。") % {"no": case.number})
            return answer(request, to=reverse("orders:return", args=[case.pk]))
    context = {"order": order, "form": form, "told": _what_the_mall_knows(order) if form.has_sets else ""}
    return render_page(request, "orders/returns/open.html", context)


def _what_the_mall_knows(order: Order) -> str:
    """What the channel can be told of a part of a set."""
    if is_internal(order) or order.shop.can("own_payments"):
        return ""
    return _(
        "%(mall)sはセットを1つの商品として扱い、構成品を知りません。構成品だけの返品はモールに送られません。"
        "返金は、精算のあとに出る作業からモールの画面で行ってください。"
    ) % {"mall": order.shop.channel_label}


def _do(request: HttpRequest, pk: int, verb: Callable[[], object], good: str, **bound: forms.Form) -> HttpResponse:
    """Run one verb and go back to the case; a refusal is shown there, with what was typed."""
    try:
        verb()
    except Refused as refused:
        messages.error(request, refused.cause)
        if bound:
            return _show(request, pk, **bound)
    else:
        messages.success(request, good)
    return answer(request, to=reverse("orders:return", args=[pk]))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def return_approve(request: HttpRequest, pk: int) -> HttpResponse:
    _case(pk)
    form, actor = AnswerForm(request.POST), actor_of(request)
    if not form.is_valid():
        return _show(request, pk, answer_form=form)
    text = form.cleaned_data["answer"]
    return _do(request, pk, lambda: returns.approve(pk, answer=text, actor=actor), _("返品を承認しました。"))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def return_reject(request: HttpRequest, pk: int) -> HttpResponse:
    _case(pk)
    form, actor = AnswerForm(request.POST), actor_of(request)
    if not form.is_valid():
        return _show(request, pk, answer_form=form)
    text = form.cleaned_data["answer"]
    return _do(
        request, pk, lambda: returns.reject(pk, answer=text, actor=actor), _("返品を断りました。"), answer_form=form
    )


@require_POST
@permission_required(CHANGE, raise_exception=True)
def return_exchange(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve with goods that are sent instead."""
    case, actor = _case(pk), actor_of(request)
    form = ExchangeForm(request.POST, case=case)
    if not form.is_valid():
        return _show(request, pk, exchange_form=form)
    data = form.cleaned_data
    return _do(
        request,
        pk,
        lambda: exchange.approve(pk, form.items, ship_first=data["ship_first"], answer=data["answer"], actor=actor),
        _("交換を承認し、交換の受注を作りました。"),
        exchange_form=form,
    )


@require_POST
@permission_required(CHANGE, raise_exception=True)
def return_resend(request: HttpRequest, pk: int) -> HttpResponse:
    """A parcel that came back is sent again."""
    _case(pk)
    actor = actor_of(request)
    return _do(request, pk, lambda: exchange.resend(pk, actor=actor), _("再送の受注を作りました。"))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def return_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    form, actor = WithdrawForm(request.POST, case=_case(pk)), actor_of(request)
    if not form.is_valid():
        return _show(request, pk, withdraw_form=form)
    note, charge = form.cleaned_data["note"], bool(form.cleaned_data.get("charge"))
    done: list[Cancelled] = []

    def verb() -> None:
        done.append(exchange.withdraw(pk, note=note, charge=charge, actor=actor))

    shown = _do(request, pk, verb, _("返品を取り下げました。"), withdraw_form=form)
    _say_of_the_exchange(request, done, charge=charge)
    return shown


def _say_of_the_exchange(request: HttpRequest, done: Sequence[Cancelled], *, charge: bool) -> None:
    for result in done:
        if result.waiting:
            text = _("交換の受注は出荷元に停止を依頼しました。返事があるまで、まだキャンセルされていません。")
            messages.warning(request, text)
        elif result.orders:
            messages.success(request, _("交換の受注もキャンセルしました。"))
        elif charge:
            messages.success(request, _("交換の受注を未入金にし、入金のお願いを下書きにしました。"))


@require_POST
@permission_required(CHANGE, raise_exception=True)
def return_sent(request: HttpRequest, pk: int) -> HttpResponse:
    _case(pk)
    form, actor = WayForm(request.POST), actor_of(request)
    if not form.is_valid():
        return _show(request, pk, way_form=form)
    data = form.cleaned_data
    return _do(
        request,
        pk,
        lambda: returns.on_its_way(pk, carrier=data["carrier"], tracking_no=data["tracking_no"], actor=actor),
        _("返送中にしました。"),
    )


@require_POST
@permission_required(CHANGE, raise_exception=True)
def return_pick_up(request: HttpRequest, pk: int) -> HttpResponse:
    """A carrier is to fetch the goods."""
    _case(pk)
    form, actor = PickupForm(request.POST), actor_of(request)
    if not form.is_valid():
        return _show(request, pk, pickup_form=form)
    return _do(
        request,
        pk,
        lambda: return_pickup.arrange(pk, form.pickup, actor=actor),
        _("集荷の日時を登録し、配送会社への依頼を作業に残しました。"),
        pickup_form=form,
    )


@require_GET
@permission_required([*CHANGE, PERSONAL], raise_exception=True)
def return_label_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """返送ラベル, to be sent to the buyer; `?to=` is the place that the goods go to."""
    case = _case(pk)
    if case.state not in LABELLED:
        raise Http404
    wanted = request.GET.get("to", "")
    place = next((one for one in return_label.places() if str(one.pk) == wanted), None)
    pdf = render_return_label(return_label.label_of(case, place), clock.now())
    personal_views.saw_orders([case.order_id], Where.RETURN, by=user_of(request))
    headers = {"Content-Disposition": f'inline; filename="{case.number}.pdf"', "Cache-Control": "no-store"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)


@require_POST
@permission_required("orders.inspect_returncase", raise_exception=True)
def return_receive(request: HttpRequest, pk: int) -> HttpResponse:
    case, actor = _case(pk), actor_of(request)
    form = ReceiveForm(request.POST, case=case)
    if not form.is_valid():
        return _show(request, pk, receive_form=form)
    shown = _do(
        request, pk, lambda: returns.receive(pk, form.pieces, actor=actor), _("到着を登録しました。"),
        receive_form=form,
    )  # fmt: skip
    case = _case(pk)
    sent = exchange_of(case)
    if sent and not case.ship_first and case.state == "received" and sent.stage == Stage.ON_HOLD:
        text = _(
            "足りない商品があるため、交換・再送の受注 %(no)s は保留のままです。送ってよければ保留を解除してください。"
        )
        messages.warning(request, text % {"no": sent.channel_order_no})
    return shown


@require_POST
@permission_required("orders.inspect_returncase", raise_exception=True)
def return_inspect(request: HttpRequest, pk: int) -> HttpResponse:
    case, actor = _case(pk), actor_of(request)
    form = InspectForm(request.POST, units=queries.units_to_grade(case), reason=case.reason)
    if not form.is_valid():
        return _show(request, pk, inspect_form=form)
    place = form.cleaned_data["location"].pk
    return _do(
        request,
        pk,
        lambda: returns.inspect(pk, form.grades, location_id=place, instead=form.instead, actor=actor),
        _("検品の結果を登録し、在庫を移しました。"),
        inspect_form=form,
    )


@require_POST
@permission_required("orders.settle_returncase", raise_exception=True)
def return_settle(request: HttpRequest, pk: int) -> HttpResponse:
    case, actor = _case(pk), actor_of(request)
    form = SettleForm(request.POST, case=case)
    if not form.is_valid():
        return _show(request, pk, settle_form=form)
    if "preview" in request.POST:
        return _show(request, pk, settle_form=form, **_calculated(case, form))
    try:
        return _do(
            request,
            pk,
            lambda: returns.settle(pk, form.settlement, actor=actor),
            _("精算しました。返金が要るものは入金の画面に出ます。"),
            settle_form=form,
        )
    except NeedsApproval as needs:
        asked = refund_requests.settle_return(case, form.settlement, needs=needs, actor=actor)
        say_asked(request, asked)
        return answer(request, to=reverse("orders:return", args=[pk]))


@require_POST
@permission_required("orders.settle_returncase", raise_exception=True)
def return_close(request: HttpRequest, pk: int) -> HttpResponse:
    _case(pk)
    actor = actor_of(request)
    return _do(request, pk, lambda: returns.close(pk, actor=actor), _("返品を完了にしました。"))
