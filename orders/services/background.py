"""What reason checks know beyond the order itself: the goods' masters, the buyer's other orders, failed mails.

Gathered for a whole batch with a fixed number of queries.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q

from customers.models import Member, MemberNote
from customers.services import notes, pairs
from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.clock import in_tokyo
from oms.kernel.said import said, together
from orders.channel_order import ChannelOrder
from orders.decide import returns as returning
from orders.decide.found import History, Item, OrderFacts
from orders.decide.ship_plan import Destination
from orders.models import BillingAccount, Mail, Order, PaymentGate, ReturnCase
from orders.models.order import PAYABLE, PaymentMethod
from orders.queries.account_balance import balances, billed_elsewhere
from orders.services import reason_settings, ship_plans
from orders.services.internal import INTERNAL
from orders.services.reason_settings import FIRST_TIME, KNOWN, Reader, Settings
from orders.services.ship_plans import Plans

Goods = tuple[tuple[str, int], ...]  # (SKU code, pieces), sorted


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another order of the same member; `id` 0 while it is only being written."""

    id: int
    no: str
    ordered_at: datetime
    goods: Goods


@dataclass(frozen=True, slots=True)
class Ranked:
    """A member's rank."""

    code: str
    name: str
    is_vip: bool


@dataclass(frozen=True, slots=True)
class Background:
    settings: Settings
    skus: Mapping[int, Mapping[str, Any]]  # what the masters say, by the names of `Item`
    others: dict[int, list[Earlier]]
    counts: Mapping[int, int]  # member → orders, the one looked at included
    ranks: Mapping[int, Ranked] = field(default_factory=dict)  # members that have one
    promises: Mapping[int, Sequence[MemberNote]] = field(default_factory=dict)  # by member, for the next order
    failed_mails: Mapping[int, str] = field(default_factory=dict)
    refused: Mapping[int, tuple[int, str]] = field(default_factory=dict)  # member → order, the sentence about it
    doubles: Mapping[int, str] = field(default_factory=dict)  # member → the sentence about its double
    payment_codes: Collection[tuple[int, str]] = ()  # (shop, its channel's name of a payment) with terms of its own
    plans: Plans = field(default_factory=Plans)
    limits: Mapping[tuple[int, int], int] = field(default_factory=dict)  # (shop, member) → what may be owed on account
    owing: dict[tuple[int, int], list[tuple[int, int]]] = field(default_factory=dict)  # the same → (order, yen)

    def fill(self, facts: OrderFacts, order: Order, reader: Reader) -> OrderFacts:
        """The facts of a stored order with what stands behind it."""
        facts = replace(facts, tuning=self.settings.tuning_for(reader))
        history = self._history(order.member_id, order.pk, order.ordered_at, facts)
        history = replace(history, mail_failed=self.failed_mails.get(order.pk, ""))
        filled = self._filled(facts, history, order.shop_id, order.preferred_location_id)
        filled = self._credited(filled, (order.shop_id, order.member_id or 0), order.pk)
        return replace(filled, now=clock.now())

    def fill_new(
        self, facts: OrderFacts, member: int | None, order: ChannelOrder, shop_id: int, reader: Reader
    ) -> OrderFacts:
        """The facts of an order that is only being written; the next one of the batch will know it. No deadline is
        near yet: it has just come."""
        facts = replace(facts, tuning=self.settings.tuning_for(reader))
        history = self._history(member, 0, order.ordered_at, facts)
        if member is not None:
            self.others[member].append(Earlier(0, order.channel_order_no, order.ordered_at, goods_of(facts.items)))
        return self._credited(self._filled(facts, history, shop_id), (shop_id, member or 0), 0)

    def _credited(self, facts: OrderFacts, buyer: tuple[int, int], own: int) -> OrderFacts:
        """What orders before this one owe; `own` 0 is the newest, which the next of the batch will know."""
        if facts.payment_method != PaymentMethod.ACCOUNT or buyer not in self.limits:
            return facts
        before = self.owing.setdefault(buyer, [])
        owed = sum(rest for pk, rest in before if not own or pk < own)
        if not own:
            before.append((0, (facts.total or 0) - facts.paid))
        return replace(facts, credit_limit=self.limits[buyer], owed_before=owed)

    def _filled(self, facts: OrderFacts, history: History, shop_id: int, location: int | None = None) -> OrderFacts:
        items = [self._item(item) for item in facts.items]
        return replace(
            facts,
            items=items,
            today=clock.today(),
            first_arrival=self._first_arrival(facts, location) if facts.wish_date else None,
            history=history,
            payment_known=(shop_id, facts.payment_name) in self.payment_codes or INTERNAL in facts.flags,
        )

    def _first_arrival(self, facts: OrderFacts, location: int | None) -> date:
        first = next(iter(facts.recipients), None)
        to = Destination(first.prefecture, first.postal_code, facts.carrier) if first else Destination()
        released = max((item.release_date for item in facts.items if item.release_date), default=None)
        return self.plans.of(location).first_arrival(to, now=clock.now(), not_before=released)

    def _item(self, item: Item) -> Item:
        return replace(item, **self.skus.get(item.sku_id or 0, {}))

    def _history(self, member: int | None, own: int, ordered_at: datetime, facts: OrderFacts) -> History:
        if member is None:
            return History()
        others = [one for one in self.others.get(member, ()) if not (own and one.id == own)]
        count = self.counts.get(member, 1)
        back, sentence = self.refused.get(member, (0, ""))
        rank = self.ranks.get(member)
        known = History(
            orders_before=max(0, count - 1),
            refused=sentence if back != own else "",
            duplicate=self.doubles.get(member, ""),
            good_rank=rank.name if rank and rank.is_vip else "",
            promises=self._promised(member, ordered_at),
        )
        if not others:
            return known
        return replace(
            known,
            twin=_twin(others, ordered_at, goods_of(facts.items), facts.tuned("duplicate_suspect", "hours")),
            bought=_bought(others, ordered_at, facts.tuned("quantity_limit", "days")),
        )

    def _promised(self, member: int, ordered_at: datetime) -> str:
        """A promise is for orders that come after it."""
        told = [note.text for note in self.promises.get(member, ()) if note.at <= ordered_at]
        return said("約束: %(texts)s", texts=together(told, "／")) if told else ""

    def rank_of(self, member: int | None) -> str:
        rank = self.ranks.get(member or 0)
        return rank.code if rank else ""

    def kind_of_buyer(self, member: int | None) -> str:
        return "" if member is None else kind_of_buyer(self.counts.get(member, 1))


def kind_of_buyer(orders: int) -> str:
    """By how many orders a member has, the one looked at included."""
    return KNOWN if orders > 1 else FIRST_TIME


def goods_of(items: Sequence[Item]) -> Goods:
    sums: Counter[str] = Counter()
    for item in items:
        sums[item.code] += item.pieces
    return tuple(sorted(sums.items()))


def _twin(others: Sequence[Earlier], ordered_at: datetime, goods: Goods, hours: int) -> str:
    """The sentence about an earlier order with the very same goods. Orders of one second are one checkout that the
    mall divided."""
    since = ordered_at - timedelta(hours=hours)
    for one in others:
        if goods and one.goods == goods and since <= one.ordered_at < ordered_at:
            return said(
                "%(ordered_at)s の受注 %(no)s と、注文者も商品も同じです。",
                ordered_at=f"{in_tokyo(one.ordered_at):%m/%d %H:%M}",
                no=one.no,
            )
    return ""


def _bought(others: Sequence[Earlier], ordered_at: datetime, days: int) -> Mapping[str, int]:
    sums: Counter[str] = Counter()
    for one in others:
        if abs(one.ordered_at - ordered_at) <= timedelta(days=days):
            sums.update(dict(one.goods))
    return sums


def behind_new(
    members: Sequence[int | None], facts: Sequence[OrderFacts], ordered_at: Sequence[datetime], settings: Settings
) -> Background:  # fmt: skip
    """For orders that are only being written."""
    return _behind({m for m in members if m is not None}, facts, ordered_at, settings)


def behind_stored(
    orders: Sequence[Order], facts: Sequence[OrderFacts], *, settings: Settings | None = None
) -> Background:
    """For stored orders. `settings` None: the company's own as stored."""
    members = {o.member_id for o in orders if o.member_id}
    behind = _behind(members, facts, [o.ordered_at for o in orders], settings)
    failed = Mail.objects.filter(order__in=[order.pk for order in orders], state=Mail.State.FAILED)
    texts = {
        order_id: said("「%(subject)s」を送れませんでした。", subject=subject)
        for order_id, subject in failed.order_by("pk").values_list("order", "subject")
    }
    return replace(behind, failed_mails=texts)


def _behind(
    members: set[int], facts: Sequence[OrderFacts], ordered_at: Sequence[datetime], wanted: Settings | None = None
) -> Background:
    settings = wanted or reason_settings.read()
    sku_ids = {item.sku_id for one in facts for item in one.items if item.sku_id is not None}
    masters = Sku.objects.filter(pk__in=sku_ids).values(
        "pk",
        "temperature",
        "active",
        "size_factor",
        "variant",
        "name",
        made_to_order=F("is_made_to_order"),
        category=F("product__category"),
        siblings=Count("product__skus", filter=Q(product__skus__active=True)),
    )
    skus = {row["pk"]: {name: value for name, value in row.items() if name != "pk"} for row in masters}
    known = Member.objects.filter(pk__in=members).values_list(
        "pk", "order_count", "rank__code", "rank__name", "rank__is_vip"
    )
    rows = list(known)
    counts = {pk: count for pk, count, *_rank in rows}
    others: dict[int, list[Earlier]] = defaultdict(list)
    again = [member for member, count in counts.items() if count > 1]
    if facts and again:
        reach = timedelta(hours=settings.most("duplicate_suspect", "hours"))
        if settings.is_active("quantity_limit"):
            reach = max(reach, timedelta(days=settings.most("quantity_limit", "days")))
        others.update(_others(again, min(ordered_at) - reach, max(ordered_at) + reach))
    return Background(
        settings,
        skus,
        others,
        counts,
        ranks={pk: Ranked(code, name, vip) for pk, _count, code, name, vip in rows if code},
        promises=notes.open_promises(members),
        refused=_refused(again),
        doubles=_doubles(members),
        plans=ship_plans.read(),
        **_credit(members, facts),
        payment_codes=_payment_codes(facts),
    )


def _credit(members: set[int], facts: Sequence[OrderFacts]) -> dict[str, Any]:
    """Limits of these members, and what they owe. No query where nothing is on account, one where nobody has a
    limit."""
    if not any(one.payment_method == PaymentMethod.ACCOUNT for one in facts):
        return {}
    accounts = list(BillingAccount.objects.filter(member__in=members, credit_limit__isnull=False))
    limits = {(one.shop_id, one.member_id): one.credit_limit or 0 for one in accounts}
    owing: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    beside = balances([one.pk for one in accounts]) if accounts else {}
    for account in accounts:
        owing[account.shop_id, account.member_id].append((0, beside[account.pk].rest))
    unpaid = Order.objects.filter(
        ~billed_elsewhere(), member__in={member for _shop, member in limits},
        payment_method=PaymentMethod.ACCOUNT, payment_state__in=PAYABLE, cancelled_at=None, total__isnull=False,
    )  # fmt: skip
    for pk, *buyer, total, paid in unpaid.values_list("pk", "shop", "member", "total", "paid_amount") if limits else ():
        owing[buyer[0], buyer[1]].append((pk, (total or 0) - paid))
    return {"limits": limits, "owing": owing}


def _payment_codes(facts: Sequence[OrderFacts]) -> Collection[tuple[int, str]]:
    """What one shop says of a name says nothing of another's. No query where every payment is of a known kind."""
    names = {one.payment_name for one in facts if one.payment_method == PaymentMethod.OTHER and one.payment_name}
    return set(PaymentGate.objects.filter(code__in=names).values_list("shop", "code")) if names else ()


def _doubles(members: Collection[int]) -> dict[int, str]:
    return {
        member: together(
            said(
                "会員%(first)sと会員%(second)sは%(items)sが同じです。",
                first=two.first_id,
                second=two.second_id,
                items=together(map(said, pairs.labels_of(two.met_on)), "・"),
            )
            for two in own
        )
        for member, own in pairs.open_pairs(members).items()
    }


def _refused(members: Sequence[int]) -> dict[int, tuple[int, str]]:
    """Of these members, whose parcel came back because nobody took it: the newest, with its order."""
    cases = ReturnCase.objects.filter(
        Q(kind=ReturnCase.Kind.UNDELIVERED) | Q(reason="refused"), order__member__in=members
    )
    rows = cases.filter(state__in=returning.LIVE).order_by("pk")
    return (
        {
            member: (
                order,
                said("%(at)s の受注 %(no)s の荷物が、受け取られずに戻りました。", at=f"{in_tokyo(at):%Y/%m/%d}", no=no),
            )
            for member, order, no, at in rows.values_list(
                "order__member", "order", "order__channel_order_no", "order__ordered_at"
            )
        }
        if members
        else {}
    )


def _others(members: Sequence[int], since: datetime, until: datetime) -> dict[int, list[Earlier]]:
    """The standing orders of these members in that time, by member. One query by index."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT o.member_id, o.id, o.channel_order_no, o.ordered_at, coalesce(s.code, l.channel_sku),
                   sum(l.quantity * l.units)::int
              FROM orders_order o
              JOIN orders_orderline l ON l.order_id = o.id AND l.quantity > 0
              LEFT JOIN inventory_sku s ON s.id = l.sku_id
             WHERE o.member_id = ANY(%s) AND o.ordered_at BETWEEN %s AND %s AND o.cancelled_at IS NULL
             GROUP BY 1, 2, 3, 4, 5 ORDER BY 4, 2
            """,
            [list(members), since, until],
        )
        rows = cursor.fetchall()
    goods: dict[tuple[int, int, str, datetime], list[tuple[str, int]]] = defaultdict(list)
    for member, order_id, no, ordered_at, code, pieces in rows:
        goods[member, order_id, no, ordered_at].append((code, pieces))
    found: dict[int, list[Earlier]] = defaultdict(list)
    for (member, order_id, no, ordered_at), bought in goods.items():
        found[member].append(Earlier(order_id, no, ordered_at, tuple(sorted(bought))))
    return found
