"""Reading settings from environment variables, so that all that is missing is named at once."""

import os
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

LIBPQ_PLACES = {"host", "port"}
MEANING = {
    "SECRET_KEY": "50 characters or more, random; signs sessions",
    "ALLOWED_HOSTS": "host names people type, comma-separated",
    "DATABASE_URL": "postgresql://user:password@host:5432/name",
    "REDIS_URL": "redis://host:6379/0 or rediss://…",
    "OMS_ENCRYPTION_KEYS": "Fernet keys for stored credentials, comma-separated, the current one first",
    "EMAIL_HOST": "the SMTP server",
    "DEFAULT_FROM_EMAIL": "the sender of mails that name none",
}


@dataclass
class Environment:
    """The process's variables. `missing` collects what production needs and nobody set."""

    production: bool
    missing: list[str] = field(default_factory=list)

    def text(self, name: str, local: str = "") -> str:
        """The variable; where it is not set: `local`, or in production a reproach."""
        value = os.environ.get(name, "")
        if not value and self.production and name in MEANING:
            self.missing.append(name)
        return value or ("" if self.production and name in MEANING else local)

    def items(self, name: str, local: str = "") -> list[str]:
        """A comma-separated variable."""
        return [item.strip() for item in self.text(name, local).split(",") if item.strip()]

    def number(self, name: str, default: int) -> int:
        value = os.environ.get(name, "")
        try:
            return int(value) if value else default
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from error

    def flag(self, name: str, default: bool) -> bool:
        value = os.environ.get(name, "").lower()
        return value in {"1", "true", "yes", "on"} if value else default

    def complain(self) -> None:
        """Raises ImproperlyConfigured with every missing variable and what it is for."""
        if self.missing:
            lines = [f"  {name}: {MEANING[name]}" for name in dict.fromkeys(self.missing)]
            raise ImproperlyConfigured(
                "OMS_ENV=production には次の環境変数が必要です / set these environment variables:\n" + "\n".join(lines)
            )


def database(url: str, *, statement_timeout_s: int) -> dict[str, object]:
    """A Django DATABASES entry from a postgresql:// URL.

    `?host=` and `?port=` may name a unix socket's folder; any other parameter (`sslmode`, …) goes to libpq.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    timeouts = {
        "lock_timeout": "3s",
        "statement_timeout": f"{statement_timeout_s}s",
        "idle_in_transaction_session_timeout": "60s",
    }
    # Pages of fifty rows from warm tables on SSDs: a parallel worker starts slower than it helps.
    # With the default of 4 MB a bitmap of many rows forgets which they are, and each is tried again by its grams.
    planner = {"random_page_cost": "1.1", "max_parallel_workers_per_gather": "0", "work_mem": "16MB"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": query.get("port", str(parts.port or "")),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": " ".join(f"-c {name}={value}" for name, value in (timeouts | planner).items()),
            **{name: value for name, value in query.items() if name not in LIBPQ_PLACES},
        },
    }


def broker(redis_url: str) -> str:
    """Celery's name for a Redis URL: a unix socket is spelled differently there."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    return f"redis+socket://{parts.path}?virtual_host={dict(parse_qsl(parts.query)).get('db', '0')}"
