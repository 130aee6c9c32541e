from django.urls import URLPattern, path

from orders.views import history, personal_views, privacy

privacy_routes: list[URLPattern] = [
    path("history/", history.page, name="history"),
    path("history/views/", personal_views.page, name="personal-views"),
    path("privacy/", privacy.page, name="privacy"),
    path("privacy/report/", privacy.report, name="privacy-report"),
    path("privacy/views/", personal_views.months, name="personal-views-months"),
    path("privacy/shops/<int:shop_id>/", privacy.days, name="privacy-days"),
    path("privacy/holds/", privacy.hold, name="privacy-hold"),
    path("privacy/holds/<int:pk>/lift/", privacy.lift, name="privacy-lift"),
]
