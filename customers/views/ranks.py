"""会員ランク: the company's steps."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.forms import RankForm, old_form
from customers.models import Rank
from customers.services import ranks
from oms.kernel.models import User
from oms.kernel.web import answer, person_of, render_page

MANAGE = "customers.change_rank"


@require_http_methods(["GET", "POST"])
@permission_required(MANAGE, raise_exception=True)
def rank_list(request: HttpRequest) -> HttpResponse:
    """All ranks, the highest first; a POST makes a new one."""
    form = RankForm(request.POST) if request.method == "POST" else RankForm()
    if form.is_bound and form.is_valid() and _save(form, None, person_of(request)):
        messages.success(request, _("会員ランクを保存しました。"))
        return answer(request, to=reverse("customers:ranks"))
    rows = Rank.objects.annotate(borne=Count("members")).order_by("-level")
    return render_page(request, "customers/ranks.html", {"rows": rows, "form": form})


@require_http_methods(["GET", "POST"])
@permission_required(MANAGE, raise_exception=True)
def rank_edit(request: HttpRequest, pk: int) -> HttpResponse:
    rank = get_object_or_404(Rank, pk=pk)
    form = old_form(rank, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and _save(form, rank, person_of(request)):
        messages.success(request, _("会員ランクを保存しました。"))
        return answer(request, to=reverse("customers:ranks"))
    return render_page(request, "customers/rank.html", {"rank": rank, "form": form})


@require_POST
@permission_required(MANAGE, raise_exception=True)
def rank_delete(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        ranks.remove(pk, by=person_of(request))
    except ranks.Refused as refused:
        messages.error(request, refused.cause)
    else:
        messages.success(request, _("会員ランクを消しました。"))
    return answer(request, to=reverse("customers:ranks"))


def _save(form: RankForm, rank: Rank | None, by: User) -> bool:
    asked = form.cleaned_data
    code = rank.code if rank else asked["code"]
    wanted = ranks.Wanted(code, asked["name"], asked["level"], asked["is_vip"])
    try:
        ranks.save(rank.pk if rank else None, wanted, by=by)
    except ranks.Refused as refused:
        form.add_error(None, refused.cause)
        return False
    return True
