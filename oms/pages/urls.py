from django.urls import URLPattern, URLResolver, path

from oms.pages.views import account, home, manual

app_name = "pages"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("login/", account.login, name="login"),
    path("logout/", account.logout, name="logout"),
    path("language/", account.language, name="language"),
    path("keys/", manual.keys, name="keys"),
    path("styleguide/", manual.styleguide, name="styleguide"),
]
