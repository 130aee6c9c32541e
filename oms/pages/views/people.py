"""利用者: who may log in, and what they may do."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from inventory.models import Location
from oms.kernel.models import User
from oms.kernel.roles import ROLES
from oms.kernel.services.people import save_person
from oms.kernel.web import person_of, render_page
from oms.pages.forms import PersonForm
from orders.models import Shop

LIMITS = (("shops", Shop), ("places", Location))


@require_GET
@permission_required("kernel.manage_users", raise_exception=True)
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, those who may log in first."""
    labels = {role.code: role.label for role in ROLES}
    names = {kind: dict(model.objects.values_list("pk", "name")) for kind, model in LIMITS}
    rows = [
        {
            "person": person,
            "roles": [labels.get(group.name, group.name) for group in person.groups.all()],
            "limits": [
                *(names["shops"].get(pk, pk) for pk in person.shop_ids),
                *(names["places"].get(pk, pk) for pk in person.place_ids),
            ],
        }
        for person in User.objects.prefetch_related("groups").order_by("-is_active", "username")
    ]
    return render_page(request, "pages/people.html", {"rows": rows})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@permission_required("kernel.manage_users", raise_exception=True)
def person_add(request: HttpRequest) -> HttpResponse:
    return _form(request, User(is_active=True))


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@permission_required("kernel.manage_users", raise_exception=True)
def person_edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _form(request, get_object_or_404(User, pk=pk))


def _form(request: HttpRequest, person: User) -> HttpResponse:
    form = PersonForm(request.POST or None, instance=person, by=person_of(request))
    if not form.is_valid():
        return render_page(request, "pages/person.html", {"form": form, "person": person if person.pk else None})
    save_person(
        form.instance,
        groups=form.groups(),
        password=form.cleaned_data["password"],
        by=person_of(request),
        scope=form.scope(),
    )
    if person.pk == request.user.pk and form.cleaned_data["password"]:
        update_session_auth_hash(request, form.instance)  # the person stays logged in here, and nowhere else
    messages.success(request, _("%(person)sを保存しました。") % {"person": form.instance})
    return redirect("pages:people")
