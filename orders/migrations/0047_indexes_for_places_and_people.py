from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside the day's work

    dependencies = [("orders", "0046_fees_follow_goods_and_exchanges_by_rank")]

    operations = [
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(fields=["location_label", "-ordered_at", "-id"], name="order_location"),
        ),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(fields=["delivery_method", "-ordered_at", "-id"], name="order_method"),
        ),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=models.Q(("wish_slot", ""), _negated=True),
                fields=["-ordered_at", "-id"],
                name="order_hours_wished",
            ),
        ),
        AddIndexConcurrently(
            model_name="recipient",
            index=models.Index(fields=["city"], name="recipient_city", opclasses=["varchar_pattern_ops"]),
        ),
        AddIndexConcurrently(
            model_name="recipient",
            index=models.Index(
                condition=models.Q(("country", "JP"), _negated=True), fields=["order"], name="recipient_abroad"
            ),
        ),
    ]
