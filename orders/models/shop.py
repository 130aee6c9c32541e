from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class MergePolicy(models.TextChoices):
    AUTOMATIC = "automatic", _("自動で同梱する")
    ASK = "ask", _("画面で確認する")
    NEVER = "never", _("同梱しない")


class PreorderPolicy(models.TextChoices):
    """What an order does that has goods to leave now and goods that are not out yet."""

    TOGETHER = "together", _("発売日まで待って、まとめて送る")
    SPLIT = "split", _("自動で分け、先に出せる商品を送る（送料は店舗負担）")
    CUSTOMER = "customer", _("お客様にたずね、承諾のあとに分ける（送料はお客様負担）")
    ASK = "ask", _("受注ごとに確認待ちにして、人が決める")


class CodCollects(models.TextChoices):
    """How an order's cash on delivery is shared over its parcels."""

    GOODS = "goods", _("荷物ごとに、納品書の金額を受け取る")
    FIRST = "first", _("最初の荷物で全額を受け取る")


class ChannelChanges(models.TextChoices):
    """What a change by the buyer or the channel before the shipping instruction does to an order."""

    REFLECT = "reflect", _("反映して、そのまま進める")
    STOP = "stop", _("反映して、確認待ちにする")


class ExchangeShips(models.TextChoices):
    """When the goods of an exchange leave; each exchange may be decided otherwise."""

    AFTER = "after", _("返品が届いてから送る")
    TAGGED = "tagged", _("下のタグがある会員にだけ先に送る")
    FIRST = "first", _("返品を待たずに先に送る")


class Shop(models.Model):
    """One shop at one channel: what orders, mails and documents need to know of it. Credentials live upstairs.

    `capabilities` is declared by the shop's connector (see `docs/channels/`) and read by screens.
    """

    code = models.SlugField(_("店舗コード"), max_length=30, unique=True)
    name = models.CharField(_("店舗名"), max_length=60)
    channel = models.CharField(_("モール"), max_length=20)
    channel_label = models.CharField(_("モール名"), max_length=30)
    capabilities = models.JSONField(default=dict)
    active = models.BooleanField(_("稼働"), default=True)

    auto_confirm = models.BooleanField(_("確認を終えた注文をモールへ自動で確定する"), default=True)
    channel_changes = models.CharField(
        _("出荷指示前のモール側の変更"),
        max_length=8,
        choices=ChannelChanges,
        default=ChannelChanges.REFLECT,
        db_default="reflect",
        help_text=_("こちらで直した項目との食い違い、増額、在庫不足は、どちらの設定でも確認待ちになります。"),
    )
    ship_within_days = models.PositiveSmallIntegerField(
        _("出荷期限の既定（受注から営業日）"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(60)],
        help_text=_("モールが出荷期限を知らせない注文に使います。土日祝を除いた日数です。空欄なら期限をつけません。"),
    )
    follow_up_days = models.PositiveSmallIntegerField(_("出荷後、完了とするまでの日数"), default=14)

    merge_policy = models.CharField(
        _("同梱"), max_length=10, choices=MergePolicy, default=MergePolicy.AUTOMATIC, db_default="automatic"
    )
    merge_group = models.CharField(
        _("同梱グループ"),
        max_length=30,
        blank=True,
        db_default="",
        help_text=_("同じ名前をつけた店舗どうしは、店舗をまたいで同梱できます。空欄ならこの店舗の中だけです。"),
    )
    merge_cod_prepaid = models.BooleanField(_("代金引換と支払済みの注文も同梱する"), default=False, db_default=False)
    merge_refunds_shipping = models.BooleanField(
        _("同梱したら2件目からの送料を値引する"), default=False, db_default=False
    )
    merge_until_min = models.PositiveSmallIntegerField(
        _("同梱候補を止めておく限度（締め時刻の何分前まで）"),
        default=60,
        db_default=60,
        validators=[MaxValueValidator(1440)],
    )

    preorder_policy = models.CharField(
        _("予約商品と通常商品の注文"),
        max_length=10,
        choices=PreorderPolicy,
        default=PreorderPolicy.TOGETHER,
        db_default="together",
    )
    split_fee = models.PositiveIntegerField(
        _("お客様にいただく分割の送料（増える荷物1個・税込）"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(100_000)],
        help_text=_("0 なら、その受注の送料と同じ額です。どちらも 0 の受注には請求できません。"),
    )

    cod_collects = models.CharField(
        _("荷物が分かれた代金引換"), max_length=8, choices=CodCollects, default=CodCollects.GOODS, db_default="goods"
    )

    exchange_ships = models.CharField(
        _("交換品を送る時"), max_length=8, choices=ExchangeShips, default=ExchangeShips.AFTER, db_default="after"
    )
    exchange_tag = models.CharField(
        _("先に送る会員のタグ"),
        max_length=40,
        blank=True,
        db_default="",
        help_text=_("ルールの「会員にタグを付ける」で、購入額や回数に応じて付けられます。"),
    )
    exchange_watch_days = models.PositiveSmallIntegerField(
        _("先に送った交換の返品を待つ日数"),
        default=14,
        db_default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("過ぎても戻らない交換は、返品の一覧に「未返却の交換」として出ます。"),
    )

    mail_from = models.EmailField(_("差出人メール"), blank=True)
    letterhead_name = models.CharField(_("帳票の発行者名"), max_length=80, blank=True)
    letterhead_address = models.CharField(_("帳票の住所"), max_length=200, blank=True)
    letterhead_phone = models.CharField(_("帳票の電話番号"), max_length=20, blank=True)
    registration_no = models.CharField(_("登録番号（インボイス）"), max_length=14, blank=True)
    delivery_note_message = models.TextField(_("納品書の通信欄"), blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    def can(self, capability: str) -> bool:
        return bool(self.capabilities.get(capability))
