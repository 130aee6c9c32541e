from celery import shared_task

from oms.kernel.services import outbox


@shared_task(name="oms.kernel.tasks.deliver_effects", ignore_result=True)
def deliver_effects() -> None:
    outbox.deliver_due()
