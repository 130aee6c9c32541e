"""`python -m oms.runtime.prepare [--empty]`: tables, demo company, accounts. A step of `manage.py up`.

Running it again changes nothing. Writes the accounts to show into `accounts.txt` of the data folder.
"""

import os
import secrets
import sys

import django
from django.core.management import call_command, get_commands
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from oms.runtime.places import places
from oms.runtime.up import step


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
    os.environ["OMS_STATEMENT_TIMEOUT_S"] = "0"  # building an index may take long
    django.setup()
    migrate()
    if is_empty():
        if "--empty" in arguments or "demo_company" not in get_commands():
            first_account()
        else:
            with step("デモ会社を読み込み"):
                call_command("demo_company")


def migrate() -> None:
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if waiting:
        with step(f"データベースを更新({waiting} 件)"):
            call_command("migrate", verbosity=0, interactive=False)


def is_empty() -> bool:
    from oms.kernel.models import User  # noqa: PLC0415 - not before django.setup()

    return not User.objects.exists()


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
