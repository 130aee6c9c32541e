"""What a change of an order's goods would do: line by line, sum by sum, and to stock, money and channel."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from inventory.services import stock
from oms.kernel.money import yen
from orders.models import Order
from orders.models.order import PAYABLE, PaymentMethod, PaymentState
from orders.queries.cancellations import Line
from orders.services.after_cancel import is_only_held
from orders.services.change_lines import Plan, Wanted, plan_of
from orders.services.internal import is_internal


@dataclass(frozen=True, slots=True)
class Row:
    """A line or a sum, before and after."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    is_empty: bool
    goods: Sequence[Row]
    sums: Sequence[Row]
    effects: Sequence[Line]


SUMS = ("goods", "discount", "coupons_shop", "coupons_channel", "points", "tax_excluded", "fees", "tax", "total")


def preview(order: Order, wanted: Wanted) -> Preview:
    """Changes nothing. Raises TooLate where the order does not allow the change."""
    plan = plan_of(order, wanted)
    return Preview(
        plan.is_empty,
        _goods(order, plan),
        _sums(order, plan),
        [*_stock(order, plan), *_fee(plan), *_money(order, plan), _told(order)],
    )


def _goods(order: Order, plan: Plan) -> list[Row]:
    rows = []
    for line in order.lines.all():
        by = plan.up.get(line.pk, 0) - plan.down.get(line.pk, 0)
        if by:
            rows.append(Row(line.name, str(line.quantity), str(line.quantity + by)))
    return rows + [Row(item.name, "0", str(item.quantity)) for item in plan.items]


def _sums(order: Order, plan: Plan) -> list[Row]:
    rows = []
    for name in SUMS:
        before, after = getattr(plan.before, name) or 0, getattr(plan.after, name) or 0
        if before != after or name == "total":
            rows.append(Row(str(order._meta.get_field(name).verbose_name), yen(before), yen(after)))  # type: ignore[union-attr]
    return rows


def _stock(order: Order, plan: Plan) -> list[Line]:
    """Lines that go give their stock back; what comes asks for it."""
    found = [Line(_("在庫"), _("減らした数量の引当を戻します。"))] if plan.down else []
    wants = {item.sku_id: item.quantity for item in plan.items}
    for line in order.lines.all():
        if line.pk in plan.up and line.sku_id:
            wants[line.sku_id] = wants.get(line.sku_id, 0) + plan.up[line.pk] * line.units
    free = stock.available(wants) if wants else {}
    if any(free[sku] < count for sku, count in wants.items()):
        return [*found, Line(_("在庫"), _("足りない商品があります。入荷まで引当待ちになります。"), "attention")]
    return [*found, Line(_("在庫"), _("増やした数量を確保します。"))] if wants else found


def _fee(plan: Plan) -> list[Line]:
    """A fee that moved with the goods; a dearer one asks the buyer."""
    if not plan.fee_by:
        return []
    text = _("商品に合わせて、手数料表から計算し直します。")
    if plan.fee_by > 0:
        text += _("お客様への確認メールを下書きします。")
    return [Line(_("手数料"), text, "attention" if plan.fee_by > 0 else "neutral")]


def _money(order: Order, plan: Plan) -> list[Line]:
    more = (plan.after.total or 0) - (plan.before.total or 0)
    if not more:
        return [Line(_("お金"), _("合計は変わりません。"))]
    text, tone = _less(order) if more < 0 else _more(order)
    return [Line(_("お金"), text % {"yen": yen(abs(more))}, tone)]


def _less(order: Order) -> tuple[str, str]:
    """What becomes of a lower total, and its tone."""
    if order.payment_state in PAYABLE:
        return _("まだ入金がないため、請求額だけが %(yen)s 減ります。"), "neutral"
    if is_only_held(order):
        return _("売上の確定前のため返金はなく、%(yen)s 少ない額で確定します。"), "neutral"
    return _("%(yen)s の返金の手続きを始めます。"), "attention"


def _more(order: Order) -> tuple[str, str]:
    if order.payment_method == PaymentMethod.COD and order.payment_state == PaymentState.UNPAID:
        return _("お届けのときに受け取る額が %(yen)s 増えます。"), "neutral"
    if order.payment_state in {PaymentState.UNPAID, PaymentState.FAILED}:
        return _("請求額が %(yen)s 増えます。支払いの案内を送り直してください。"), "attention"
    return _("%(yen)s が不足になり、差額を確かめるまで出荷しません。"), "attention"


def _told(order: Order) -> Line:
    if is_internal(order):
        return Line(_("モール"), _("モールにない受注のため、知らせません。"))
    if order.shop.can("partial_cancel"):
        return Line(
            _("モール"), _("減らすだけのときは自動で知らせます。増やすときはモールの画面での変更を作業に残します。")
        )
    return Line(_("モール"), _("この画面の変更は当社の中だけです。モールの画面での変更を作業に残します。"), "attention")
