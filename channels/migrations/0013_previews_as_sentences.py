from django.db import migrations

import oms.kernel.said_field


class Migration(migrations.Migration):
    dependencies = [("channels", "0012_stored_sentences")]

    operations = [
        migrations.AlterField("csvbatch", "errors", oms.kernel.said_field.SaidJSONField(default=list)),
        migrations.AlterField("csvbatch", "changes", oms.kernel.said_field.SaidJSONField(default=list)),
        migrations.AlterField("csvbatch", "result", oms.kernel.said_field.SaidField(blank=True)),
    ]
