"""Every URL, by app."""

from django.urls import include, path

from oms.kernel.observability import views as observability

urlpatterns = [
    path("healthz", observability.healthz, name="healthz"),
    path("metrics", observability.prometheus, name="metrics"),
    path("", include("oms.pages.urls")),
    path("inventory/", include("inventory.urls")),
    path("customers/", include("customers.urls")),
    path("orders/", include("orders.urls")),
    path("fulfillment/", include("fulfillment.urls")),
    path("channels/", include("channels.urls")),
]

handler400 = "oms.pages.views.errors.bad_request"
handler403 = "oms.pages.views.errors.forbidden"
handler404 = "oms.pages.views.errors.not_found"
handler500 = "oms.pages.views.errors.server_error"
