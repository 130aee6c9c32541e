from celery import shared_task

from oms.kernel.observability import heartbeat as signs


@shared_task(name="oms.kernel.observability.tasks.heartbeat", ignore_result=True)
def heartbeat(queue: str) -> None:
    signs.worker_ran(queue)
