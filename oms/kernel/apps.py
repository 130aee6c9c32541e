from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_migrate


class KernelConfig(AppConfig):
    name = "oms.kernel"
    label = "kernel"

    def ready(self) -> None:
        from oms.kernel import roles  # needs models, which are loaded only now
        from oms.kernel.services import devices

        user_logged_in.connect(devices.signed_in, dispatch_uid="kernel.signed_in")
        user_logged_out.connect(devices.signed_out, dispatch_uid="kernel.signed_out")
        post_migrate.connect(roles.after_migrate, dispatch_uid="kernel.sync_roles")
