"""Workers' entry points: each calls a service with ids. A task may run twice."""

from datetime import date

from celery import shared_task

from channels.connectors.contract import ChannelError
from channels.models import Connection
from channels.services import (
    calls,
    compare,
    events,
    expiry,
    gaps,
    intake,
    listings,
    maintenance,
    mapping_csv,
    matching,
    oversell,
    polling,
    publish,
    quarantine,
    reimport,
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
    connection, person = _connection(connection_id), User.objects.filter(pk=user_id).first()  # 0: beat
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
def replay_quarantined(shop_id: int, cause: str = "") -> None:
    """Try the quarantined orders of a shop again, all or those of one cause."""
    quarantine.replay_shop(_connection_of(shop_id), cause=cause)


@shared_task(name="channels.tasks.intake_replay_due", ignore_result=True)
def replay_due() -> None:
    """What a new version of the program, or the channel, may have put right meanwhile."""
    for shop_id in quarantine.due():
        replay_quarantined.delay(shop_id)


@shared_task(name="channels.tasks.intake_compare_due", ignore_result=True)
def compare_days_due() -> None:
    for connection_id, day in gaps.due():
        compare_day.delay(connection_id, day.isoformat())
    for reimport_id in reimport.unfinished():
        by_number.delay(reimport_id)


@shared_task(name="channels.tasks.intake_compare", ignore_result=True)
def compare_day(connection_id: int, day: str) -> None:
    """`day` is a date in Tokyo, ISO 8601."""
    try:
        gaps.compare(_connection(connection_id), date.fromisoformat(day))
    except ChannelError:
        return  # written on the day's row; compared again within the hour


@shared_task(name="channels.tasks.intake_by_number", ignore_result=True)
def by_number(reimport_id: int) -> None:
    reimport.work_off(reimport_id)


@shared_task(name="channels.tasks.listings_due", ignore_result=True)
def listings_due() -> None:
    for connection_id in listings.due():
        import_listings.delay(connection_id, 0)
    for batch_id, user_id in mapping_csv.unfinished():
        apply_csv.delay(batch_id, user_id)


@shared_task(name="channels.tasks.match", ignore_result=True)
def match() -> None:
    """Propose anew for every listing without SKU."""
    matching.propose()


@shared_task(name="channels.tasks.apply_csv", ignore_result=True)
def apply_csv(batch_id: int, user_id: int) -> None:
    mapping_csv.apply(batch_id, by=User.objects.filter(pk=user_id).first())


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
