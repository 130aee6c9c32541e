from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    label = "orders"

    def ready(self) -> None:
        from oms.kernel.services import outbox
        from orders import actions, desk_actions, label_actions, receivers  # noqa: F401
        from orders.services import mail, waiting
        from orders.services.rules import webhook

        outbox.register("mail", mail.deliver, label=_("メール"), ended=mail.ended)
        outbox.register("promises_lost", waiting.handle_lost_promises, label=_("引当の取り直し"))
        outbox.register("webhook", webhook.deliver, label=_("Webhook"))
        for action in (*desk_actions.ACTIONS, *label_actions.ACTIONS):
            actions.register(action)
        self._ready_payments()

    def _ready_payments(self) -> None:
        from orders import actions, payment_actions
        from orders.models import TaskKind
        from orders.services import refunds, tasks

        for kind in (TaskKind.REFUND, TaskKind.VOID):
            tasks.on_finished(kind, refunds.finished_by_person)
        for action in payment_actions.ACTIONS:
            actions.register(action)
