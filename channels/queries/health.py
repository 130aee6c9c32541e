"""Is a shop alive? One verdict per shop, for the strip above every page, the cards and the home page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from channels.models import Connection
from oms.kernel import clock

Health = Connection.Health

LATE_AFTER_POLLS = 3
LATE_AT_LEAST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`words` says the state where the age of the last import does not; `cause` is a plain sentence; `tone` colours."""

    tone: str
    words: str
    cause: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShopHealth:
    shop_id: int
    code: str
    label: str
    last_import_at: datetime | None
    verdict: Verdict


def verdict_of(connection: Connection, now: datetime) -> Verdict:
    """The first thing that is wrong, most urgent first. Needs the connection's shop; makes no query."""
    if not connection.shop.active:
        return Verdict("neutral", _("休止中"))
    if connection.health == Health.STOPPED:
        return Verdict("danger", _("停止"), connection.health_cause, connection.stopped_since)
    if connection.import_paused:
        return Verdict("attention", _("取込停止中"), _("受注の取込を手動で止めています。"))
    if connection.health == Health.DEGRADED:
        return Verdict("attention", _("不調"), connection.health_cause)
    return _by_age(connection, now)


def _by_age(connection: Connection, now: datetime) -> Verdict:
    last = connection.last_import_at
    if last is None:
        return Verdict("neutral", _("未取込"), _("まだ一度も受注を取り込んでいません。"))
    if now - last > _late_after(connection):
        return Verdict("attention", _("遅れ"), _("予定の時刻を過ぎても取込が終わっていません。"), last)
    return Verdict("done", "")


def _late_after(connection: Connection) -> timedelta:
    usual = timedelta(seconds=float(connection.shop.capabilities.get("poll_interval_s", 60)))
    return max(LATE_AFTER_POLLS * usual, LATE_AT_LEAST)


def shop_health() -> list[ShopHealth]:
    """Every shop with its verdict, in one query. Named by its mall where it is the only shop there."""
    connections = list(
        Connection.objects.select_related("shop")
        .filter(shop__active=True)
        .only("health", "health_cause", "stopped_since", "import_paused", "last_import_at", "shop")
        .order_by("shop__code")
    )
    malls = [connection.shop.channel_label for connection in connections]
    now = clock.now()
    return [
        ShopHealth(
            shop_id=connection.shop_id,
            code=connection.shop.code,
            label=connection.shop.channel_label
            if malls.count(connection.shop.channel_label) == 1
            else str(connection.shop),
            last_import_at=connection.last_import_at,
            verdict=verdict_of(connection, now),
        )
        for connection in connections
    ]
