"""The yes-or-no facts that the desk's list is narrowed by: what orders have (`has`) and what they lack (`lack`).

What few orders have is served by partial indexes with the very condition that stands here (`Order.Meta.indexes`).
"""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as lazy

from orders.filter_fields import Among, lines, these_skus
from orders.filter_goods import island_orders, returns
from orders.models import OrderAttachment, OrderLine, OrderTalk, Recipient, ReviewReason

# A standing line of the same order with a higher place.
ANOTHER_LINE = OrderLine.objects.filter(order=OuterRef("order"), quantity__gt=0, pk__gt=OuterRef("pk"))
HIT = ReviewReason.objects.filter(order=OuterRef("pk"), code="blacklist_match").exclude(state="auto_resolved")
# Few orders leave the country: the index holds those alone.
ABROAD = Recipient.objects.filter(~Q(country="JP"), order=OuterRef("pk"))


# Code → label and condition over `Order`, or a function of none where it must be looked up.
HAS: dict[str, tuple[Any, Any]] = {
    "remarks": (lazy("備考あり"), ~Q(remarks="")),
    "memo": (lazy("社内メモあり"), ~Q(internal_note="")),
    "gift": (lazy("ラッピング・のし"), ~Q(gift="") | ~Q(noshi="")),
    "wish": (lazy("配達希望日あり"), Q(wish_date__isnull=False)),
    "important": (lazy("重要"), Q(important=True)),
    "fba": (lazy("モール出荷"), Q(fulfilled_by_channel=True)),
    "other_recipient": (lazy("注文者と届け先が違う"), ~Q(recipient_name=F("buyer_name"))),
    # Fetched first: the planner takes islands for more frequent than they are, and would walk all orders for them.
    "island": (lazy("離島・中継地域"), lambda: Among(F("pk"), ArraySubquery(island_orders()))),
    "abroad": (lazy("海外への届け先"), Exists(ABROAD)),
    "member": (lazy("会員"), Q(member__isnull=False)),
    "points": (lazy("ポイント利用"), Q(points__gt=0)),
    "coupon": (lazy("クーポン利用"), Q(coupons_shop__gt=0) | Q(coupons_channel__gt=0)),
    "discount": (lazy("値引あり"), Q(discount__gt=0)),
    "preorder": (lazy("予約商品"), Q(release_date__isnull=False)),
    "bundle": (lazy("セット商品"), lambda: Exists(lines().filter(sku__in=these_skus(Q(is_bundle=True))))),
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


# Asked otherwise where it is the lack that is asked for.
LACKS: dict[str, Any] = {"island": ~Exists(island_orders().filter(order=OuterRef("pk")))}


def offer(code: str, label: Any, condition: Any) -> None:
    """Offer a fact of an upper app, in `AppConfig.ready`: a condition over `Order`."""
    HAS.setdefault(code, (label, condition))


def condition_of(code: str) -> Any:
    condition = HAS[code][1]
    return condition() if callable(condition) else condition


def lack_of(code: str) -> Any:
    return LACKS[code] if code in LACKS else ~condition_of(code)


def has_choices() -> list[tuple[str, Any]]:
    return [(code, label) for code, (label, _condition) in HAS.items()]
