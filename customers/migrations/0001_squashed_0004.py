"""The whole schema of this room for a fresh database, in one step; an older database takes the steps that it replaces."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import oms.kernel.search
import oms.kernel.tables
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("customers", "0001_initial"),
        ("customers", "0002_member_search"),
        ("customers", "0003_fill_member_search"),
        ("customers", "0004_member_tags_notes_and_pairs"),
    ]

    dependencies = [
        ("kernel", "0001_squashed_0010"),
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
                    ],
                    options={
                        'indexes': [django.contrib.postgres.indexes.GinIndex(oms.kernel.search.SearchGrams(models.F('search')), name='member_search')],
                    },
                ),
                migrations.CreateModel(
                    name='MemberNote',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source', models.CharField(blank=True, max_length=120, verbose_name='書いたもの')),
                        ('source_order', models.BigIntegerField(null=True)),
                        ('key', models.CharField(max_length=120, unique=True)),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('text', models.CharField(max_length=300, verbose_name='メモ')),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='customers.member')),
                    ],
                    options={
                        'abstract': False,
                    },
                ),
                migrations.CreateModel(
                    name='MemberTag',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source', models.CharField(blank=True, max_length=120, verbose_name='書いたもの')),
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
                    ],
                    options={
                        'indexes': [models.Index(fields=['phone'], name='blacklist_phone'), models.Index(fields=['name_key', 'postal_code'], name='blacklist_name')],
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
            ],
        ),
    ]
