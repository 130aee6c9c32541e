from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class BlacklistEntry(models.Model):
    """A person to look at before shipping. Orders are compared by the keys (`customers.services.blacklist`); what has
    two columns is kept as typed beside its key."""

    name_key = models.CharField(max_length=120, blank=True)
    phone = models.CharField(_("電話番号"), max_length=20, blank=True)
    email = models.CharField(_("メールアドレス"), max_length=254, blank=True)
    email_key = models.CharField(max_length=254, blank=True)
    postal_code = models.CharField(_("郵便番号"), max_length=8, blank=True)
    address = models.CharField(_("住所"), max_length=200, blank=True)
    address_key = models.CharField(max_length=300, blank=True)
    reason = models.CharField(_("理由"), max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(_("登録日時"))
    # Who took the entry back, and why: it matches nobody any more, and stays as a record.
    lifted_at = models.DateTimeField(_("解除日時"), null=True, blank=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    lifted_why = models.CharField(_("解除の理由"), max_length=200, blank=True)

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
