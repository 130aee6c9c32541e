"""Every URL, by app."""

from django.urls import include, path

urlpatterns = [
    path("", include("oms.pages.urls")),
    path("inventory/", include("inventory.urls")),
    path("customers/", include("customers.urls")),
    path("orders/", include("orders.urls")),
    path("fulfillment/", include("fulfillment.urls")),
    path("channels/", include("channels.urls")),
]
