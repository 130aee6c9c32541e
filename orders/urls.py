"""One list per screen; the page of one order and the inbox add theirs."""

from django.urls import URLPattern, URLResolver, path

from orders.urls_order import order_routes
from orders.urls_payments import payment_routes
from orders.urls_returns import return_routes
from orders.urls_rules import rule_routes
from orders.views import bulk, desk

app_name = "orders"

desk_urls = [
    path("", desk.order_list, name="list"),
    path("live/", desk.order_list_live, name="live"),
    path("filter/", desk.order_filter, name="filter"),
    path("home-panel/", desk.home_panel, name="home-panel"),
]
bulk_urls = [
    path("bulk/", bulk.bulk_choose, name="bulk-choose"),
    path("bulk/<uuid:key>/", bulk.bulk_show, name="bulk"),
    path("bulk/<uuid:key>/run/", bulk.bulk_run, name="bulk-run"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    *desk_urls,
    *bulk_urls,
    *order_routes,
    *rule_routes,
    *payment_routes,
    *return_routes,
]
