"""From an order line's number, which is all that a lower room knows, to its order."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET

from orders.models import OrderLine


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def order_of_line(request: HttpRequest, pk: int) -> HttpResponse:
    return redirect("orders:detail", get_object_or_404(OrderLine.objects.only("order_id"), pk=pk).order_id)
