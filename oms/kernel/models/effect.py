from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField


class Effect(models.Model):
    """One thing to be done outside the database, once: a mail, a channel notice, a capture.

    Written in the transaction that decides it; delivered by `oms.kernel.services.outbox`.
    `key` is the idempotency key: writing the same key again changes nothing.
    Effects of one `subject` are delivered one after another, by id.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("送信待ち")
        RUNNING = "running", _("送信中")
        DONE = "done", _("完了")
        FAILED = "failed", _("失敗")
        MANUAL_DONE = "manual_done", _("手動完了")
        CANCELLED = "cancelled", _("取消")

    kind = models.CharField(_("種類"), max_length=40)
    key = models.CharField(max_length=200, unique=True)
    subject = models.CharField(_("対象"), max_length=80)
    payload = models.JSONField(default=dict)
    state = models.CharField(_("状態"), max_length=12, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("試行回数"), default=0)
    next_try_at = models.DateTimeField(_("次の試行"))
    claimed_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(_("完了日時"), null=True)
    last_error = SaidField(_("直近のエラー"), blank=True)
    note = models.TextField(_("メモ"), blank=True)
    created_at = models.DateTimeField(_("作成日時"))

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="effect_due",
                condition=models.Q(state__in=["waiting", "running"]),
            ),
            models.Index(fields=["subject", "id"], name="effect_subject"),
            models.Index(fields=["kind", "state"], name="effect_failed", condition=models.Q(state="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
