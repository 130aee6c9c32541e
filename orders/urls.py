"""One list per screen; the page of one order and the inbox add theirs."""

from django.urls import URLPattern, URLResolver, path

from orders.urls_attachments import attachment_routes
from orders.urls_billing import billing_routes
from orders.urls_exports import export_routes
from orders.urls_manual import manual_routes
from orders.urls_moving_in import move_in_routes
from orders.urls_order import order_routes
from orders.urls_papers import paper_routes
from orders.urls_payments import payment_routes
from orders.urls_privacy import privacy_routes
from orders.urls_reasons import reason_routes
from orders.urls_releases import release_routes
from orders.urls_returns import return_routes
from orders.urls_rules import rule_routes
from orders.views import bulk, desk, desk_filter, desk_views, line_link, presence, row_goods

app_name = "orders"

desk_urls = [
    path("", desk.order_list, name="list"),
    path("live/", desk.order_list_live, name="live"),
    path("filter/", desk_filter.order_filter, name="filter"),
    path("views/", desk_views.views, name="views"),
    path("views/tiles/", desk_views.tiles, name="view-tiles"),
    path("views/columns/", desk_views.columns, name="columns"),
    path("views/save/", desk_views.save, name="view-save"),
    path("views/<int:pk>/", desk_views.change, name="view-change"),
    path("<int:pk>/goods/", row_goods.row_goods, name="row-goods"),
    path("<int:pk>/presence/", presence.beat, name="presence"),
    path("home-panel/", desk.home_panel, name="home-panel"),
    path("lines/<int:pk>/", line_link.order_of_line, name="line"),
]
bulk_urls = [
    path("bulk/", bulk.bulk_choose, name="bulk-choose"),
    path("bulk/log/", bulk.bulk_log, name="bulk-log"),
    path("bulk/last/", bulk.bulk_last, name="bulk-last"),
    path("bulk/<uuid:key>/", bulk.bulk_show, name="bulk"),
    path("bulk/<uuid:key>/undo/", bulk.bulk_undo, name="bulk-undo"),
    path("bulk/<uuid:key>/list.csv", bulk.bulk_csv, name="bulk-csv"),
    path("bulk/<uuid:key>/run/", bulk.bulk_run, name="bulk-run"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    *desk_urls,
    *bulk_urls,
    *export_routes,
    *move_in_routes,
    *order_routes,
    *manual_routes,
    *attachment_routes,
    *reason_routes,
    *privacy_routes,
    *rule_routes,
    *payment_routes,
    *paper_routes,
    *billing_routes,
    *release_routes,
    *return_routes,
]
