from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.listing import Listing
from inventory.models import Sku
from oms.kernel.said_field import SaidField, SaidJSONField
from orders.models import Shop


class MatchRule(models.Model):
    """How a shop's codes become ours: `pattern` is replaced by `replacement` before codes are compared.

    Rules of a shop apply in order of `position`, each to the result of the one before; without a shop to all shops.
    """

    class Kind(models.TextChoices):
        PREFIX = "prefix", _("先頭の文字を取る")
        SUFFIX = "suffix", _("末尾の文字を取る")
        PATTERN = "pattern", _("正規表現で置き換える")
        UNITS = "units", _("正規表現で入数を読む")

    shop = models.ForeignKey(Shop, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("店舗"))
    position = models.PositiveSmallIntegerField(_("順番"), default=10)
    kind = models.CharField(_("種類"), max_length=10, choices=Kind, default=Kind.PREFIX)
    pattern = models.CharField(_("文字・正規表現"), max_length=120)
    replacement = models.CharField(_("置き換え後"), max_length=60, blank=True)
    active = models.BooleanField(_("有効"), default=True)

    class Meta:
        indexes = [models.Index(fields=["shop", "position"], name="match_rule_order")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pattern}"


class Proposal(models.Model):
    """What a listing without SKU probably stands for; one open proposal per listing, decided by a person or a rule."""

    class Reason(models.TextChoices):
        LEARNED = "learned", _("以前に決めたコード")
        CODE = "code", _("コードが同じ")
        JAN = "jan", _("JANコードが同じ")
        RULE = "rule", _("ルールで一致")
        STEM = "stem", _("コードの前半が同じ")
        NAME = "name", _("商品名が近い")

    listing = models.OneToOneField(Listing, models.CASCADE, related_name="proposal")
    sku = models.ForeignKey(Sku, models.CASCADE, related_name="+")
    units = models.PositiveSmallIntegerField(_("入数"), default=1)
    reason = models.CharField(_("理由"), max_length=10, choices=Reason)
    score = models.PositiveSmallIntegerField(_("確からしさ"))  # 0 … 100
    at = models.DateTimeField()
    rejected_at = models.DateTimeField(null=True)  # this SKU is not proposed again for this listing

    class Meta:
        indexes = [models.Index(fields=["-score", "id"], name="proposal_best", condition=models.Q(rejected_at=None))]

    def __str__(self) -> str:
        return f"{self.listing_id} → {self.sku_id} {self.score}"


class ListingEvent(models.Model):
    """The journal of mappings, append-only: what a code stood for before and after, who decided, and how.

    Keeps the code as text: a deleted listing's history stays. `sku` and `before` are SKU codes, "" for none.
    """

    class Kind(models.TextChoices):
        MAPPED = "mapped", _("対応付け")
        UNMAPPED = "unmapped", _("対応の解除")
        DELETED = "deleted", _("削除")
        CHANGED = "changed", _("連携方法の変更")

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+")
    code = models.CharField(_("在庫コード"), max_length=200)
    channel_sku = models.CharField(_("モール商品コード"), max_length=120)
    kind = models.CharField(_("出来事"), max_length=10, choices=Kind)
    before = models.CharField(max_length=80, blank=True)
    after = models.CharField(max_length=80, blank=True)
    how = models.CharField(max_length=30)  # "person", "csv:12", "proposal", "import", "order"
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["shop", "channel_sku", "-id"], name="listing_event_code")]

    def __str__(self) -> str:
        return f"{self.kind} {self.channel_sku} {self.before} → {self.after}"


class CsvBatch(models.Model):
    """One uploaded mapping file: read and compared first, applied whole or not at all, once."""

    class State(models.TextChoices):
        READ = "read", _("確認待ち")
        RUNNING = "running", _("反映中")
        APPLIED = "applied", _("反映済み")
        FAILED = "failed", _("失敗")

    name = models.CharField(_("ファイル名"), max_length=200)
    encoding = models.CharField(_("文字コード"), max_length=20)
    digest = models.CharField(max_length=64)
    rows = models.JSONField(default=list)  # what the file wants, as read
    errors = SaidJSONField(default=list)  # [[line, sentence], …]
    changes = SaidJSONField(default=list)  # the preview: [[line, shop, code, before, after], …]
    state = models.CharField(_("状態"), max_length=10, choices=State, default=State.READ)
    result = SaidField(blank=True)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    applied_at = models.DateTimeField(_("反映日時"), null=True)

    def __str__(self) -> str:
        return self.name
