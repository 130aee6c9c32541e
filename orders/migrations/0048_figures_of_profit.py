from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0047_indexes_for_places_and_people")]

    operations = [
        migrations.AddField(model_name="orderfigure", name="profit", field=models.IntegerField(null=True)),
        migrations.AddField(model_name="orderfigure", name="net_sales", field=models.IntegerField(null=True)),
    ]
