"""What a shop's payment terms say of orders, read once for many."""

from collections.abc import Iterable

from orders.decide.payments import Terms, terms_for
from orders.models import Order, PaymentGate, Shop
from orders.models.payment import ShipsWhen

FIELDS = (
    "method", "collector", "ships_when", "due_days", "remind_days", "final_days", "cancel_days", "scarce_days",
    "auto_cancel", "code",
)  # fmt: skip


class TermsOfShops:
    """The terms of some shops, read once."""

    def __init__(self, shops: Iterable[Shop]) -> None:
        self._own = {shop.pk: shop.can("own_payments") for shop in shops}
        self._rows: dict[int, list[Terms]] = {}
        for row in PaymentGate.objects.filter(shop__in=self._own):
            self._rows.setdefault(row.shop_id, []).append(terms_of(row))

    def of(self, shop_id: int, method: str, code: str) -> Terms:
        return terms_for(
            self._rows.get(shop_id, ()), method=method, code=code, own_payments=self._own.get(shop_id, False)
        )

    def of_order(self, order: Order) -> Terms:
        return self.of(order.shop_id, order.payment_method, order.payment_name)


def terms_of(row: PaymentGate) -> Terms:
    return Terms(**{name: getattr(row, name) for name in FIELDS})


def gate_of(order: Order) -> str:
    """When one order (its shop loaded) may ship: at once where a rule trusts its buyer. One query."""
    return str(ShipsWhen.AT_ONCE) if order.ships_unpaid else rule_for(order).ships_when


def rule_for(order: Order) -> Terms:
    """The terms of one order (its shop loaded). One query."""
    return TermsOfShops([order.shop]).of_order(order)
