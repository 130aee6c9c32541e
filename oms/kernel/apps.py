from django.apps import AppConfig
from django.db.models.signals import post_migrate


class KernelConfig(AppConfig):
    name = "oms.kernel"
    label = "kernel"

    def ready(self) -> None:
        from oms.kernel import roles  # needs models, which are loaded only now

        post_migrate.connect(roles.after_migrate, dispatch_uid="kernel.sync_roles")
