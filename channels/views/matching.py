"""対応の候補: proposals to accept, the rules behind them, what is wrong with mappings, and their journal."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels.forms_mapping import RuleForm
from channels.models import Listing, MatchRule, Proposal
from channels.queries import mapping_state as queries
from channels.services import mapping, matching
from channels.views.quarantine import chosen_shop
from oms.kernel.keyset import keyset_page
from oms.kernel.typed import row_ids
from oms.kernel.web import answer, person_of, render_page
from orders.models import Shop
from orders.services.journal import Actor


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def proposal_list(request: HttpRequest) -> HttpResponse:
    shop, reason = chosen_shop(request), request.GET.get("reason", "")
    shop_id = shop.pk if shop else None
    rows = queries.proposals(shop_id=shop_id, reason=reason if reason in Proposal.Reason.values else "")
    context = {
        "page": keyset_page(request, rows, order=("-score", "id")),
        "sure": queries.proposals(shop_id=shop_id, sure=True).count(),
        "shop": shop,
        "reason": reason,
        "reasons": Proposal.Reason.choices,
        "shops": Shop.objects.order_by("code"),
        "counts": queries.counts(),
        "tab": "proposals",
    }
    return render_page(request, "channels/proposals.html", context, fragment="channels/_proposals.html")


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def accept(request: HttpRequest) -> HttpResponse:
    """The chosen ones (`ids`), or with `sure` all sure ones of the shop; `reject` says no to the chosen ones."""
    ids = row_ids(request.POST.getlist("ids"))
    shop = chosen_shop(request)
    to = f"{reverse('channels:proposals')}{f'?shop={shop.pk}' if shop else ''}"
    if "sure" not in request.POST and not ids:
        messages.warning(request, _("候補を選んでください。"))
    elif "reject" in request.POST:
        n = matching.reject(ids)
        messages.success(request, _("%(n)d件の候補を外しました。同じ候補は出なくなります。") % {"n": n})
    else:
        actor = Actor(by=person_of(request), action=uuid4().hex)
        chosen = None if "sure" in request.POST else ids
        n = matching.accept(chosen, shop_id=shop.pk if shop else None, actor=actor)
        messages.success(request, _("%(n)d件を対応付けました。待っていた受注も進みます。") % {"n": n})
    return answer(request, to=to)


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def propose(request: HttpRequest) -> HttpResponse:
    """Work the proposals out anew now, after the rules or the goods changed."""
    n = matching.propose()
    messages.success(request, _("候補を作り直しました（%(n)d件）。") % {"n": n})
    return answer(request, to=reverse("channels:proposals"))


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def rule_list(request: HttpRequest) -> HttpResponse:
    rows = MatchRule.objects.select_related("shop").order_by("shop__code", "position", "pk")
    context = {"rows": rows, "counts": queries.counts(), "tab": "rules"}
    return render_page(request, "channels/match_rules.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("channels.change_listing", raise_exception=True)
def rule_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    rule = get_object_or_404(MatchRule, pk=pk) if pk else None
    form = RuleForm(request.POST or None, instance=rule, initial={"active": True})
    if form.is_valid():
        matching.save_rule(form.save(commit=False), by=person_of(request))
        n = matching.propose()
        messages.success(request, _("ルールを保存し、候補を作り直しました（%(n)d件）。") % {"n": n})
        return answer(request, to=reverse("channels:match-rules"))
    return render_page(request, "channels/match_rule.html", {"form": form, "rule": rule})


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def rule_delete(request: HttpRequest, pk: int) -> HttpResponse:
    matching.delete_rule(get_object_or_404(MatchRule, pk=pk).pk, by=person_of(request))
    matching.propose()
    messages.success(request, _("ルールを削除しました。"))
    return answer(request, to=reverse("channels:match-rules"))


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def warning_list(request: HttpRequest, kind: str = "twins") -> HttpResponse:
    if kind not in queries.WARNINGS:
        raise Http404
    counted = queries.warning_counts()
    context: dict[str, Any] = {
        "kind": kind,
        "kinds": [(key, label, counted[key]) for key, (label, _text) in queries.WARNINGS.items()],
        "text": queries.WARNINGS[kind][1],
        "page": keyset_page(request, queries.warned(kind), order=("shop_id", "code")),
        "counts": queries.counts(),
        "tab": "warnings",
    }
    return render_page(request, "channels/mapping_warnings.html", context, fragment="channels/_mapping_warnings.html")


@require_GET
@permission_required("channels.view_listing", raise_exception=True)
def history(request: HttpRequest) -> HttpResponse:
    shop, typed = chosen_shop(request), request.GET.get("q", "")
    rows = queries.history(shop_id=shop.pk if shop else None, typed=typed)
    context = {
        "page": keyset_page(request, rows, order=("-id",)),
        "shop": shop,
        "q": typed,
        "shops": Shop.objects.order_by("code"),
        "counts": queries.counts(),
        "tab": "history",
    }
    return render_page(request, "channels/mapping_history.html", context, fragment="channels/_mapping_history.html")


@require_POST
@permission_required("channels.change_listing", raise_exception=True)
def take_away(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the SKU away from a listing, or with `delete` forget the listing."""
    listing = get_object_or_404(Listing, pk=pk)
    if "delete" in request.POST:
        mapping.delete([pk], by=person_of(request))
        messages.success(request, _("%(code)s を削除しました。履歴は残ります。") % {"code": listing.code})
    elif mapping.unmap([pk], by=person_of(request)):
        messages.success(request, _("%(code)s の対応を解除しました。") % {"code": listing.code})
    return answer(request, to=reverse("channels:listings"))
