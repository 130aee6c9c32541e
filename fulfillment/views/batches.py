"""出荷バッチ: the releases to the warehouse, each with its parcels, papers and progress."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from fulfillment.forms import LIMIT
from fulfillment.models import Shipment
from fulfillment.models.shipment import ENDED
from fulfillment.queries import batches, shipments
from fulfillment.queries.visible import parcels
from fulfillment.views.shipments import PRINTING
from oms.kernel.keyset import keyset_page
from oms.kernel.web import render_page
from orders.views.order import user_of


@require_GET
@permission_required("fulfillment.view_shipment", raise_exception=True)
def batch_list(request: HttpRequest) -> HttpResponse:
    page = keyset_page(request, batches.listed(), order=("-id",))
    return render_page(
        request, "fulfillment/batches.html", {"page": page}, fragment="fulfillment/_batches.html"
    )  # fmt: skip


@require_GET
@permission_required("fulfillment.view_shipment", raise_exception=True)
def batch_detail(request: HttpRequest, pk: int) -> HttpResponse:
    batch = get_object_or_404(batches.listed(), pk=pk)
    own = parcels(whole_stock=True).filter(batch=batch)
    rows = list(shipments.with_contents(own).order_by("location__priority", "pk")[:LIMIT])
    personal = shipments.sees_recipient(user_of(request))
    context = {
        "batch": batch,
        "loads": batches.loads(own),
        "rows": shipments.shipment_rows(rows, personal=personal),
        "printed": batches.printed(row.pk for row in rows),
        "printable": [row.pk for row in rows if row.state not in (*ENDED, Shipment.State.STOP_REQUESTED)],
        "sees_orders": user_of(request).has_perm("orders.view_order"),
        "printing": PRINTING,
        "tab": "instructed",
    }
    return render_page(request, "fulfillment/batch.html", context)
