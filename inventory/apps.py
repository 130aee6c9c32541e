from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"
    label = "inventory"

    def ready(self) -> None:
        from inventory import setting_kinds  # needs models, which are loaded only now

        setting_kinds.register_kinds()
