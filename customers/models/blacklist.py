from datetime import date

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Severity(models.TextChoices):
    """What a match does at most; the settings of the reasons may make it milder."""

    BLOCK = "block", _("出荷を止める")
    WARN = "warn", _("注意として知らせる")
    INFO = "info", _("情報として知らせる")


class BlacklistEntries(models.QuerySet["BlacklistEntry"]):
    def in_force(self, today: date) -> "BlacklistEntries":
        return self.filter(Q(until=None) | Q(until__gte=today), lifted_at=None)


class BlacklistEntry(models.Model):
    """A person to look at before shipping. Orders are compared by the keys (`customers.services.blacklist`); what has
    two columns is kept as typed beside its key. Without shops, or payment methods, it is for all of them."""

    name_key = models.CharField(max_length=120, blank=True)
    phone = models.CharField(_("電話番号"), max_length=20, blank=True)
    email = models.CharField(_("メールアドレス"), max_length=254, blank=True)
    email_key = models.CharField(max_length=254, blank=True)
    postal_code = models.CharField(_("郵便番号"), max_length=8, blank=True)
    address = models.CharField(_("住所"), max_length=200, blank=True)
    address_key = models.CharField(max_length=300, blank=True)
    reason = models.CharField(_("理由"), max_length=200)
    severity = models.CharField(
        _("扱い"), max_length=5, choices=Severity, default=Severity.BLOCK, db_default=Severity.BLOCK.value
    )
    shops = ArrayField(models.CharField(max_length=30), default=list, db_default=[], blank=True)  # codes
    payments = ArrayField(models.CharField(max_length=20), default=list, db_default=[], blank=True)  # methods
    until = models.DateField(_("期限"), null=True, blank=True)  # the last day on which it counts
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(_("登録日時"))
    # Who took the entry back, and why: it matches nobody any more, and stays as a record.
    lifted_at = models.DateTimeField(_("解除日時"), null=True, blank=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    lifted_why = models.CharField(_("解除の理由"), max_length=200, blank=True)

    objects = BlacklistEntries.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("manage_blacklist", _("要注意リストを管理する"))]
        indexes = [
            models.Index(fields=["phone"], name="blacklist_phone"),
            models.Index(fields=["name_key", "postal_code"], name="blacklist_name"),
            models.Index(fields=["email_key"], name="blacklist_email"),
            models.Index(fields=["address_key"], name="blacklist_address"),
        ]

    def __str__(self) -> str:
        return self.reason
