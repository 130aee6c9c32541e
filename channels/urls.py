"""A shop is named by its own id in every address, like in the desk's filters."""

from django.urls import URLPattern, URLResolver, path

from channels.views import (
    calls,
    consent,
    credentials,
    listings,
    mapping,
    panels,
    protection,
    quarantine,
    renewal,
    shop_form,
    shops,
)

app_name = "channels"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", shops.shop_list, name="list"),
    path("live/", shops.shop_list_live, name="live"),
    path("home-panel/", panels.home_panel, name="home-panel"),
    path("add/", shop_form.add, name="add"),
    path("<int:pk>/", shop_form.edit, name="edit"),
    path("<int:pk>/check/", shops.check, name="check"),
    path("<int:pk>/import/", shops.import_now, name="import-now"),
    path("<int:pk>/pause/", shops.pause, name="pause"),
    path("<int:pk>/listings/import/", listings.import_listings, name="listings-import"),
    path("quarantine/", quarantine.quarantine_list, name="quarantine"),
    path("quarantine/replay/", quarantine.replay_all, name="replay-all"),
    path("quarantine/<int:pk>/", quarantine.quarantined_order, name="quarantined"),
    path("quarantine/<int:pk>/replay/", quarantine.replay_one, name="replay"),
    path("orders/<int:pk>/reimport/", quarantine.reimport, name="reimport"),
    path("map/", mapping.unmapped_codes, name="map"),
    path("map/<int:shop_id>/<path:code>/", mapping.map_code, name="map"),  # the same page, narrowed to one code
    path("map-options/<int:shop_id>/<path:code>/", mapping.sku_options, name="sku-options"),
    path("listings/", listings.listing_list, name="listings"),
    path("listings/<int:pk>/", listings.listing_edit, name="listing"),
    path("pushes/", listings.push_list, name="pushes"),
    path("skus/<int:pk>/panel/", panels.sku_panel, name="sku-panel"),
    path("credentials/", credentials.calendar, name="credentials"),
    path("credentials/panel/", credentials.panel, name="expiry-panel"),
    path("<int:pk>/credentials/<slug:key>/", credentials.edit, name="credential"),
    path("<int:pk>/renewal/", renewal.page, name="renewal"),
    path("<int:pk>/renewal/enter/", renewal.enter, name="renewal-enter"),
    path("<int:pk>/renewal/<slug:verb>/", renewal.step, name="renewal-step"),
    path("<int:pk>/consent/", consent.begin, name="consent"),
    path("consent/callback/", consent.callback, name="consent-callback"),
    path("calls/", calls.call_list, name="calls"),
    path("<int:pk>/protect/", protection.protect, name="protect"),
    path("<int:pk>/protect/lift/", protection.lift, name="protect-lift"),
    path("<int:pk>/limits/", protection.limits_edit, name="limits"),
]
