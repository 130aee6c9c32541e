from django.apps import AppConfig


class FulfillmentConfig(AppConfig):
    name = "fulfillment"
    label = "fulfillment"

    def ready(self) -> None:
        from fulfillment import receivers  # noqa: F401
