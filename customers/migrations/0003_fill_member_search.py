"""Members from before the search column become findable."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from oms.kernel.phone import phone_digits
from oms.kernel.text import search_text

BATCH = 2000


def fill(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    members = apps.get_model("customers", "Member").objects
    while rows := list(members.filter(search="").order_by("pk")[:BATCH]):
        for row in rows:
            row.search = search_text(row.name, row.kana, phone_digits(row.phone), row.email) or "\n"
        members.bulk_update(rows, ["search"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_member_search")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
