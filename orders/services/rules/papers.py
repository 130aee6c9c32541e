"""What rules choose for an order's papers and mails: another delivery note, another text of a mail."""

from collections.abc import Callable, Sequence
from typing import Any

from oms.kernel.said import said
from orders.decide.rules.actions import NOTE_PARTS, note_subject
from orders.models import OrderChoice
from orders.services.rules.verbs import Run, Verb, key_of_job, register
from orders.services.rules.work import Job, Work


def _chooser(subject: Callable[[Job], str], values: Callable[[Job], dict[str, Any]]) -> Run:
    """The first choice of a subject stands; a rule that comes later is told so."""

    def run(_work: Work, jobs: Sequence[Job]) -> None:
        OrderChoice.objects.bulk_create(
            [
                OrderChoice(order_id=job.order_id, subject=subject(job), values=values(job), key=key_of_job(job))
                for job in jobs
            ],
            ignore_conflicts=True,
        )
        rows = OrderChoice.objects.filter(order__in={job.order_id for job in jobs})
        stand = set(rows.values_list("order", "subject", "key"))
        for job in jobs:
            if (job.order_id, subject(job), key_of_job(job)) in stand:
                job.did()
            else:
                job.note = said("ほかのルールがすでに選んでいるため、変えませんでした。")

    return run


def _chosen_away(_work: Work, jobs: Sequence[Job]) -> None:
    own = {(job.order_id, key_of_job(job)) for job in jobs}
    rows = OrderChoice.objects.filter(order__in={order_id for order_id, _key in own})
    ids = [pk for pk, order_id, key in rows.values_list("pk", "order", "key") if (order_id, key) in own]
    OrderChoice.objects.filter(pk__in=ids).delete()
    for job in jobs:
        job.done = True


def _mail_of(job: Job) -> str:
    return f"mail:{job.action['template'].partition(':')[0]}"


register(
    "set_delivery_note",
    Verb(
        _chooser(lambda job: note_subject(job.action), lambda job: {name: job.action[name] for name in NOTE_PARTS}),
        _chosen_away,
    ),
)
register(
    "set_mail_text",
    Verb(_chooser(_mail_of, lambda job: {"variant": job.action["template"].partition(":")[2]}), _chosen_away),
)
