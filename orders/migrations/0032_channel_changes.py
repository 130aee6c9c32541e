from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0031_privacy_journal_is_append_only")]
    operations = [
        migrations.AddField(
            model_name="shop",
            name="channel_changes",
            field=models.CharField(
                choices=[("reflect", "反映して、そのまま進める"), ("stop", "反映して、確認待ちにする")],
                db_default="reflect",
                default="reflect",
                help_text="こちらで直した項目との食い違い、増額、在庫不足は、どちらの設定でも確認待ちになります。",
                max_length=8,
                verbose_name="出荷指示前のモール側の変更",
            ),
        ),
    ]
