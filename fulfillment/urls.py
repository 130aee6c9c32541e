from django.urls import URLPattern, URLResolver, path

from fulfillment.views import merge, printing, ship, shipments, shortage, split, stops

app_name = "fulfillment"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", shipments.shipment_list, name="list"),
    path("home-panel/", shipments.home_panel, name="home-panel"),
    path("shipments/<int:pk>/", shipments.shipment_detail, name="shipment"),
    path("shipments/<int:pk>/ship/", ship.ship_one, name="ship-one"),
    path("orders/<int:pk>/", shipments.order_panel, name="order-panel"),
    path("orders/<int:pk>/instruct/", shipments.order_instruct, name="instruct"),
    path("merge/", merge.merge_list, name="merge-list"),
    path("orders/<int:pk>/merge/", merge.merge_order, name="merge"),
    path("orders/<int:pk>/merge/<int:other>/apart/", merge.merge_apart, name="merge-apart"),
    path("orders/<int:pk>/merge/<int:other>/ask/", merge.merge_ask, name="merge-ask"),
    path("merges/<int:pk>/undo/", merge.merge_undo, name="merge-undo"),
    path("orders/<int:pk>/split/", split.split_order, name="split"),
    path("orders/<int:pk>/split/<int:shipment>/off/", split.split_off, name="split-off"),
    path("orders/<int:pk>/split/temperature/", split.split_temperature, name="split-temperature"),
    path("orders/<int:pk>/split/later/", split.split_later, name="split-later"),
    path("orders/<int:pk>/split/undo/", split.split_undo, name="split-undo"),
    path("print/delivery-notes/", printing.print_delivery_notes, name="delivery-notes"),
    path("print/pick-list/", printing.print_pick_list, name="pick-list"),
    path("print/handover/", printing.print_handover, name="handover"),
    path("print/return-slips/", printing.print_return_slips, name="return-slips"),
    path("print/work-slips/", printing.print_work_slips, name="work-slips"),
    path("stops/", stops.stop_list, name="stops"),
    path("stops/policy/", stops.stop_policy, name="stop-policy"),
    path("stops/<int:pk>/stopped/", stops.stop_done, name="stop-done"),
    path("stops/<int:pk>/too-late/", stops.stop_too_late, name="stop-too-late"),
    path("orders/<int:pk>/race/", stops.race, name="race"),
    path("orders/<int:pk>/stop/", stops.ask_change, name="ask-change"),
    path("orders/<int:pk>/stop/withdraw/", stops.withdraw, name="stop-withdraw"),
    path("shipments/<int:pk>/reopen/", stops.reopen, name="reopen"),
    path("shipments/<int:pk>/returned/", stops.parcel_returned, name="parcel-returned"),
    path("shortages/", shortage.shortage_list, name="shortages"),
    path("shortages/<int:pk>/", shortage.shortage_queue, name="shortage"),
    path("waiting/", shortage.waiting_list, name="waiting"),
    path("ship/", ship.ship_form, name="ship"),
    path("ship/paste/", ship.ship_paste, name="ship-paste"),
    path("ship/confirm/", ship.ship_confirm, name="ship-confirm"),
]
