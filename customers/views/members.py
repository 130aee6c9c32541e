"""会員: one field finds the person; the page shows who it is and what was bought anywhere."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from customers.forms import NoteForm
from customers.models import Member, MemberPair
from customers.queries import members
from customers.services import pairs
from customers.signals import member_shown
from oms.kernel.keyset import keyset_page
from oms.kernel.links import url_if_served
from oms.kernel.models import User
from oms.kernel.typed import row_id
from oms.kernel.web import person_of, render_page

# Fragments that floors above may serve for a member, with the right each asks for.
PANELS = (("orders:member-panel", "orders.view_order"),)


@require_GET
@permission_required("customers.view_member", raise_exception=True)
def member_list(request: HttpRequest) -> HttpResponse:
    typed = request.GET.get("q", "")[:200]
    page = keyset_page(request, members.listed_members(typed), order=("-id",))
    rows = members.member_rows(page.rows, personal=sees_personal_data(request))
    context = {"page": page, "rows": rows, "q": typed}
    return render_page(request, "customers/list.html", context, fragment="customers/_table.html")


@require_GET
@permission_required("customers.view_member", raise_exception=True)
def member_detail(request: HttpRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(Member.objects.select_related("rank").defer("search"), pk=pk)
    panels = [
        url for name, right in PANELS if request.user.has_perm(right) and (url := url_if_served(name, pk))
    ]  # fmt: skip
    personal = sees_personal_data(request)
    if personal:
        member_shown.send(sender=Member, member_id=pk, by=person_of(request))
    context = {**members.member_page(member, personal=personal), "panels": panels, "note_form": NoteForm()}
    return render_page(request, "customers/detail.html", context)


@require_POST
@permission_required("customers.change_member", raise_exception=True)
def pair_different(request: HttpRequest, pk: int) -> HttpResponse:
    """別人: these two are not the same person. Remembered; the page of the member one came from is shown again."""
    pair = get_object_or_404(MemberPair, pk=pk)
    if pairs.are_different(pk, by=person_of(request)):
        messages.success(request, _("別人として記録しました。この二人についてはもう尋ねません。"))
    else:
        messages.info(request, _("すでに別人として記録されています。"))
    here = row_id(request.POST.get("member", ""))
    return redirect("customers:detail", here if here in {pair.first_id, pair.second_id} else pair.first_id)


def sees_personal_data(request: HttpRequest) -> bool:
    assert isinstance(request.user, User)
    return request.user.has_perm(members.PERSONAL)
