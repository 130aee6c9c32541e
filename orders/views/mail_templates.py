"""メールテンプレート: list, and an editor that tries each text on real orders before it is saved."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.middleware import policy_text
from oms.kernel.web import answer, render_page
from orders.mail_forms import TemplateForm
from orders.models import MailTemplateVersion, Shop
from orders.models.mail import MailEvent, MailTemplate
from orders.queries import mails
from orders.queries.detail import PERSONAL
from orders.services import mail_send
from orders.services.mail_templates import FIELDS, TEXTS, go_back, holes_in, save_template, versions_of
from orders.views.order import user_of

# The preview's frame inherits the page's policy, and a mail carries its styles inline. The frame itself may do nothing.
FRAMED = policy_text(settings.SECURE_CSP | {"style-src": ["'self'", "'unsafe-inline'"]})
EDIT = ["orders.change_mailtemplate", PERSONAL]


@require_GET
@permission_required("orders.change_mailtemplate", raise_exception=True)
def template_list(request: HttpRequest) -> HttpResponse:
    return render_page(request, "orders/mail_templates.html", {"groups": mails.template_rows()})


@require_http_methods(["GET", "POST"])
@permission_required(EDIT, raise_exception=True)
def template_edit(request: HttpRequest, event: str) -> HttpResponse:
    """One event's template; `?shop=` names a shop that has, or gets, its own, `?variant=` another text of the event,
    which rules choose. `preview` shows without saving; a text
    that would have left holes in recent orders is saved on the second word (`anyway`) only."""
    shop, variant = _place(request, event), _variant(request)
    initial = _initial(event, shop, variant)
    form = TemplateForm(request.POST) if request.method == "POST" else TemplateForm(initial=initial)
    tried: dict[str, Any] = {}
    if form.is_bound and form.is_valid():
        holes, count = holes_in(event, shop, "".join(form.cleaned_data[name] for name in TEXTS))
        if "preview" not in request.POST and (not holes or "anyway" in request.POST):
            save_template(event, shop, variant=variant, by=user_of(request), **form.values)
            messages.success(request, _("テンプレートを保存しました。"))
            return answer(request, to=reverse("orders:mail-templates"))
        tried = {"holes": holes, "tried": count, "asks": bool(holes) and "preview" not in request.POST}
    response = render_page(request, "orders/mail_template.html", _context(event, shop, variant, form) | tried)
    response.headers["Content-Security-Policy"] = FRAMED
    return response


def _place(request: HttpRequest, event: str) -> Shop | None:
    if event not in MailEvent.values:
        raise Http404
    code = request.GET.get("shop", "")
    return get_object_or_404(Shop, code=code) if code else None


def _variant(request: HttpRequest) -> str:
    return " ".join(request.GET.get("variant", "").replace(":", "").split())[:30]


def _query(shop: Shop | None, variant: str) -> str:
    """What leads back to this text of the event."""
    asked = ({"shop": shop.code} if shop else {}) | ({"variant": variant} if variant else {})
    return f"?{urlencode(asked)}" if asked else ""


def _context(event: str, shop: Shop | None, variant: str, form: TemplateForm) -> dict[str, Any]:
    return {
        "event": event,
        "event_label": MailEvent(event).label,
        "shop": shop,
        "variant": variant,
        "query": _query(shop, variant),
        "form": form,
        "template": MailTemplate.objects.filter(event=event, shop=shop, variant=variant).first(),
        "key": uuid4().hex,
        **mails.tried_on(form, event, shop),
    }


def _initial(event: str, shop: Shop | None, variant: str) -> dict[str, object]:
    """The place's own template, else the company's to start from; another text starts from the usual one."""
    rows = MailTemplate.objects.filter(event=event)
    usual = rows.filter(variant="")
    own = rows.filter(shop=shop, variant=variant).first()
    found = own or usual.filter(shop=shop).first() or usual.filter(shop=None).first()
    return {name: getattr(found, name) for name in FIELDS} if found else {"active": True, "look": "both"}


@require_GET
@permission_required("orders.change_mailtemplate", raise_exception=True)
def template_versions(request: HttpRequest, event: str) -> HttpResponse:
    shop = _place(request, event)
    variant = _variant(request)
    template = get_object_or_404(MailTemplate, event=event, shop=shop, variant=variant)
    context = {
        "event": event,
        "event_label": MailEvent(event).label,
        "shop": shop,
        "variant": variant,
        "query": _query(shop, variant),
        "rows": versions_of(template),
    }
    return render_page(request, "orders/mail_template_versions.html", context)


@require_POST
@permission_required("orders.change_mailtemplate", raise_exception=True)
def template_back(request: HttpRequest, event: str) -> HttpResponse:
    """Make an earlier version the present one."""
    shop = _place(request, event)
    variant = _variant(request)
    template = get_object_or_404(MailTemplate, event=event, shop=shop, variant=variant)
    number = request.POST.get("number", "")
    try:
        note = _("版 %(n)s に戻しました") % {"n": number}
        go_back(template, int(number), by=user_of(request), note=note)
    except (ValueError, MailTemplateVersion.DoesNotExist):
        messages.error(request, _("その版には戻せません。一覧から選び直してください。"))
    else:
        messages.success(request, _("版 %(n)s の内容に戻しました。") % {"n": number})
    here = reverse("orders:mail-template-versions", args=[event])
    return redirect(here + _query(shop, variant))


@require_POST
@permission_required(EDIT, raise_exception=True)
def template_test(request: HttpRequest, event: str) -> HttpResponse:
    """The saved text of a real order, to oneself."""
    shop = _place(request, event)
    person = user_of(request)
    order = mails.sample_order(event, shop, request.POST.get("number", ""))
    variant = _variant(request)
    here = reverse("orders:mail-template", args=[event]) + _query(shop, variant)
    if not MailTemplate.objects.filter(event=event, shop=shop, variant=variant).exists():
        messages.error(request, _("まだ保存していないテンプレートです。保存してからお試しください。"))
    elif not person.email:
        messages.error(request, _("あなたのメールアドレスが登録されていません。利用者の画面で登録してください。"))
    elif order is None:
        messages.error(request, _("試し表示に使える受注がありません。受注番号を確かめてください。"))
    else:
        key = request.POST.get("key", "")[:64] or uuid4().hex
        mail_send.ask_test(event, shop, order, by=person, key=key, variant=variant)
        messages.success(request, _("%(to)s へテストメールを送ります。") % {"to": person.email})
    return redirect(here)
