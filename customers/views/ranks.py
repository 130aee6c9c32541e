"""会員ランク: the company's steps."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.forms import RankForm
from customers.models import Rank
from customers.services import ranks
from oms.kernel.web import answer, render_page

MANAGE = "customers.change_rank"


@require_http_methods(["GET", "POST"])
@permission_required(MANAGE, raise_exception=True)
def rank_list(request: HttpRequest) -> HttpResponse:
    """All ranks, the highest first; a POST makes a new one."""
    form = RankForm(request.POST) if request.method == "POST" else RankForm()
    if form.is_bound and form.is_valid() and _save(form, None):
        messages.success(request, _("会員ランクを保存しました。"))
        return answer(request, to=reverse("customers:ranks"))
    rows = Rank.objects.annotate(borne=Count("members")).order_by("-level")
    return render_page(request, "customers/ranks.html", {"rows": rows, "form": form})


@require_http_methods(["GET", "POST"])
@permission_required(MANAGE, raise_exception=True)
def rank_edit(request: HttpRequest, pk: int) -> HttpResponse:
    rank = get_object_or_404(Rank, pk=pk)
    now = {"name": rank.name, "level": rank.level, "is_vip": rank.is_vip}
    form = RankForm(request.POST, old=True) if request.method == "POST" else RankForm(initial=now, old=True)
    if form.is_bound and form.is_valid() and _save(form, rank):
        messages.success(request, _("会員ランクを保存しました。"))
        return answer(request, to=reverse("customers:ranks"))
    return render_page(request, "customers/rank.html", {"rank": rank, "form": form})


@require_POST
@permission_required(MANAGE, raise_exception=True)
def rank_delete(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        ranks.remove(pk)
    except ranks.Refused:
        messages.error(request, _("この会員ランクの会員がいます。先にその会員のランクを変えてください。"))
    else:
        messages.success(request, _("会員ランクを消しました。"))
    return answer(request, to=reverse("customers:ranks"))


def _save(form: RankForm, rank: Rank | None) -> bool:
    asked = form.cleaned_data
    code = rank.code if rank else asked["code"]
    wanted = ranks.Wanted(code, asked["name"], asked["level"], asked["is_vip"])
    try:
        ranks.save(rank.pk if rank else None, wanted)
    except ranks.Refused:
        form.add_error(None, _("コード・名前・順位のどれかが、ほかの会員ランクと同じです。"))
        return False
    return True
