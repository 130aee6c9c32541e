from django.conf import settings
from django.db import models
from django.db.models.functions import MD5
from django.utils.translation import gettext_lazy as _

from inventory.models import Sku
from orders.models.shop import Shop


class OptionChoice(models.Model):
    """What an option text of a listing stands for, as a person decided it. Without `sku` it changes nothing about the
    goods. The text is the channel's own, letter by letter."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    channel_sku = models.CharField(_("モール商品コード"), max_length=120)
    options = models.TextField(_("選択肢"))
    sku = models.ForeignKey(Sku, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("shop", "channel_sku", MD5("options"), name="option_choice_once")]

    def __str__(self) -> str:
        return f"{self.channel_sku}: {self.options[:40]}"
