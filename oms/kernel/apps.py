from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "oms.kernel"
    label = "kernel"
