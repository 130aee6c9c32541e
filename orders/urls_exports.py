"""書き出し."""

from django.urls import URLPattern, URLResolver, path

from orders.views import exports

export_routes: list[URLPattern | URLResolver] = [
    path("exports/", exports.log, name="exports"),
    path("exports/choose/", exports.choose, name="export-choose"),
    path("exports/layouts/", exports.layouts, name="export-layouts"),
    path("exports/layouts/new/", exports.layout_new, name="export-layout-new"),
    path("exports/layouts/<int:pk>/", exports.layout_edit, name="export-layout"),
    path("exports/layouts/<int:pk>/delete/", exports.layout_delete, name="export-layout-delete"),
    path("exports/<uuid:key>/", exports.show, name="export"),
    path("exports/<uuid:key>/begin/", exports.begin, name="export-begin"),
    path("exports/<uuid:key>/retry/", exports.retry, name="export-retry"),
    path("exports/<uuid:key>/again/", exports.again, name="export-again"),
    path("exports/<uuid:key>/file/", exports.file, name="export-file"),
]
