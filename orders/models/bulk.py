import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.models import User
from oms.kernel.said_field import SaidJSONField


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
    skipped = SaidJSONField(default=dict)  # order id (text) → why
    failed = SaidJSONField(default=dict)
    offers = SaidJSONField(default=list)  # what one wants next: text, url, ids to post
    created_at = models.DateTimeField(_("作成日時"))
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(_("完了日時"), null=True)

    # Taking it back: begun once, by slices of the memory's rows up to `undo_position` (an id of theirs).
    undo_state = models.CharField(max_length=8, choices=State, blank=True, default="", db_default="")
    undo_position = models.BigIntegerField(default=0, db_default=0)
    undone = ArrayField(models.BigIntegerField(), default=list, db_default=[])
    undo_skipped = SaidJSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("元に戻した人")
    )
    undone_at = models.DateTimeField(_("元に戻した日時"), null=True)

    class Meta:
        indexes = [
            models.Index(fields=["touched_at"], name="bulk_unfinished", condition=~models.Q(state="finished")),
            models.Index(fields=["touched_at"], name="bulk_undoing", condition=models.Q(undo_state="running")),
            models.Index(fields=["-created_at", "-key"], name="bulk_newest"),
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


class BulkMemory(models.Model):
    """What one order held before and after a run touched it; written with the run's slice, kept while it can be
    taken back."""

    run = models.ForeignKey(BulkRun, models.CASCADE, related_name="memory")
    order_id = models.BigIntegerField()
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "order_id"], name="bulk_memory_once")]
        indexes = [models.Index(fields=["run", "id"], name="bulk_memory_run")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.order_id}"
