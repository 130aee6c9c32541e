"""The whole schema of this room for a fresh database, in one step; an older database takes the steps that it replaces."""

import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import oms.kernel.said_field
import oms.kernel.tables
from django.conf import settings
from django.db import migrations, models


from oms.kernel.journal import append_only


# Splitting once is twice as fast as `substr` for each pair, which counts the letters from the beginning every time. A
# higher COST, though nearer to the truth, makes the planner start parallel workers for a page of fifty rows.
# Only names of pg_catalog are used in the body: a restore runs with an empty search path.
SEARCH_GRAMS = """
CREATE FUNCTION search_grams(content text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100
AS $$
    SELECT ARRAY(
        SELECT letters[place] || letters[place + 1]
        FROM (SELECT pg_catalog.string_to_array(content, NULL) AS letters OFFSET 0) AS split,
            pg_catalog.generate_series(1, pg_catalog.cardinality(letters) - 1) AS place
    )
$$
"""

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change_of_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('oms.privacy_purge', true) = 'on' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ("kernel", "0001_initial"),
        ("kernel", "0002_search_grams"),
        ("kernel", "0003_append_only"),
        ("kernel", "0004_user_permissions"),
        ("kernel", "0005_effect_events"),
        ("kernel", "0006_effect_events_are_append_only"),
        ("kernel", "0007_shops_and_places_of_people"),
        ("kernel", "0008_stored_sentences"),
        ("kernel", "0009_sign_in"),
        ("kernel", "0010_sign_in_events_are_append_only"),
        ("kernel", "0011_setting_versions"),
        ("kernel", "0012_setting_versions_are_append_only"),
        ("kernel", "0013_store_devices"),
    ]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.RunSQL(SEARCH_GRAMS, "DROP FUNCTION search_grams(text)"),
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION refuse_change_of_journal()"),
        oms.kernel.tables.CreateTables(
            operations=[
                migrations.CreateModel(
                    name='User',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('password', models.CharField(max_length=128, verbose_name='password')),
                        ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                        ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                        ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                        ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                        ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                        ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                        ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                        ('display_name', models.CharField(blank=True, max_length=60, verbose_name='表示名')),
                        ('language', models.CharField(default='ja', max_length=5, verbose_name='言語')),
                        ('shop_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, db_default=[], default=list, size=None)),
                        ('place_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, db_default=[], default=list, size=None)),
                        ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                        ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                    ],
                    options={
                        'verbose_name': 'user',
                        'verbose_name_plural': 'users',
                        'permissions': [('manage_users', '利用者と権限を管理する'), ('manage_sign_in', 'ログインの決まりと記録を管理する'), ('reset_second_step', 'ほかの人の二段階認証をリセットする'), ('end_devices', 'ほかの人の端末をログアウトさせる'), ('reset_pin', 'ほかの人のPINをリセットする'), ('manage_store_devices', '店舗端末を登録し、取り消す')],
                        'abstract': False,
                    },
                    managers=[
                        ('objects', django.contrib.auth.models.UserManager()),
                    ],
                ),
                migrations.CreateModel(
                    name='Effect',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(max_length=40, verbose_name='種類')),
                        ('key', models.CharField(max_length=200, unique=True)),
                        ('subject', models.CharField(max_length=80, verbose_name='対象')),
                        ('payload', models.JSONField(default=dict)),
                        ('state', models.CharField(choices=[('waiting', '送信待ち'), ('running', '送信中'), ('done', '完了'), ('failed', '失敗'), ('manual_done', '手動完了'), ('cancelled', '取消')], default='waiting', max_length=12, verbose_name='状態')),
                        ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='試行回数')),
                        ('next_try_at', models.DateTimeField(verbose_name='次の試行')),
                        ('claimed_at', models.DateTimeField(null=True)),
                        ('done_at', models.DateTimeField(null=True, verbose_name='完了日時')),
                        ('last_error', oms.kernel.said_field.SaidField(blank=True, verbose_name='直近のエラー')),
                        ('note', models.TextField(blank=True, verbose_name='メモ')),
                        ('created_at', models.DateTimeField(verbose_name='作成日時')),
                    ],
                    options={
                        'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['next_try_at'], name='effect_due'), models.Index(fields=['subject', 'id'], name='effect_subject'), models.Index(condition=models.Q(('state', 'failed')), fields=['kind', 'state'], name='effect_failed')],
                    },
                ),
                migrations.CreateModel(
                    name='EffectEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('kind', models.CharField(choices=[('waits', 'もう一度試します'), ('failed', '失敗'), ('retried', 'もう一度送る操作'), ('by_hand', '手動で完了')], max_length=8)),
                        ('text', oms.kernel.said_field.SaidField(blank=True)),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('effect', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='kernel.effect')),
                    ],
                ),
                migrations.CreateModel(
                    name='SignInRule',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('second_step', models.BooleanField(default=False)),
                        ('networks', models.TextField(blank=True, default='')),
                        ('group', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_rule', to='auth.group')),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='SignInSettings',
                    fields=[
                        ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                        ('may_trust', models.BooleanField(default=False)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_row_of_sign_in_settings')],
                    },
                ),
                migrations.CreateModel(
                    name='Device',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('browser', models.CharField(max_length=43)),
                        ('session_key', models.CharField(blank=True, max_length=40, null=True, unique=True)),
                        ('agent', models.CharField(blank=True, max_length=300, verbose_name='ブラウザ')),
                        ('address', models.CharField(blank=True, max_length=45, verbose_name='接続元')),
                        ('first_seen_at', models.DateTimeField(verbose_name='最初のログイン')),
                        ('last_seen_at', models.DateTimeField(verbose_name='最後の利用')),
                        ('trusted_until', models.DateTimeField(blank=True, null=True, verbose_name='コードを省略できる期限')),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='devices', to=settings.AUTH_USER_MODEL)),
                        ('store_device', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.storedevice')),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('user', 'browser'), name='one_device_per_person_and_browser')],
                    },
                ),
                migrations.CreateModel(
                    name='RecoveryCode',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('digest', models.CharField(max_length=64)),
                        ('used_at', models.DateTimeField(blank=True, null=True)),
                        ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recovery_codes', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.UniqueConstraint(fields=('user', 'digest'), name='a_recovery_code_stands_once')],
                    },
                ),
                migrations.CreateModel(
                    name='SecondStep',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('secret', models.BinaryField(default=b'')),
                        ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                        ('last_step', models.BigIntegerField(default=0)),
                        ('must_renew', models.BooleanField(default=False)),
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='second_step', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('confirmed_at', None), models.Q(('secret', b''), _negated=True), _connector='OR'), name='a_confirmed_second_step_has_a_secret')],
                    },
                ),
                migrations.CreateModel(
                    name='SignInEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('kind', models.CharField(max_length=20, verbose_name='出来事')),
                        ('address', models.CharField(blank=True, max_length=45, verbose_name='接続元')),
                        ('text', models.TextField(blank=True)),
                        ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('person', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('store_device', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='kernel.storedevice')),
                    ],
                    options={
                        'default_permissions': (),
                        'indexes': [models.Index(fields=['-at', '-id'], name='sign_in_event_by_time'), models.Index(fields=['person', 'kind', '-at'], name='sign_in_event_by_person'), models.Index(fields=['address', 'kind', '-at'], name='sign_in_event_by_address'), models.Index(condition=models.Q(('store_device__isnull', False)), fields=['store_device', 'kind', '-at'], name='sign_in_event_by_store_device')],
                    },
                ),
                migrations.CreateModel(
                    name='SettingVersion',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(max_length=40)),
                        ('ref', models.CharField(max_length=200)),
                        ('number', models.PositiveIntegerField(verbose_name='版')),
                        ('title', oms.kernel.said_field.SaidField(blank=True, verbose_name='対象')),
                        ('content', models.JSONField(null=True)),
                        ('changed', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), default=list, size=None)),
                        ('how', models.CharField(choices=[('first', '記録を始めたときの値'), ('changed', '変更'), ('back', '以前の版に戻した'), ('outside', '画面の外での変更')], max_length=8, verbose_name='出来事')),
                        ('back_to', models.PositiveIntegerField(null=True)),
                        ('note', models.CharField(blank=True, max_length=200, verbose_name='理由')),
                        ('at', models.DateTimeField(verbose_name='日時')),
                        ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': ('view',),
                        'indexes': [models.Index(fields=['-at', '-id'], name='setting_version_by_time')],
                        'constraints': [models.UniqueConstraint(fields=('kind', 'ref', 'number'), name='setting_version_numbered_once')],
                    },
                ),
                migrations.CreateModel(
                    name='Pin',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('secret', models.CharField(max_length=128)),
                        ('set_at', models.DateTimeField()),
                        ('failures', models.PositiveSmallIntegerField(default=0)),
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='pin', to=settings.AUTH_USER_MODEL)),
                    ],
                    options={
                        'default_permissions': (),
                    },
                ),
                migrations.CreateModel(
                    name='StoreDevice',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.UUIDField(unique=True)),
                        ('place_id', models.BigIntegerField()),
                        ('name', models.CharField(max_length=40, verbose_name='端末名')),
                        ('code_digest', models.CharField(blank=True, max_length=64, null=True, unique=True)),
                        ('code_until', models.DateTimeField(blank=True, null=True)),
                        ('token_digest', models.CharField(blank=True, max_length=64, null=True, unique=True)),
                        ('agent', models.CharField(blank=True, max_length=300, verbose_name='ブラウザ')),
                        ('created_at', models.DateTimeField()),
                        ('registered_at', models.DateTimeField(blank=True, null=True, verbose_name='登録日時')),
                        ('last_seen_at', models.DateTimeField(blank=True, null=True, verbose_name='最後の利用')),
                        ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'default_permissions': (),
                        'constraints': [models.CheckConstraint(condition=models.Q(('ended_at', None), models.Q(('code_digest', None), ('token_digest', None)), _connector='OR'), name='an_ended_store_device_opens_nothing')],
                    },
                ),
            ],
        ),
        append_only("kernel_effectevent"),
        append_only("kernel_signinevent"),
        append_only("kernel_settingversion"),
    ]
