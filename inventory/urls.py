from django.urls import URLPattern, URLResolver, path

from inventory.views import change, kit, picture, sets, sku, stock

app_name = "inventory"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", stock.sku_list, name="list"),
    path("ledger/", stock.ledger, name="ledger"),
    path("home-panel/", stock.home_panel, name="home-panel"),
    path("skus/<int:pk>/", stock.sku_detail, name="sku"),
    path("skus/<int:pk>/promises/", stock.promises, name="promises"),
    path("skus/<int:pk>/correct/", change.correct, name="correct"),
    path("skus/<int:pk>/facts/", sku.facts, name="facts"),
    path("skus/<int:pk>/picture/", picture.put, name="picture-put"),
    path("skus/<int:pk>/picture/<slug:digest>/", picture.picture, name="picture"),
    path("skus/<int:pk>/kit/", kit.panel, name="kit"),
    path("skus/<int:pk>/kit/parts/", kit.parts, name="kit-parts"),
    path("skus/<int:pk>/kit/build/", kit.build, name="kit-build"),
    path("skus/<int:pk>/set/", sets.rules, name="set"),
    path("skus/<int:pk>/receive/", change.receive, name="receive"),
]
