"""Is a shop alive? One verdict per shop, for the strip above every page, the cards and the home page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from channels.models import Connection
from channels.services.expiry import days_left, step_of
from oms.kernel import clock
from orders.queries import visible

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
    """`queue` and `failed` count up to 100; `quota` is the share of the tightest limit used in ten minutes, 0 to 1."""

    shop_id: int
    code: str
    label: str
    last_import_at: datetime | None
    verdict: Verdict
    last_push_at: datetime | None = None
    import_delay_s: float | None = None
    publish_delay_s: float | None = None
    quota: float | None = None
    queue: int = 0
    queue_since: datetime | None = None
    failed: int = 0
    failed_since: datetime | None = None
    ending: "Ending | None" = None
    protected: bool = False

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """What the strip says beside the shop's name, as (tone, words); nothing while all is well."""
        found = []
        if self.ending:
            found.append((self.ending.tone, self.ending.words))
        if self.queue and self.queue_since and clock.now() - self.queue_since > QUEUE_OLD:
            found.append(("attention", _("在庫が送信待ち")))
        if self.failed:
            found.append(("danger", _("通知失敗%(n)s") % {"n": many(self.failed)}))
        if self.quota is not None and self.quota >= QUOTA_HIGH:
            found.append(("attention", _("API %(n)d%%") % {"n": round(100 * self.quota)}))
        if self.protected:
            found.append(("attention", _("売切保護中")))
        return found


@dataclass(frozen=True, slots=True)
class Ending:
    """The next credential to end, once it stands at a warning step."""

    step: int
    expires_at: datetime

    @property
    def tone(self) -> str:
        return "danger" if self.step <= LAST_DAYS else "attention"

    @property
    def words(self) -> str:
        if self.expires_at <= clock.now():
            return _("認証情報が期限切れ")
        days = days_left(self.expires_at)
        return _("認証情報の期限まであと%(n)d日") % {"n": days} if days else _("認証情報の期限は今日")


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
    """Every active shop with its verdict and figures, in one query over partial indexes. Named by its mall where it is
    the only shop there."""
    now = clock.now()
    connections = list(
        visible.of_shops(Connection.objects.filter(shop__active=True), "shop")
        .select_related("shop")
        .only(*COLUMNS)
        .annotate(**{name: RawSQL(sql, given(now)) for name, (sql, given) in FIGURES.items()})
        .order_by("shop__code")
    )
    malls = [connection.shop.channel_label for connection in connections]
    return [_health_of(connection, malls, now) for connection in connections]


def _health_of(connection: Any, malls: list[str], now: datetime) -> ShopHealth:
    shop = connection.shop
    return ShopHealth(
        shop_id=shop.pk,
        code=shop.code,
        label=shop.channel_label if malls.count(shop.channel_label) == 1 else str(shop),
        last_import_at=connection.last_import_at,
        verdict=verdict_of(connection, now),
        last_push_at=connection.last_push_at,
        import_delay_s=connection.import_delay_s,
        publish_delay_s=connection.publish_delay_s,
        quota=connection.quota,
        queue=connection.queue,
        queue_since=connection.queue_since,
        failed=connection.failed,
        failed_since=connection.failed_since,
        ending=ending_of(connection.ending, now),
        protected=connection.protected,
    )


def ending_of(dates: list[str] | None, now: datetime) -> Ending | None:
    """`dates` is [begin, end] of the credential that ends next."""
    if not dates:
        return None
    began, ends = (datetime.fromisoformat(text) if text else None for text in dates)
    step = step_of(began, ends, now)
    return None if step is None or ends is None else Ending(step, ends)


def many(count: int) -> str:
    return f"{CAP}+" if count > CAP else str(count)


CAP = 100
QUEUE_OLD = timedelta(minutes=5)
QUOTA_HIGH = 0.8
QUOTA_CALLS = (
    10  # fewer in the window are a slow limit's own rhythm: Amazon lets us search every three minutes, and we do
)
QUOTA_WINDOW = timedelta(minutes=10)
LAST_DAYS = 3
COLUMNS = (
    "health", "health_cause", "stopped_since", "import_paused", "last_import_at", "last_push_at", "import_delay_s",
    "publish_delay_s", "shop",
)  # fmt: skip
OF_SHOP = "shop_id = channels_connection.shop_id"
QUEUE = f"channels_listing WHERE {OF_SHOP} AND desired_at IS NOT NULL AND sku_id IS NOT NULL AND mode <> 'stopped'"
FAILED = """kernel_effect e JOIN orders_order o ON o.id = (e.payload->>'order')::bigint
 WHERE e.state = 'failed' AND e.kind LIKE 'channel\\_%%' AND o.shop_id = channels_connection.shop_id"""
# Column → (its subquery, the subquery's parameters). Each reads a partial index and stops at the cap.
FIGURES: dict[str, tuple[str, Callable[[datetime], list[Any]]]] = {
    "quota": (
        "SELECT max(used) FROM (SELECT sum(limit_s) / %s AS used FROM channels_apicall"
        f" WHERE {OF_SHOP} AND at > %s GROUP BY bucket HAVING count(*) >= %s) q",
        lambda now: [QUOTA_WINDOW.total_seconds(), now - QUOTA_WINDOW, QUOTA_CALLS],
    ),
    "queue": (f"SELECT count(*) FROM (SELECT FROM {QUEUE} LIMIT {CAP + 1}) q", lambda now: []),
    "queue_since": (f"SELECT min(desired_at) FROM {QUEUE}", lambda now: []),
    "failed": (f"SELECT count(*) FROM (SELECT FROM {FAILED} LIMIT {CAP + 1}) q", lambda now: []),
    "failed_since": (f"SELECT min(e.created_at) FROM {FAILED}", lambda now: []),
    "ending": (
        "SELECT array[c.issued_at::text, c.expires_at::text] FROM channels_credential c"
        " WHERE c.connection_id = channels_connection.id AND c.expires_at IS NOT NULL ORDER BY c.expires_at LIMIT 1",
        lambda now: [],
    ),
    "protected": (
        "SELECT EXISTS (SELECT FROM channels_protection p"
        " WHERE p.connection_id = channels_connection.id AND p.lifted_at IS NULL)",
        lambda now: [],
    ),
}
