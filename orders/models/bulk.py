import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.models import User


class BulkRun(models.Model):
    """One action on many orders: chosen, previewed, run in slices, and its result.

    `order_ids` is the frozen selection; the first `position` of them have been dealt with. Each slice commits together
    with the position, so that a run goes on where it was broken off and does nothing twice.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("確認中")
        RUNNING = "running", _("実行中")
        FINISHED = "finished", _("完了")

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.CharField(_("操作"), max_length=40)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("実行者"))
    params = models.JSONField(default=dict)
    query = models.TextField(blank=True)  # the list it was started from
    order_ids = ArrayField(models.BigIntegerField())
    state = models.CharField(_("状態"), max_length=8, choices=State, default=State.DRAFT)
    position = models.PositiveIntegerField(default=0)
    done = ArrayField(models.BigIntegerField(), default=list)
    skipped = models.JSONField(default=dict)  # order id (text) → why
    failed = models.JSONField(default=dict)
    offers = models.JSONField(default=list)  # what one wants next: text, url, ids to post
    created_at = models.DateTimeField(_("作成日時"))
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(_("完了日時"), null=True)

    class Meta:
        indexes = [
            models.Index(fields=["touched_at"], name="bulk_unfinished", condition=~models.Q(state="finished")),
        ]

    def __str__(self) -> str:
        return f"{self.action} × {len(self.order_ids)}"

    @property
    def total(self) -> int:
        return len(self.order_ids)

    @property
    def left_over(self) -> list[int]:
        """Orders to look at again."""
        return [int(order_id) for order_id in self.failed]

    @classmethod
    def of(cls, user: User, key: str) -> "BulkRun | None":
        """The run of this key when it is this person's own."""
        try:
            return cls.objects.filter(key=uuid.UUID(key), by=user).first()
        except ValueError:
            return None
