"""A shop is named by its own id in every address, like in the desk's filters."""

from django.urls import URLPattern, URLResolver, path

from channels.views import catch_ups, gaps, listings, mapping, panels, quarantine, reimport, shop_form, shops

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
    path("gaps/", gaps.calendar, name="gaps"),
    path("gaps/compare/", gaps.compare, name="gap-compare"),
    path("gaps/<int:shop_id>/<str:day>/", gaps.day, name="gap-day"),
    path("<int:pk>/delay/", gaps.delay, name="delay"),
    path("catch-ups/", catch_ups.banner, name="catch-ups"),
    path("catch-ups/<int:pk>/", catch_ups.orders, name="catch-up"),
    path("catch-ups/<int:pk>/read/", catch_ups.read, name="catch-up-read"),
    path("reimport/", reimport.start, name="reimport-numbers"),
    path("reimport/<int:pk>/", reimport.show, name="reimported"),
    path("orders/<int:pk>/reimport/", quarantine.reimport, name="reimport"),
    path("map/", mapping.unmapped_codes, name="map"),
    path("map/<int:shop_id>/<path:code>/", mapping.map_code, name="map"),  # the same page, narrowed to one code
    path("map-options/<int:shop_id>/<path:code>/", mapping.sku_options, name="sku-options"),
    path("listings/", listings.listing_list, name="listings"),
    path("listings/<int:pk>/", listings.listing_edit, name="listing"),
    path("pushes/", listings.push_list, name="pushes"),
    path("skus/<int:pk>/panel/", panels.sku_panel, name="sku-panel"),
]
