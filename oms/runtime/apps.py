from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """Only its command: `manage.py up`."""

    name = "oms.runtime"
    label = "runtime"
