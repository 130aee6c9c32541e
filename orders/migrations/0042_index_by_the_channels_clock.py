from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside the day's work

    dependencies = [("orders", "0041_reasons_that_wait")]

    operations = [
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=models.Q(("channel_updated_at__isnull", False)),
                fields=["-channel_updated_at", "-id"],
                name="order_told",
            ),
        ),
    ]
