"""メール: what was sent to buyers, word by word."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from oms.kernel.keyset import keyset_page
from oms.kernel.web import render_page
from orders.models import Mail
from orders.queries import mails
from orders.queries.detail import PERSONAL
from orders.views.order import user_of


@require_GET
@permission_required("orders.send_mail", raise_exception=True)
def mail_list(request: HttpRequest) -> HttpResponse:
    filters = mails.MailFilter(request.GET, queryset=mails.listed_mails())
    page = keyset_page(request, filters.qs, order=("-id",))
    rows = mails.mail_rows(page.rows, personal=user_of(request).has_perm(PERSONAL))
    context = {"filters": filters, "page": page, "rows": rows}
    return render_page(request, "orders/mails.html", context, fragment="orders/_mails_table.html")


@require_GET
@permission_required(["orders.view_order", PERSONAL], raise_exception=True)
def mail_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The text names the buyer and the address, so it takes the right to see personal data."""
    mail = get_object_or_404(Mail.objects.select_related("order__shop"), pk=pk)
    return render_page(request, "orders/mail.html", mails.mail_page(mail), fragment="orders/_mail_dialog.html")
