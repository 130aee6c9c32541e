from celery import shared_task

from fulfillment.services import allocate, merge_sweep, release, waybills


@shared_task(name="fulfillment.tasks.allocate_waiting", ignore_result=True)
def allocate_waiting() -> None:
    allocate.allocate_waiting()


@shared_task(name="fulfillment.tasks.release_due", ignore_result=True)
def release_due() -> None:
    release.release_due()


@shared_task(name="fulfillment.tasks.merge_sweep", ignore_result=True)
def sweep_merges() -> None:
    merge_sweep.sweep()


@shared_task(name="fulfillment.tasks.forget_waybills", ignore_result=True)
def forget_waybills() -> None:
    waybills.forget()
