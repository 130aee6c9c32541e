"""A fee or a discount put onto one order by hand."""

from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from orders.models import OrderAdjustment
from orders.services import adjust
from orders.services.adjustments import New
from orders.services.edit import TooLate
from orders.views.order import action_dialog, actor_of

MOST = 9_999_999


class AdjustForm(forms.Form):
    """`key` makes a form that is sent twice count once."""

    kind = forms.ChoiceField(
        label=lazy("種類"), choices=OrderAdjustment.Kind, widget=forms.RadioSelect, initial="discount"
    )
    amount = forms.IntegerField(label=lazy("金額（円・税込）"), min_value=1, max_value=MOST)
    label = forms.CharField(label=lazy("名目"), max_length=40, help_text=lazy("例: お詫びの値引、追加の送料"))
    key = forms.CharField(widget=forms.HiddenInput, max_length=40, initial=lambda: uuid4().hex)


@require_http_methods(["GET", "POST"])
@permission_required("orders.change_order", raise_exception=True)
def order_adjust(request: HttpRequest, pk: int) -> HttpResponse:
    def write(form: AdjustForm) -> None:
        told = form.cleaned_data
        new = New(pk, told["kind"], told["label"], told["amount"], f"hand:{told['key']}")
        try:
            adjust.adjust(pk, new, actor=actor_of(request))
        except TooLate as late:
            messages.warning(request, late.cause)
        else:
            messages.success(request, _("金額を変えました。"))

    return action_dialog(request, pk, AdjustForm, write, title=_("手数料・値引を足す"), action=_("金額を変える"))
