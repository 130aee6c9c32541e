"""What was the beginnings of postal codes is a list of areas by now; both are written alike."""

from django.db import migrations

AREAS = ("area_unservable", "area_suspended")


def rename(apps, before, after):
    settings = apps.get_model("orders", "ReasonSetting").objects
    for row in settings.filter(code__in=AREAS, params__has_key=before):
        row.params[after] = row.params.pop(before)
        row.save(update_fields=["params"])


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0052_mail_legal_facts"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, _editor: rename(apps, "prefixes", "areas"),
            lambda apps, _editor: rename(apps, "areas", "prefixes"),
        ),
    ]
