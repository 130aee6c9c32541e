from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"
    label = "customers"

    def ready(self) -> None:
        from customers import setting_kinds  # needs models, which are loaded only now

        setting_kinds.register_kinds()
