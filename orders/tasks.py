from celery import shared_task

from orders.services import authorisations, bulk, hold, refunds, reminders, stage
from orders.services.rules import publish, sweep


@shared_task(name="orders.tasks.sweep_stages", ignore_result=True)
def sweep_stages() -> None:
    stage.sweep()


@shared_task(name="orders.tasks.fold_counts", ignore_result=True)
def fold_counts() -> None:
    stage.fold_counts()


@shared_task(name="orders.tasks.run_bulk", ignore_result=True)
def run_bulk(key: str) -> None:
    bulk.work(key)


@shared_task(name="orders.tasks.resume_bulk", ignore_result=True)
def resume_bulk() -> None:
    bulk.resume_stuck()


@shared_task(name="orders.tasks.run_rules", ignore_result=True)
def run_rules() -> None:
    sweep.consume_wakes()


@shared_task(name="orders.tasks.run_rule_moments", ignore_result=True)
def run_rule_moments() -> None:
    publish.publish_due()
    hold.lift_due()
    sweep.run_moments()


@shared_task(name="orders.tasks.fold_rule_tallies", ignore_result=True)
def fold_rule_tallies() -> None:
    sweep.fold_tallies()


@shared_task(name="orders.tasks.follow_payments", ignore_result=True)
def follow_payments() -> None:
    reminders.send_due()
    reminders.cancel_expired()
    authorisations.warn_of_ends()
    refunds.settle_by_channel()
