from django.db import models
from django.utils.translation import gettext_lazy as _


class ReleaseTime(models.Model):
    """A time of day at which everything that is ready is instructed without a hand (定時の出荷指示)."""

    at = models.TimeField(_("時刻"), unique=True)
    active = models.BooleanField(_("使う"), default=True)
    last_run_on = models.DateField(_("最後に実行した日"), null=True)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return self.at.strftime("%H:%M")
