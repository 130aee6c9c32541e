from importlib import import_module

from celery import shared_task
from django.conf import settings

from oms.kernel.services import outbox


@shared_task(name="oms.kernel.tasks.deliver_effects", ignore_result=True)
def deliver_effects() -> None:
    outbox.deliver_due()


@shared_task(name="oms.kernel.tasks.clear_sessions", ignore_result=True)
def clear_sessions() -> None:
    """Sessions that have run out; nothing else deletes their rows."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
