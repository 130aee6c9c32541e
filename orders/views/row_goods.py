"""The goods of one row of 受注一覧, fetched when somebody points at them."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from oms.kernel.web import render_page
from orders.models import Order
from orders.queries.row_goods import goods_of


@require_GET
@permission_required("orders.view_order", raise_exception=True)
def row_goods(request: HttpRequest, pk: int) -> HttpResponse:
    order = get_object_or_404(Order.objects.defer("search"), pk=pk)
    context = {"order": order, "goods": goods_of(order)}
    return render_page(request, "orders/row_goods.html", context, fragment="orders/_row_goods.html")
