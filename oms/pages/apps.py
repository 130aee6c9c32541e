from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "oms.pages"
    label = "pages"

    def ready(self) -> None:
        from oms.pages import setting_kinds  # needs models, which are loaded only now

        setting_kinds.register_kinds()
