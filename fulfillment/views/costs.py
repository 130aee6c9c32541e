"""出荷コスト: freight, material and work, as settings for 粗利 and the numbers."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from fulfillment.models import CostChange
from fulfillment.services import costs
from oms.kernel.web import render_page

SHOWN = 20
EXAMPLE = "ヤマト運輸 2 300\nヤマト運輸 10 680\nヤマト運輸 1200"


class CostForm(forms.Form):
    material = forms.IntegerField(
        label=lazy("1個口の資材費（税抜・円）"), min_value=0, max_value=costs.MOST_YEN, required=False
    )
    wage = forms.IntegerField(label=lazy("1時間の人件費（円）"), min_value=0, max_value=costs.MOST_YEN, required=False)
    action_s = forms.IntegerField(
        label=lazy("1操作の時間（秒）"),
        min_value=0,
        max_value=3600,
        required=False,
        help_text=lazy("確認カードの判断は実際の時間で数えます。それ以外の操作1回をこの秒数として数えます。"),
    )
    rates = forms.CharField(
        label=lazy("1個口の送料（税抜・円）"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 8, "placeholder": EXAMPLE, "lang": "ja"}),
        help_text=lazy(
            "1行に「配送会社 サイズ係数 金額」と書くと、そのサイズ係数までの箱の金額になります。"
            "サイズ係数を省いた行は、それより大きい箱すべての金額です。"
        ),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def clean_rates(self) -> dict[tuple[str, int | None], int]:
        try:
            return costs.read_rates(self.cleaned_data["rates"])
        except costs.Unreadable as wrong:
            raise forms.ValidationError(str(wrong)) from wrong

    @property
    def wanted(self) -> costs.Costs:
        said = self.cleaned_data
        return costs.Costs(said["material"], said["wage"], said["rates"], said["version"], said["action_s"])


@require_http_methods(["GET", "POST"])
@permission_required("fulfillment.change_costsetting", raise_exception=True)
def settings(request: HttpRequest) -> HttpResponse:
    status, now = 200, costs.costs()
    if request.method == "POST":
        form = CostForm(request.POST)
        if form.is_valid():
            try:
                changed = costs.save(form.wanted, by_id=request.user.pk)
            except costs.Moved:
                form, status = _again(request, now), 409
            else:
                messages.success(request, _("保存しました。") if changed else _("変わったところはありません。"))
                return HttpResponseRedirect(reverse("fulfillment:costs"))
    else:
        form = CostForm(initial={**now.said(), "version": now.version})
    changes = CostChange.objects.select_related("by").order_by("-pk")[:SHOWN]
    return render_page(request, "fulfillment/costs.html", {"form": form, "changes": changes}, status=status)


def _again(request: HttpRequest, now: costs.Costs) -> CostForm:
    """What was typed stays, with what is saved beside it; saving again overwrites knowingly."""
    data = request.POST.copy()
    data["version"] = str(now.version)
    form = CostForm(data)
    form.is_valid()
    form.add_error(None, _("ほかの人が先に変更しました。今の値を確かめて、もう一度保存してください。"))
    for name, value in now.said().items():
        if str(value or "") != request.POST.get(name, "").strip().replace("\r\n", "\n"):
            shown = _("未登録") if value in {None, ""} else value
            form.add_error(name, _("今の値は「%(value)s」です。") % {"value": shown})
    return form
