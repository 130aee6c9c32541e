from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    label = "orders"

    def ready(self) -> None:
        from oms.kernel.services import outbox
        from orders import (  # noqa: F401
            actions,
            delivery_actions,
            desk_actions,
            force_actions,
            label_actions,
            mail_actions,
            paper_actions,
            question_actions,
            receivers,
            setting_kinds,
        )
        from orders.services import mail_send, waiting
        from orders.services.rules import amounts, papers, people, webhook  # noqa: F401 - they register their actions

        outbox.register("mail", mail_send.deliver, label=_("メール"), ended=mail_send.ended)
        outbox.register("mail_test", mail_send.deliver_test, label=_("テストメール"))
        outbox.register("promises_lost", waiting.handle_lost_promises, label=_("引当の取り直し"))
        outbox.register("webhook", webhook.deliver, label=_("Webhook"))
        for action in (
            *desk_actions.ACTIONS,
            *force_actions.ACTIONS,
            *delivery_actions.ACTIONS,
            *label_actions.ACTIONS,
            *mail_actions.ACTIONS,
            *paper_actions.ACTIONS,
            *question_actions.ACTIONS,
        ):
            actions.register(action)
        self._ready_payments()
        self._ready_blacklist()
        setting_kinds.register_kinds()

    def _ready_blacklist(self) -> None:
        from customers.services import blacklist
        from orders.models import Shop
        from orders.models.order import PaymentMethod

        blacklist.offer("shops", lambda: list(Shop.objects.values_list("code", "name")))
        blacklist.offer("payments", lambda: PaymentMethod.choices)

    def _ready_payments(self) -> None:
        from orders import actions, payment_actions
        from orders.models import TaskKind
        from orders.services import authorisations, refunds, tasks

        for kind in (TaskKind.REFUND, TaskKind.VOID):
            tasks.on_finished(kind, refunds.finished_by_person)
        tasks.on_finished(TaskKind.CAPTURE, authorisations.captured)
        for action in payment_actions.ACTIONS:
            actions.register(action)
