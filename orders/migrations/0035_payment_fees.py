import django.db.models.deletion
from django.db import migrations, models

from orders.models.order import PaymentMethod


class Migration(migrations.Migration):
    dependencies = [("orders", "0034_indexes_for_more_filters")]
    operations = [
        migrations.CreateModel(
            name="PaymentFee",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "method",
                    models.CharField(choices=PaymentMethod.choices, max_length=16, verbose_name="支払方法"),
                ),
                ("steps", models.JSONField(default=list)),
                ("plus_tax", models.BooleanField(default=False, verbose_name="税抜で入力する（消費税10%を加えます）")),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="payment_fees", to="orders.shop"
                    ),
                ),
            ],
            options={
                "ordering": ["shop", "method"],
                "constraints": [models.UniqueConstraint(fields=("shop", "method"), name="fee_once_per_method")],
            },
        ),
    ]
