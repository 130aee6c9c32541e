from django.urls import URLPattern, URLResolver, path

from customers.views import blacklist, members, profile, ranks

app_name = "customers"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", members.member_list, name="list"),
    path("blacklist/", blacklist.entries, name="blacklist"),
    path("blacklist/<int:pk>/lift/", blacklist.lift, name="blacklist-lift"),
    path("<int:pk>/", members.member_detail, name="detail"),
    path("<int:pk>/facts/", profile.facts, name="facts"),
    path("<int:pk>/notes/", profile.note_add, name="note-add"),
    path("<int:pk>/promises/<int:note>/", profile.promise, name="promise"),
    path("pairs/<int:pk>/different/", members.pair_different, name="pair-different"),
    path("ranks/", ranks.rank_list, name="ranks"),
    path("ranks/<int:pk>/", ranks.rank_edit, name="rank"),
    path("ranks/<int:pk>/delete/", ranks.rank_delete, name="rank-delete"),
]
