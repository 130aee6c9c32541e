"""Who answers for a rule: chosen among those who may manage rules."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from oms.kernel.web import person_of, render_page
from orders.models import Rule
from orders.rule_form import OwnerForm
from orders.services.rules import publish


@require_http_methods(["GET", "POST"])
@permission_required("orders.manage_rules", raise_exception=True)
def rule_owner(request: HttpRequest, pk: int) -> HttpResponse:
    rule = get_object_or_404(Rule.objects.select_related("owner"), pk=pk)
    form = OwnerForm(request.POST or None, owner=rule.owner)
    if form.is_valid():
        if publish.set_owner(pk, form.cleaned_data["owner"], by=person_of(request)):
            messages.success(request, _("責任者を変えました。"))
        return redirect("orders:rule", pk)
    return render_page(request, "orders/rules/owner.html", {"rule": rule, "form": form})
