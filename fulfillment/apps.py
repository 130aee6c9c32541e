from django.apps import AppConfig


class FulfillmentConfig(AppConfig):
    name = "fulfillment"
    label = "fulfillment"

    def ready(self) -> None:
        from fulfillment import actions, receivers, rules  # noqa: F401
        from orders.actions import register

        for action in actions.ACTIONS:
            register(action)
        rules.register()
