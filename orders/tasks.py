from celery import shared_task

from orders.services import stage


@shared_task(name="orders.tasks.sweep_stages", ignore_result=True)
def sweep_stages() -> None:
    stage.sweep()


@shared_task(name="orders.tasks.fold_counts", ignore_result=True)
def fold_counts() -> None:
    stage.fold_counts()
