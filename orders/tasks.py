import time

from celery import shared_task

from orders.services import (
    attachments,
    authorisations,
    bounces,
    bulk,
    bulk_undo,
    document_files,
    export,
    hold,
    moving_in,
    names,
    payer_names,
    personal_views,
    privacy,
    quotes,
    refunds,
    reminders,
    review_again,
    stage,
)
from orders.services.journal import SYSTEM
from orders.services.rules import publish, stock_levels, sweep


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


@shared_task(name="orders.tasks.make_document_files", ignore_result=True)
def make_document_files(document_ids: list[int]) -> None:
    document_files.make_files(document_ids)


@shared_task(name="orders.tasks.make_missing_files", ignore_result=True)
def make_missing_files() -> None:
    document_files.make_files(document_files.missing_files())


@shared_task(name="orders.tasks.collect_bounces", ignore_result=True)
def collect_bounces() -> None:
    bounces.collect()


@shared_task(name="orders.tasks.run_rules", ignore_result=True)
def run_rules() -> None:
    stock_levels.consume()
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
    authorisations.ask_renewals()
    refunds.settle_by_channel()


@shared_task(name="orders.tasks.undo_bulk", ignore_result=True)
def undo_bulk(key: str) -> None:
    bulk_undo.work(key)


@shared_task(name="orders.tasks.reapply_reason", ignore_result=True)
def reapply_reason(code: str) -> None:
    review_again.reapply(code)


@shared_task(name="orders.tasks.review_by_time", ignore_result=True)
def review_by_time() -> None:
    names.publish()
    review_again.reapply_missed()
    review_again.by_time()
    payer_names.compare()


@shared_task(name="orders.tasks.compare_payers", ignore_result=True)
def compare_payers() -> None:
    payer_names.compare()


@shared_task(name="orders.tasks.erase_personal", ignore_result=True)
def erase_personal() -> None:
    privacy.erase_due(actor=SYSTEM)
    personal_views.forget_old()
    quotes.forget_old()


@shared_task(name="orders.tasks.sweep_attachments", ignore_result=True)
def sweep_attachments() -> None:
    attachments.sweep(time.time())


@shared_task(name="orders.tasks.work_move_in", ignore_result=True)
def work_move_in(move_id: int) -> None:
    moving_in.work(move_id)


@shared_task(name="orders.tasks.resume_move_ins", ignore_result=True)
def resume_move_ins() -> None:
    moving_in.resume_stuck()


@shared_task(name="orders.tasks.write_export", ignore_result=True)
def write_export(key: str) -> None:
    export.work(key)


@shared_task(name="orders.tasks.resume_exports", ignore_result=True)
def resume_exports() -> None:
    export.resume_stuck()


@shared_task(name="orders.tasks.forget_exports", ignore_result=True)
def forget_exports() -> None:
    export.forget()
