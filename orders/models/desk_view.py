from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class DeskView(models.Model):
    """A list of 受注一覧 under a name: `query` is what stands in its address, conditions, order and columns.

    A shared one is everybody's to use, and its owner's to change. Pinned ones stand under the tiles with their count.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("作成者"))
    name = models.CharField(_("名前"), max_length=40)
    query = models.TextField(blank=True)
    shared = models.BooleanField(_("共有する"), default=False)
    pinned = models.BooleanField(_("件数を一覧の横に出す"), default=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="desk_view_name_once")]

    def __str__(self) -> str:
        return self.name
