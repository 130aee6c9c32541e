from django.db import migrations

import oms.kernel.said_field


class Migration(migrations.Migration):
    dependencies = [("orders", "0048_figures_of_profit")]

    operations = [migrations.AlterField("moveinrow", "error", oms.kernel.said_field.SaidField(blank=True))]
