from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.connection import Connection
from oms.kernel.said_field import SaidField


class Credential(models.Model):
    """When one credential of a shop began and ends, and who looks after it. Its value lies in `Connection.secrets`."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="credentials")
    key = models.CharField(_("項目"), max_length=40)
    issued_at = models.DateTimeField(_("発行日時"), null=True)
    expires_at = models.DateTimeField(_("期限"), null=True, blank=True)
    renew_from = models.DateTimeField(_("更新を始める日"), null=True, blank=True)
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, verbose_name=_("担当者"), blank=True, related_name="+")
    changed_at = models.DateTimeField(_("変更日時"), null=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("変更者")
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="credential_once")]
        indexes = [models.Index(fields=["expires_at", "id"], name="credential_expiry")]

    def __str__(self) -> str:
        return self.key


class CredentialUse(models.Model):
    """What the system read a credential for: one row per key and purpose, however often it is read."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    key = models.CharField(max_length=40)
    purpose = models.CharField(max_length=12)
    reads = models.PositiveBigIntegerField(default=0)
    read_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)  # the last good answer of the channel to a call that had read it
    host = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "key", "purpose"], name="credential_use_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.purpose}"


class Renewal(models.Model):
    """New credentials on their way in: entered, tried, switched to, the old ones kept until they end.

    `fresh` and `old` are encrypted JSON objects of the renewed keys alone. `paused` names the functions that this
    renewal paused (where a new key ends the old one at once) and that it resumes.
    """

    class State(models.TextChoices):
        PREPARED = "prepared", _("準備中（停止済み）")
        ENTERED = "entered", _("入力済み")
        TESTED = "tested", _("テスト済み")
        SWITCHED = "switched", _("切替済み（確認待ち）")
        KEPT = "kept", _("切替完了（以前の値を保管中）")
        DONE = "done", _("完了")
        ROLLED_BACK = "rolled_back", _("元に戻した")
        ABANDONED = "abandoned", _("取りやめ")

    OPEN = (State.PREPARED, State.ENTERED, State.TESTED, State.SWITCHED)

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="renewals")
    state = models.CharField(_("状態"), max_length=12, choices=State)
    keys = ArrayField(models.CharField(max_length=40), default=list)
    overlap = models.BooleanField(default=True)
    fresh = models.BinaryField(default=bytes)
    old = models.BinaryField(default=bytes)
    old_dates = models.JSONField(default=dict)
    old_until = models.DateTimeField(null=True)
    paused = ArrayField(models.CharField(max_length=10), default=list)
    seen = SaidField(_("テストの結果"), blank=True)
    error = SaidField(_("エラー"), blank=True)
    started_at = models.DateTimeField(_("開始日時"))
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    moved_at = models.DateTimeField(_("更新日時"))
    switched_at = models.DateTimeField(_("切替日時"), null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(state__in=["prepared", "entered", "tested", "switched"]),
                name="renewal_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {self.state}"


class Protection(models.Model):
    """Listings set to sold-out by one click while a shop cannot be reached; `modes` remembers what each was before."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="protections")
    elsewhere = models.BooleanField(default=False)  # the same SKUs at the other shops, too
    modes = models.JSONField(default=dict)  # listing id → its mode before
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], condition=models.Q(lifted_at__isnull=True), name="protection_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} {len(self.modes)}"


class KeyRotation(models.Model):
    """How far the rows of one table are re-encrypted with one key, so that a stopped rotation goes on from there."""

    fingerprint = models.CharField(max_length=16)
    table = models.CharField(max_length=63)
    position = models.BigIntegerField(default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fingerprint", "table"], name="key_rotation_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.position}"
