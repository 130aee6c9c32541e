"""The whole schema of this room for a fresh database, in one step; an older database takes the steps that it replaces."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import inventory.models.balance
import oms.kernel.said_field
import oms.kernel.search
import oms.kernel.tables
from django.conf import settings
from django.db import migrations, models


from oms.kernel.journal import append_only


# Balances keep room on each page, so that an update stays on its page (HOT); marks come and go, so vacuum them early.
BALANCE = "ALTER TABLE inventory_balance"
MARKS = ("ALTER TABLE inventory_publishermark", "ALTER TABLE inventory_allocatormark")
EARLY = "(autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"
LATE = "(autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)"


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("inventory", "0001_stock"),
        ("inventory", "0002_ledger_is_append_only"),
        ("inventory", "0003_search"),
        ("inventory", "0004_places_of_returns"),
        ("inventory", "0005_kits"),
        ("inventory", "0006_stock_forms_are_done_once"),
        ("inventory", "0007_goods_facts"),
        ("inventory", "0008_stored_sentences"),
        ("inventory", "0009_set_rules"),
        ("inventory", "0010_watched_stock"),
        ("inventory", "0011_sku_changes_are_append_only"),
        ("inventory", "0012_sku_tags_and_fields"),
        ("inventory", "0013_former_components"),
        ("inventory", "0014_sku_pictures"),
    ]

    dependencies = [
        ("kernel", "0001_squashed_0013"),
    ]

    operations = [
        oms.kernel.tables.CreateTables(
            operations=[
                migrations.CreateModel(
                    name='AllocatorMark',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('sku_id', models.BigIntegerField()),
                        ('at', models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name='HandMove',
                    fields=[
                        ('key', models.CharField(max_length=40, primary_key=True, serialize=False)),
                        ('at', models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name='Product',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=60, unique=True, verbose_name='商品コード')),
                        ('name', models.CharField(max_length=255, verbose_name='商品名')),
                        ('brand', models.CharField(blank=True, max_length=100, verbose_name='ブランド')),
                        ('category', models.CharField(blank=True, max_length=100, verbose_name='カテゴリ')),
                    ],
                    options={
                        'verbose_name': '商品',
                        'verbose_name_plural': '商品',
                    },
                ),
                migrations.CreateModel(
                    name='PublisherMark',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('sku_id', models.BigIntegerField()),
                        ('at', models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name='StockWatch',
                    fields=[
                        ('sku_id', models.BigIntegerField(primary_key=True, serialize=False)),
                    ],
                ),
                migrations.CreateModel(
                    name='WatcherMark',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('sku_id', models.BigIntegerField()),
                        ('at', models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name='Location',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=40, unique=True, verbose_name='拠点コード')),
                        ('name', models.CharField(max_length=100, verbose_name='拠点名')),
                        ('kind', models.CharField(choices=[('warehouse', '倉庫'), ('store', '店舗'), ('damaged', '不良'), ('display', '展示'), ('inspection', '検品中'), ('in_transit', '移動中'), ('locker', 'ロッカー'), ('second', 'B品'), ('to_maker', 'メーカー返送')], default='warehouse', max_length=12, verbose_name='種別')),
                        ('sells_online', models.BooleanField(default=True, verbose_name='通販在庫に含める')),
                        ('postal_code', models.CharField(blank=True, max_length=8, verbose_name='郵便番号')),
                        ('prefecture', models.CharField(blank=True, max_length=8, verbose_name='都道府県')),
                        ('address', models.CharField(blank=True, max_length=255, verbose_name='住所')),
                        ('phone', models.CharField(blank=True, max_length=20, verbose_name='電話番号')),
                        ('priority', models.SmallIntegerField(default=100, verbose_name='出荷優先順位')),
                        ('active', models.BooleanField(default=True, verbose_name='有効')),
                        ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='inventory.location', verbose_name='親拠点')),
                    ],
                    options={
                        'verbose_name': '拠点',
                        'verbose_name_plural': '拠点',
                        'constraints': [models.CheckConstraint(condition=models.Q(('sells_online', False), ('kind__in', ['warehouse', 'store']), _connector='OR'), name='location_unsellable_not_online')],
                    },
                ),
                migrations.CreateModel(
                    name='Sku',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.CharField(max_length=60, unique=True, verbose_name='SKUコード')),
                        ('jan', models.CharField(blank=True, max_length=14, verbose_name='JANコード')),
                        ('name', models.CharField(max_length=255, verbose_name='商品名')),
                        ('variant', models.CharField(blank=True, max_length=120, verbose_name='バリエーション')),
                        ('price', models.PositiveIntegerField(default=0, verbose_name='販売価格（税込）')),
                        ('tax_rate', models.PositiveSmallIntegerField(default=10, verbose_name='税率（%）')),
                        ('temperature', models.CharField(choices=[('ambient', '常温'), ('chilled', '冷蔵'), ('frozen', '冷凍')], default='ambient', max_length=8, verbose_name='温度帯')),
                        ('size_factor', models.PositiveSmallIntegerField(default=1, verbose_name='サイズ係数')),
                        ('release_date', models.DateField(blank=True, null=True, verbose_name='発売日')),
                        ('preorder_limit', models.PositiveIntegerField(default=0, verbose_name='予約枠')),
                        ('is_bundle', models.BooleanField(default=False, verbose_name='セット商品')),
                        ('ships_apart', models.BooleanField(db_default=False, default=False, verbose_name='セットの一部出荷を許可')),
                        ('tax_by_component', models.BooleanField(db_default=False, default=False, verbose_name='構成品ごとの税率')),
                        ('is_made_to_order', models.BooleanField(default=False, verbose_name='取寄せ商品')),
                        ('active', models.BooleanField(default=True, verbose_name='有効')),
                        ('shelf', models.CharField(blank=True, default='', max_length=40, verbose_name='棚番')),
                        ('cost', models.PositiveIntegerField(blank=True, null=True, verbose_name='仕入価格（税抜）')),
                        ('supplier', models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name='仕入先')),
                        ('weight_g', models.PositiveIntegerField(blank=True, null=True, verbose_name='重さ（g）')),
                        ('search_text', models.TextField(blank=True, db_default='', default='', editable=False)),
                        ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='skus', to='inventory.product', verbose_name='商品')),
                        ('custom', models.JSONField(blank=True, default=dict, verbose_name='自由項目')),
                        ('tags', models.JSONField(blank=True, default=list, verbose_name='商品タグ')),
                    ],
                    options={
                        'verbose_name': 'SKU',
                        'verbose_name_plural': 'SKU',
                        'permissions': [('view_cost', '仕入価格と粗利を見る')],
                        'indexes': [models.Index(condition=models.Q(('jan', ''), _negated=True), fields=['jan'], name='sku_jan'), django.contrib.postgres.indexes.GinIndex(oms.kernel.search.SearchGrams(models.F('search_text')), name='sku_grams')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('tax_rate__in', [8, 10])), name='sku_tax_rate')],
                    },
                ),
                migrations.CreateModel(
                    name='KitPart',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('quantity', models.PositiveSmallIntegerField(default=1, verbose_name='数量')),
                        ('kit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='kit_parts', to='inventory.sku', verbose_name='作り置きセット')),
                        ('part', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.sku', verbose_name='構成品')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('kit', 'part'), name='kit_part_once'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='kit_part_quantity'), models.CheckConstraint(condition=models.Q(('kit', models.F('part')), _negated=True), name='kit_not_in_itself')],
                    },
                ),
                migrations.CreateModel(
                    name='KitChange',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('before', models.TextField(blank=True)),
                        ('after', models.TextField(blank=True)),
                        ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('kit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inventory.sku')),
                    ],
                ),
                migrations.CreateModel(
                    name='BundleComponent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('quantity', models.PositiveSmallIntegerField(default=1, verbose_name='数量')),
                        ('bundle', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='components', to='inventory.sku', verbose_name='セット商品')),
                        ('component', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='part_of', to='inventory.sku', verbose_name='構成品')),
                    ],
                    options={
                        'verbose_name': '構成品',
                        'verbose_name_plural': '構成品',
                        'constraints': [models.UniqueConstraint(fields=('bundle', 'component'), name='bundle_component_once'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='bundle_component_quantity'), models.CheckConstraint(condition=models.Q(('bundle', models.F('component')), _negated=True), name='bundle_not_in_itself')],
                    },
                ),
                migrations.CreateModel(
                    name='Balance',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('release', models.CharField(blank=True, default='', max_length=20, verbose_name='予約便')),
                        ('in_pool', models.BooleanField(default=False)),
                        ('on_hand', models.IntegerField(db_default=0, default=0, verbose_name='実在庫')),
                        ('reserved', models.IntegerField(db_default=0, default=0, verbose_name='引当済')),
                        ('overcommit', models.IntegerField(db_default=0, default=0, verbose_name='受注残枠')),
                        ('location', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='balances', to='inventory.location')),
                        ('sku', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='balances', to='inventory.sku')),
                    ],
                    options={
                        'verbose_name': '在庫',
                        'verbose_name_plural': '在庫',
                        'indexes': [models.Index(fields=['location', 'sku'], name='balance_location')],
                        'constraints': [models.UniqueConstraint(fields=('sku', 'location', 'release'), name='balance_place', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('on_hand__gte', 0)), name='balance_on_hand'), models.CheckConstraint(condition=models.Q(('reserved__gte', 0), ('reserved__lte', django.db.models.expressions.CombinedExpression(models.F('on_hand'), '+', models.F('overcommit')))), name='balance_promise'), models.CheckConstraint(condition=models.Q(('location__isnull', True), models.Q(('release', ''), ('overcommit', 0)), _connector='OR'), name='balance_room_is_the_pools'), models.CheckConstraint(condition=models.Q(('location__isnull', False), ('in_pool', False), _connector='OR'), name='balance_pool_itself'), models.CheckConstraint(condition=models.Q(('overcommit__gte', 0)), name='balance_overcommit')],
                    },
                ),
                migrations.CreateModel(
                    name='SkuChange',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('before', models.JSONField(default=dict)),
                        ('after', models.JSONField(default=dict)),
                        ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('sku', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.sku')),
                    ],
                ),
                migrations.CreateModel(
                    name='Entry',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('on_hand', models.IntegerField(verbose_name='実在庫')),
                        ('reserved', models.IntegerField(verbose_name='引当済')),
                        ('kind', models.CharField(choices=inventory.models.balance.entry_kinds, max_length=12, verbose_name='種類')),
                        ('ref', models.CharField(blank=True, max_length=80, verbose_name='伝票')),
                        ('note', oms.kernel.said_field.SaidField(blank=True, db_default='', verbose_name='理由')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('balance', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='inventory.balance')),
                        ('by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='担当者')),
                    ],
                    options={
                        'verbose_name': '在庫履歴',
                        'verbose_name_plural': '在庫履歴',
                        'indexes': [models.Index(fields=['balance', 'id'], name='entry_balance'), models.Index(condition=models.Q(('ref', ''), _negated=True), fields=['ref'], name='entry_ref')],
                    },
                ),
                migrations.CreateModel(
                    name='FormerComponent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('bundle', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inventory.sku')),
                        ('component', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inventory.sku')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('bundle', 'component'), name='former_component_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SkuPicture',
                    fields=[
                        ('sku', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='picture', serialize=False, to='inventory.sku')),
                        ('sha256', models.CharField(max_length=64)),
                        ('content_type', models.CharField(max_length=20)),
                        ('data', models.BinaryField()),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                ),
            ],
        ),
        append_only("inventory_entry"),
        append_only("inventory_skuchange"),
        migrations.RunSQL(f"{BALANCE} SET (fillfactor = 70)", f"{BALANCE} RESET (fillfactor)"),
        migrations.RunSQL("; ".join(f"{mark} SET {EARLY}" for mark in MARKS), "; ".join(f"{mark} RESET {LATE}" for mark in MARKS)),
    ]
