from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_bulk_runs")]

    operations = [
        migrations.RenameField(model_name="bulkrun", old_name="links", new_name="offers"),
        migrations.RemoveIndex(model_name="order", name="order_ship_by_open"),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    ("cancelled_at__isnull", True), ("ship_by__isnull", False), ("shipped_at__isnull", True)
                ),
                fields=["ship_by", "id"],
                include=("stage",),
                name="order_ship_by_open",
            ),
        ),
        migrations.RemoveIndex(model_name="order", name="order_sync_failed"),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("channel_sync__in", ["failed", "pending"])),
                fields=["channel_sync", "-ordered_at", "-id"],
                name="order_sync_open",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["recipient_prefecture", "-ordered_at", "-id"], name="order_prefecture"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["payment_state", "payment_method"], name="order_payment"),
        ),
        migrations.AddIndex(model_name="order", index=models.Index(fields=["total"], name="order_total")),
    ]
