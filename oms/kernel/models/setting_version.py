from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField


class SettingVersion(models.Model):
    """One state of one setting, whole: `kind` says what is set (`oms.kernel.setting_kinds`), `ref` of what.

    Append-only. `content` is what its form holds, without credentials; None: nothing is set, the standard holds.
    """

    class How(models.TextChoices):
        FIRST = "first", _("記録を始めたときの値")
        CHANGED = "changed", _("変更")
        BACK = "back", _("以前の版に戻した")
        OUTSIDE = "outside", _("画面の外での変更")

    kind = models.CharField(max_length=40)
    ref = models.CharField(max_length=200)
    number = models.PositiveIntegerField(_("版"))
    title = SaidField(_("対象"), blank=True)  # what the subject was called then
    content = models.JSONField(null=True)
    changed = ArrayField(models.CharField(max_length=80), default=list)  # names of the fields that differ
    how = models.CharField(_("出来事"), max_length=8, choices=How)
    back_to = models.PositiveIntegerField(null=True)
    note = models.CharField(_("理由"), max_length=200, blank=True)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["kind", "ref", "number"], name="setting_version_numbered_once"),
        ]
        indexes = [models.Index(fields=["-at", "-id"], name="setting_version_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref} {self.number}"
