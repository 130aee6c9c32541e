"""Automation rules: what people wrote, what was done to which order because of it, and what waits to be looked at."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models.order import Order


class Rule(models.Model):
    """One rule; what it says is in its versions. `published` is the number of the version in force, empty for none."""

    name = models.CharField(_("ルール名"), max_length=80)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("責任者")
    )
    published = models.PositiveIntegerField(_("公開中の版"), null=True)
    paused = models.BooleanField(_("停止中"), default=False)
    template = models.CharField(max_length=40, blank=True)  # which ready-made rule it came from
    created_at = models.DateTimeField(_("作成日時"))
    changed_at = models.DateTimeField(_("更新日時"))  # moves whenever what is in force changes

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["template"], name="rule_template_once", condition=~models.Q(template=""))
        ]
        permissions = [("manage_rules", _("自動処理ルールを管理する"))]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.published is not None and not self.paused


class RuleVersion(models.Model):
    """One version: `document` is checked by `orders.decide.rules.document` before it is stored. A published version
    never changes; correcting it makes the next."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("版"))
    document = models.JSONField()
    note = SaidField(_("変更メモ"), blank=True)
    created_at = models.DateTimeField(_("作成日時"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("作成者")
    )
    publish_at = models.DateTimeField(_("公開予定"), null=True, blank=True)
    published_at = models.DateTimeField(_("公開日時"), null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("公開者")
    )

    class Meta:
        ordering = ["rule", "number"]
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="rule_version_once")]
        indexes = [
            models.Index(fields=["publish_at"], name="rule_version_due", condition=models.Q(publish_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} v{self.number}"

    @property
    def is_draft(self) -> bool:
        return self.published_at is None


class RuleMark(models.Model):
    """One action of a rule done to one order: the same `key` (what is done, not by which version) is done once.

    `before` and `after` are the values around it, with which it can be taken back.
    """

    class State(models.TextChoices):
        APPLIED = "applied", _("実行済")
        TAKEN_BACK = "taken_back", _("取消済")
        KEPT = "kept", _("条件外・維持")

    order = models.ForeignKey(Order, models.CASCADE, related_name="rule_marks")
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="marks")
    version = models.PositiveIntegerField(_("版"))
    key = models.CharField(max_length=60)
    action = models.CharField(_("操作"), max_length=30)
    params = models.JSONField(default=dict)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    state = models.CharField(_("状態"), max_length=10, choices=State, default=State.APPLIED)
    at = models.DateTimeField(_("日時"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "rule", "key"], name="rule_mark_once")]
        indexes = [models.Index(fields=["rule", "order"], name="rule_mark_rule")]

    def __str__(self) -> str:
        return f"{self.rule_id} v{self.version} → {self.order_id}: {self.action}"


class RuleTrace(models.Model):
    """What the rules last said of an order: `rows` as `orders.decide.rules.engine.Verdict.row`; `seen` holds
    prints of the values that conditions with "changed" compare with."""

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="rule_trace")
    at = models.DateTimeField(_("日時"))
    rows = models.JSONField(default=list)
    seen = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.order_id}: {len(self.rows)}"


class RuleTally(models.Model):
    """What one batch added to a rule's figures of a day: appended beside the orders, folded by a sweep.

    A row with a `rival` says only how often the rule was overruled by that one, which the row without has as well.
    """

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="tallies")
    rival = models.ForeignKey(Rule, models.CASCADE, null=True, related_name="+")
    day = models.DateField()
    hits = models.PositiveIntegerField(default=0)
    overruled = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["rule", "day"], name="rule_tally_day")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.day}: {self.hits}"


class RuleWake(models.Model):
    """An order that a rule may now concern: appended in the transaction that changed it, consumed by the worker.

    `depth` counts how many wakes led to this one, so that rules cannot wake each other for ever.
    """

    order = models.ForeignKey(Order, models.CASCADE)
    event = models.CharField(max_length=40)
    depth = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.order_id}: {self.event}"


class RuleOccasion(models.Model):
    """A moment (waited long enough, a date, a daily time) that a rule has dealt with for an order."""

    rule = models.ForeignKey(Rule, models.CASCADE)
    order = models.ForeignKey(Order, models.CASCADE)
    occasion = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "order", "occasion"], name="rule_occasion_once")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.order_id}: {self.occasion}"


class RuleList(models.Model):
    """A list of values (postal codes, SKUs, phones …) that conditions name; loaded from a file or pasted."""

    name = models.CharField(_("リスト名"), max_length=60, unique=True)
    values = ArrayField(models.CharField(max_length=200), default=list)
    changed_at = models.DateTimeField(_("更新日時"))

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RuleListVersion(models.Model):
    """One state of a list, numbered from 1. Never changed: going back writes a new one."""

    rule_list = models.ForeignKey(RuleList, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("版"))
    values = ArrayField(models.CharField(max_length=200), default=list)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["rule_list", "number"], name="rule_list_version_once")]

    def __str__(self) -> str:
        return f"{self.rule_list_id} v{self.number}"


class RuleStockSide(models.Model):
    """Where a rule last saw the stock it watches: `beyond` its level, on the side it asks for, or not. A crossing is
    a change to `beyond`.

    `watch` says what was watched; another SKU, place or level begins anew, without a crossing.
    """

    rule = models.OneToOneField(Rule, models.CASCADE, primary_key=True, related_name="stock_side")
    watch = models.CharField(max_length=160)
    beyond = models.BooleanField()
    at = models.DateTimeField(_("日時"))

    def __str__(self) -> str:
        return f"{self.rule_id} {self.watch}: {self.beyond}"
