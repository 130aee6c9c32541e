"""メール: what was sent to buyers, word by word, and what waits for a decision."""

from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.keyset import keyset_page
from oms.kernel.said import said
from oms.kernel.typed import row_ids
from oms.kernel.web import render_page
from orders.mail_forms import DraftForm, RewriteForm
from orders.models import Mail, Order
from orders.models.mail import MailEvent
from orders.queries import mails, visible
from orders.queries.detail import PERSONAL
from orders.services import mail as mailing
from orders.services import mail_send, personal_views
from orders.services.personal_views import Where
from orders.views.order import actor_of, user_of

READ = ["orders.view_order", PERSONAL]
SEND = ["orders.send_mail", PERSONAL]


@require_GET
@permission_required("orders.send_mail", raise_exception=True)
def mail_list(request: HttpRequest) -> HttpResponse:
    filters = mails.MailFilter(request.GET, queryset=mails.listed_mails())
    page = keyset_page(request, filters.qs, order=("-id",))
    rows = mails.mail_rows(page.rows, personal=user_of(request).has_perm(PERSONAL))
    context = {"filters": filters, "page": page, "rows": rows, "waiting": mails.waiting_counts()}
    return render_page(request, "orders/mails.html", context, fragment="orders/_mails_table.html")


@require_GET
@permission_required(READ, raise_exception=True)
def mail_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The text names the buyer and the address, so it takes the right to see personal data."""
    mail = get_object_or_404(Mail.objects.select_related("order__shop", "by"), pk=pk)
    personal_views.saw_orders([mail.order_id], Where.MAIL, by=user_of(request))
    context = mails.mail_page(mail) | {"may_send": user_of(request).has_perm("orders.send_mail")}
    return render_page(request, "orders/mail.html", context, fragment="orders/_mail_dialog.html")


@require_GET
@xframe_options_sameorigin
@permission_required(READ, raise_exception=True)
def mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The mail's HTML as the customer's program shows it, for a frame: it may run, load and send nothing."""
    mail = get_object_or_404(Mail.objects.select_related("order__shop"), pk=pk)
    personal_views.saw_orders([mail.order_id], Where.MAIL, by=user_of(request))
    response = HttpResponse(mails.mail_page(mail)["html"])
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
    )
    return response


@require_POST
@permission_required(SEND, raise_exception=True)
def mail_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft goes out, if nothing is missing in it."""
    mail = get_object_or_404(Mail.objects.select_related("order__shop"), pk=pk)
    if why := mail_send.why_not_ready(mail):
        messages.error(request, why)
    elif mailing.send_draft(pk, actor=actor_of(request)):
        messages.success(request, _("メールを送ります。"))
    else:
        messages.error(request, _("このメールは承認待ちではなくなりました。画面を確かめてください。"))
    return redirect("orders:mail", pk)


@require_POST
@permission_required(SEND, raise_exception=True)
def mails_approve(request: HttpRequest) -> HttpResponse:
    """Every ticked draft without holes goes out; the others stay and say so."""
    ids = row_ids(request.POST.getlist("mail"))
    needed = ("order__lines", "order__recipients", "order__texts")
    rows = visible.of_shops(Mail.objects.all()).select_related("order__shop").prefetch_related(*needed)
    sent = kept = 0
    for mail in rows.filter(pk__in=ids, state=Mail.State.DRAFT).order_by("pk"):
        if not mail_send.why_not_ready(mail) and mailing.send_draft(mail.pk, actor=actor_of(request)):
            sent += 1
        else:
            kept += 1
    if not ids:
        messages.error(request, _("承認するメールを選んでください。"))
    elif sent:
        messages.success(request, _("%(n)s通を送ります。") % {"n": f"{sent:,}"})
    if kept:
        messages.error(
            request,
            _("%(n)s通はこのままでは送れないため、承認待ちのままです。1通ずつ開いて、理由を確かめてください。")
            % {"n": f"{kept:,}"},
        )
    return redirect(f"{reverse('orders:mails')}?state=draft")


@require_POST
@permission_required(SEND, raise_exception=True)
def mail_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    waiting = Mail.objects.filter(pk=get_object_or_404(Mail, pk=pk).pk)
    if mailing.withdraw(waiting, reason=said("担当者が送信を取り消しました。"), actor=actor_of(request)):
        messages.success(request, _("送信を取り消しました。"))
    else:
        messages.error(request, _("すでに送信したため、取り消せません。"))
    return redirect("orders:mail", pk)


@require_POST
@permission_required(SEND, raise_exception=True)
def mail_again(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Mail, pk=pk)
    if mailing.send_again(pk, actor=actor_of(request)):
        messages.success(request, _("受注の現在のメールアドレスへ送り直します。"))
    else:
        messages.error(request, _("送り直せません。理由を確かめてください。"))
    return redirect("orders:mail", pk)


@require_POST
@permission_required(SEND, raise_exception=True)
def mail_was_sent(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Mail, pk=pk)
    if mailing.was_sent(pk, actor=actor_of(request)):
        messages.success(request, _("送信済みにしました。"))
    else:
        messages.error(request, _("送信結果が不明なメールではありません。"))
    return redirect("orders:mail", pk)


@require_http_methods(["GET", "POST"])
@permission_required(SEND, raise_exception=True)
def mail_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The text of a draft, as a person wants it."""
    mail = get_object_or_404(Mail.objects.select_related("order__shop"), pk=pk)
    page = mails.mail_page(mail)
    form = RewriteForm(request.POST or None, initial={"subject": page["subject"], "body": page["body"]})
    if form.is_bound and form.is_valid():
        if mailing.rewrite(pk, actor=actor_of(request), **form.cleaned_data):
            messages.success(request, _("文面を保存しました。承認すると送信します。"))
        else:
            messages.error(request, _("このメールは承認待ちではないため、直せません。"))
        return redirect("orders:mail", pk)
    return render_page(request, "orders/mail_edit.html", page | {"form": form})


@require_http_methods(["GET", "POST"])
@permission_required(SEND, raise_exception=True)
def mail_new(request: HttpRequest, pk: int) -> HttpResponse:
    """A draft about one order, and what is switched off for it. An inquiry begins with what its reasons ask."""
    order = get_object_or_404(Order.objects.select_related("shop"), pk=pk)
    event = request.GET.get("event", MailEvent.INQUIRY)
    message = mails.questions_about(order) if event == MailEvent.INQUIRY else ""
    form = DraftForm(request.POST or None, initial={"event": event, "message": message})
    if form.is_bound and form.is_valid() and (why := mailing.why_no_draft(order, form.cleaned_data["event"])):
        form.add_error("event", why)
    elif form.is_bound and form.is_valid():
        typed = form.cleaned_data
        key = (typed["key"] or uuid4()).hex
        made = mailing.draft(typed["event"], pk, key=key, message=typed["message"], actor=actor_of(request))
        return redirect("orders:mail", made.pk)
    waiting = order.mails.filter(state=Mail.State.DRAFT).order_by("pk")
    context = {"order": order, "form": form, "waiting": waiting, "switches": mails.switches(order)}
    return render_page(request, "orders/mail_new.html", context)


@require_POST
@permission_required(SEND, raise_exception=True)
def mail_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Mails of one kind on or off for this order."""
    order, event = get_object_or_404(Order, pk=pk), request.POST.get("event", "")
    if event not in MailEvent.values:
        messages.error(request, _("メールの種類を選んでください。"))
    elif request.POST.get("on"):
        mailing.switch_on(order.pk, event, actor=actor_of(request))
        messages.success(request, _("この受注へ「%(event)s」を送ります。") % {"event": MailEvent(event).label})
    else:
        mailing.switch_off(order.pk, event, reason=said("この受注には送らない設定です。"), actor=actor_of(request))
        messages.success(request, _("この受注へ「%(event)s」を送りません。") % {"event": MailEvent(event).label})
    return redirect("orders:mail-new", pk)
