"""データ移行."""

from django.urls import URLPattern, URLResolver, path

from orders.views import moving_in

move_in_routes: list[URLPattern | URLResolver] = [
    path("moving-in/", moving_in.overview, name="move-in"),
    path("moving-in/<int:pk>/", moving_in.file, name="move-in-file"),
    path("moving-in/<int:pk>/errors/", moving_in.errors, name="move-in-errors"),
    path("moving-in/<int:pk>/apply/", moving_in.apply, name="move-in-apply"),
    path("moving-in/<int:pk>/undo/", moving_in.undo, name="move-in-undo"),
]
