"""Settings by environment: production says what it needs and passes Django's own deployment check."""

import pytest
from cryptography.fernet import Fernet

from oms.runtime.environment import MEANING, Environment, broker, database
from oms.runtime.secrets import encryption_key, secret_key

PRODUCTION = {
    "OMS_ENV": "production",
    "SECRET_KEY": "a-long-enough-secret-for-a-check-" + "0123456789abcdefghij" * 2,
    "ALLOWED_HOSTS": "oms.example.com",
    "DATABASE_URL": "postgresql://oms:pass@127.0.0.1:1/oms?sslmode=prefer",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "OMS_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "EMAIL_HOST": "smtp.example.com",
    "DEFAULT_FROM_EMAIL": "shop@example.com",
}


def test_the_deployment_check_is_clean_in_production(installation):
    done = installation.manage("check", "--deploy", "--fail-level", "INFO", **PRODUCTION)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues" in done.stdout
    assert not installation.processes(), "production never starts embedded servers"


def test_production_names_every_missing_variable_at_once(installation):
    done = installation.manage("check", OMS_ENV="production")
    assert done.returncode != 0
    assert all(name in done.stderr for name in MEANING)


def test_production_never_falls_back_to_local_secrets(installation):
    without_keys = {**PRODUCTION, "OMS_ENCRYPTION_KEYS": ""}
    done = installation.manage("check", **without_keys)
    assert "OMS_ENCRYPTION_KEYS" in done.stderr and "SECRET_KEY:" not in done.stderr
    assert not (installation.data / "encryption.key").exists()


def test_local_secrets_are_made_once_and_private(installation):
    where = installation.places
    assert (secret_key(where), encryption_key(where)) == (secret_key(where), encryption_key(where))
    Fernet(encryption_key(where))
    assert (where.data / "encryption.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "host", "port", "name", "more"),
    [
        ("postgresql://u:p%40ss@db.example:5433/shop", "db.example", "5433", "shop", {}),
        ("postgresql://u@/shop?host=/run/pg&port=5432", "/run/pg", "5432", "shop", {}),
        ("postgres://u:p@db/shop?sslmode=require", "db", "", "shop", {"sslmode": "require"}),
    ],
)
def test_database_urls(url, host, port, name, more):
    made = database(url, statement_timeout_s=30)
    assert (made["HOST"], made["PORT"], made["NAME"]) == (host, port, name)
    options = dict(made["OPTIONS"])
    assert "statement_timeout=30s" in options.pop("options")
    assert options == more


def test_a_password_is_decoded():
    assert database("postgresql://u:p%40ss@h/n", statement_timeout_s=0)["PASSWORD"] == "p@ss"


def test_broker_spells_a_unix_socket_its_own_way():
    assert broker("unix:///tmp/x/redis.sock?db=3") == "redis+socket:///tmp/x/redis.sock?virtual_host=3"
    assert broker("rediss://cache.example:6380/1") == "rediss://cache.example:6380/1"


def test_numbers_and_flags(monkeypatch):
    env = Environment(production=False)
    monkeypatch.setenv("OMS_X", "12")
    monkeypatch.setenv("OMS_Y", "Yes")
    assert env.number("OMS_X", 3) == 12 and env.number("OMS_NONE", 3) == 3
    assert env.flag("OMS_Y", default=False) and env.flag("OMS_NONE", default=True)
    monkeypatch.setenv("OMS_X", "twelve")
    with pytest.raises(Exception, match="OMS_X must be a whole number"):
        env.number("OMS_X", 3)
