"""Three kinds of mail got the names that everything else calls them by; rules, templates and mails follow."""

from django.db import migrations

RENAMED = {"delay": "delay_notice", "reminder": "payment_reminder", "payment_change": "payment_change_request"}


def statements() -> list[str]:
    made = []
    for old, new in RENAMED.items():
        made += [
            f"UPDATE orders_mail SET event = '{new}', key = '{new}' || substr(key, {len(old) + 1}) WHERE event = '{old}'",
            f"UPDATE orders_mailtemplate SET event = '{new}' WHERE event = '{old}'",
            f"""UPDATE orders_ruleversion
                   SET document = replace(document::text, '"event": "{old}"', '"event": "{new}"')::jsonb
                 WHERE document::text LIKE '%"event": "{old}"%'""",
        ]
    return made


class Migration(migrations.Migration):
    dependencies = [("orders", "0020_mails")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in statements()]
