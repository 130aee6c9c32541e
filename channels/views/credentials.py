"""認証情報の期限: the calendar of all shops' credentials, and what an administrator knows better about one."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from channels.connectors.registry import connector_class
from channels.forms import CredentialDatesForm
from channels.models import Credential
from channels.queries import credentials as queries
from channels.services import credentials, terms
from channels.views.shops import connection_of
from oms.kernel.web import person_of, render_page


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def calendar(request: HttpRequest) -> HttpResponse:
    return render_page(request, "channels/credentials.html", {"entries": queries.calendar()})


@require_http_methods(["GET", "POST"])
@permission_required("channels.change_credential", raise_exception=True)
def edit(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    connection = connection_of(pk)
    kind = connector_class(connection.shop.channel)
    if key not in {name for name, _label, _secret in kind.credential_fields}:
        raise Http404
    if key not in credentials.read(connection):
        raise Http404
    if request.method == "POST":
        terms.ensure(connection, [key])
    row = Credential.objects.filter(connection=connection, key=key).first() or Credential(
        connection=connection, key=key
    )
    form = CredentialDatesForm(request.POST or None, credential=row)
    if not form.is_valid():
        entry = next((one for one in queries.calendar(pk) if one.credential.key == key), None)
        context = {"form": form, "connection": connection, "entry": entry, "term": kind.credential_terms.get(key)}
        return render_page(request, "channels/credential.html", context)
    if terms.set_dates(row.pk, **form.dates(), owners=form.cleaned_data["owners"], by=person_of(request)):
        messages.success(request, _("保存しました。"))
    else:
        messages.info(request, _("変わったところはありません。"))
    return redirect("channels:credentials")


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def panel(request: HttpRequest) -> HttpResponse:
    """What ends soon, for the home page."""
    return render_page(request, "channels/_expiry_panel.html", {"ending": queries.ending_soon()})
