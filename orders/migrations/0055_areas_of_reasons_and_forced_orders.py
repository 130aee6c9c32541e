"""What was the beginnings of postal codes is a list of areas by now; both are written alike. A right to force orders."""

from django.db import migrations

AREAS = ("area_unservable", "area_suspended")


def rename(apps, before, after):
    settings = apps.get_model("orders", "ReasonSetting").objects
    for row in settings.filter(code__in=AREAS, params__has_key=before):
        row.params[after] = row.params.pop(before)
        row.save(update_fields=["params"])


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0054_preorders_and_parcels"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="order",
            options={
                "permissions": [
                    ("review_order", "確認理由を閉じる"),
                    ("confirm_order", "モールへ注文を確定する"),
                    ("cancel_order", "受注をキャンセルする"),
                    ("hold_order", "受注を保留する"),
                    ("release_order", "出荷指示を出す"),
                    ("force_order", "受注を強制出荷可にする"),
                    ("record_payment", "入金を登録する"),
                    ("view_personal_data", "個人情報を見る"),
                    ("export_order", "受注を書き出す"),
                    ("send_mail", "メールを送る"),
                ]
            },
        ),
        migrations.RunPython(
            lambda apps, _editor: rename(apps, "prefixes", "areas"),
            lambda apps, _editor: rename(apps, "areas", "prefixes"),
        ),
    ]
