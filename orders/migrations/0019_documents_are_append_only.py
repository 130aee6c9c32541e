from django.db import migrations

from oms.kernel.journal import append_only


class Migration(migrations.Migration):
    dependencies = [("orders", "0018_issued_documents"), ("kernel", "0003_append_only")]
    operations = [
        append_only("orders_issueddocument"),
        append_only("orders_documentevent"),
        append_only("orders_storedpdf"),
    ]
