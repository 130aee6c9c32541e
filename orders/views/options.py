"""SKU を選ぶ: what a buyer's option text stands for, for this order and for all that come with the same text."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from oms.kernel.web import render_page
from orders.models import Order, OrderLine
from orders.models.order import FulfillmentState
from orders.services import options
from orders.views.order import actor_of, changed

KEEP = "keep"


class OptionsForm(forms.Form):
    """One field for each line with an option text; an empty one decides nothing."""

    def __init__(self, order: Order, data: Any = None) -> None:
        super().__init__(data)
        self.lines: dict[str, OrderLine] = {}
        for line, skus in options.choices_of(order).items():
            name = f"line_{line.pk}"
            self.lines[name] = line
            offered = [(str(sku.pk), f"{sku.code} {sku.variant or sku.name}") for sku in skus]
            self.fields[name] = forms.ChoiceField(
                label=f"{line.name}: {' '.join(line.options.split())}",
                choices=[("", _("決めない")), *offered, (KEEP, _("SKU は変えない（選択肢は商品に関わらない）"))],
                required=False,
                help_text=_("同じ商品コードと選択肢の受注 %(n)s 件と、これから入る受注にも使います。")
                % {"n": len({one.order_id for one in options.same_text(line)})},
            )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not any(values.values()):
            raise forms.ValidationError(_("SKU を一つ以上選んでください。"))
        return values


@require_http_methods(["GET", "POST"])
@permission_required("orders.change_order", raise_exception=True)
def order_options(request: HttpRequest, pk: int) -> HttpResponse:
    order = get_object_or_404(Order.objects.select_related("shop").defer("search"), pk=pk)
    form = OptionsForm(order, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if order.fulfillment_state != FulfillmentState.NONE or order.cancelled_at:
            messages.error(request, _("出荷指示を出したあと、またはキャンセル済みのため変えられません。"))
            return changed(request, pk)
        moved: set[int] = set()
        for name, chosen in form.cleaned_data.items():
            if chosen:
                sku = None if chosen == KEEP else int(chosen)
                moved |= set(options.choose(form.lines[name].pk, sku, actor=actor_of(request)))
        messages.success(request, _("選択肢の SKU を決めました（受注 %(n)s 件）。") % {"n": len(moved)})
        return changed(request, pk)
    context = {"order": order, "form": form, "title": _("SKU を選ぶ"), "action": _("決める")}
    return render_page(request, "orders/action.html", context, fragment="orders/_action.html")
