"""利用者: who may log in, and what they may do."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from inventory.models import Location
from oms.kernel.models import Device, Pin, User
from oms.kernel.roles import ROLES
from oms.kernel.services import devices, pins, second_step
from oms.kernel.services.people import save_person
from oms.kernel.sign_in import fresh, with_sign_in
from oms.kernel.web import person_of, render_page
from oms.kernel.whence import address_of
from oms.pages.forms import PersonForm
from oms.pages.queries import rights
from oms.pages.queries import sign_in as queries
from oms.pages.views.own_account import say_how_many
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
        for person in with_sign_in(User.objects.prefetch_related("groups")).order_by("-is_active", "username")
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
    by, address, known = person_of(request), address_of(request), person.pk is not None
    form = PersonForm(request.POST or None, instance=person, by=by, address=address)
    if not form.is_valid():
        context: dict[str, Any] = {"form": form, "person": person if known else None}
        if known:
            context |= {
                "state": fresh(person),
                "browsers": queries.browsers(person, request),
                "own": person.pk == by.pk,
                "may": rights.of_person(person),
                "pin": (pin := Pin.objects.filter(user=person).first()),
                "pin_locked": pins.is_locked(pin),
            }
        return render_page(request, "pages/person.html", context)
    own, password = person.pk == by.pk, form.cleaned_data["password"]
    save_person(
        form.instance,
        groups=form.groups(),
        password=password,
        by=by,
        scope=form.scope(),
        session=request.session.session_key if own else None,
        address=address,
    )
    if own and password:
        devices.keep_session(request, form.instance)  # the person stays logged in here, and nowhere else
    messages.success(request, _("%(person)sを保存しました。") % {"person": form.instance})
    return redirect("pages:people")


@require_http_methods(["GET", "POST"])
@permission_required("kernel.reset_second_step", raise_exception=True)
def second_step_reset(request: HttpRequest, pk: int) -> HttpResponse:
    """For somebody who has lost their phone: they sign in with the password and must set up anew. Asks first."""
    person = get_object_or_404(User, pk=pk)
    if request.method != "POST":
        return render_page(request, "pages/second_step_reset.html", {"person": person})
    reason = request.POST.get("why", "").strip()[:200]
    if second_step.reset([person.pk], by=person_of(request), address=address_of(request), why=reason):
        messages.success(
            request, _("%(person)sの二段階認証をリセットしました。次のログインで設定し直します。") % {"person": person}
        )
    else:
        messages.info(request, _("%(person)sは二段階認証を設定していません。") % {"person": person})
    return back_to(request, person)


@require_POST
@permission_required("kernel.end_devices", raise_exception=True)
def device_end(request: HttpRequest, pk: int, device_pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    wanted = Device.objects.filter(pk=device_pk, user=person).exclude(session_key=request.session.session_key)
    say_how_many(request, devices.end(wanted, by=person_of(request), address=address_of(request)))
    return back_to(request, person)


@require_POST
@permission_required("kernel.end_devices", raise_exception=True)
def devices_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Every browser of a person; of one's own all but this one."""
    person = get_object_or_404(User, pk=pk)
    keep = request.session.session_key
    say_how_many(request, devices.end_all([person.pk], by=person_of(request), keep=keep, address=address_of(request)))
    return back_to(request, person)


def back_to(request: HttpRequest, person: User) -> HttpResponse:
    """To the person's page; who may not see it, to where everybody may be."""
    if person_of(request).has_perm("kernel.manage_users"):
        return redirect("pages:person", person.pk)
    return redirect("pages:home")
