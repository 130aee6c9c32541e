"""The full comparison: everything a shop's channel shows, against what it was told; differences are told again.

It goes through the listings in order of their id, a batch a time, and remembers where it is: a worker that dies, or a
mall that is down, costs one batch.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from channels.connectors.contract import ChannelError, Connector
from channels.models import Connection, Listing, PublishRule, StockComparison
from channels.services import intake, publish, shops
from channels.services.polling import Health
from channels.services.rules import shown_now, sold_since
from channels.services.wake import wake_publisher
from oms.kernel import clock
from oms.kernel.models import User

BATCH = 200
BATCHES_A_TURN = 25  # then other work of the queue gets its turn
LOCK_CLASS = 7104


def due_shops() -> list[int]:
    """Connections whose comparison is under way or due by their own rhythm."""
    moment = clock.now()
    running = set(StockComparison.objects.filter(finished_at__isnull=True).values_list("shop", flat=True))
    compared = {rule.shop_id: rule for rule in PublishRule.objects.all()}
    found = []
    rows = Connection.objects.select_related("shop").filter(publish_paused=False, shop__active=True)
    for connection in rows.exclude(health=Health.STOPPED).exclude(secrets=b"").order_by("pk"):
        rule = compared.get(connection.shop_id) or PublishRule(shop_id=connection.shop_id)
        every = timedelta(hours=rule.compare_every_h)
        late = bool(every) and (rule.compared_at is None or moment - rule.compared_at >= every)
        if connection.shop_id in running or late:
            found.append(connection.pk)
    return found


@transaction.atomic
def begin(shop_id: int, *, by: User | None) -> StockComparison:
    """The shop's comparison that is under way, else a new one."""
    PublishRule.objects.get_or_create(shop_id=shop_id)
    PublishRule.objects.select_for_update(no_key=True).get(shop_id=shop_id)  # one beginning at a time
    running = StockComparison.objects.filter(shop=shop_id, finished_at__isnull=True).first()
    return running or StockComparison.objects.create(shop_id=shop_id, started_at=clock.now(), by=by)


def now(connection: Connection) -> StockComparison:
    """Compare everything from the beginning, and have every difference told again at once. Raises ChannelError."""
    StockComparison.objects.filter(shop=connection.shop_id, finished_at__isnull=True).update(cursor=0)
    publish.consume_marks()
    return go_on(connection, batches=None, at_once=True)


def go_on(connection: Connection, *, batches: int | None = BATCHES_A_TURN, at_once: bool = False) -> StockComparison:
    """Compare the next batches (all with None). Raises ChannelError (recorded); the next call goes on from there.

    Fewer shown than told may be a sale under way, so that is told again after the next import, unless `at_once`.
    """
    run = begin(connection.shop_id, by=None)
    with publish.exclusively(LOCK_CLASS, connection.pk) as free:
        if not free or publish.under_maintenance(connection.shop_id) is not None:
            return run
        run.refresh_from_db()
        try:
            if run.cursor == 0:
                _import_first(connection)
            connector = shops.connector_of(connection)
            while batches != 0 and run.finished_at is None:
                _compare_batch(connector, run, at_once)
                batches = batches - 1 if batches is not None else None
        except ChannelError as error:
            StockComparison.objects.filter(pk=run.pk).update(error=error.cause[:300])
            raise
    return run


def _import_first(connection: Connection) -> None:
    """What the mall sold lately must be in our books, or every sale would look like a difference."""
    if connection.import_paused:
        return
    try:
        intake.pull(connection)
    except intake.Busy:
        return  # another worker is at it


def _compare_batch(connector: Connector, run: StockComparison, at_once: bool) -> None:
    listings = list(
        Listing.objects.select_related("shop")
        .filter(shop=run.shop_id, pk__gt=run.cursor, sku__isnull=False, sent__isnull=False)
        .exclude(mode=Listing.Mode.STOPPED)
        .order_by("pk")[:BATCH]
    )
    shown = connector.read_stock([listing.code for listing in listings]) if listings else {}
    _book(run, listings, dict(shown), at_once)


@transaction.atomic
def _book(run: StockComparison, listings: list[Listing], shown: dict[str, int], at_once: bool) -> None:
    sold = sold_since([listing.pk for listing in listings])
    different = 0
    for listing in listings:
        if listing.code in shown:
            expected = shown_now(listing, sold.get(listing.pk, 0))
            different += _differs(listing, shown[listing.code], expected, at_once)
    missing = [listing for listing in listings if listing.code not in shown]
    publish.note_missing(missing)
    done = len(listings) < BATCH
    StockComparison.objects.filter(pk=run.pk).update(
        cursor=listings[-1].pk if listings else run.cursor,
        checked=F("checked") + len(listings),
        different=F("different") + different,
        missing=F("missing") + len(missing),
        error="",
        finished_at=clock.now() if done else None,
    )
    if done:
        PublishRule.objects.filter(shop=run.shop_id).update(compared_at=clock.now())
    run.refresh_from_db()
    if different:
        wake_publisher()


def _differs(listing: Listing, shown: int, expected: int, at_once: bool) -> bool:
    """Note what the channel shows. True when neither our last push nor a sale explains it: more is told again at once,
    less when every order of that time is imported (`publish.heal_settled`). What is on its way is no difference."""
    current = Listing.objects.filter(pk=listing.pk, sent=listing.sent, sent_at=listing.sent_at, desired_at=None)
    moment = clock.now()
    if not current.update(confirmed=shown, confirmed_at=moment) or shown == expected:
        return False
    if at_once:
        current.update(desired_at=moment, failures=0, next_try_at=None)
        return True
    if shown == listing.sent or (
        listing.sent_at and moment - listing.sent_at < publish.shows_after(listing.shop.capabilities)
    ):
        return False
    if shown > expected:
        publish.tell_again(listing, shown)
    return True
