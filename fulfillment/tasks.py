from celery import shared_task

from fulfillment.services import allocate


@shared_task(name="fulfillment.tasks.allocate_waiting", ignore_result=True)
def allocate_waiting() -> None:
    allocate.allocate_waiting()
