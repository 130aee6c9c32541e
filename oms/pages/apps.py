from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "oms.pages"
    label = "pages"
