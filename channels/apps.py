from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsConfig(AppConfig):
    name = "channels"
    label = "channels"

    def ready(self) -> None:
        from channels import receivers  # noqa: F401 - connects them
        from channels.services import notices
        from oms.kernel.services import outbox

        labels = {
            "channel_confirm": _("モールへの注文確定"),
            "channel_ship": _("モールへの出荷通知"),
            "channel_cancel": _("モールへのキャンセル"),
        }
        for kind, label in labels.items():
            outbox.register(kind, notices.deliver, label=label, ended=notices.ended)
