from django.urls import URLPattern, URLResolver, path

from fulfillment.views import printing, ship, shipments

app_name = "fulfillment"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", shipments.shipment_list, name="list"),
    path("home-panel/", shipments.home_panel, name="home-panel"),
    path("shipments/<int:pk>/", shipments.shipment_detail, name="shipment"),
    path("shipments/<int:pk>/ship/", ship.ship_one, name="ship-one"),
    path("orders/<int:pk>/", shipments.order_panel, name="order-panel"),
    path("orders/<int:pk>/instruct/", shipments.order_instruct, name="instruct"),
    path("print/delivery-notes/", printing.print_delivery_notes, name="delivery-notes"),
    path("print/pick-list/", printing.print_pick_list, name="pick-list"),
    path("print/handover/", printing.print_handover, name="handover"),
    path("print/return-slips/", printing.print_return_slips, name="return-slips"),
    path("ship/", ship.ship_form, name="ship"),
    path("ship/paste/", ship.ship_paste, name="ship-paste"),
    path("ship/confirm/", ship.ship_confirm, name="ship-confirm"),
]
