"""A shop's fees by payment method: kept by people, read once for many orders."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Sum

from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.decide.payment_fees import Charges, FeeTable, with_fee
from orders.models import Order, OrderAdjustment, PaymentFee, Shop
from orders.services.internal import is_internal


class FeesOfShops:
    """The fee tables of some shops. One query."""

    def __init__(self, shops: Iterable[Shop]) -> None:
        self._tables = {(row.shop_id, row.method): table_of(row) for row in PaymentFee.objects.filter(shop__in=shops)}

    def table(self, shop_id: int, method: str) -> FeeTable | None:
        """None: nothing is set, and the fee of an order stays as it is."""
        return self._tables.get((shop_id, method))


def table_of_method(shop_id: int, method: str) -> FeeTable | None:
    row = PaymentFee.objects.filter(shop=shop_id, method=method).first()
    return table_of(row) if row else None


def put_on_by_rules(order_ids: Sequence[int]) -> dict[int, int]:
    """Order → yen of its fees that rules put on; they stand beside the method's own. One query."""
    rows = OrderAdjustment.objects.filter(order__in=order_ids, kind=OrderAdjustment.Kind.FEE).order_by()
    return dict(rows.values_list("order").annotate(sum=Sum("amount")))


def table_of(row: PaymentFee) -> FeeTable:
    return FeeTable(tuple((at_least, fee) for at_least, fee in row.steps), row.plus_tax)


@transaction.atomic
def save_table(shop: Shop, method: str, table: FeeTable, *, by: User | None = None) -> None:
    """Orders that are stored keep their fees; what is changed from now on follows the table."""
    with setting_versions.kept("payment_fees", f"{shop.pk}/{method}", by=by):
        PaymentFee.objects.update_or_create(
            shop=shop,
            method=method,
            defaults={"steps": [list(step) for step in table.steps], "plus_tax": table.plus_tax},
        )


@transaction.atomic
def forget_table(shop: Shop, method: str, *, by: User | None = None) -> None:
    with setting_versions.kept("payment_fees", f"{shop.pk}/{method}", by=by):
        PaymentFee.objects.filter(shop=shop, method=method).delete()


def sets_own_price(order: Order) -> bool:
    """The price is between the shop and its buyer; a mall's total binds. The order comes with its shop."""
    shop = order.shop
    return is_internal(order) or shop.can("own_payments") or shop.capabilities.get("amount_change") == "both"


def charges_of(order: Order) -> Charges:
    """Only for orders whose total is told."""
    rates = tuple((percent, amount, tax) for percent, amount, tax in order.tax_by_rate)
    return Charges(order.fees, order.total or 0, order.tax, rates)


def charged(order: Order, table: FeeTable | None, *, beside: int = 0) -> Charges:
    """What the order comes to with the fee of this table; as it is where none is set, the mall's total binds, or
    the channel withholds the amounts. `beside`: yen of its fees that rules put on, and that stay."""
    charges = charges_of(order)
    if table is None or order.total is None or not sets_own_price(order):
        return charges
    return with_fee(charges, beside + table.fee(charges.total - charges.fees + beside))


def put(order: Order, charges: Charges) -> None:
    """Set the columns of a loaded order; the caller writes `COLUMNS`."""
    order.fees, order.tax = charges.fees, charges.tax
    order.tax_by_rate = [list(rate) for rate in charges.by_rate]
    if order.total is not None:
        order.total = charges.total


COLUMNS = ("fees", "total", "tax", "tax_by_rate")
