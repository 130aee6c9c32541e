"""The yes-or-no facts that the desk's list is narrowed by: what orders have (`has`) and what they lack (`lack`).

What few orders have is served by partial indexes with the very condition that stands here (`Order.Meta.indexes`).
"""

from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Sku
from orders.filter_fields import lines
from orders.filter_goods import returns, to_islands
from orders.models import OrderAttachment, OrderLine, OrderTalk, ReviewReason

# A standing line of the same order with a higher place.
ANOTHER_LINE = OrderLine.objects.filter(order=OuterRef("order"), quantity__gt=0, pk__gt=OuterRef("pk"))
SETS = Sku.objects.filter(is_bundle=True).values("pk")
HIT = ReviewReason.objects.filter(order=OuterRef("pk"), code="blacklist_match").exclude(state="auto_resolved")

HAS: dict[str, tuple[Any, Any]] = {
    "remarks": (lazy("備考あり"), ~Q(remarks="")),
    "memo": (lazy("社内メモあり"), ~Q(internal_note="")),
    "gift": (lazy("ラッピング・のし"), ~Q(gift="") | ~Q(noshi="")),
    "wish": (lazy("配達希望日あり"), Q(wish_date__isnull=False)),
    "important": (lazy("重要"), Q(important=True)),
    "fba": (lazy("モール出荷"), Q(fulfilled_by_channel=True)),
    "other_recipient": (lazy("注文者と届け先が違う"), ~Q(recipient_name=F("buyer_name"))),
    "island": (lazy("離島・中継地域"), Exists(to_islands())),
    "member": (lazy("会員"), Q(member__isnull=False)),
    "points": (lazy("ポイント利用"), Q(points__gt=0)),
    "coupon": (lazy("クーポン利用"), Q(coupons_shop__gt=0) | Q(coupons_channel__gt=0)),
    "discount": (lazy("値引あり"), Q(discount__gt=0)),
    "preorder": (lazy("予約商品"), Q(release_date__isnull=False)),
    "bundle": (lazy("セット商品"), Exists(lines().filter(sku__in=SETS))),
    "single_unit": (lazy("1点だけ"), Q(quantity=1)),
    "one_line": (lazy("1種類だけ"), ~Exists(lines().filter(Exists(ANOTHER_LINE)))),
    "tracking": (lazy("送り状番号あり"), ~Q(tracking_label="")),
    "cancel_requested": (lazy("キャンセル申請"), Q(cancel_requested=True)),
    "returned": (lazy("返品・交換"), Exists(returns())),
    "blacklisted": (lazy("要注意の人"), Exists(HIT)),
    "attachments": (
        lazy("添付ファイル"),
        Exists(OrderAttachment.objects.filter(order=OuterRef("pk"), removed_at__isnull=True)),
    ),
    "talks": (lazy("応対の記録"), Exists(OrderTalk.objects.filter(order=OuterRef("pk")))),
}


def offer(code: str, label: Any, condition: Any) -> None:
    """Offer a fact of an upper app, in `AppConfig.ready`: a condition over `Order`."""
    HAS.setdefault(code, (label, condition))


def has_choices() -> list[tuple[str, Any]]:
    return [(code, label) for code, (label, _condition) in HAS.items()]
