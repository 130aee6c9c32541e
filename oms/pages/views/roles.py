"""役割と権限: what each role allows, and roles of the company's own making."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel.roles import ROLES
from oms.kernel.services import roles as services
from oms.kernel.services.roles import PRESETS
from oms.kernel.web import person_of, render_page
from oms.pages.queries import rights as queries
from oms.pages.role_forms import RoleForm

RIGHT = "kernel.manage_users"


@require_GET
@permission_required(RIGHT, raise_exception=True)
def matrix(request: HttpRequest) -> HttpResponse:
    return render_page(request, "pages/roles.html", queries.matrix())


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def role_add(request: HttpRequest) -> HttpResponse:
    """`?from=` begins with the rights of a preset, or of another own role."""
    model = Group.objects.filter(name=request.GET.get("from", "")).first()
    form = RoleForm(request.POST or None, role=Group(), rights=services.rights_of(model) if model else [])
    return _saved(request, form)


@require_http_methods(["GET", "POST"])
@permission_required(RIGHT, raise_exception=True)
def role_edit(request: HttpRequest, pk: int) -> HttpResponse:
    role = get_object_or_404(Group.objects.exclude(name__in=PRESETS), pk=pk)
    return _saved(request, RoleForm(request.POST or None, role=role))


def _saved(request: HttpRequest, form: RoleForm) -> HttpResponse:
    if not form.is_valid():
        presets = [(role.code, role.label) for role in ROLES]
        return render_page(request, "pages/role.html", {"form": form, "role": form.role, "presets": presets})
    services.save(form.filled, form.rights, by=person_of(request))
    messages.success(request, _("役割「%(name)s」を保存しました。") % {"name": form.role.name})
    return redirect("pages:roles")


@require_POST
@permission_required(RIGHT, raise_exception=True)
def role_delete(request: HttpRequest, pk: int) -> HttpResponse:
    role = get_object_or_404(Group.objects.exclude(name__in=PRESETS), pk=pk)
    try:
        services.delete(pk, by=person_of(request))
    except services.Held as held:
        text = _("この役割を持つ人がいるため、消せません: %(people)s")
        messages.error(request, text % {"people": _("、").join(held.people)})
        return redirect("pages:role", pk)
    messages.success(request, _("役割「%(name)s」を消しました。") % {"name": role.name})
    return redirect("pages:roles")
