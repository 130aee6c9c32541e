"""Is the installation able to work? Each part answers "" or a reason in plain words."""

from dataclasses import dataclass

import redis
import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from oms.kernel.observability import heartbeat

log = structlog.get_logger(__name__)

SILENT_AFTER_S = 90


@dataclass(frozen=True)
class Health:
    """`reasons` maps a part (database, redis, beat, worker:<queue>) to what is wrong with it; "" is well."""

    reasons: dict[str, str]

    @property
    def ok(self) -> bool:
        return not any(self.reasons.values())

    def as_json(self) -> dict[str, object]:
        checks = {part: {"ok": not reason, "reason": reason} for part, reason in self.reasons.items()}
        return {"status": "ok" if self.ok else "failing", "checks": checks}


def check() -> Health:
    """Ask every part; a part that fails never hides the others."""
    return Health({"database": _database(), **_redis_and_workers()})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return _waiting_migrations()
    except DatabaseError as error:
        log.warning("health_database", error=str(error))
        return _("データベースに接続できません。")


_migrated: list[bool] = []


def _waiting_migrations() -> str:
    """Checked until it is true once: a process never outlives the code that it was started with."""
    if not _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return _("データベースの更新(migrate)が済んでいません。")
        _migrated.append(True)
    return ""


def _redis_and_workers() -> dict[str, str]:
    try:
        ages = heartbeat.ages_s()
    except redis.RedisError as error:
        log.warning("health_redis", error=str(error))
        return {"redis": _("Redis に接続できません。")}
    return {"redis": "", **{part: silence(part, age) for part, age in ages.items()}}


def silence(part: str, age_s: float | None) -> str:
    """Why a part with this sign of life is not well, or ""."""
    if age_s is None:
        return _("%(part)s が動いていません。") % {"part": part}
    if age_s > SILENT_AFTER_S:
        return _("%(part)s から %(seconds)d 秒間、応答がありません。") % {"part": part, "seconds": int(age_s)}
    return ""
