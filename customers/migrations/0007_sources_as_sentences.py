from django.db import migrations

import oms.kernel.said_field


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_member_changes_are_append_only")]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="source",
            field=oms.kernel.said_field.SaidField(blank=True, verbose_name="書いたもの"),
        )
        for model in ("membernote", "membertag")
    ]
