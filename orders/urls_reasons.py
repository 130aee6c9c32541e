from django.urls import URLPattern, path

from orders.views import reasons

reason_routes: list[URLPattern] = [
    path("reasons/", reasons.reason_list, name="reasons"),
    path("stages/", reasons.stage_names, name="stage-names"),
    path("reasons/<slug:code>/", reasons.reason_edit, name="reason"),
    path("reasons/<slug:code>/reset/", reasons.reason_reset, name="reason-reset"),
    path("reasons/<slug:code>/rows/", reasons.reason_rows, name="reason-rows"),
]
