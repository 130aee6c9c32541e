"""Orders as the values that papers print: the issuer, both parties, lines, fees, discounts, and what may be issued."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.conf import settings
from django.db.models import Max, Prefetch, Sum
from django.utils.translation import override

from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.money import REDUCED, STANDARD, Rounding, TaxRate, distribute
from oms.kernel.pdf.picture import Picture, read_picture
from orders.decide.set_shares import prices_of
from orders.documents import rules
from orders.documents.bill import Bill, BillKind, Refunded
from orders.documents.rules import Sale
from orders.documents.values import Component, Deduction, Fee, Letterhead, Line, Party
from orders.models import (
    BillingAccount,
    DocumentKind,
    IssuedDocument,
    Logo,
    Order,
    OrderLine,
    PaperSettings,
    Refund,
    Shop,
)
from orders.models.order import PaymentMethod, PaymentState
from orders.services.set_parts import rates_sold, set_parts


def papers_of(shop_ids: Iterable[int]) -> dict[int, PaperSettings]:
    """The settings of each shop, the defaults where it has none. One query."""
    wanted = set(shop_ids)
    stored = {row.shop_id: row for row in PaperSettings.objects.filter(shop__in=wanted)}
    return {shop_id: stored.get(shop_id) or PaperSettings(shop_id=shop_id) for shop_id in wanted}


def logos_of(names: Iterable[str]) -> dict[str, Picture]:
    """Pictures by digest; one query where any is named."""
    wanted = {name for name in names if name}
    rows = Logo.objects.filter(pk__in=wanted) if wanted else ()
    return {logo.sha256: read_picture(bytes(logo.data)) for logo in rows}


def letterhead(shop: Shop, papers: PaperSettings, *, day: date, issuer: str = rules.WE) -> Letterhead:
    """The shop as issuer. No registration number where the mall issues, and none before it was valid."""
    valid = papers.registered_from is None or papers.registered_from <= day
    return Letterhead(
        name=shop.letterhead_name or shop.name,
        company=papers.company,
        address=shop.letterhead_address,
        phone=shop.letterhead_phone,
        mail=shop.mail_from,
        registration_number=shop.registration_no if valid and issuer == rules.WE else "",
        rounding=Rounding(papers.rounding),
        closing=papers.closing,
        logo=papers.logo_id or "",
    )


def issuer_for(shop: Shop, papers: PaperSettings, method: str) -> str:
    declared = shop.capabilities.get("invoice_issuer") or {}
    return rules.issuer_of(method, papers.issuers, declared, is_registered=bool(shop.registration_no))


# ---- the parts of an order


def rate_known(told: int | None, usual: int | None) -> TaxRate:
    """The channel's rate, else the product's. 8 % is the reduced rate: the old one ended in 2019."""
    percent = told if told is not None else STANDARD.percent if usual is None else usual
    return {STANDARD.percent: STANDARD, REDUCED.percent: REDUCED}.get(percent, TaxRate(percent))


def rate_of(line: OrderLine) -> TaxRate:
    return rate_known(line.tax_rate, line.sku.tax_rate if line.sku else None)


def fees_of(order: Order, goods: Sequence[tuple[TaxRate, int]]) -> tuple[Fee, ...]:
    """What comes on top of the goods. Tax that the channel adds apart is shared over the rates of the goods (rate,
    amount), each share standing in its own rate."""
    rows = (("送料", order.shipping_fee), ("手数料", order.fees), ("ラッピング料", order.gift_fees))
    fees = [Fee(label=label, amount=amount) for label, amount in rows if amount]
    weights: dict[TaxRate, int] = {}
    for rate, amount in goods:
        weights[rate] = weights.get(rate, 0) + max(amount, 0) * rate.percent
    if order.tax_excluded and weights:
        shares = distribute(order.tax_excluded, list(weights.values()))
        fees += [
            Fee(label=f"消費税（外税 {rate}）", amount=share, rate=rate)
            for rate, share in zip(weights, shares, strict=True)
            if share
        ]
    elif order.tax_excluded:
        fees.append(Fee(label="消費税（外税）", amount=order.tax_excluded))
    return tuple(fees)


def deductions_of(order: Order, papers: PaperSettings) -> tuple[Deduction, ...]:
    """The shop's own discounts lower the price; the mall's points and coupons are a way of paying, unless set so."""
    cuts = (("値引", order.discount), ("店舗クーポン", order.coupons_shop))
    paid = (("モールクーポン", order.coupons_channel), ("ポイント利用", order.points))
    lowers = papers.points_lower_price
    return (
        *(Deduction(label=label, amount=amount) for label, amount in cuts if amount),
        *(Deduction(label=label, amount=amount, lowers_price=lowers) for label, amount in paid if amount),
    )


def buyer_of(order: Order) -> Party:
    company = order.buyer_company
    return Party(
        name=order.buyer_name or company,
        company=company if order.buyer_name else "",
        postal_code=order.buyer_postal_code.replace("-", ""),
        address=f"{order.buyer_prefecture}{order.buyer_city}{order.buyer_address}",
        phone=order.buyer_phone,
    )


def lines_of(order: Order) -> tuple[Line, ...]:
    """What still stands of the order; a line that was cancelled whole is left out."""
    return tuple(
        printed
        for line in order.lines.all()
        if line.quantity
        for printed in by_rate(
            line,
            Line(
                code=line.sku.code if line.sku else line.channel_sku,
                name=line.name,
                options=line.options,
                quantity=line.quantity,
                unit_price=line.unit_price,
                amount=line.amount,
                rate=rate_of(line),
                ref=str(line.pk),
            ),
        )
    )


def by_rate(line: OrderLine, printed: Line, inside: Mapping[int, Component] | None = None) -> list[Line]:
    """A printed line; a set whose components were sold at two rates as one line for each, their amounts together the
    line's. The order line brings its components along; `inside`: SKU → what is printed of them."""
    inside = inside or {}
    printed = replace(printed, components=tuple(inside.values()))
    components = list(line.components.all())
    rates = rates_sold(components)
    if len(rates) < 2:
        return [replace(printed, rate=rate_known(next(iter(rates)), None))] if rates else [printed]
    prices = dict(
        zip([part.sku_id for part in components], prices_of(set_parts(components), printed.amount), strict=True)
    )
    return [
        _at_rate(
            printed,
            rate,
            sum(prices[part.sku_id] for part in own),
            [inside[part.sku_id] for part in own if part.sku_id in inside],
        )
        for rate, own in rates.items()
    ]


def _at_rate(printed: Line, percent: int, amount: int, inside: Sequence[Component]) -> Line:
    return replace(
        printed,
        name=f"{printed.name}（{percent}%対象）",
        unit_price=amount // printed.quantity,
        amount=amount,
        rate=rate_known(percent, None),
        ref=printed.ref and f"{printed.ref}%{percent}",
        components=tuple(inside),
    )


# ---- bills


@dataclass(frozen=True, slots=True)
class Billable:
    """An order ready to be billed: its facts for the rules, and its parts."""

    order: Order
    papers: PaperSettings
    sale: Sale
    lines: tuple[Line, ...]
    fees: tuple[Fee, ...]
    deductions: tuple[Deduction, ...]

    def refusal(self, kind: BillKind) -> rules.Refusal | None:
        judge = rules.receipt_refusal if kind == BillKind.RECEIPT else rules.invoice_refusal
        return judge(self.sale)


def billable(order_ids: Sequence[int]) -> dict[int, Billable]:
    """Everything that bills need of these orders. Five queries for any number, six where one is on account."""
    skus = Sku.objects.defer("search_text")
    rows = OrderLine.objects.order_by("position", "pk").prefetch_related(Prefetch("sku", skus), "components")
    lines = Prefetch("lines", rows)
    orders = Order.objects.select_related("shop").defer("search", "channel_parts", "channel_extra")
    found = list(orders.filter(pk__in=order_ids).prefetch_related(lines))
    papers, monthly = papers_of(order.shop_id for order in found), billed_monthly(found)
    return {order.pk: _billable(order, papers[order.shop_id], order.pk in monthly) for order in found}


def billed_monthly(orders: Iterable[Order]) -> dict[int, str]:
    """Orders of customers who get one bill a month → which of their papers is the invoice (`BillingAccount.Qualified`).
    One query where any is bought on account."""
    own = [order for order in orders if order.payment_method == PaymentMethod.ACCOUNT and order.member_id]
    if not own:
        return {}
    rows = BillingAccount.objects.filter(member__in={order.member_id for order in own})
    known = {(shop, member): paper for shop, member, paper in rows.values_list("shop", "member", "qualified")}
    found = {order.pk: known.get((order.shop_id, order.member_id or 0)) for order in own}
    return {pk: paper for pk, paper in found.items() if paper}


def _billable(order: Order, papers: PaperSettings, is_on_account: bool) -> Billable:
    lines = lines_of(order)
    fees = fees_of(order, [(line.rate, line.amount) for line in lines])
    deductions = deductions_of(order, papers)
    amounts = sum(line.amount for line in lines) + sum(fee.amount for fee in fees)
    sale = Sale(
        method=order.payment_method,
        issuer=issuer_for(order.shop, papers, order.payment_method),
        due=order.total,
        sum=amounts - sum(part.amount for part in deductions),
        is_cancelled=order.cancelled_at is not None,
        is_refunded=order.payment_state == PaymentState.REFUNDED,
        paid_on=clock.in_tokyo(order.paid_at).date() if order.paid_at else None,
        shipped_on=clock.in_tokyo(order.shipped_at).date() if order.shipped_at else None,
        is_registered=bool(order.shop.registration_no),
        is_on_account=is_on_account,
    )
    return Billable(order, papers, sale, lines, fees, deductions)


def bill_of(one: Billable, kind: BillKind, *, today: date, name: str = "", subject: str = "") -> Bill:
    """The bill without its number. `name`, `subject`: where the buyer wants others than the order and the shop say."""
    order, sale = one.order, one.sale
    day = (rules.receipt_day(sale) if kind == BillKind.RECEIPT else sale.shipped_on) or today
    with override(settings.LANGUAGE_CODE):  # paper is for the customer, not for whoever issues it
        method = order.payment_name or str(PaymentMethod(order.payment_method).label)
    buyer = buyer_of(order)
    due_on = clock.in_tokyo(order.pay_by).date() if order.pay_by and sale.paid_on is None else None
    return Bill(
        kind=kind,
        shop=letterhead(order.shop, one.papers, day=day),
        issued_on=today,
        supplied_on=day,
        to=party_named(buyer, name) if name else buyer,
        order_numbers=(order.channel_order_no,),
        lines=one.lines,
        fees=one.fees,
        deductions=one.deductions,
        subject=subject or one.papers.receipt_for if kind == BillKind.RECEIPT else "",
        payment=rules.payment_words(order.payment_method, method),
        due_on=due_on if kind == BillKind.INVOICE else None,
        bank_account=one.papers.bank_account if kind == BillKind.INVOICE and due_on else "",
    )


ORGANISATION = ("株式会社", "有限会社", "合同会社", "合資会社", "合名会社", "法人", "組合", "㈱", "㈲")
DEPARTMENT = ("部", "課", "係", "室", "局", "グループ", "チーム", "センター", "部門", "事務所")  # how its name ends


def party_named(buyer: Party, name: str) -> Party:
    """Another 宛名 at the buyer's address; 御中 for what is plainly an organisation, or a department of one."""
    organisation = any(word in name for word in ORGANISATION) or name.endswith(DEPARTMENT)
    return Party(
        name=name,
        honorific="御中" if organisation else "様",
        postal_code=buyer.postal_code,
        address=buyer.address,
    )


def refunded_since(document: IssuedDocument) -> Refunded | None:
    """What of a receipt's order has gone back to the buyer by now."""
    if document.kind != DocumentKind.RECEIPT or document.order_id is None:
        return None
    done = Refund.objects.filter(order=document.order_id, state=Refund.State.DONE, amount__gt=0)
    found = done.exclude(way=Refund.Way.VOID).aggregate(sum=Sum("amount"), last=Max("done_at"))
    return Refunded(amount=found["sum"], day=clock.in_tokyo(found["last"]).date()) if found["sum"] else None
