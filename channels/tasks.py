"""Workers' entry points: each calls a service with ids. A task may run twice."""

from celery import shared_task

from channels.connectors.contract import ChannelError
from channels.models import Connection
from channels.services import intake, polling, publish


@shared_task(name="channels.tasks.poll", ignore_result=True)
def poll() -> None:
    for connection_id in polling.due_for_import():
        pull.delay(connection_id)


@shared_task(name="channels.tasks.pull", ignore_result=True)
def pull(connection_id: int) -> None:
    try:
        intake.pull(_connection(connection_id))
    except (ChannelError, intake.Busy):
        return  # recorded on the shop; the next poll tries again


@shared_task(name="channels.tasks.publish", ignore_result=True)
def publish_changes() -> None:
    publish.consume_marks()
    for connection_id in polling.due_for_push():
        push.delay(connection_id)


@shared_task(name="channels.tasks.push", ignore_result=True)
def push(connection_id: int) -> None:
    try:
        publish.push_shop(_connection(connection_id))
    except ChannelError:
        return  # recorded on the shop; what is due stays due


@shared_task(name="channels.tasks.push_read_back", ignore_result=True)
def read_back() -> None:
    for connection_id in polling.due_for_read_back():
        try:
            publish.read_back(_connection(connection_id))
        except ChannelError:
            continue  # tried again with the next round


def _connection(connection_id: int) -> Connection:
    return Connection.objects.select_related("shop").get(pk=connection_id)
