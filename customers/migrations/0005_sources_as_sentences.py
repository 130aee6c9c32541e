from django.db import migrations

import oms.kernel.said_field


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_member_tags_notes_and_pairs")]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="source",
            field=oms.kernel.said_field.SaidField(blank=True, verbose_name="書いたもの"),
        )
        for model in ("membernote", "membertag")
    ]
