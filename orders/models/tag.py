"""What people and rules stick on an order: coloured tags, texts for readers of papers and mails, tasks."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from inventory.models import Location
from oms.kernel import clock
from oms.kernel.said_field import SaidField
from orders.models.order import Order


class OrderTag(models.Model):
    """A tag's name and colour. Orders hold names (`Order.tags`), so a tag without a row here is merely grey."""

    class Tone(models.TextChoices):
        NEUTRAL = "neutral", _("灰")
        INFO = "info", _("青")
        READY = "ready", _("緑")
        ATTENTION = "attention", _("黄")
        DANGER = "danger", _("赤")

    name = models.CharField(_("タグ"), max_length=40, unique=True)
    tone = models.CharField(_("色"), max_length=10, choices=Tone, default=Tone.NEUTRAL)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OrderText(models.Model):
    """A sentence for one kind of reader, put there by a rule. One row per order, reader and rule action (`key`)."""

    class Reader(models.TextChoices):
        DELIVERY_NOTE = "delivery_note", _("納品書")
        LABEL = "label", _("送り状")
        PICK_LIST = "pick_list", _("ピッキングリスト")
        MAIL = "mail", _("メール")

    order = models.ForeignKey(Order, models.CASCADE, related_name="texts")
    reader = models.CharField(_("載せる先"), max_length=14, choices=Reader)
    text = models.CharField(_("文"), max_length=300)
    key = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "reader", "key"], name="order_text_once")]

    def __str__(self) -> str:
        return self.text


class TaskKind(models.TextChoices):
    """What sort of hand is needed."""

    REFUND = "refund", _("返金")
    VOID = "void", _("与信の取消")
    CAPTURE = "capture", _("売上の確定")
    REAUTHORIZE = "reauthorize", _("与信の取り直し")
    REPORT = "report", _("モールへの入金報告")
    CANCEL = "cancel", _("モールでのキャンセル")
    CHANGE = "change", _("モールでの変更")
    REMINDER = "reminder", _("リマインダー")
    OTHER = "other", _("その他")


class OrderTask(models.Model):
    """Something a person or a team has to do about an order, mostly on another party's page. Open while `done_at` is
    empty. With a `location` it is for whoever works at that store (of the team, where there is one).

    `key` makes asking twice harmless. `link` is where it is done; empty when there is no such address. One with
    `shown_from` (a reminder) rests until then; putting it off moves that.
    """

    kind = models.CharField(_("種類"), max_length=12, choices=TaskKind, default=TaskKind.OTHER, db_default="other")
    link = models.CharField(_("作業する画面"), max_length=500, blank=True, db_default="")

    order = models.ForeignKey(Order, models.CASCADE, related_name="tasks")
    text = SaidField(_("内容"))
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("担当")
    )
    team = models.ForeignKey(Group, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("チーム"))
    location = models.ForeignKey(
        Location, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("店舗・拠点")
    )
    due_at = models.DateTimeField(_("期限"), null=True, blank=True)
    shown_from = models.DateTimeField(_("知らせる日時"), null=True, blank=True)
    key = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField(_("作成日時"))
    done_at = models.DateTimeField(_("完了日時"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("完了者")
    )

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "id"], name="task_open", condition=models.Q(done_at__isnull=True)),
            models.Index(fields=["order"], name="task_order"),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def rests(self) -> bool:
        """Its day is still to come."""
        return self.done_at is None and self.shown_from is not None and self.shown_from > clock.now()
