"""Routes of returns, exchanges and parcels that nobody announced."""

from django.urls import URLPattern, path

from orders.views import returns, unknown_parcels

return_routes: list[URLPattern] = [
    path("<int:pk>/return/", returns.return_open, name="return-open"),
    path("returns/", returns.return_list, name="returns"),
    path("returns/<int:pk>/", returns.return_detail, name="return"),
    path("returns/<int:pk>/approve/", returns.return_approve, name="return-approve"),
    path("returns/<int:pk>/reject/", returns.return_reject, name="return-reject"),
    path("returns/<int:pk>/exchange/", returns.return_exchange, name="return-exchange"),
    path("returns/<int:pk>/resend/", returns.return_resend, name="return-resend"),
    path("returns/<int:pk>/withdraw/", returns.return_withdraw, name="return-withdraw"),
    path("returns/<int:pk>/sent/", returns.return_sent, name="return-sent"),
    path("returns/<int:pk>/label/", returns.return_label_pdf, name="return-label"),
    path("returns/<int:pk>/pickup/", returns.return_pick_up, name="return-pickup"),
    path("returns/<int:pk>/receive/", returns.return_receive, name="return-receive"),
    path("returns/<int:pk>/inspect/", returns.return_inspect, name="return-inspect"),
    path("returns/<int:pk>/settle/", returns.return_settle, name="return-settle"),
    path("returns/<int:pk>/close/", returns.return_close, name="return-close"),
    path("returns/parcels/", unknown_parcels.parcel_note, name="unknown-parcel-note"),
    path("returns/parcels/<int:pk>/", unknown_parcels.parcel_match, name="unknown-parcel"),
    path("returns/parcels/<int:pk>/attach/", unknown_parcels.parcel_attach, name="unknown-parcel-attach"),
]
