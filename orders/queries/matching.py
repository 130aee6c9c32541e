"""入金消込: open transfers in three groups, each with the orders it seems to pay. A fixed number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oms.kernel import privacy
from oms.kernel.clock import in_tokyo
from oms.kernel.phone import phone_digits
from orders.decide.matching import Group, OpenOrder, Proposal, Transfer, Why, digits_in, payer_key, propose, shares
from orders.models import (
    BankFile,
    BankLine,
    BankMatch,
    BankPreset,
    BillingAccount,
    MonthlyBill,
    MonthlyBillItem,
    Order,
    PayerAlias,
    PaymentGate,
    Shop,
)
from orders.models.order import PAYABLE, PaymentMethod
from orders.models.payment import Collector
from orders.queries import visible
from orders.queries.account_balance import balances, billed_elsewhere
from orders.queries.found import found_order_ids
from orders.services.payment_gates import TermsOfShops

MOST_LINES = 500
MOST_ORDERS = 20_000
OURS = {PaymentMethod.BANK_TRANSFER, PaymentMethod.STORE, PaymentMethod.ACCOUNT}

WHY_LABELS: dict[Why, str | Promise] = {
    Why.NAME: _("名前が一致"),
    Why.SIMILAR_NAME: _("名前が近い"),
    Why.AMOUNT: _("金額が一致"),
    Why.ALIAS: _("前に覚えた名義"),
    Why.NUMBER: _("受注番号の記入"),
    Why.PHONE: _("電話番号の記入"),
    Why.TOGETHER: _("まとめた金額が一致"),
    Why.BILL: _("合計請求書の金額が一致"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order as shown beside a transfer, or with `account` what that owes beside its orders (then `id` is the
    account's, negated). `share` is what it would get; `difference` what would then be over (+) or missing (−)."""

    id: int
    number: str
    shop: str
    buyer: str
    kana: str
    due: int
    day: date | None
    share: int = 0
    difference: int = 0
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Owing:
    """What an account owes beside its orders, for the matcher; `id` is the account's, negated."""

    account: BillingAccount
    due: int
    bill: int | None

    @property
    def id(self) -> int:
        return -self.account.pk


@dataclass(frozen=True, slots=True)
class LineCard:
    """One transfer with what is proposed for it."""

    line: BankLine
    rest: int
    why: Sequence[str | Promise]
    orders: Sequence[Candidate]
    others: Sequence[Candidate]


def unpaid_to_us() -> QuerySet[Order]:
    """Open orders whose money comes to our own account, as far as the database can tell by itself."""
    rows = PaymentGate.objects.filter(collector=Collector.US)
    codes = [code for code in rows.values_list("code", flat=True) if code]
    methods = OURS | set(rows.filter(code="").values_list("method", flat=True))
    paying = Q(payment_method__in=methods) | Q(payment_name__in=codes) if codes else Q(payment_method__in=methods)
    rest = {"payment_state__in": PAYABLE, "cancelled_at": None, "fulfilled_by_channel": False}
    elsewhere = billed_elsewhere()
    return visible.orders().filter(paying, ~(Q(payment_method=PaymentMethod.ACCOUNT) & Q(elsewhere)), **rest)


def open_orders() -> list[Order]:
    """The same, judged by their shops' terms; the oldest first."""
    columns = (
        "shop__name", "shop__capabilities", "channel_order_no", "total", "paid_amount", "buyer_name", "buyer_kana",
        "buyer_company", "buyer_phone", "member", "ordered_at", "payment_method", "payment_name",
    )  # fmt: skip
    rows = unpaid_to_us().select_related("shop").only(*columns).order_by("ordered_at", "pk")[:MOST_ORDERS]
    terms = TermsOfShops(Shop.objects.all())
    return [order for order in rows if terms.of_order(order).collector == Collector.US and due_of(order) > 0]


def due_of(order: Order) -> int:
    return (order.total or 0) - order.paid_amount


def owing_accounts() -> list[Owing]:
    """Accounts that owe something beside their orders. Three queries."""
    rows = visible.of_shops(BillingAccount.objects.filter(entries__isnull=False), "shop").distinct()
    accounts = list(rows.select_related("shop", "member"))
    rest = balances([one.pk for one in accounts])
    bills = MonthlyBill.objects.filter(account__in=accounts, voided_at=None).order_by("closed_on", "pk")
    last = dict(bills.values_list("account", "pk"))
    return [Owing(one, rest[one.pk].rest, last.get(one.pk)) for one in accounts if rest[one.pk].rest > 0]


def proposals(
    lines: Sequence[BankLine], orders: Sequence[Order], owing: Sequence[Owing] = ()
) -> list[Proposal]:  # fmt: skip
    """What the matcher makes of these. One query, two where an order is on account."""
    aliases: dict[str, set[int]] = {}
    keys = {line.payer_key for line in lines}
    for key, member in PayerAlias.objects.filter(payer_key__in=keys).values_list("payer_key", "member"):
        aliases.setdefault(key, set()).add(member)
    transfers = [
        Transfer(
            line.pk,
            rest_of(line),
            line.payer_key,
            digits_in(line.payer, line.text),
            frozenset(aliases.get(line.payer_key, ())),
        )
        for line in lines
    ]
    bills = _bills(orders)
    beside = [_open_account(one) for one in owing]
    return propose(transfers, [*beside, *(_open_order(order, bills.get(order.pk, (None, None))) for order in orders)])


def _open_account(one: Owing) -> OpenOrder:
    member = one.account.member
    names = {payer_key(text) for text in (one.account.name, member.kana, member.name) if text}
    return OpenOrder(
        one.id, "", one.due, frozenset(filter(None, names)), "", member.pk, bill=one.bill, account=one.account.pk
    )


def _bills(orders: Sequence[Order]) -> dict[int, tuple[int | None, int | None]]:
    """Order → the monthly bill on which it stands, and whose that is."""
    own = [order.pk for order in orders if order.payment_method == PaymentMethod.ACCOUNT]
    if not own:
        return {}
    rows = MonthlyBillItem.objects.filter(order__in=own, credit=None, bill__voided_at=None)
    return {order: (bill, account) for order, bill, account in rows.values_list("order", "bill", "bill__account")}


def _open_order(order: Order, bill: tuple[int | None, int | None]) -> OpenOrder:
    names = {payer_key(text) for text in (order.buyer_kana, order.buyer_name, order.buyer_company) if text}
    return OpenOrder(
        order.pk,
        order.channel_order_no,
        due_of(order),
        frozenset(name for name in names if name),
        phone_digits(order.buyer_phone),
        order.member_id,
        *bill,
    )


def open_lines(state: str = BankLine.State.OPEN) -> list[BankLine]:
    """The newest transfers in this state, with what of them is matched."""
    active = Prefetch("matches", BankMatch.objects.filter(undone_at=None), to_attr="active")
    return list(BankLine.objects.filter(state=state).prefetch_related(active).order_by("-on", "-pk")[:MOST_LINES])


def rest_of(line: Any) -> int:
    """What of a line from `open_lines` pays nothing yet."""
    return int(line.amount - sum(match.amount for match in line.active))


def matching_page(*, personal: bool) -> dict[str, Any]:
    """Everything the screen shows."""
    lines, orders, owing = open_lines(), open_orders(), owing_accounts()
    by_id = {order.pk: candidate(order, personal=personal) for order in orders}
    by_id |= {one.id: _account_candidate(one, personal) for one in owing}
    found = {proposal.transfer_id: proposal for proposal in proposals(lines[::-1], orders, owing)}
    groups: dict[str, list[LineCard]] = {group.value: [] for group in Group}
    for line in lines:
        proposal = found[line.pk]
        groups[proposal.group].append(_card(line, proposal, by_id))
    states = BankLine.State
    return {
        "sure": groups[Group.SURE],
        "likely": groups[Group.LIKELY],
        "unknown": groups[Group.UNKNOWN],
        "sure_amount": sum(card.rest for card in groups[Group.SURE]),
        "parked": open_lines(states.PARKED),
        "recent": _recent_matches(),
        "files": BankFile.objects.select_related("by").order_by("-pk")[:5],
        "presets": BankPreset.objects.all(),
        "waiting": len(orders),
        "waiting_amount": sum(due_of(order) for order in orders),
        "personal": personal,
    }


def sure_pairs(line_ids: Sequence[int]) -> list[tuple[int, dict[int, int]]]:
    """(line, order → amount) of those of the named lines that are sure at this moment."""
    lines, orders, owing = open_lines(), open_orders(), owing_accounts()
    due = {order.pk: due_of(order) for order in orders} | {one.id: one.due for one in owing}
    wanted = set(line_ids)
    return [
        (p.transfer_id, {order: due[order] for order in p.orders})
        for p in proposals(lines[::-1], orders, owing)
        if p.group == Group.SURE and p.transfer_id in wanted
    ]


def search_orders(typed: str, *, personal: bool) -> list[Candidate]:
    """Orders for a transfer that nothing explains: by number, name, phone or mail; also cancelled or paid ones."""
    if not typed.strip():
        return []
    rows = Order.objects.select_related("shop").filter(pk__in=found_order_ids(typed)).order_by("-ordered_at")[:20]
    return [candidate(order, personal=personal) for order in rows]


def search_accounts(typed: str, *, personal: bool) -> list[Candidate]:
    """Accounts of this name that owe something beside their orders."""
    text = typed.strip()
    rows = [one for one in owing_accounts() if text and text in one.account.name]
    return [_account_candidate(one, personal) for one in rows[:20]]


def _account_candidate(one: Owing, personal: bool) -> Candidate:
    name = one.account.name if personal else privacy.mask_name(one.account.name)
    return Candidate(
        one.id, gettext("開始残高・調整"), one.account.shop.name, name, "", one.due, one.account.opening_on,
        account=one.account.pk,
    )  # fmt: skip


def candidate(order: Order, *, personal: bool) -> Candidate:
    due = due_of(order)
    return Candidate(
        order.pk,
        order.channel_order_no,
        order.shop.name,
        order.buyer_name if personal else privacy.mask_name(order.buyer_name),
        order.buyer_kana if personal else privacy.mask_rest(order.buyer_kana),
        due,
        in_tokyo(order.ordered_at).date(),
    )


def _card(line: BankLine, proposal: Proposal, by_id: Mapping[int, Candidate]) -> LineCard:
    rest = rest_of(line)
    spread = shares(rest, {pk: by_id[pk].due for pk in proposal.orders})
    return LineCard(
        line,
        rest,
        [WHY_LABELS[why] for why in proposal.why],
        [replace(by_id[pk], share=amount, difference=amount - by_id[pk].due) for pk, amount in spread.items()],
        [by_id[pk] for pk in proposal.others],
    )


def _recent_matches() -> list[BankMatch]:
    rows = BankMatch.objects.select_related("line", "order__shop", "account__shop", "by").order_by("-pk")[:30]
    return list(rows)


def dues(ids: Sequence[int]) -> dict[int, int]:
    """What each of these orders (or accounts, negated) owes, in their order; nothing is owed by what is paid."""
    found = {order.pk: max(0, due_of(order)) for order in Order.objects.filter(pk__in=ids)}
    beside = balances([-pk for pk in ids if pk < 0])
    found |= {-pk: max(0, one.rest) for pk, one in beside.items()}
    return {pk: found[pk] for pk in ids if pk in found}
