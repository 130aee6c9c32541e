from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsConfig(AppConfig):
    name = "channels"
    label = "channels"

    def ready(self) -> None:
        from channels import receivers  # noqa: F401 - connects them
        from channels.services import erase, expiry, notices, stops
        from oms.kernel.services import outbox
        from orders.services import privacy

        privacy.register(erase.erase)
        labels = {
            "channel_confirm": _("モールへの注文確定"),
            "channel_ship": _("モールへの出荷通知"),
            "channel_cancel": _("モールへのキャンセル"),
            "channel_memo": _("モールの店舗メモの更新"),
            "channel_payment": _("モールへの入金報告"),
            "channel_cancel_lines": _("モールへの一部キャンセル"),
            "channel_cancel_answer": _("モールのキャンセル申請への回答"),
        }
        for kind, label in labels.items():
            outbox.register(kind, notices.deliver, label=label, ended=notices.ended)
        outbox.register(expiry.KIND, expiry.deliver, label=_("認証情報の期限のお知らせ"))
        outbox.register(stops.KIND, stops.deliver, label=_("店舗が止まったことのお知らせ"))
