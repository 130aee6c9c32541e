"""会員: one field finds the person; the page shows who it is and what was bought anywhere."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from customers.models import Member
from customers.queries import members
from customers.signals import member_shown
from oms.kernel.keyset import keyset_page
from oms.kernel.links import url_if_served
from oms.kernel.models import User
from oms.kernel.web import person_of, render_page

# Fragments that floors above may serve for a member, with the right each asks for.
PANELS = (("orders:member-panel", "orders.view_order"),)


@require_GET
@permission_required("customers.view_member", raise_exception=True)
def member_list(request: HttpRequest) -> HttpResponse:
    typed = request.GET.get("q", "")[:200]
    page = keyset_page(request, members.listed_members(typed), order=("-id",))
    rows = members.member_rows(page.rows, personal=_sees_personal_data(request))
    context = {"page": page, "rows": rows, "q": typed}
    return render_page(request, "customers/list.html", context, fragment="customers/_table.html")


@require_GET
@permission_required("customers.view_member", raise_exception=True)
def member_detail(request: HttpRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(Member.objects.defer("search"), pk=pk)
    panels = [
        url for name, right in PANELS if request.user.has_perm(right) and (url := url_if_served(name, pk))
    ]  # fmt: skip
    personal = _sees_personal_data(request)
    if personal:
        member_shown.send(sender=Member, member_id=pk, by=person_of(request))
    context = {**members.member_page(member, personal=personal), "panels": panels}
    return render_page(request, "customers/detail.html", context)


def _sees_personal_data(request: HttpRequest) -> bool:
    assert isinstance(request.user, User)
    return request.user.has_perm(members.PERSONAL)
