"""Who saw whose personal data, and how long that is remembered."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Member
from orders.models.order import Order

VIEW_MONTHS = 24


class PersonalView(models.Model):
    """A person saw the personal data of an order or of a member. Append-only, but for its own retention.

    `slot` counts quarters of an hour since 1970: within one, further looks at the same subject leave no further row.
    `where` is what was opened first in it.
    """

    class Where(models.TextChoices):
        ORDER = "order", _("受注詳細")
        INBOX = "inbox", _("確認待ち")
        MEMBER = "member", _("会員")
        MAIL = "mail", _("メール")
        PAPER = "paper", _("請求書・領収書")
        SLIP = "slip", _("出荷の帳票")
        RETURN = "return", _("返品")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="+", db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", db_index=False)
    where = models.CharField(_("見た画面"), max_length=8, choices=Where)
    at = models.DateTimeField(_("日時"))
    slot = models.IntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["order", "by", "slot"], condition=models.Q(order__isnull=False), name="view_order_once"
            ),
            models.UniqueConstraint(
                fields=["member", "by", "slot"], condition=models.Q(member__isnull=False), name="view_member_once"
            ),
            models.CheckConstraint(
                condition=models.Q(order__isnull=False, member__isnull=True)
                | models.Q(order__isnull=True, member__isnull=False),
                name="view_of_one_subject",
            ),
        ]
        indexes = [models.Index(fields=["at", "id"], name="view_at")]

    def __str__(self) -> str:
        return f"{self.by_id}: {self.order_id or self.member_id}"


class ViewRetention(models.Model):
    """How many months views are remembered: one row, or none for the standard."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    months = models.PositiveSmallIntegerField(_("閲覧履歴を保存する月数"), default=VIEW_MONTHS)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="view_retention_is_one_row")]

    def __str__(self) -> str:
        return f"{self.months}"
