"""What a sign-in leaves and asks for: browsers, second steps with their recovery codes, rules per role, a journal."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DeviceQuerySet(models.QuerySet["Device"]):
    def with_state(self) -> "DeviceQuerySet":
        """Adds `signed_in`: whether its session still stands, by the session's own row."""
        live = Session.objects.filter(session_key=models.OuterRef("session_key"), expire_date__gt=timezone.now())
        return self.annotate(signed_in=models.Exists(live))


class Device(models.Model):
    """One browser in which one person has signed in.

    Its session is the row of Django's session table with `session_key` (None: signed out). Who ends a device deletes
    that row, so the next request finds nobody; asking for it costs no query of its own.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="devices")
    # What the browser shows again at its next sign-in (a signed cookie), so that it stays the same row.
    browser = models.CharField(max_length=43)
    session_key = models.CharField(max_length=40, null=True, blank=True, unique=True)
    agent = models.CharField(_("ブラウザ"), max_length=300, blank=True)
    address = models.CharField(_("接続元"), max_length=45, blank=True)
    first_seen_at = models.DateTimeField(_("最初のログイン"))
    last_seen_at = models.DateTimeField(_("最後の利用"))
    trusted_until = models.DateTimeField(_("コードを省略できる期限"), null=True, blank=True)
    # The store's device on which its session was opened by PIN; None: by the person's own password.
    store_device = models.ForeignKey("kernel.StoreDevice", models.PROTECT, null=True, blank=True, related_name="+")

    objects = DeviceQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "browser"], name="one_device_per_person_and_browser")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.address}"


class SecondStep(models.Model):
    """A person's authenticator app. Without `confirmed_at` there is none, and it `must_renew` after a reset."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="second_step")
    secret = models.BinaryField(default=b"")  # 20 bytes under OMS_ENCRYPTION_KEYS
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=0)  # the time step of the last code taken: none is taken twice
    must_renew = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirmed_at=None) | ~models.Q(secret=b""),
                name="a_confirmed_second_step_has_a_secret",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.confirmed_at}"


class RecoveryCode(models.Model):
    """One of ten codes for a lost authenticator app, good once. Only its digest is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="a_recovery_code_stands_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.used_at}"


class SignInRule(models.Model):
    """What one role asks of a sign-in. A role without a rule asks nothing."""

    group = models.OneToOneField(Group, models.CASCADE, related_name="sign_in_rule")
    second_step = models.BooleanField(default=False)
    networks = models.TextField(blank=True, default="")  # canonical, one per line; empty: from anywhere

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.group_id)


class SignInSettings(models.Model):
    """The company's one row: what holds for everybody."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    may_trust = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_row_of_sign_in_settings")]

    def __str__(self) -> str:
        return f"may_trust={self.may_trust}"


class SignInEvent(models.Model):
    """The journal of coming and going, append-only. `person` is whom it concerns, `by` who did it."""

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", _("ログイン")
        SIGNED_OUT = "signed_out", _("ログアウト")
        CODE_REFUSED = "code_refused", _("認証コードの誤り")
        ADDRESS_REFUSED = "address_refused", _("許可されていない接続元")
        RECOVERY_USED = "recovery_used", _("リカバリーコードの使用")
        SET_UP = "set_up", _("二段階認証の設定")
        SWITCHED_OFF = "switched_off", _("二段階認証の解除")
        CODES_RENEWED = "codes_renewed", _("リカバリーコードの作り直し")
        RESET = "reset", _("二段階認証のリセット")
        DEVICE_ENDED = "device_ended", _("端末のログアウト")
        DEVICE_TRUSTED = "device_trusted", _("端末を信頼")
        PASSWORD_CHANGED = "password_changed", _("パスワードの変更")
        RULE_CHANGED = "rule_changed", _("ログインの決まりの変更")
        PIN_SIGNED_IN = "pin_signed_in", _("PINでログイン")
        PIN_REFUSED = "pin_refused", _("PINの誤り")
        PIN_LOCKED = "pin_locked", _("PINの停止（誤りの連続）")
        PIN_SET = "pin_set", _("PINの設定")
        PIN_REMOVED = "pin_removed", _("PINの削除")
        PIN_RESET = "pin_reset", _("PINのリセット")
        STORE_DEVICE_CODE = "store_device_code", _("店舗端末の登録コードの発行")
        STORE_DEVICE_ADDED = "store_device_added", _("店舗端末の登録")
        STORE_DEVICE_ENDED = "store_device_ended", _("店舗端末の取り消し")

    at = models.DateTimeField(_("日時"))
    kind = models.CharField(_("出来事"), max_length=20)  # of `Kind`
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    address = models.CharField(_("接続元"), max_length=45, blank=True)
    store_device = models.ForeignKey("kernel.StoreDevice", models.PROTECT, null=True, blank=True, related_name="+")
    text = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["-at", "-id"], name="sign_in_event_by_time"),
            models.Index(fields=["person", "kind", "-at"], name="sign_in_event_by_person"),
            models.Index(fields=["address", "kind", "-at"], name="sign_in_event_by_address"),
            models.Index(
                fields=["store_device", "kind", "-at"],
                name="sign_in_event_by_store_device",
                condition=models.Q(store_device__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.person_id}"
