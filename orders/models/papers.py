"""What a shop's papers look like and who issues them, and every paper that was issued."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.money import Rounding
from oms.kernel.said_field import SaidField
from oms.kernel.search import gram_index
from orders.documents.sizes import PaperSize
from orders.models.order import Order
from orders.models.shop import Shop


class Issuer(models.TextChoices):
    WE = "we", _("当店が発行")
    MALL = "mall", _("モールが発行")


def _rounding_choices() -> list[tuple[str, object]]:
    return [(Rounding.FLOOR, _("切り捨て")), (Rounding.CEIL, _("切り上げ")), (Rounding.HALF_UP, _("四捨五入"))]


class CreditNotes(models.TextChoices):
    NEVER = "never", _("自動では発行しない")
    REQUIRED = "required", _("交付義務があるとき（税込1万円以上）")
    ALWAYS = "always", _("返金のたびに発行")


class NotePaper(models.TextChoices):
    A4 = PaperSize.A4.value, _("A4")
    A5 = PaperSize.A5.value, _("A5")
    ROLL = PaperSize.ROLL.value, _("80mmロール紙")
    LABEL = PaperSize.LABEL.value, _("ラベル 100×150mm")


class ReceiptPaper(models.TextChoices):
    HALF = "", _("A5横（1枚に収まらなければA4）")
    A4 = PaperSize.A4.value, _("A4")
    ROLL = PaperSize.ROLL.value, _("80mmロール紙")


class SlipPaper(models.TextChoices):
    A4 = PaperSize.A4.value, _("A4")
    A5 = PaperSize.A5.value, _("A5")


class Logo(models.Model):
    """A picture on papers. Kept for ever, by its digest, because issued papers name it."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    data = models.BinaryField()

    def __str__(self) -> str:
        return self.sha256[:12]


class PaperSettings(models.Model):
    """How one shop writes invoices and receipts. A shop without a row has the defaults.

    `issuers` maps a payment method ("" for all others) to `Issuer`, where the shop differs from what its connector
    declares. `stamp_methods` are the ways of paying that count as money received by hand.
    """

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="papers")
    company = models.CharField(_("運営会社"), max_length=80, blank=True)
    logo = models.ForeignKey(Logo, models.PROTECT, null=True, blank=True)
    registered_from = models.DateField(_("登録番号の有効開始日"), null=True, blank=True)
    rounding = models.CharField(_("消費税の端数"), max_length=8, choices=_rounding_choices, default=Rounding.FLOOR)
    receipt_for = models.CharField(_("但し書きの初期値"), max_length=60, default="お品代として")
    bank_account = models.CharField(_("振込先"), max_length=200, blank=True)
    closing = models.TextField(_("帳票の末尾の案内"), blank=True)
    points_lower_price = models.BooleanField(_("モールのポイント・クーポンを値引として扱う"), default=False)
    issuers = models.JSONField(default=dict)
    stamp_methods = models.JSONField(default=list)
    credit_notes = models.CharField(
        _("返品の精算で返還インボイスを発行"), max_length=8, choices=CreditNotes, default=CreditNotes.REQUIRED
    )
    note_components = models.BooleanField(_("納品書にセットの中身も印字する"), default=True, db_default=True)
    note_paper = models.CharField(
        _("納品書の用紙"), max_length=5, choices=NotePaper, default=NotePaper.A4, db_default="a4"
    )
    receipt_paper = models.CharField(
        _("領収書の用紙"), max_length=5, choices=ReceiptPaper, default=ReceiptPaper.HALF, db_default="", blank=True
    )
    work_paper = models.CharField(
        _("作業指示書の用紙"), max_length=5, choices=SlipPaper, default=SlipPaper.A4, db_default="a4"
    )
    return_paper = models.CharField(
        _("返品票の用紙"), max_length=5, choices=SlipPaper, default=SlipPaper.A4, db_default="a4"
    )
    quote_days = models.PositiveSmallIntegerField(
        _("見積書の有効日数"), default=30, db_default=30, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    link_days = models.PositiveSmallIntegerField(
        _("ダウンロードリンクの有効日数"), default=14, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )

    def __str__(self) -> str:
        return f"papers of {self.shop_id}"


class DocumentSeries(models.Model):
    """The last number given out, per shop and year. Taken in the transaction that writes the paper: no gaps."""

    shop = models.ForeignKey(Shop, models.PROTECT)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "year"], name="document_series_once")]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.year}: {self.last}"


class DocumentKind(models.TextChoices):
    INVOICE = "invoice", _("請求書")
    RECEIPT = "receipt", _("領収書")
    CREDIT_NOTE = "credit_note", _("返還インボイス")
    DELIVERY_NOTE = "delivery_note", _("納品書")
    QUOTE = "quote", _("見積書")
    MONTHLY = "monthly", _("合計請求書")


class IssuedDocument(models.Model):
    """One issued paper: append-only, held by a trigger. What happens to it later are `DocumentEvent` rows.

    `content` holds every value that was printed (`orders.documents.stored`), so that the paper can be made again;
    `rates` is [[percent, reduced, amount, tax], …]. A delivery note has its parcel's number and no place in the series.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, verbose_name=_("店舗"))
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="documents")
    kind = models.CharField(_("種類"), max_length=14, choices=DocumentKind)
    number = models.CharField(_("番号"), max_length=60)
    year = models.PositiveSmallIntegerField()
    serial = models.PositiveIntegerField(null=True)
    issued_at = models.DateTimeField(_("発行日時"))
    transacted_on = models.DateField(_("取引年月日"))
    partner = models.CharField(_("取引先"), max_length=250)
    search = models.TextField(blank=True)  # partner and numbers, as `matching` wants them
    amount = models.IntegerField(_("取引金額"))
    rates = models.JSONField(default=list)
    order_numbers = ArrayField(models.CharField(max_length=64), default=list)
    shipments = ArrayField(models.CharField(max_length=20), default=list)
    content = models.JSONField(encoder=DjangoJSONEncoder)
    content_sha256 = models.CharField(max_length=64)
    key = models.CharField(max_length=120, unique=True)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrections")
    reason = models.CharField(_("理由"), max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "year", "serial"], name="document_number_once"),
        ]
        indexes = [
            models.Index(fields=["-transacted_on", "-id"], name="document_day"),
            models.Index(fields=["amount"], name="document_amount"),
            models.Index(fields=["number"], name="document_number"),
            models.Index(fields=["order", "id"], name="document_order"),
            gram_index("search", name="document_search"),
        ]
        permissions = [
            ("issue_document", _("請求書・領収書を発行する")),
            ("export_document", _("発行済み帳票を書き出す")),
        ]

    def __str__(self) -> str:
        return self.number


class DocumentEvent(models.Model):
    """What happened to an issued paper, who did it and why: append-only."""

    class Kind(models.TextChoices):
        ISSUED = "issued", _("発行")
        OPENED = "opened", _("表示")
        REISSUED = "reissued", _("再発行")
        CORRECTED = "corrected", _("訂正して差し替え")
        VOIDED = "voided", _("取消")
        LINKED = "linked", _("リンクを作成")
        REVOKED = "revoked", _("リンクを無効化")
        DOWNLOADED = "downloaded", _("リンクからダウンロード")
        EXPORTED = "exported", _("書き出し")

    document = models.ForeignKey(IssuedDocument, models.PROTECT, related_name="events")
    at = models.DateTimeField(_("日時"))
    kind = models.CharField(max_length=10, choices=Kind)
    text = SaidField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)

    class Meta:
        indexes = [models.Index(fields=["document", "kind"], name="document_event")]

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"


class StoredPdf(models.Model):
    """The file of an issued paper as first made: append-only."""

    document = models.OneToOneField(IssuedDocument, models.PROTECT, related_name="stored")
    sha256 = models.CharField(max_length=64)
    pdf = models.BinaryField()

    def __str__(self) -> str:
        return self.sha256


class DocumentLink(models.Model):
    """A link under which the buyer fetches one paper. The address holds a signature, nothing that is stored here."""

    document = models.ForeignKey(IssuedDocument, models.PROTECT, related_name="links")
    site = models.CharField(max_length=200)  # "https://orders.example.com"
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(_("期限"))
    revoked_at = models.DateTimeField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)

    def __str__(self) -> str:
        return f"link {self.pk}"
