"""通信の記録: every call to the malls."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from channels.models import ApiCall
from channels.queries import calls as queries
from channels.services.calls import KEEP_DAYS
from oms.kernel.keyset import keyset_page
from oms.kernel.web import render_page
from orders.models import Shop


@require_GET
@permission_required("channels.view_connection", raise_exception=True)
def call_list(request: HttpRequest) -> HttpResponse:
    query = request.GET
    shop = query.get("shop", "")
    shop_id = int(shop) if shop.isdecimal() and len(shop) < 10 else None
    typed = query.get("q", "").strip()[:100].replace("\x00", "")
    rows = queries.calls(
        shop_id=shop_id, purpose=query.get("purpose", ""), result=query.get("result", ""), span=query.get("span", ""),
        text=typed,
    )  # fmt: skip
    context = {
        "page": keyset_page(request, rows, order=("-at", "-id")),
        "shops": Shop.objects.order_by("code"),
        "shop_id": shop_id,
        "typed": typed,
        "purposes": ApiCall.Purpose.choices,
        "purpose": query.get("purpose", ""),
        "results": [(code, label) for code, (label, _condition) in queries.RESULTS.items()],
        "result": query.get("result", ""),
        "spans": [(code, label) for code, (label, _span) in queries.SPANS.items()],
        "span": query.get("span", ""),
        "keep_days": KEEP_DAYS,
    }
    return render_page(request, "channels/calls.html", context, fragment="channels/_calls.html")
