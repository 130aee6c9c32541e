from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Member
from inventory.models import Location, Sku
from oms.kernel.own_words import own_word
from oms.kernel.said_field import SaidField
from oms.kernel.search import gram_index
from orders.models.shop import Shop

STANDARD_STAGES = {
    "new": _("新規受付"),
    "review": _("確認待ち"),
    "awaiting_payment": _("入金待ち"),
    "awaiting_stock": _("引当待ち"),
    "awaiting_release": _("発売日待ち"),
    "scheduled": _("出荷日待ち"),
    "ready": _("出荷指示待ち"),
    "in_fulfillment": _("出荷作業中"),
    "partially_shipped": _("一部出荷済み"),
    "shipped": _("出荷済み"),
    "completed": _("完了"),
    "on_hold": _("保留"),
    "cancelled": _("キャンセル"),
}


class Stage(models.TextChoices):
    """The first gate that is not satisfied (`orders.decide.stage`). Nobody sets it by hand. Companies may name
    them (`orders.services.names`)."""

    NEW = "new", own_word("stage:new", STANDARD_STAGES["new"])
    REVIEW = "review", own_word("stage:review", STANDARD_STAGES["review"])
    AWAITING_PAYMENT = "awaiting_payment", own_word("stage:awaiting_payment", STANDARD_STAGES["awaiting_payment"])
    AWAITING_STOCK = "awaiting_stock", own_word("stage:awaiting_stock", STANDARD_STAGES["awaiting_stock"])
    AWAITING_RELEASE = "awaiting_release", own_word("stage:awaiting_release", STANDARD_STAGES["awaiting_release"])
    SCHEDULED = "scheduled", own_word("stage:scheduled", STANDARD_STAGES["scheduled"])
    READY = "ready", own_word("stage:ready", STANDARD_STAGES["ready"])
    IN_FULFILLMENT = "in_fulfillment", own_word("stage:in_fulfillment", STANDARD_STAGES["in_fulfillment"])
    PARTIALLY_SHIPPED = "partially_shipped", own_word("stage:partially_shipped", STANDARD_STAGES["partially_shipped"])
    SHIPPED = "shipped", own_word("stage:shipped", STANDARD_STAGES["shipped"])
    COMPLETED = "completed", own_word("stage:completed", STANDARD_STAGES["completed"])
    ON_HOLD = "on_hold", own_word("stage:on_hold", STANDARD_STAGES["on_hold"])
    CANCELLED = "cancelled", own_word("stage:cancelled", STANDARD_STAGES["cancelled"])


class Phase(models.TextChoices):
    """What the channel's own state means (values of `orders.channel_order.ChannelState`)."""

    PROVISIONAL = "provisional", _("仮注文")
    TO_CONFIRM = "to_confirm", _("注文確認前")
    OPEN = "open", _("処理可")
    SHIPPED = "shipped", _("出荷済み")
    CANCELLED = "cancelled", _("キャンセル")


class Priority(models.IntegerChoices):
    """Served first when stock is short; the order of work in the warehouse."""

    LOW = -1, _("低")
    NORMAL = 0, _("通常")
    HIGH = 1, _("高")
    URGENT = 2, _("至急")


class PaymentState(models.TextChoices):
    UNPAID = "unpaid", _("未入金")
    PARTIALLY_PAID = "partially_paid", _("一部入金")
    AUTHORIZED = "authorized", _("与信済")
    PAID = "paid", _("入金済")
    OVERPAID = "overpaid", _("過入金")
    REFUND_DUE = "refund_due", _("返金待ち")
    FAILED = "failed", _("決済エラー")
    REFUNDED = "refunded", _("返金済")


# States in which money may still be recorded.
PAYABLE = frozenset({PaymentState.UNPAID, PaymentState.PARTIALLY_PAID, PaymentState.FAILED})


class PaymentMethod(models.TextChoices):
    CARD = "card", _("クレジットカード")
    MALL = "mall", _("モール決済")
    COD = "cod", _("代金引換")
    BANK_TRANSFER = "bank_transfer", _("銀行振込")
    CONVENIENCE = "convenience", _("コンビニ払い")
    DEFERRED = "deferred", _("後払い")
    WALLET = "wallet", _("ウォレット決済")
    POINTS = "points", _("全額ポイント")
    STORE = "store", _("店頭払い")
    ACCOUNT = "account", _("掛売・請求書払い")
    FREE = "free", _("無償（交換・サンプル）")
    OTHER = "other", _("その他")


class AllocationState(models.TextChoices):
    NONE = "none", _("未引当")
    PARTIAL = "partial", _("一部引当")
    FULL = "full", _("引当済")


class FulfillmentState(models.TextChoices):
    """Written by fulfilment through `orders.services.facts`."""

    NONE = "none", _("未指示")
    INSTRUCTED = "instructed", _("指示済")
    PARTIALLY_SHIPPED = "partially_shipped", _("一部出荷済")
    SHIPPED = "shipped", _("出荷済")


class Carrier(models.TextChoices):
    YAMATO = "yamato", _("ヤマト運輸")
    SAGAWA = "sagawa", _("佐川急便")
    JAPANPOST = "japanpost", _("日本郵便")
    OTHER = "other", _("その他")


class ChannelSync(models.TextChoices):
    NONE = "none", "—"
    PENDING = "pending", _("反映待ち")
    IN_SYNC = "in_sync", _("反映済")
    FAILED = "failed", _("反映失敗")
    MANUAL_DONE = "manual_done", _("手動完了")


EMPTY_LIST = models.Value([], models.JSONField())


# Facts that few orders have, by the name of their index; conditions as the desk's filters say them, or such that follow
# from theirs.
RARE = {
    "points": models.Q(points__gt=0),
    "coupon": models.Q(coupons_shop__gt=0) | models.Q(coupons_channel__gt=0),
    "discount": models.Q(discount__gt=0),
    "preorder": models.Q(release_date__isnull=False),
    "cancel_asked": models.Q(cancel_requested=True),
    "important": models.Q(important=True),
    "urgent": ~models.Q(priority=0),
    "flagged": ~models.Q(flags=[]),
    "tagged": ~models.Q(tags=[]),
    "other_carrier": ~models.Q(carrier="yamato"),
    "half_allocated": models.Q(allocation_state="partial"),
    "at_work": models.Q(fulfillment_state__in=["instructed", "partially_shipped"]),
    "many_units": models.Q(quantity__gte=5),
    "hours_wished": ~models.Q(wish_slot=""),
    "late": models.Q(shipped_at__gt=models.F("ship_by")),
}


class Order(models.Model):
    """What the customer bought and owes, one row per channel order, ever. Money is whole yen, tax-inclusive."""

    shop = models.ForeignKey(Shop, models.PROTECT, verbose_name=_("店舗"))
    channel_order_no = models.CharField(_("受注番号"), max_length=64)
    ordered_at = models.DateTimeField(_("注文日時"))
    imported_at = models.DateTimeField(_("取込日時"))
    channel_updated_at = models.DateTimeField(null=True)
    channel_parts = models.JSONField(default=dict)  # digests of what the channel told, by part
    channel_state = models.CharField(_("モールの状態"), max_length=60)
    phase = models.CharField(max_length=12, choices=Phase)
    channel_extra = models.JSONField(default=dict)
    sub_state = models.CharField(_("モールの細かい状態"), max_length=60, blank=True, db_default="")
    confirm_by = models.DateTimeField(_("確定期限"), null=True)
    flags = ArrayField(models.CharField(max_length=30), default=list)
    fulfilled_by_channel = models.BooleanField(_("モール出荷"), default=False)
    confirmed_at = models.DateTimeField(_("モール確定日時"), null=True)
    cancel_requested = models.BooleanField(_("キャンセル申請"), default=False)
    cancelled_at = models.DateTimeField(_("キャンセル日時"), null=True)
    cancel_reason = SaidField(_("キャンセル理由"), blank=True)

    member = models.ForeignKey(Member, models.SET_NULL, null=True, blank=True)
    buyer_name = models.CharField(_("注文者"), max_length=120)
    buyer_kana = models.CharField(_("注文者カナ"), max_length=120, blank=True)
    buyer_phone = models.CharField(_("電話番号"), max_length=30, blank=True)
    buyer_email = models.CharField(_("メール"), max_length=254, blank=True)
    buyer_postal_code = models.CharField(_("郵便番号"), max_length=10, blank=True)
    buyer_prefecture = models.CharField(_("都道府県"), max_length=20, blank=True)
    buyer_city = models.CharField(_("市区町村"), max_length=100, blank=True)
    buyer_address = models.CharField(_("番地・建物"), max_length=300, blank=True)
    buyer_company = models.CharField(_("会社名"), max_length=120, blank=True)

    goods = models.IntegerField(_("商品合計"), default=0)
    shipping_fee = models.IntegerField(_("送料"), default=0)
    fees = models.IntegerField(_("手数料"), default=0)
    gift_fees = models.IntegerField(_("ラッピング料"), default=0)
    discount = models.IntegerField(_("値引"), default=0)
    coupons_shop = models.IntegerField(_("店舗クーポン"), default=0)
    coupons_channel = models.IntegerField(_("モールクーポン"), default=0)
    points = models.IntegerField(_("ポイント利用"), default=0)
    tax_excluded = models.IntegerField(_("外税"), default=0)
    tax = models.IntegerField(_("うち消費税"), default=0)
    total = models.IntegerField(_("合計金額"), null=True)
    coupon_list = models.JSONField(default=list, db_default=EMPTY_LIST)  # [[name, yen, "shop" or "channel"], …]
    tax_by_rate = models.JSONField(default=list, db_default=EMPTY_LIST)  # the channel's [[rate, yen, tax inside], …]

    payment_method = models.CharField(_("支払方法"), max_length=16, choices=PaymentMethod)
    payment_name = models.CharField(_("モールの支払名"), max_length=80, blank=True)
    payment_state = models.CharField(_("入金状況"), max_length=16, choices=PaymentState)
    paid_amount = models.IntegerField(_("入金額"), default=0, db_default=0)  # the sum of its `PaymentEntry` rows
    paid_at = models.DateTimeField(_("入金日時"), null=True)
    pay_by = models.DateTimeField(_("支払期限"), null=True)
    authorized_until = models.DateTimeField(_("与信期限"), null=True)
    # a rule trusts the buyer: the payment gate is open
    ships_unpaid = models.BooleanField(_("入金を待たずに出荷"), default=False, db_default=False)

    remarks = models.TextField(_("備考"), blank=True)
    shop_memo = models.TextField(_("モールの店舗メモ"), blank=True, db_default="")
    internal_note = models.TextField(_("社内メモ"), blank=True)
    packing_note = models.TextField(_("出荷メモ"), blank=True)
    wish_date = models.DateField(_("配達希望日"), null=True)
    wish_slot = models.CharField(_("希望時間帯"), max_length=20, blank=True)
    delivery_method = models.CharField(_("配送方法"), max_length=60, blank=True)
    carrier = models.CharField(_("配送会社"), max_length=12, choices=Carrier, default=Carrier.YAMATO)
    ship_by = models.DateTimeField(_("出荷期限"), null=True)
    deliver_by = models.DateTimeField(_("お届け期限"), null=True)
    planned_ship_date = models.DateField(_("出荷予定日"), null=True)
    gift = models.CharField(_("ラッピング"), max_length=200, blank=True)
    noshi = models.CharField(_("のし"), max_length=200, blank=True)
    message_card = models.TextField(_("メッセージカード"), blank=True)

    # Facts for lists: from the first recipient and the lines, and written by upper apps.
    recipient_name = models.CharField(_("届け先"), max_length=120, blank=True)
    recipient_prefecture = models.CharField(_("届け先の都道府県"), max_length=20, blank=True)
    item_summary = models.CharField(_("商品"), max_length=200, blank=True)
    quantity = models.PositiveIntegerField(_("点数"), default=0)
    release_date = models.DateField(_("発売日"), null=True)
    allocation_state = models.CharField(_("引当状況"), max_length=8, choices=AllocationState, default="none")
    fulfillment_state = models.CharField(_("出荷状況"), max_length=18, choices=FulfillmentState, default="none")
    location_label = models.CharField(_("出荷元"), max_length=60, blank=True)
    tracking_label = models.CharField(_("送り状番号"), max_length=120, blank=True)
    channel_sync = models.CharField(_("モール反映"), max_length=12, choices=ChannelSync, default="none")
    instructed_at = models.DateTimeField(_("出荷指示日時"), null=True)
    shipped_at = models.DateTimeField(_("出荷日時"), null=True)
    blocking_reasons = models.PositiveSmallIntegerField(default=0)
    stop_asked_at = models.DateTimeField(_("出荷停止依頼"), null=True)  # a location has still to answer

    held_at = models.DateTimeField(_("保留日時"), null=True)
    hold_reason = SaidField(_("保留理由"), blank=True)

    hold_until = models.DateField(_("保留の期限"), null=True, blank=True)

    # What people and rules say about the order, apart from what the channel told.
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True, db_default=[])
    important = models.BooleanField(_("重要"), default=False, db_default=False)
    priority = models.SmallIntegerField(_("優先度"), choices=Priority, default=0, db_default=0)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("担当"),
        db_index=False,
    )  # fmt: skip
    preferred_location = models.ForeignKey(
        Location,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("出荷元の指定"),
        db_index=False,
    )

    stage = models.CharField(_("ステータス"), max_length=18, choices=Stage)
    stage_since = models.DateTimeField(_("ステータス変更日時"))
    stage_due_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    search = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "channel_order_no"], name="order_once_per_shop")]
        indexes = [
            models.Index(fields=["-ordered_at", "-id"], name="order_newest"),
            BrinIndex(fields=["imported_at"], name="order_imported", pages_per_range=32),  # rows lie in its order
            BrinIndex(fields=["paid_at"], name="order_paid", pages_per_range=32),  # and nearly in this one
            models.Index(fields=["stage", "-ordered_at", "-id"], name="order_stage"),
            models.Index(fields=["shop", "-ordered_at", "-id"], name="order_shop_newest"),
            models.Index(fields=["member", "-ordered_at"], name="order_member"),
            models.Index(
                fields=["stage_due_at"], name="order_stage_due", condition=models.Q(stage_due_at__isnull=False)
            ),
            models.Index(
                fields=["ship_by", "id"],
                name="order_ship_by_open",
                include=["stage"],  # the red numbers on the tiles are counted from the index alone
                condition=models.Q(shipped_at__isnull=True, cancelled_at__isnull=True, ship_by__isnull=False),
            ),
            models.Index(
                fields=["channel_sync", "-ordered_at", "-id"],
                name="order_sync_open",
                condition=models.Q(channel_sync__in=["failed", "pending", "manual_done"]),
            ),
            models.Index(
                fields=["-channel_updated_at", "-id"],
                name="order_told",
                condition=models.Q(channel_updated_at__isnull=False),
            ),
            models.Index(
                fields=["pay_by"],
                name="order_pay_by_open",
                condition=models.Q(
                    payment_state__in=["unpaid", "failed"], cancelled_at__isnull=True, pay_by__isnull=False
                ),
            ),
            # What channels count by the shop's days: late shipments and cancellations.
            models.Index(
                fields=["shop", "shipped_at"], name="order_shop_shipped", condition=models.Q(shipped_at__isnull=False)
            ),
            models.Index(
                fields=["shop", "cancelled_at"],
                name="order_shop_cancelled",
                condition=models.Q(cancelled_at__isnull=False),
            ),
            # Filters of the desk that a walk through the newest orders would serve too slowly.
            models.Index(fields=["recipient_prefecture", "-ordered_at", "-id"], name="order_prefecture"),
            models.Index(fields=["payment_method", "payment_state", "-ordered_at", "-id"], name="order_payment"),
            models.Index(fields=["total"], name="order_total"),
            models.Index(fields=["location_label", "-ordered_at", "-id"], name="order_location"),
            models.Index(fields=["delivery_method", "-ordered_at", "-id"], name="order_method"),
            # What few orders have, or none: a walk would read every order to find that out. The conditions are
            # written like the filters of `orders.filter_facts.HAS`.
            models.Index(fields=["-ordered_at", "-id"], name="order_remarked", condition=~models.Q(remarks="")),
            models.Index(fields=["-ordered_at", "-id"], name="order_noted", condition=~models.Q(internal_note="")),
            models.Index(
                fields=["-ordered_at", "-id"], name="order_gift", condition=~models.Q(gift="") | ~models.Q(noshi="")
            ),
            models.Index(
                fields=["-ordered_at", "-id"], name="order_wished", condition=models.Q(wish_date__isnull=False)
            ),
            models.Index(
                fields=["-ordered_at", "-id"], name="order_by_channel", condition=models.Q(fulfilled_by_channel=True)
            ),
            *(
                models.Index(fields=["-ordered_at", "-id"], name=f"order_{name}", condition=condition)
                for name, condition in RARE.items()
            ),
            gram_index("search", name="order_search"),
            GinIndex(fields=["tags"], name="order_tags"),
            models.Index(fields=["assignee"], name="order_assignee", condition=models.Q(assignee__isnull=False)),
        ]
        permissions = [
            ("review_order", _("確認理由を閉じる")),
            ("confirm_order", _("モールへ注文を確定する")),
            ("cancel_order", _("受注をキャンセルする")),
            ("hold_order", _("受注を保留する")),
            ("release_order", _("出荷指示を出す")),
            ("force_order", _("受注を強制出荷可にする")),
            ("record_payment", _("入金を登録する")),
            ("view_personal_data", _("個人情報を見る")),
            ("export_order", _("受注を書き出す")),
            ("send_mail", _("メールを送る")),
        ]

    def __str__(self) -> str:
        return self.channel_order_no

    @property
    def is_open(self) -> bool:
        return self.stage not in {Stage.SHIPPED, Stage.COMPLETED, Stage.CANCELLED}

    @property
    def carrier_label(self) -> str:
        return str(self.get_carrier_display())

    @property
    def for_connector(self) -> dict[str, Any]:
        """What a connector's calls need of an order."""
        return {"no": self.channel_order_no, "extra": self.channel_extra, "ordered_at": self.ordered_at}


class OrderLine(models.Model):
    """One bought listing. `quantity` is what stands (the channel's cancelled part is already taken off).

    `reserved` = the pool holds `quantity` × `units` (or the bundle's components) for this line, under ref `line:<id>`.
    """

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(default=0)
    recipient_position = models.PositiveSmallIntegerField(default=0)
    channel_line_id = models.CharField(max_length=64)
    channel_sku = models.CharField(_("モール商品コード"), max_length=120)
    sku = models.ForeignKey(Sku, models.PROTECT, null=True, blank=True, verbose_name="SKU")
    units = models.PositiveSmallIntegerField(_("入数"), default=1)
    name = models.CharField(_("商品名"), max_length=300)
    options = models.TextField(_("選択肢"), blank=True)
    quantity = models.PositiveIntegerField(_("数量"))
    cancelled_quantity = models.PositiveIntegerField(_("キャンセル数"), default=0)
    unit_price = models.IntegerField(_("単価"))
    amount = models.IntegerField(_("金額"))
    tax_rate = models.PositiveSmallIntegerField(_("税率"), null=True)
    discount = models.IntegerField(
        _("値引の按分"), default=0, db_default=0
    )  # this line's share, where the channel tells it
    gift = models.CharField(_("商品ごとのギフト指定"), max_length=200, blank=True, db_default="")
    release_date = models.DateField(_("発売日"), null=True)
    reserved = models.BooleanField(_("仮引当"), default=False)
    allocated_quantity = models.PositiveIntegerField(_("引当数"), default=0)
    shipped_quantity = models.PositiveIntegerField(_("出荷数"), default=0)
    # A component of a set that was taken apart (`orders.services.take_apart`): the set's line, its units in one set.
    set_line = models.ForeignKey("self", models.CASCADE, null=True, related_name="apart_lines", db_index=False)
    set_units = models.PositiveIntegerField(default=0, db_default=0)
    # What is left of the line follows in a later parcel: the others need not wait for it.
    apart = models.BooleanField(_("後から出荷"), default=False, db_default=False)

    class Meta:
        ordering = ["order", "position"]
        constraints = [models.UniqueConstraint(fields=["order", "channel_line_id"], name="line_once_per_order")]
        indexes = [
            models.Index(fields=["channel_sku"], name="line_unmapped", condition=models.Q(sku__isnull=True)),
            models.Index(fields=["sku", "-id"], name="line_sku"),
            models.Index(fields=["order"], name="line_reduced_rate", condition=models.Q(tax_rate=8)),
            models.Index(fields=["set_line"], name="line_set", condition=models.Q(set_line__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.channel_sku} × {self.quantity}"


class LineComponent(models.Model):
    """What one piece of a set's line is made of, as it was when it was sold; later changes of the set leave it alone.

    Sets within sets are opened: a SKU stands once per line. `list_value` (yen) is what these units weigh when the
    line's price is spread (`orders.decide.set_shares`); `tax_rate` is the rate at which they were sold.
    """

    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="components")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="+", verbose_name="SKU")
    position = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(_("構成品"), max_length=255)
    set_name = models.CharField(_("中のセット"), max_length=255, blank=True)
    units = models.PositiveIntegerField(_("1セットの数"))
    list_value = models.PositiveBigIntegerField(_("定価"))
    tax_rate = models.PositiveSmallIntegerField(_("税率"))
    release_date = models.DateField(_("発売日"), null=True)  # as it was sold, and as it was moved since

    class Meta:
        ordering = ["line", "position"]
        constraints = [
            models.UniqueConstraint(fields=["line", "sku"], name="line_component_once"),
            models.CheckConstraint(condition=models.Q(units__gt=0), name="line_component_units"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} ← {self.sku_id} × {self.units}"
