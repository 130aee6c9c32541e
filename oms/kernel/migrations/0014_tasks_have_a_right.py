"""Whoever might see orders might see tasks too; now that has a right of its own, so own roles keep it."""

from django.db import migrations


def give(apps, schema_editor):
    permission = apps.get_model("auth", "Permission")
    rows = permission.objects.filter(content_type__app_label="orders")
    seen = rows.filter(codename="view_order").first()
    tasks = rows.filter(codename="view_ordertask").first()
    if seen is None or tasks is None:
        return  # a new installation: the roles are written after the migrations
    for group in seen.group_set.all():
        group.permissions.add(tasks)
    for person in apps.get_model("kernel", "User").objects.filter(user_permissions=seen):
        person.user_permissions.add(tasks)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("kernel", "0013_store_devices"),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
