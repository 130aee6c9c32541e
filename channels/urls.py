"""A shop is named by its own id in every address, like in the desk's filters."""

from django.urls import URLPattern, URLResolver, path

from channels.views import listings, listings_bulk, mapping, oversell, panels, publishing, quarantine, shop_form, shops

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
    path("listings/choose/", listings_bulk.choose, name="listings-choose"),
    path("listings/bulk/", listings_bulk.apply, name="listings-bulk"),
    path("publishing/", publishing.overview, name="publishing"),
    path("<int:pk>/publishing/", publishing.shop_rules, name="publishing-shop"),
    path("<int:pk>/publishing/windows/add/", publishing.add_window, name="window-add"),
    path("windows/<int:pk>/remove/", publishing.remove_window, name="window-remove"),
    path("<int:pk>/publishing/compare/", publishing.compare_now, name="compare"),
    path("skus/<int:pk>/stock/", publishing.sku_stock, name="sku-stock"),
    path("skus/<int:pk>/safety/", publishing.set_safety, name="sku-safety"),
    path("oversell/", oversell.case_list, name="oversell"),
    path("oversell/<int:pk>/", oversell.case_detail, name="oversell-case"),
    path("oversell/<int:pk>/decide/", oversell.decide, name="oversell-decide"),
    path("orders/<int:pk>/oversell/", oversell.case_of_order, name="oversell-order"),
    path("listings/<int:pk>/", listings.listing_edit, name="listing"),
    path("pushes/", listings.push_list, name="pushes"),
    path("skus/<int:pk>/panel/", panels.sku_panel, name="sku-panel"),
]
