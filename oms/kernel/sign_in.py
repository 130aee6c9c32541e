"""Who is let in, and on: the login backend with what a sign-in depends on, and the middleware that asks for it.

Both cost no query beyond Django's own two of a request (session and person): the person comes with the rules of their
roles, and a browser that was signed out has lost its session.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.views import redirect_to_login
from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from oms.kernel.models import SignInEvent, User
from oms.kernel.roles import BY_PIN
from oms.kernel.services import devices, pin_sessions
from oms.kernel.services import sign_in_journal as journal
from oms.kernel.services.sign_in_rules import ADMINISTRATOR
from oms.kernel.web import wants_fragment
from oms.kernel.whence import address_of, admits

View = TypeVar("View", bound=Callable[..., HttpResponse])


# Written out: every request of a signed-in person asks this, and building it by the ORM costs ten times the query.
STEP = "SELECT FROM kernel_secondstep step WHERE step.user_id = kernel_user.id AND"
RULES = """FROM kernel_signinrule rule JOIN auth_group role ON role.id = rule.group_id
    WHERE (rule.group_id IN (SELECT mine.group_id FROM kernel_user_groups mine WHERE mine.user_id = kernel_user.id)
           OR kernel_user.is_superuser AND role.name = %s)"""
SIGN_IN = {
    "second_step_on": RawSQL(f"EXISTS ({STEP} step.confirmed_at IS NOT NULL)", (), BooleanField()),
    "second_step_due": RawSQL(
        f"""NOT EXISTS ({STEP} step.confirmed_at IS NOT NULL)
        AND (EXISTS ({STEP} step.must_renew) OR EXISTS (SELECT {RULES} AND rule.second_step))""",
        (ADMINISTRATOR,),
        BooleanField(),
    ),
    "address_lists": RawSQL(
        f"ARRAY(SELECT rule.networks {RULES} AND rule.networks <> '')", (ADMINISTRATOR,), ArrayField(TextField())
    ),
}


def with_sign_in(people: QuerySet[User]) -> QuerySet[User]:
    """Adds `second_step_on`, `second_step_due` (must be set up before anything else) and `address_lists`."""
    return people.annotate(**SIGN_IN)


class Backend(ModelBackend):
    """Django's own; the person of a request comes `with_sign_in`, in the same query."""

    def get_user(self, user_id: int) -> User | None:
        user = with_sign_in(User.objects.filter(pk=user_id)).first()
        return user if user is not None and self.user_can_authenticate(user) else None


class PinBackend(BaseBackend):
    """Who came in by PIN on a device of their store: the same person with a store's rights at most."""

    def get_user(self, user_id: int) -> User | None:
        user = Backend().get_user(user_id)
        if user is not None:
            user.rights_within = BY_PIN
        return user


def fresh(user: User) -> User:
    """The same person `with_sign_in`, as the database knows them now."""
    return with_sign_in(User.objects.filter(pk=user.pk)).get()


# ---- marks of views


def before_second_step(view: View) -> View:
    """A view for people who must set up their second step first, and can do nothing else."""
    view.before_second_step = True  # type: ignore[attr-defined]
    return view


def from_anywhere(view: View) -> View:
    """A view for people who are where their roles may not be used: leaving."""
    view.from_anywhere = True  # type: ignore[attr-defined]
    return view


class SignInMiddleware:
    """Lets signed-in people on only with a standing device, from an admitted address, with their second step set up.

    Stands behind `LoginRequiredMiddleware`; views that need no login are nobody's concern here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "shared", False):  # the next person at the device must not find it in the browser
            patch_cache_control(response, no_store=True, private=True)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], _args: Iterable[Any], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        user = request.user
        if not isinstance(user, User) or not getattr(view, "login_required", True):
            return None
        request.shared = user.by_pin or pin_sessions.is_shared(request)  # type: ignore[attr-defined]
        if not devices.seen(request) or not pin_sessions.stands(request, user):
            logout(request)
            return redirect_to_login(request.get_full_path())
        if not getattr(view, "from_anywhere", False) and not admits(user.address_lists, address_of(request)):
            if user.by_pin:
                request.left_because = "許可されていない接続元"  # type: ignore[attr-defined]
                logout(request)
            return refused(request, user)
        if user.by_pin:
            return None  # the device is the second step
        if user.second_step_due and not getattr(view, "before_second_step", False):
            place = resolve_url(settings.SECOND_STEP_URL)
            return HttpResponseClientRedirect(place) if wants_fragment(request) else HttpResponseRedirect(place)
        return None


def refused(request: HttpRequest, user: User) -> HttpResponse:
    """The page for somebody with a role that may not be used from here: which address this is, and whom to ask.

    Journaled once per person and address while the process remembers, since an open page asks every ten seconds.
    """
    address = address_of(request)
    if devices.once(f"{user.pk} refused {address}"):
        text = devices.told(devices.agent_of(request))
        journal.write(SignInEvent.Kind.ADDRESS_REFUSED, person=user, by=None, address=address, text=text)
    if wants_fragment(request):
        return HttpResponseClientRefresh()  # the whole window then shows the page below
    administrators = (
        User.objects.filter(Q(is_superuser=True) | Q(groups__name=ADMINISTRATOR), is_active=True)
        .order_by("username")
        .distinct()
    )
    context = {"address": address, "administrators": administrators[:3], "person": user}
    return HttpResponse(render_to_string("address_refused.html", context, request), status=403)
