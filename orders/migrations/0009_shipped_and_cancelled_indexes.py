from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside the day's work

    dependencies = [("orders", "0008_search_goods")]

    operations = [
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=models.Q(("shipped_at__isnull", False)),
                fields=["shop", "shipped_at"],
                name="order_shop_shipped",
            ),
        ),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=models.Q(("cancelled_at__isnull", False)),
                fields=["shop", "cancelled_at"],
                name="order_shop_cancelled",
            ),
        ),
    ]
