from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from oms.kernel.said_field import SaidField
from orders.models.order import Order
from orders.models.shop import Shop


class MailEvent(models.TextChoices):
    ORDER_RECEIVED = "order_received", _("受注確認（サンキューメール）")
    ORDER_CONFIRMED = "order_confirmed", _("受注確定")
    PAYMENT_REQUEST = "payment_request", _("入金のお願い")
    PAYMENT_REMINDER = "payment_reminder", _("入金督促")
    PAYMENT_FINAL = "payment_final", _("入金の最終督促")
    PAYMENT_RECEIVED = "payment_received", _("入金確認")
    PAYMENT_CHANGE_REQUEST = "payment_change_request", _("支払方法変更のお願い")
    INQUIRY = "inquiry", _("内容確認")
    DELAY_NOTICE = "delay_notice", _("納期遅延・欠品連絡")
    PREORDER_UPDATE = "preorder_update", _("予約発売日変更")
    MERGE_NOTICE = "merge_notice", _("同梱のご案内")
    SHIPPED = "shipped", _("出荷完了")
    PARTIALLY_SHIPPED = "partially_shipped", _("一部出荷")
    PICKUP_READY = "pickup_ready", _("受取準備完了")
    PICKUP_REMINDER = "pickup_reminder", _("受取のお願い")
    PICKUP_EXPIRED = "pickup_expired", _("受取期限切れ")
    LOCKER_READY = "locker_ready", _("ロッカー受取案内")
    DELIVERED_FOLLOW = "delivered_follow", _("フォロー・レビュー依頼")
    CANCELLED = "cancelled", _("キャンセル")
    DOCUMENT_LINK = "document_link", _("請求書・領収書のご案内")
    REFUND_DONE = "refund_done", _("返金完了")
    RETURN_RECEIVED = "return_received", _("返品受付")
    RETURN_ANSWERED = "return_answered", _("返品への回答")
    RANK_UP = "rank_up", _("ランクアップ")
    POINTS_EXPIRING = "points_expiring", _("ポイント失効のお知らせ")


# Advertising in the sense of the anti-spam law: never to who opted out, never through a mall's relay.
MARKETING = {MailEvent.DELIVERED_FOLLOW, MailEvent.RANK_UP, MailEvent.POINTS_EXPIRING}


def mail_events() -> list[tuple[str, object]]:
    """A function keeps the long list out of migrations."""
    return list(MailEvent.choices)


class MailTemplate(models.Model):
    """Subject and text of one event's mail; a row without shop is the company's standard.

    A row with a `variant` is another text of that name, sent only for orders for which it was chosen.
    """

    class Look(models.TextChoices):
        BOTH = "both", _("テキストとHTML（HTMLは本文から作成）")
        TEXT = "text", _("テキストのみ")
        OWN = "own", _("テキストと、下のHTML")

    event = models.CharField(_("メールの種類"), max_length=24, choices=mail_events)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, blank=True, verbose_name=_("店舗"))
    variant = models.CharField(_("別文面の名前"), max_length=30, blank=True, default="", db_default="")
    subject = models.CharField(_("件名"), max_length=200)
    body = models.TextField(_("本文"))
    html = models.TextField(_("HTML"), blank=True, db_default="")
    look = models.CharField(_("形式"), max_length=4, choices=Look, default=Look.BOTH, db_default="both")
    active = models.BooleanField(_("使う"), default=True)
    review = models.BooleanField(_("承認してから送る"), default=False, db_default=False)
    delay_s = models.PositiveIntegerField(_("送るまでの時間（秒）"), null=True, blank=True)  # None: as the shop says

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "shop", "variant"], name="mail_template_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()}: {self.subject}"


class MailTemplateVersion(models.Model):
    """Each saved state of a template, numbered from 1. Never changed: going back writes a new one."""

    template = models.ForeignKey(MailTemplate, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    values = models.JSONField()  # field of the template → value
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.CharField(_("メモ"), max_length=100, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="mail_template_version_once")]

    def __str__(self) -> str:
        return f"{self.template_id} v{self.number}"


class MailPolicy(models.Model):
    """How one shop sends mails; a shop without a row follows the defaults."""

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="mail_policy")
    send_delay_s = models.PositiveIntegerField(
        _("送信を取り消せる時間（秒）"), null=True, blank=True, help_text=_("空欄のときは全体の設定に従います。")
    )
    wait_for_review = models.BooleanField(
        _("確認理由がなくなるまでサンキューメールを待つ"),
        default=False,
        help_text=_("停止する理由が残る受注が対象です。"),
    )
    off_events = ArrayField(models.CharField(max_length=24), default=list, blank=True, verbose_name=_("送らない種類"))
    quiet_marks = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, verbose_name=_("送らない受注の印・タグ")
    )
    signature = models.TextField(_("署名"), blank=True)
    bank_account = models.TextField(_("振込先"), blank=True)
    hours = models.CharField(_("お問い合わせの受付時間"), max_length=100, blank=True, default="", db_default="")
    law_url = models.URLField(_("特定商取引法に基づく表記のURL"), blank=True, default="", db_default="")
    cancel_rule = models.TextField(_("キャンセル・返品の決まり"), blank=True, default="", db_default="")

    def __str__(self) -> str:
        return f"{self.shop_id}"


class MailStop(models.Model):
    """An address that gets no mail: nothing at all after a bounce, no advertising after an opt-out.

    `address` is lower case. The row stands until somebody lifts it; another address on the order is free at once.
    """

    class Kind(models.TextChoices):
        BOUNCED = "bounced", _("不達")
        OPT_OUT = "opt_out", _("配信停止")

    address = models.CharField(_("宛先"), max_length=254)
    kind = models.CharField(_("種類"), max_length=8, choices=Kind)
    reason = SaidField(_("理由"), blank=True)
    at = models.DateTimeField(_("日時"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "kind"], name="mail_stop_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Mail(models.Model):
    """One mail to a customer, written with the outbox effect that sends it.

    `sending` is written at the one moment from which on nobody but the mail server knows whether it took the mail. Who
    finds a mail in it does not send again: it becomes `uncertain`, and a person decides.
    """

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("送信待ち")
        DRAFT = "draft", _("承認待ち")
        SENDING = "sending", _("送信中")
        SENT = "sent", _("送信済")
        UNCERTAIN = "uncertain", _("送信結果不明")
        FAILED = "failed", _("送信失敗")
        BOUNCED = "bounced", _("不達")
        SUPPRESSED = "suppressed", _("送信しない")

    order = models.ForeignKey(Order, models.CASCADE, related_name="mails")
    event = models.CharField(_("種類"), max_length=24, choices=mail_events)
    key = models.CharField(max_length=120, unique=True)
    to = models.CharField(_("宛先"), max_length=254)
    sender = models.CharField(_("差出人"), max_length=254, blank=True, db_default="")
    subject = models.CharField(_("件名"), max_length=200, blank=True)
    body = models.TextField(_("本文"), blank=True)
    html = models.TextField("HTML", blank=True, db_default="")
    edited = models.BooleanField(_("文面を編集済み"), default=False, db_default=False)  # the text stands as it is
    extra = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))  # values of this mail alone
    state = models.CharField(_("状態"), max_length=12, choices=State, default=State.SCHEDULED)
    reason = SaidField(_("理由"), blank=True)
    message_id = models.CharField("Message-ID", max_length=200, blank=True, db_default="")
    created_at = models.DateTimeField(_("作成日時"))
    due_at = models.DateTimeField(_("送信予定"), null=True)
    sent_at = models.DateTimeField(_("送信日時"), null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["order", "id"], name="mail_order"),
            models.Index(fields=["message_id"], name="mail_message_id", condition=~models.Q(message_id="")),
            models.Index(
                fields=["state", "-id"],
                name="mail_open",
                condition=models.Q(state__in=["draft", "uncertain", "failed", "bounced", "sending"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.order_id}"
