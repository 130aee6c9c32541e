"""The whole schema of this room for a fresh database, in one step; an older database takes the steps that it replaces."""

import django.db.models.deletion
import oms.kernel.said_field
import oms.kernel.tables
from django.conf import settings
from django.db import migrations, models


from oms.kernel.journal import append_only


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("fulfillment", "0001_initial"),
        ("fulfillment", "0002_initial"),
        ("fulfillment", "0003_journal_is_append_only"),
        ("fulfillment", "0004_release_time"),
        ("fulfillment", "0005_merging"),
        ("fulfillment", "0006_stop_requests"),
        ("fulfillment", "0007_index_of_second_shipments"),
        ("fulfillment", "0008_stored_sentences"),
        ("fulfillment", "0009_costs"),
        ("fulfillment", "0010_cost_changes_are_append_only"),
        ("fulfillment", "0011_parcel_temperature"),
        ("fulfillment", "0012_charges_of_merged_orders"),
    ]

    dependencies = [
        ("inventory", "0001_squashed_0014"),
        ("kernel", "0001_squashed_0013"),
        ("orders", "0001_squashed_0052"),
    ]

    operations = [
        oms.kernel.tables.CreateTables(
            operations=[
                migrations.CreateModel(
                    name='CostSetting',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('material', models.PositiveIntegerField(null=True, verbose_name='1個口の資材費（税抜）')),
                        ('wage', models.PositiveIntegerField(null=True, verbose_name='1時間の人件費')),
                        ('action_s', models.PositiveIntegerField(null=True, verbose_name='1操作の時間（秒）')),
                        ('version', models.PositiveIntegerField(default=0)),
                    ],
                ),
                migrations.CreateModel(
                    name='ReleaseTime',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.TimeField(unique=True, verbose_name='時刻')),
                        ('active', models.BooleanField(default=True, verbose_name='使う')),
                        ('last_run_on', models.DateField(null=True, verbose_name='最後に実行した日')),
                    ],
                    options={
                        'ordering': ['at'],
                    },
                ),
                migrations.CreateModel(
                    name='Batch',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('created_at', models.DateTimeField(verbose_name='作成日時')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                    ],
                ),
                migrations.CreateModel(
                    name='CostChange',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('before', models.JSONField(default=dict)),
                        ('after', models.JSONField(default=dict)),
                        ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                ),
                migrations.CreateModel(
                    name='FreightRate',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('carrier', models.CharField(choices=[('yamato', 'ヤマト運輸'), ('sagawa', '佐川急便'), ('japanpost', '日本郵便'), ('other', 'その他')], max_length=12, verbose_name='配送会社')),
                        ('size_to', models.PositiveIntegerField(null=True, verbose_name='サイズ係数（まで）')),
                        ('price', models.PositiveIntegerField(verbose_name='1個口の送料（税抜）')),
                    ],
                    options={
                        'ordering': ['carrier', models.OrderBy(models.F('size_to'), nulls_last=True)],
                        'constraints': [models.UniqueConstraint(fields=('carrier', 'size_to'), name='freight_rate_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('size_to', None), ('size_to__gt', 0), _connector='OR'), name='freight_rate_size')],
                    },
                ),
                migrations.CreateModel(
                    name='MergeKey',
                    fields=[
                        ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='orders.order')),
                        ('key', models.CharField(max_length=40)),
                        ('version', models.PositiveIntegerField()),
                    ],
                    options={
                        'indexes': [models.Index(fields=['key'], name='merge_key')],
                    },
                ),
                migrations.CreateModel(
                    name='Shipment',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('state', models.CharField(choices=[('planned', '予定'), ('instructed', '出荷指示済'), ('stop_requested', '出荷停止依頼中'), ('stopped', '停止済'), ('shipped', '出荷済'), ('returned', '持戻り'), ('cancelled', '取消')], default='planned', max_length=16, verbose_name='状態')),
                        ('carrier', models.CharField(choices=[('yamato', 'ヤマト運輸'), ('sagawa', '佐川急便'), ('japanpost', '日本郵便'), ('other', 'その他')], default='yamato', max_length=12, verbose_name='配送会社')),
                        ('tracking_no', models.CharField(blank=True, max_length=40, verbose_name='送り状番号')),
                        ('package_count', models.PositiveSmallIntegerField(default=1, verbose_name='個口')),
                        ('reference', models.PositiveSmallIntegerField(default=1)),
                        ('created_at', models.DateTimeField(verbose_name='作成日時')),
                        ('instructed_at', models.DateTimeField(null=True, verbose_name='出荷指示日時')),
                        ('printed_at', models.DateTimeField(null=True, verbose_name='印刷日時')),
                        ('shipped_at', models.DateTimeField(null=True, verbose_name='出荷日時')),
                        ('batch', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='shipments', to='fulfillment.batch')),
                        ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='inventory.location', verbose_name='出荷元')),
                        ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='orders.recipient', verbose_name='届け先')),
                        ('temperature', models.CharField(blank=True, choices=[('ambient', '常温'), ('chilled', '冷蔵'), ('frozen', '冷凍')], db_default='', default='', max_length=8, verbose_name='温度帯')),
                    ],
                    options={
                        'permissions': [('ship_shipment', '出荷を確定する'), ('print_document', '帳票を印刷する')],
                        'indexes': [models.Index(fields=['state', '-id'], name='shipment_state'), models.Index(condition=models.Q(('reference__gt', 1)), fields=['recipient'], name='shipment_second'), models.Index(condition=models.Q(('tracking_no', ''), _negated=True), fields=['tracking_no'], name='shipment_tracking')],
                    },
                ),
                migrations.CreateModel(
                    name='Merge',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('created_at', models.DateTimeField(verbose_name='作成日時')),
                        ('undone_at', models.DateTimeField(null=True, verbose_name='解除日時')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('shipment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='merges', to='fulfillment.shipment')),
                    ],
                ),
                migrations.CreateModel(
                    name='ShipmentEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('kind', models.CharField(max_length=30, verbose_name='出来事')),
                        ('text', oms.kernel.said_field.SaidField(blank=True, verbose_name='内容')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                        ('shipment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='fulfillment.shipment')),
                    ],
                ),
                migrations.CreateModel(
                    name='ShipmentLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('quantity', models.PositiveIntegerField(verbose_name='数量')),
                        ('line_quantity', models.PositiveIntegerField(verbose_name='明細数量')),
                        ('order_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='orders.orderline')),
                        ('shipment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='fulfillment.shipment')),
                        ('sku', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='inventory.sku')),
                    ],
                    options={
                        'indexes': [models.Index(fields=['order_line'], name='shipment_line_order_line')],
                        'constraints': [models.UniqueConstraint(fields=('shipment', 'order_line', 'sku'), name='shipment_line_once')],
                    },
                ),
                migrations.CreateModel(
                    name='StopPolicy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('automatic', models.BooleanField(default=True, verbose_name='作業前の出荷は自動で止める')),
                        ('location', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='stop_policy', to='inventory.location', verbose_name='拠点')),
                    ],
                ),
                migrations.CreateModel(
                    name='StopRequest',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('purpose', models.CharField(choices=[('cancel', 'キャンセル'), ('change', '内容の変更')], max_length=8, verbose_name='目的')),
                        ('state', models.CharField(choices=[('waiting', '返事待ち'), ('stopped', '停止済み'), ('too_late', '間に合わず'), ('withdrawn', '取り下げ')], default='waiting', max_length=10, verbose_name='状態')),
                        ('note', models.CharField(blank=True, max_length=200, verbose_name='理由')),
                        ('asked_at', models.DateTimeField(verbose_name='依頼日時')),
                        ('answered_at', models.DateTimeField(null=True, verbose_name='返事の日時')),
                        ('answer', oms.kernel.said_field.SaidField(blank=True, verbose_name='返事のメモ')),
                        ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stops', to='orders.order')),
                        ('shipment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stops', to='fulfillment.shipment')),
                    ],
                    options={
                        'permissions': [('reopen_shipment', '出荷確定を取り消す'), ('ask_stop', '出荷停止を依頼する')],
                        'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['asked_at', 'id'], name='stop_waiting'), models.Index(fields=['order', '-id'], name='stop_order')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('shipment', 'order'), name='stop_waits_once')],
                    },
                ),
                migrations.CreateModel(
                    name='ToldTogether',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.order')),
                        ('shipment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='fulfillment.shipment')),
                        ('under', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='fulfillment.shipment')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('order', 'shipment'), name='told_together_once')],
                    },
                ),
                migrations.CreateModel(
                    name='MergedOrder',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('former', models.JSONField(default=dict)),
                        ('discount', models.PositiveIntegerField(default=0, verbose_name='送料の値引')),
                        ('active', models.BooleanField(default=True)),
                        ('merge', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='orders', to='fulfillment.merge')),
                        ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.order')),
                        ('charges', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(condition=models.Q(('active', True)), fields=('order',), name='order_merged_once')],
                    },
                ),
                migrations.CreateModel(
                    name='MergePair',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('decision', models.CharField(choices=[('apart', '同梱しない'), ('asked', '購入者に確認中'), ('expired', '時間切れ')], max_length=8, verbose_name='判断')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('high', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.order')),
                        ('low', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.order')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('low', 'high'), name='merge_pair_once'), models.CheckConstraint(condition=models.Q(('low__lt', models.F('high'))), name='merge_pair_sorted')],
                    },
                ),
            ],
        ),
        append_only("fulfillment_shipmentevent"),
        append_only("fulfillment_costchange"),
    ]
