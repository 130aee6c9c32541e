from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order


class StandingRecipients(models.Manager["Recipient"]):
    """Where goods go now."""

    def get_queryset(self) -> models.QuerySet["Recipient"]:
        return super().get_queryset().filter(position__lt=Recipient.FORMER)


class Recipient(models.Model):
    """Where goods of an order go; position 0 always exists once the channel told an address.

    An address that is changed after a parcel went there stays as a row of its own, from position `FORMER` on, which
    only that parcel points to; `objects` and `order.recipients` do not see it.
    """

    FORMER = 1000

    order = models.ForeignKey(Order, models.CASCADE, related_name="recipients")
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(_("届け先"), max_length=120)
    kana = models.CharField(_("カナ"), max_length=120, blank=True)
    phone = models.CharField(_("電話番号"), max_length=30, blank=True)
    postal_code = models.CharField(_("郵便番号"), max_length=10, blank=True)
    prefecture = models.CharField(_("都道府県"), max_length=20, blank=True)
    city = models.CharField(_("市区町村"), max_length=100, blank=True)
    address = models.CharField(_("番地・建物"), max_length=300, blank=True)
    company = models.CharField(_("会社名"), max_length=120, blank=True)
    country = models.CharField(_("国"), max_length=2, default="JP")
    # What is wished for this recipient alone; empty: as the order says.
    wish_date = models.DateField(_("配達希望日"), null=True)
    wish_slot = models.CharField(_("希望時間帯"), max_length=20, blank=True, db_default="")
    method = models.CharField(_("配送方法"), max_length=60, blank=True, db_default="")
    sender = models.CharField(_("送り主"), max_length=120, blank=True, db_default="")
    gift = models.CharField(_("ラッピング"), max_length=200, blank=True, db_default="")
    noshi = models.CharField(_("のし"), max_length=200, blank=True, db_default="")
    message_card = models.TextField(_("メッセージカード"), blank=True, db_default="")
    shipping_fee = models.IntegerField(_("送料"), default=0, db_default=0)
    fees = models.IntegerField(_("手数料"), default=0, db_default=0)

    objects = StandingRecipients()
    with_former = models.Manager["Recipient"]()

    class Meta:
        ordering = ["order", "position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="recipient_position")]
        indexes = [
            models.Index(fields=["postal_code"], name="recipient_postal", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["city"], name="recipient_city", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["order"], name="recipient_abroad", condition=~models.Q(country="JP")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_former(self) -> bool:
        return self.position >= self.FORMER
