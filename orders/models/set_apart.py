from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.models.order import OrderLine


class SetApart(models.Model):
    """So many pieces of a set's line became lines of their components; until those leave they can be sets again.

    `parts`: these lines. `places`: where all of the set's line had its places before, as [location, pieces].
    """

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="takings", db_index=False)
    pieces = models.PositiveIntegerField(_("セット数"))
    parts = ArrayField(models.BigIntegerField())
    places = models.JSONField(default=list)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(_("戻した日時"), null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["line"], name="set_apart_line")]
        constraints = [models.CheckConstraint(condition=Q(pieces__gt=0), name="set_apart_pieces")]

    def __str__(self) -> str:
        return f"{self.line_id} × {self.pieces}"
