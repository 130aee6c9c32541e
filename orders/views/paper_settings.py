"""帳票設定: per shop, who issues and what the papers look like."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from oms.kernel.web import person_of, render_page
from orders.models import PaperSettings, Shop
from orders.models.order import PaymentMethod
from orders.models.papers import Issuer
from orders.paper_forms import PaperSettingsForm
from orders.queries.papers import issuer_for, papers_of
from orders.services import paper_settings

CHANGE = ["orders.view_issueddocument", "orders.change_papersettings"]


@require_GET
@permission_required(CHANGE, raise_exception=True)
def shop_list(request: HttpRequest) -> HttpResponse:
    """Each shop, its registration number, and who issues for each way of paying."""
    shops = list(Shop.objects.filter(active=True))
    papers = papers_of(shop.pk for shop in shops)
    rows = [(shop, papers[shop.pk], _issuers(shop, papers[shop.pk])) for shop in shops]
    return render_page(request, "orders/paper_shops.html", {"rows": rows})


def _issuers(shop: Shop, papers: PaperSettings) -> list[tuple[str, str]]:
    """(who issues, for which ways of paying)."""
    methods: dict[str, list[str]] = {}
    for method, label in PaymentMethod.choices:
        methods.setdefault(issuer_for(shop, papers, method), []).append(str(label))
    return [(str(Issuer(issuer).label), _("、").join(labels)) for issuer, labels in methods.items()]


@require_http_methods(["GET", "POST"])
@permission_required(CHANGE, raise_exception=True)
def shop_papers(request: HttpRequest, pk: int) -> HttpResponse:
    shop = get_object_or_404(Shop, pk=pk)
    papers = papers_of([pk])[pk]
    form = PaperSettingsForm(request.POST or None, request.FILES or None, instance=papers)
    if form.is_valid():
        paper_settings.save(form.save(), logo=form.new_logo, by=person_of(request))
        messages.success(request, _("帳票設定を保存しました。すでに発行した帳票は変わりません。"))
        return redirect("orders:paper-shops")
    context = {"shop": shop, "form": form, "issuers": _issuers(shop, papers)}
    return render_page(request, "orders/paper_settings.html", context)
