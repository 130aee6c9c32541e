from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order
from orders.models.papers import IssuedDocument


class Quote(models.Model):
    """見積: what the form for orders taken by hand held when the quote was made, so that it becomes an order later.

    `key` is the form's own: sent twice it makes one quote. `values` are emptied once they are needed no more.
    """

    key = models.CharField(max_length=40, unique=True)
    document = models.OneToOneField(IssuedDocument, models.PROTECT, related_name="quote")
    values = models.JSONField(default=dict)
    valid_until = models.DateField(_("有効期限"))
    order = models.OneToOneField(Order, models.PROTECT, null=True, related_name="quote", verbose_name=_("受注"))

    def __str__(self) -> str:
        return self.key
