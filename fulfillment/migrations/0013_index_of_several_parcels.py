from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside the day's work

    dependencies = [("fulfillment", "0012_charges_of_merged_orders")]

    operations = [
        AddIndexConcurrently(
            model_name="shipment",
            index=models.Index(
                condition=models.Q(("reference__gt", 1), ("package_count__gt", 1), _connector="OR"),
                fields=["recipient"],
                name="shipment_several",
            ),
        ),
        RemoveIndexConcurrently(model_name="shipment", name="shipment_second"),
    ]
