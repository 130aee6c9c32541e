"""The whole schema of this room for a fresh database, in one step; an older database takes the steps that it replaces."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import oms.kernel.search
import oms.kernel.said_field
import oms.kernel.tables
from django.conf import settings
from django.db import migrations, models


from oms.kernel.journal import append_only


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("customers", "0001_initial"),
        ("customers", "0002_member_search"),
        ("customers", "0003_fill_member_search"),
        ("customers", "0004_member_tags_notes_and_pairs"),
        ("customers", "0005_member_facts"),
        ("customers", "0006_member_changes_are_append_only"),
        ("customers", "0007_sources_as_sentences"),
        ("customers", "0008_blacklist_entries_end"),
        ("customers", "0009_blacklist_mail_and_address"),
    ]

    dependencies = [
        ("kernel", "0001_squashed_0013"),
    ]

    operations = [
        oms.kernel.tables.CreateTables(
            operations=[
                migrations.CreateModel(
                    name='Member',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=120, verbose_name='氏名')),
                        ('kana', models.CharField(blank=True, max_length=120, verbose_name='カナ')),
                        ('phone', models.CharField(blank=True, max_length=20, verbose_name='電話番号')),
                        ('email', models.CharField(blank=True, max_length=254, verbose_name='メール')),
                        ('postal_code', models.CharField(blank=True, max_length=8, verbose_name='郵便番号')),
                        ('prefecture', models.CharField(blank=True, max_length=10, verbose_name='都道府県')),
                        ('order_count', models.PositiveIntegerField(default=0, verbose_name='注文回数')),
                        ('created_at', models.DateTimeField(verbose_name='登録日時')),
                        ('search', models.TextField(blank=True, db_default='', default='', editable=False)),
                        ('birthday', models.DateField(blank=True, null=True, verbose_name='生年月日')),
                        ('member_no', models.CharField(blank=True, db_default='', default='', max_length=40, verbose_name='会員番号')),
                        ('store_member', models.BooleanField(db_default=False, default=False, verbose_name='店舗会員')),
                        ('rank', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='customers.rank', verbose_name='会員ランク')),
                    ],
                    options={
                        'indexes': [django.contrib.postgres.indexes.GinIndex(oms.kernel.search.SearchGrams(models.F('search')), name='member_search')],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('member_no', ''), _negated=True), fields=('member_no',), name='member_no_once')],
                    },
                ),
                migrations.CreateModel(
                    name='MemberNote',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source', oms.kernel.said_field.SaidField(blank=True, verbose_name='書いたもの')),
                        ('source_order', models.BigIntegerField(null=True)),
                        ('key', models.CharField(max_length=120, unique=True)),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('text', models.CharField(max_length=300, verbose_name='メモ')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='customers.member')),
                        ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='済みにした日時')),
                        ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('promise', models.BooleanField(db_default=False, default=False, verbose_name='次の注文時に行う約束')),
                    ],
                    options={
                        'abstract': False,
                        'indexes': [models.Index(condition=models.Q(('done_at__isnull', True), ('promise', True)), fields=['member'], name='member_promise')],
                    },
                ),
                migrations.CreateModel(
                    name='MemberTag',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source', oms.kernel.said_field.SaidField(blank=True, verbose_name='書いたもの')),
                        ('source_order', models.BigIntegerField(null=True)),
                        ('key', models.CharField(max_length=120, unique=True)),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('tag', models.CharField(max_length=40, verbose_name='タグ')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tags', to='customers.member')),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='BlacklistEntry',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name_key', models.CharField(blank=True, max_length=120)),
                        ('phone', models.CharField(blank=True, max_length=20, verbose_name='電話番号')),
                        ('postal_code', models.CharField(blank=True, max_length=8, verbose_name='郵便番号')),
                        ('reason', models.CharField(max_length=200, verbose_name='理由')),
                        ('created_at', models.DateTimeField(verbose_name='登録日時')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                        ('lifted_at', models.DateTimeField(blank=True, null=True, verbose_name='解除日時')),
                        ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('lifted_why', models.CharField(blank=True, max_length=200, verbose_name='解除の理由')),
                        ('address', models.CharField(blank=True, max_length=200, verbose_name='住所')),
                        ('address_key', models.CharField(blank=True, max_length=300)),
                        ('email', models.CharField(blank=True, max_length=254, verbose_name='メールアドレス')),
                        ('email_key', models.CharField(blank=True, max_length=254)),
                    ],
                    options={
                        'indexes': [models.Index(fields=['phone'], name='blacklist_phone'), models.Index(fields=['name_key', 'postal_code'], name='blacklist_name'), models.Index(fields=['email_key'], name='blacklist_email'), models.Index(fields=['address_key'], name='blacklist_address')],
                        'default_permissions': (),
                        'permissions': [('manage_blacklist', '要注意リストを管理する')],
                    },
                ),
                migrations.CreateModel(
                    name='Identity',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('name_phone', '氏名＋電話番号'), ('email', 'メール')], max_length=12, verbose_name='種類')),
                        ('key', models.CharField(max_length=64)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identities', to='customers.member')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='identity_once')],
                    },
                ),
                migrations.CreateModel(
                    name='MemberPair',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('state', models.CharField(choices=[('open', '未確認'), ('different', '別人')], default='open', max_length=10, verbose_name='状態')),
                        ('met_on', models.CharField(max_length=40, verbose_name='手がかり')),
                        ('found_at', models.DateTimeField(verbose_name='見つけた日時')),
                        ('decided_at', models.DateTimeField(null=True, verbose_name='決めた日時')),
                        ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('first', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.member')),
                        ('second', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='customers.member')),
                    ],
                    options={
                        'constraints': [models.UniqueConstraint(fields=('first', 'second'), name='member_pair_once'), models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='member_pair_ordered')],
                    },
                ),
                migrations.CreateModel(
                    name='MemberChange',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('source', models.CharField(blank=True, max_length=120, verbose_name='書いたもの')),
                        ('before', models.JSONField(default=dict)),
                        ('after', models.JSONField(default=dict)),
                        ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='customers.member')),
                    ],
                ),
                migrations.CreateModel(
                    name='Rank',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('code', models.SlugField(max_length=20, unique=True, verbose_name='コード')),
                        ('name', models.CharField(max_length=40, unique=True, verbose_name='名前')),
                        ('level', models.PositiveSmallIntegerField(unique=True, verbose_name='順位（大きいほど上位）')),
                        ('is_vip', models.BooleanField(default=False, verbose_name='上位会員として扱う')),
                    ],
                    options={
                        'verbose_name': '会員ランク',
                        'ordering': ['-level'],
                    },
                ),
            ],
        ),
        append_only("customers_memberchange"),
    ]
