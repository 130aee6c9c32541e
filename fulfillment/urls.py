from django.urls import URLPattern, URLResolver

app_name = "fulfillment"

urlpatterns: list[URLPattern | URLResolver] = []
