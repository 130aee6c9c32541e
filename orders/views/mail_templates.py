"""メールテンプレート: list, and an editor with a preview on a real order."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from oms.kernel.web import answer, render_page
from orders.forms import TemplateForm
from orders.models import Shop
from orders.models.mail import MailEvent, MailTemplate
from orders.queries import mails
from orders.queries.detail import PERSONAL
from orders.services.mail_templates import PLACEHOLDERS, MissingValue, preview, save_template


@require_GET
@permission_required("orders.change_mailtemplate", raise_exception=True)
def template_list(request: HttpRequest) -> HttpResponse:
    return render_page(request, "orders/mail_templates.html", {"groups": mails.template_rows()})


@require_http_methods(["GET", "POST"])
@permission_required(["orders.change_mailtemplate", PERSONAL], raise_exception=True)
def template_edit(request: HttpRequest, event: str) -> HttpResponse:
    """One event's template; `?shop=` names a shop that has, or gets, its own. `preview` shows without saving."""
    if event not in MailEvent.values:
        raise Http404
    code = request.GET.get("shop", "")
    shop = get_object_or_404(Shop, code=code) if code else None
    form = TemplateForm(request.POST) if request.method == "POST" else TemplateForm(initial=_initial(event, shop))
    if form.is_bound and form.is_valid() and "preview" not in request.POST:
        save_template(event, shop, **form.texts)
        messages.success(request, _("テンプレートを保存しました。"))
        return answer(request, to=reverse("orders:mail-templates"))
    context = {
        "event_label": MailEvent(event).label,
        "shop": shop,
        "form": form,
        "placeholders": PLACEHOLDERS.items(),
        **_preview(form, shop),
    }
    return render_page(request, "orders/mail_template.html", context)


def _initial(event: str, shop: Shop | None) -> dict[str, object]:
    """The place's own template, else the company's to start from."""
    rows = MailTemplate.objects.filter(event=event)
    found = rows.filter(shop=shop).first() or rows.filter(shop=None).first()
    return {"subject": found.subject, "body": found.body, "active": found.active} if found else {"active": True}


def _preview(form: forms.Form, shop: Shop | None) -> dict[str, object]:
    """The texts on the form as a real order would get them."""
    if form.is_bound and not form.is_valid():
        return {}
    values = form.cleaned_data if form.is_bound else form.initial
    order = mails.sample_order(shop, str(values.get("number") or ""))
    if order is None:
        return {"preview_problem": _("試し表示に使える受注がありません。受注番号を確かめてください。")}
    try:
        subject, body = preview(str(values.get("subject", "")), str(values.get("body", "")), order)
    except MissingValue as missing:
        return {"preview_problem": _("差し込み「%(name)s」に値がありません。") % {"name": missing.name}}
    return {"preview_order": order, "preview_subject": subject, "preview_body": body}
