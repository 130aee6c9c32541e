import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.models import User
from oms.kernel.said_field import SaidField


class ExportGrain(models.TextChoices):
    """What one line of the file stands for."""

    ORDER = "order", _("受注ごとに1行")
    LINE = "line", _("明細ごとに1行")
    RECIPIENT = "recipient", _("届け先ごとに1行")


class ExportFormat(models.TextChoices):
    CSV = "csv", _("CSV（UTF-8・BOMつき）")
    CP932 = "cp932", _("CSV（Shift_JIS）")
    XLSX = "xlsx", _("Excel（.xlsx）")


class ExportLayout(models.Model):
    """Columns in an order, under a name (`orders.decide.export_columns` knows them). A shared one is everybody's to
    use, and its owner's to change."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("作成者"))
    name = models.CharField(_("名前"), max_length=40)
    grain = models.CharField(_("1行の単位"), max_length=10, choices=ExportGrain, default=ExportGrain.ORDER)
    format = models.CharField(_("ファイルの形式"), max_length=6, choices=ExportFormat, default=ExportFormat.CSV)
    columns = ArrayField(models.CharField(max_length=30))
    keep_zeros = models.BooleanField(_("Excelで開いても先頭の0を残す"), default=True)
    shared = models.BooleanField(_("共有する"), default=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="export_layout_name_once")]

    def __str__(self) -> str:
        return self.name


class ExportRun(models.Model):
    """Orders written into one file: chosen, begun, written in portions, kept for some days.

    `order_ids` is the frozen selection, the first `position` of them are written. `attempt` numbers the beginnings: who
    writes under an older number has been overtaken and stops. `tries` are those since somebody last asked. What was
    asked is copied from the layout.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("準備中")
        RUNNING = "running", _("作成中")
        FINISHED = "finished", _("完了")
        FAILED = "failed", _("失敗")
        GONE = "gone", _("保存期間が終了")

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("担当"))
    query = models.TextField(blank=True)  # the list it was started from
    order_ids = ArrayField(models.BigIntegerField())
    layout_name = models.CharField(_("レイアウト"), max_length=40, blank=True)
    grain = models.CharField(max_length=10, choices=ExportGrain, default=ExportGrain.ORDER)
    format = models.CharField(_("ファイルの形式"), max_length=6, choices=ExportFormat, default=ExportFormat.CSV)
    columns = ArrayField(models.CharField(max_length=30), default=list)
    keep_zeros = models.BooleanField(default=True)
    personal = models.BooleanField(_("個人情報を含む"), default=False)
    reason = models.CharField(_("理由"), max_length=200, blank=True)

    state = models.CharField(_("状態"), max_length=8, choices=State, default=State.DRAFT)
    attempt = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(_("行数"), default=0)
    replaced = models.JSONField(default=dict)  # what Shift_JIS cannot hold: {"chars": n, "orders": n, "named": […]}
    error = SaidField(_("失敗の理由"), blank=True)
    place = models.CharField(max_length=100, blank=True)  # under `settings.EXPORTS`
    size = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(_("日時"))
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(_("完了日時"), null=True)
    expires_at = models.DateTimeField(_("保存期限"), null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-key"], name="export_newest"),
            models.Index(fields=["touched_at"], name="export_open", condition=models.Q(state__in=["draft", "running"])),
            models.Index(fields=["expires_at"], name="export_kept", condition=models.Q(state="finished")),
        ]

    def __str__(self) -> str:
        return f"{self.layout_name} × {len(self.order_ids)}"

    @classmethod
    def of(cls, user: User, key: uuid.UUID) -> "ExportRun | None":
        """The run of this key when it is this person's own; without its long list."""
        return cls.objects.defer("order_ids").filter(key=key, by=user).first()


class ExportEvent(models.Model):
    """Who took what out, when, how much and why: append-only, held by a trigger."""

    class Kind(models.TextChoices):
        BEGUN = "begun", _("書き出しを開始")
        FINISHED = "finished", _("ファイルを作成")
        FAILED = "failed", _("失敗")
        RETRIED = "retried", _("やり直し")
        DOWNLOADED = "downloaded", _("ダウンロード")
        REFUSED = "refused", _("ダウンロードを拒否")
        REMOVED = "removed", _("ファイルを削除")

    run = models.ForeignKey(ExportRun, models.PROTECT, related_name="events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(_("出来事"), max_length=10, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    count = models.PositiveIntegerField(_("件数"), default=0)
    text = models.CharField(_("内容"), max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["run", "id"], name="export_event_run")]

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"
