"""Workers' entry points: each calls a service with ids. A task may run twice."""

from celery import shared_task

from channels.connectors.contract import ChannelError
from channels.models import Connection, QuarantinedOrder
from channels.services import (
    calls,
    compare,
    events,
    expiry,
    intake,
    listings,
    maintenance,
    oversell,
    polling,
    publish,
    renewal,
    shops,
    stops,
    wake,
)
from oms.kernel.models import User

HEARING_S = 3  # a round that still waits for a worker when the next one begins is dropped


@shared_task(name="channels.tasks.poll", ignore_result=True)
def poll() -> None:
    for connection_id in polling.due_for_import():
        pull.delay(connection_id)


@shared_task(name="channels.tasks.pull", ignore_result=True)
def pull(connection_id: int) -> None:
    connection = _connection(connection_id)
    if not connection.shop.active:  # deactivated after the message was sent; its cursor stays where it is
        return
    try:
        intake.pull(connection)
    except (ChannelError, intake.Busy):
        return  # recorded on the shop; the next poll tries again


@shared_task(name="channels.tasks.intake_events", ignore_result=True)
def hear() -> None:
    for connection_id in events.due():
        listen.apply_async((connection_id,), expires=HEARING_S)


@shared_task(name="channels.tasks.intake_listen", ignore_result=True)
def listen(connection_id: int) -> None:
    try:
        events.listen(_connection(connection_id))
    except (ChannelError, intake.Busy):
        return  # recorded; the next round tries again, and the poll brings the orders meanwhile


@shared_task(name="channels.tasks.publish", ignore_result=True)
def publish_changes() -> None:
    wake.awake()
    publish.consume_marks()
    for connection_id in polling.due_for_push():
        push.delay(connection_id)


@shared_task(name="channels.tasks.push", ignore_result=True)
def push(connection_id: int) -> None:
    connection = _connection(connection_id)
    if not connection.shop.active:
        return
    try:
        publish.push_shop(connection)
    except ChannelError:
        return  # recorded on the shop; what is due stays due


@shared_task(name="channels.tasks.publish_windows", ignore_result=True)
def sweep_windows() -> None:
    maintenance.sweep_windows()


@shared_task(name="channels.tasks.publish_compare", ignore_result=True)
def compare_due() -> None:
    for connection_id in compare.due_shops():
        compare_shop.delay(connection_id)


@shared_task(name="channels.tasks.publish_compare_shop", ignore_result=True)
def compare_shop(connection_id: int) -> None:
    try:
        compare.go_on(_connection(connection_id))
    except ChannelError:
        return  # recorded on the comparison, which goes on from where it stopped


@shared_task(name="channels.tasks.publish_oversell_sweep", ignore_result=True)
def sweep_oversell() -> None:
    oversell.sweep()


@shared_task(name="channels.tasks.push_read_back", ignore_result=True)
def read_back() -> None:
    for connection_id in polling.due_for_read_back():
        try:
            publish.read_back(_connection(connection_id))
        except ChannelError:
            continue  # tried again with the next round


@shared_task(name="channels.tasks.import_listings", ignore_result=True)
def import_listings(connection_id: int, user_id: int) -> None:
    """What came of it stands in the shop's journal."""
    connection, person = _connection(connection_id), User.objects.filter(pk=user_id).first()
    if not connection.shop.active:
        return
    try:
        counts = listings.import_listings(connection)
    except ChannelError as error:
        shops.note_failure(connection, error)
        shops.journal(connection, "listings_failed", error.cause, by=person)
    else:
        shops.journal(connection, "listings_imported", listings.summary(counts), by=person)


@shared_task(name="channels.tasks.intake_replay", ignore_result=True)
def replay_quarantined(shop_id: int) -> None:
    """Try every quarantined order of a shop again; what fails again stays, with its new cause."""
    rows = QuarantinedOrder.objects.select_related("shop", "raw").filter(shop=shop_id, resolved_at__isnull=True)
    for row in rows.order_by("pk"):
        try:
            intake.replay(row)
        except ChannelError as error:
            intake.quarantine(_connection_of(shop_id), row.channel_order_no, row.raw_id, error)


@shared_task(name="channels.tasks.warn_of_expiry", ignore_result=True)
def warn_of_expiry() -> None:
    expiry.ensure_all()
    expiry.warn()


@shared_task(name="channels.tasks.renewals", ignore_result=True)
def renewals() -> None:
    renewal.sweep()
    stops.warn()


@shared_task(name="channels.tasks.forget_calls", ignore_result=True)
def forget_calls() -> None:
    calls.forget_old()


def _connection_of(shop_id: int) -> Connection:
    return Connection.objects.select_related("shop").get(shop=shop_id)


def _connection(connection_id: int) -> Connection:
    return Connection.objects.select_related("shop").get(pk=connection_id)
