from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsConfig(AppConfig):
    name = "channels"
    label = "channels"

    def ready(self) -> None:
        from channels import desk_actions, receivers, setting_kinds  # noqa: F401 - receivers connect themselves
        from channels.services import erase, expiry, notices, stops
        from oms.kernel.services import outbox
        from orders.actions import register
        from orders.services import privacy

        for action in desk_actions.ACTIONS:
            register(action)
        privacy.register(erase.erase)
        setting_kinds.register_kinds()
        labels = {
            "channel_confirm": _("モールへの注文確定"),
            "channel_ship": _("モールへの出荷通知"),
            "channel_cancel": _("モールへのキャンセル"),
            "channel_memo": _("モールの店舗メモの更新"),
            "channel_payment": _("モールへの入金報告"),
            "channel_cancel_lines": _("モールへの一部キャンセル"),
            "channel_cancel_answer": _("モールのキャンセル申請への回答"),
        }
        together = outbox.Together("shop", notices.tell_together, notices.most_together)
        for kind, label in labels.items():
            crowd = together if kind in notices.TELL_MANY else None
            outbox.register(kind, notices.deliver, label=label, ended=notices.ended, together=crowd)
        outbox.register(expiry.KIND, expiry.deliver, label=_("認証情報の期限のお知らせ"))
        outbox.register(stops.KIND, stops.deliver, label=_("店舗が止まったことのお知らせ"))
