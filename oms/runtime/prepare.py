"""`python -m oms.runtime.prepare [--empty]`: tables, demo company, accounts. A step of `manage.py up`.

Running it again changes nothing. Writes the accounts to show into `accounts.txt` of the data folder.
"""

import io
import json
import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import django
from django.core.management import call_command, get_commands
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from oms.runtime.places import places
from oms.runtime.up import step

FIRST_ORDERS = 60
FIRST_ORDERS_OVER_S = 60
# One of each kind that needs a person, so that the review inbox has something to show from the first minute.
TO_REVIEW = (
    ("rakuten", "question"),
    ("futureshop", "question"),
    ("qoo10", "question"),
    ("rakuten", "address"),
    ("futureshop", "address"),
    ("futureshop", "blacklist"),
    ("rakuten", "unmapped_sku"),
    ("qoo10", "amount_mismatch"),
)


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
    os.environ["OMS_STATEMENT_TIMEOUT_S"] = "0"  # building an index may take long
    django.setup()
    migrate()
    if "standard_texts" in get_commands():
        call_command("standard_texts")
    if is_empty():
        if "--empty" in arguments or "demo_company" not in get_commands():
            first_account()
        else:
            load_demo()
            first_orders()
    elif demo_moved():
        load_demo()


def load_demo() -> None:
    """Load the demo company; again, it only brings the shops to where the sandbox listens now."""
    with step("デモ会社を読み込み"):
        call_command("demo_company", stderr=io.StringIO())  # its accounts are shown once, at the end
    where = places()
    if os.environ.get("OMS_SANDBOX"):
        (where.data / "demo.sandbox").write_text(sandbox_root())


def demo_moved() -> bool:
    """True when the sandbox that the demo shops know was at another address."""
    known = places().data / "demo.sandbox"
    return bool(os.environ.get("OMS_SANDBOX")) and known.exists() and known.read_text() != sandbox_root()


def sandbox_root() -> str:
    """Scheme and host of the running sandbox."""
    addresses = json.loads(Path(os.environ["OMS_SANDBOX"]).read_text())
    first = urlsplit(next(iter(addresses.values()))["base_url"])
    return f"{first.scheme}://{first.netloc}"


def migrate() -> None:
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting:
        with step(f"データベースを更新({waiting} 件)"):
            call_command("migrate", verbosity=0, interactive=False)


def is_empty() -> bool:
    from oms.kernel.models import User  # noqa: PLC0415 - not before django.setup()

    return not User.objects.exists()


def first_orders() -> None:
    """Ask the sandbox for a morning's orders, so that the desk is not empty while its steady trickle begins."""
    if not os.environ.get("OMS_SANDBOX"):
        return
    with step(f"モールに最初の注文を入れる({FIRST_ORDERS + len(TO_REVIEW)} 件)"):
        for channel, trait in TO_REVIEW:
            ask_sandbox("orders", {"channel": channel, "traits": [trait]})
        ask_sandbox("generate", {"count": FIRST_ORDERS, "over_s": FIRST_ORDERS_OVER_S})


def ask_sandbox(call: str, body: dict[str, object]) -> None:
    request = Request(f"{sandbox_root()}/_sandbox/{call}", data=json.dumps(body).encode(), method="POST")
    with urlopen(request, timeout=60) as answer:
        answer.read()


def first_account() -> None:
    """Somebody must be able to log in to an empty installation: one administrator, with a password of its own."""
    from oms.kernel import roles  # noqa: PLC0415 - not before django.setup()
    from oms.kernel.models import User  # noqa: PLC0415

    password = secrets.token_urlsafe(9)
    roles.sync_roles()
    user = User.objects.create_user(username="admin", password=password, display_name="管理者")
    user.groups.set(roles.Group.objects.filter(name="administrator"))
    accounts = places().data / "accounts.txt"
    accounts.touch(mode=0o600)
    accounts.write_text(f"アカウント: admin / {password}(最初のログインのあと変更してください)\n")


if __name__ == "__main__":
    main(sys.argv[1:])
