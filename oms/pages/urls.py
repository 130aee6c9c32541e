from django.urls import URLPattern, URLResolver, path

from oms.pages.views import account, health, home, manual, numbers, outbox, people, search

app_name = "pages"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("login/", account.login, name="login"),
    path("logout/", account.logout, name="logout"),
    path("language/", account.language, name="language"),
    path("keys/", manual.keys, name="keys"),
    path("styleguide/", manual.styleguide, name="styleguide"),
    path("search/", search.search, name="search"),
    path("health-strip/", health.strip, name="health-strip"),
    path("outbox/", outbox.outbox_list, name="outbox"),
    path("outbox/retry/", outbox.retry, name="outbox-retry"),
    path("outbox/panel/", outbox.panel, name="outbox-panel"),
    path("outbox/<int:pk>/", outbox.detail, name="outbox-detail"),
    path("outbox/<int:pk>/done/", outbox.mark_done, name="outbox-done"),
    path("numbers/", numbers.numbers, name="numbers"),
    path("numbers/actions/", numbers.actions, name="number-actions"),
    path("numbers/reasons/", numbers.reasons, name="number-reasons"),
    path("numbers/decisions/", numbers.decisions, name="number-decisions"),
    path("numbers/pushes/", numbers.pushes, name="number-pushes"),
    path("people/", people.people, name="people"),
    path("people/add/", people.person_add, name="person-add"),
    path("people/<int:pk>/", people.person_edit, name="person"),
]
