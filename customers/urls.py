from django.urls import URLPattern, URLResolver, path

from customers.views import blacklist, members

app_name = "customers"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", members.member_list, name="list"),
    path("blacklist/", blacklist.entries, name="blacklist"),
    path("blacklist/<int:pk>/lift/", blacklist.lift, name="blacklist-lift"),
    path("<int:pk>/", members.member_detail, name="detail"),
    path("pairs/<int:pk>/different/", members.pair_different, name="pair-different"),
]
