from django.urls import URLPattern, URLResolver, path

from fulfillment.views import printing, ship, shipments, stops

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
    path("stops/", stops.stop_list, name="stops"),
    path("stops/policy/", stops.stop_policy, name="stop-policy"),
    path("stops/<int:pk>/stopped/", stops.stop_done, name="stop-done"),
    path("stops/<int:pk>/too-late/", stops.stop_too_late, name="stop-too-late"),
    path("orders/<int:pk>/race/", stops.race, name="race"),
    path("orders/<int:pk>/stop/", stops.ask_change, name="ask-change"),
    path("orders/<int:pk>/stop/withdraw/", stops.withdraw, name="stop-withdraw"),
    path("shipments/<int:pk>/reopen/", stops.reopen, name="reopen"),
    path("shipments/<int:pk>/returned/", stops.parcel_returned, name="parcel-returned"),
    path("ship/", ship.ship_form, name="ship"),
    path("ship/paste/", ship.ship_paste, name="ship-paste"),
    path("ship/confirm/", ship.ship_confirm, name="ship-confirm"),
]
