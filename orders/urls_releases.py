"""Routes of 発売日の変更."""

from django.urls import URLPattern, path

from orders.views import release_days

release_routes: list[URLPattern] = [
    path("releases/<int:pk>/", release_days.release_day, name="release-day"),
    path("releases/<int:pk>/panel/", release_days.panel, name="release-panel"),
    path("releases/moves/<int:pk>/undo/", release_days.undo, name="release-undo"),
]
