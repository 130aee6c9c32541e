"""Routes of orders taken by hand."""

from django.urls import URLPattern, path

from orders.views import manual

manual_routes: list[URLPattern] = [
    path("new/", manual.manual_new, name="manual-new"),
    path("new/skus/", manual.manual_skus, name="manual-skus"),
    path("new/shop/", manual.manual_shop, name="manual-shop"),
    path("<int:pk>/copy/", manual.manual_copy, name="copy"),
]
