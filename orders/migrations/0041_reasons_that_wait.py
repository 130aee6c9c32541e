

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0040_rules_adjustments_options_and_stock_sides"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='reviewreason',
            index=models.Index(condition=models.Q(('level', 'block'), ('state', 'open')), fields=['code', 'order'], name='reason_waiting'),
        ),
    ]
