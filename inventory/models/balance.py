from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from inventory.models.location import Location
from inventory.models.product import Sku
from oms.kernel.said_field import SaidField

PREORDER = "preorder"


class Balance(models.Model):
    """One stock place of one SKU. Written only by `inventory.services.door`.

    With a location: what lies there; `reserved` is allocated to shipments from there.
    Without (the *pool*): `on_hand` is the sum over places with `in_pool`, `reserved` is every promise, placed or not,
    `overcommit` is the room to promise beyond stock. A pre-order has a pool row of its own (`release`).
    `in_pool` copies the location's `sells_online`, so that the door reads it from the row it has locked.
    """

    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="balances", db_index=False)
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="balances", null=True, db_index=False)
    release = models.CharField(_("予約便"), max_length=20, blank=True, default="")
    in_pool = models.BooleanField(default=False)
    on_hand = models.IntegerField(_("実在庫"), default=0, db_default=0)
    reserved = models.IntegerField(_("引当済"), default=0, db_default=0)
    overcommit = models.IntegerField(_("受注残枠"), default=0, db_default=0)

    class Meta:
        verbose_name = _("在庫")
        verbose_name_plural = _("在庫")
        constraints = [
            models.UniqueConstraint(fields=["sku", "location", "release"], name="balance_place", nulls_distinct=False),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="balance_on_hand"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & Q(reserved__lte=F("on_hand") + F("overcommit")), name="balance_promise"
            ),
            models.CheckConstraint(
                condition=Q(location__isnull=True) | (Q(release="") & Q(overcommit=0)), name="balance_room_is_the_pools"
            ),
            models.CheckConstraint(condition=Q(location__isnull=False) | Q(in_pool=False), name="balance_pool_itself"),
            models.CheckConstraint(condition=Q(overcommit__gte=0), name="balance_overcommit"),
        ]
        # No index on a column that the door writes: HOT updates would end.
        indexes = [models.Index(fields=["location", "sku"], name="balance_location")]

    def __str__(self) -> str:
        return f"{self.sku_id}@{self.location_id or 'pool'}{self.release}"

    @property
    def available(self) -> int:
        return self.on_hand + self.overcommit - self.reserved


class EntryKind(models.TextChoices):
    RESERVE = "reserve", _("仮引当")
    RELEASE = "release", _("引当解除")
    ALLOCATE = "allocate", _("拠点引当")
    UNALLOCATE = "unallocate", _("拠点引当解除")
    SHIP = "ship", _("出荷")
    RECEIVE = "receive", _("入荷")
    TRANSFER = "transfer", _("移動")
    COUNT = "count", _("棚卸")
    CORRECT = "correct", _("在庫修正")
    SURPLUS = "surplus", _("帳簿外")
    DAMAGE = "damage", _("不良")
    RETURN = "return", _("返品")
    BUILD = "build", _("セット組")
    POS_SALE = "pos_sale", _("店頭販売")
    POS_RETURN = "pos_return", _("店頭返品")
    SHORT_PICK = "short_pick", _("ピッキング欠品")
    POOL = "pool", _("通販対象変更")


def entry_kinds() -> list[tuple[str, Any]]:
    """A function, so that a new kind needs no migration."""
    return list(EntryKind.choices)


class Entry(models.Model):
    """One line of the stock ledger. Append-only by trigger; a balance is the sum of its entries.

    `ref` names the document and, for promises, their owner: all entries of one promise carry the same ref.
    No foreign key is checked in the database: the door has locked the balance, and balances are never deleted;
    checking the user would make every writer share-lock that one row.
    """

    Kind = EntryKind

    balance = models.ForeignKey(
        Balance, on_delete=models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    on_hand = models.IntegerField(_("実在庫"))
    reserved = models.IntegerField(_("引当済"))
    kind = models.CharField(_("種類"), max_length=12, choices=entry_kinds)
    ref = models.CharField(_("伝票"), max_length=80, blank=True)
    note = SaidField(_("理由"), blank=True, db_default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("担当者"),
    )
    at = models.DateTimeField(_("日時"))

    class Meta:
        verbose_name = _("在庫履歴")
        verbose_name_plural = _("在庫履歴")
        indexes = [
            models.Index(fields=["balance", "id"], name="entry_balance"),
            models.Index(fields=["ref"], name="entry_ref", condition=~Q(ref="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref} {self.on_hand:+d}/{self.reserved:+d}"
