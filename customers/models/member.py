from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.search import gram_index


class Member(models.Model):
    """A person who buys, in whatever channel. The columns show the newest data a channel gave."""

    name = models.CharField(_("氏名"), max_length=120)
    kana = models.CharField(_("カナ"), max_length=120, blank=True)
    phone = models.CharField(_("電話番号"), max_length=20, blank=True)
    email = models.CharField(_("メール"), max_length=254, blank=True)
    postal_code = models.CharField(_("郵便番号"), max_length=8, blank=True)
    prefecture = models.CharField(_("都道府県"), max_length=10, blank=True)
    order_count = models.PositiveIntegerField(_("注文回数"), default=0)
    created_at = models.DateTimeField(_("登録日時"))
    search = models.TextField(blank=True, default="", db_default="", editable=False)  # see `search_column`

    class Meta:
        indexes = [gram_index("search", name="member_search")]

    def __str__(self) -> str:
        return self.name


class Identity(models.Model):
    """One sure key of a member: the same key never belongs to two. `key` is normalised and hashed by the service."""

    class Kind(models.TextChoices):
        NAME_PHONE = "name_phone", _("氏名＋電話番号")
        EMAIL = "email", _("メール")

    member = models.ForeignKey(Member, models.CASCADE, related_name="identities")
    kind = models.CharField(_("種類"), max_length=12, choices=Kind)
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="identity_once")]

    def __str__(self) -> str:
        return f"{self.kind} → {self.member_id}"
