from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.recipient import Recipient


class NoshiChoice(models.Model):
    """A recipient's noshi as a person set it, part by part.

    `words` is the same as one text, as it stands in the recipient's (or the order's) `noshi`: while the two are equal,
    the parts hold. A channel that tells something else later overwrites that text, and parts are read from it again.
    `said` is what the channel had told before.
    """

    recipient = models.OneToOneField(Recipient, models.CASCADE, related_name="noshi_choice")
    words = models.CharField(max_length=200, blank=True)
    said = models.CharField(max_length=200, blank=True)
    noshi_cord = models.CharField(_("水引"), max_length=40, blank=True)
    noshi_purpose = models.CharField(_("表書き"), max_length=40, blank=True)
    noshi_name = models.CharField(_("名入れ"), max_length=80, blank=True)
    noshi_place = models.CharField(_("内のし・外のし"), max_length=10, blank=True)
    noshi_rest = models.CharField(_("のしのほかの指定"), max_length=200, blank=True)

    def __str__(self) -> str:
        return self.words
