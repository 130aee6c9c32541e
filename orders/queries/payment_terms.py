"""Each shop's payment terms, as set and as they stand without a setting."""

from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from django.db.models import Count
from django.utils.functional import Promise

from oms.kernel import clock
from oms.kernel.money import yen
from orders.decide.payment_fees import FeeTable
from orders.decide.payments import Terms, standard
from orders.models import Order, PaymentFee, PaymentGate, Shop
from orders.models.order import PaymentMethod
from orders.models.payment import Collector, ShipsWhen
from orders.services.payment_fees import table_of
from orders.services.payment_gates import terms_of

METHODS = dict(PaymentMethod.choices)
RECENT_DAYS = 90


@dataclass(frozen=True, slots=True)
class TermsRow:
    """`row_id` None: nothing is set, the standard holds. `seen`: orders of the last weeks with this payment code."""

    terms: Terms
    method: str | Promise
    collector: str | Promise
    ships_when: str | Promise
    row_id: int | None
    seen: int
    fee: str = ""  # "¥330–¥1,100", or what its one step costs; "" where no table is set


def shop_terms() -> list[tuple[Shop, list[TermsRow]]]:
    """Per active shop: every method that is set or was seen, and every code that was seen. Four queries."""
    shops = list(Shop.objects.filter(active=True))
    rows: dict[int, list[PaymentGate]] = {}
    for row in PaymentGate.objects.all():
        rows.setdefault(row.shop_id, []).append(row)
    seen = _seen()
    fees: dict[int, dict[str, str]] = {}
    for fee in PaymentFee.objects.all():
        fees.setdefault(fee.shop_id, {})[fee.method] = _span(table_of(fee))
    return [(shop, _rows(shop, rows.get(shop.pk, []), seen.get(shop.pk, {}), fees.get(shop.pk, {}))) for shop in shops]


def _span(table: FeeTable) -> str:
    """The lowest and the highest fee."""
    fees = sorted({table.fee(at_least) for at_least, _fee in table.steps})
    return "–".join(dict.fromkeys(yen(fee) for fee in (fees[0], fees[-1]))) if fees else ""


def fee_table(shop: Shop, method: str) -> FeeTable | None:
    row = PaymentFee.objects.filter(shop=shop, method=method).first()
    return table_of(row) if row else None


def _rows(
    shop: Shop, stored: list[PaymentGate], seen: dict[tuple[str, str], int], fees: dict[str, str]
) -> list[TermsRow]:
    own = shop.can("own_payments")
    by_code = {row.code: row for row in stored if row.code}
    by_method = {row.method: row for row in stored if not row.code}
    methods = dict.fromkeys([*METHODS][:3])
    methods |= dict.fromkeys([method for method, _code in seen] + list(by_method) + list(fees))
    found = []
    for method in [m for m in METHODS if m in methods]:
        row = by_method.get(method)
        count = sum(n for (used, _code), n in seen.items() if used == method)
        terms = terms_of(row) if row else standard(method, own_payments=own)
        found.append(replace(_row(terms, row, count), fee=fees.get(method, "")))
    for code, row in sorted(by_code.items()):
        found.append(_row(terms_of(row), row, sum(n for (_m, used), n in seen.items() if used == code)))
    return found


def _row(terms: Terms, row: PaymentGate | None, seen: int) -> TermsRow:
    return TermsRow(
        terms,
        METHODS.get(terms.method, terms.method),
        dict(Collector.choices)[terms.collector],
        dict(ShipsWhen.choices)[terms.ships_when],
        row.pk if row else None,
        seen,
    )


def codes_seen(shop: Shop) -> list[str]:
    """Payment codes that this shop's channel has sent lately."""
    return sorted({code for (_method, code) in _seen(shop).get(shop.pk, {}) if code})


def _seen(shop: Shop | None = None) -> dict[int, dict[tuple[str, str], int]]:
    since = clock.now() - timedelta(days=RECENT_DAYS)
    rows = Order.objects.filter(ordered_at__gte=since)
    if shop is not None:
        rows = rows.filter(shop=shop)
    found: dict[int, dict[tuple[str, str], int]] = {}
    for shop_id, method, code, n in rows.values_list("shop", "payment_method", "payment_name").annotate(n=Count("pk")):
        found.setdefault(shop_id, {})[method, code] = n
    return found


def starting_values(shop: Shop, *, method: str, code: str) -> dict[str, object]:
    """What the form begins with: the row itself, else the standard of the method."""
    rows = PaymentGate.objects.filter(shop=shop)
    row = rows.filter(code=code).first() if code else rows.filter(code="", method=method).first()
    if row is not None:
        return asdict(terms_of(row))
    known = method if method in METHODS else PaymentMethod.BANK_TRANSFER
    return asdict(standard(known, own_payments=shop.can("own_payments"))) | {"code": code}
