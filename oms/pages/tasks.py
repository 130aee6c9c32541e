from celery import shared_task

from oms.pages.services import figures


@shared_task(name="oms.pages.tasks.refresh_figures", ignore_result=True)
def refresh_figures() -> None:
    figures.refresh()
