"""Changing what an order holds before it is instructed: other quantities, and goods that are added.

Less is a cancellation of pieces, with its refund and its word to the channel; more is possible where the price is a
matter between the shop and its buyer. All of one change is one transaction, whose stock is asked once, last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from inventory.models import Sku
from inventory.queries.release_day import release_day
from inventory.services import stock
from oms.kernel.money import yen
from oms.kernel.said import said, together
from oms.kernel.sql import next_ids
from oms.kernel.text import search_text
from orders.channel_order import ChannelLine
from orders.decide.cut import Cut, CutLine, Sums
from orders.decide.grow import grow
from orders.decide.manual import MOST_TOTAL, Item
from orders.decide.refunds import prices_by_rate
from orders.models import Order, OrderLine, TaskKind
from orders.models.order import FulfillmentState
from orders.services import (
    cancel,
    cut_lines,
    edit,
    facts,
    fee_follows,
    journal,
    ledger,
    lines,
    provider_tasks,
    refunds,
    review,
    tasks,
)
from orders.services import stage as stages
from orders.services.cancel import Ask
from orders.services.channel_words import page_of
from orders.services.edit import TooLate
from orders.services.intake_rows import Mapped, item_summary
from orders.services.internal import is_internal
from orders.services.journal import Actor, Entry
from orders.services.reservation import takes_stock_now, want_of


class Moved(Exception):
    """Somebody changed the order since it was shown: nothing was written."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`quantities` maps line ids to how many shall stand; `items` are added. `version` is the order's as it was shown;
    `ask` says why pieces go."""

    version: int
    quantities: Mapping[int, int] = field(default_factory=dict)
    items: Sequence[Item] = ()
    ask: Ask = field(default_factory=Ask)


@dataclass(frozen=True, slots=True)
class Plan:
    """A change with everything decided: what goes, what comes, and the sums around it."""

    down: Mapping[int, int]
    up: Mapping[int, int]
    items: Sequence[Item]
    before: Sums
    after: Sums
    lines: Sequence[CutLine]
    less: int  # yen of the pieces that go
    more: int  # yen of what comes

    @property
    def is_empty(self) -> bool:
        return not (self.down or self.up or self.items)

    @property
    def fee_by(self) -> int:
        """Yen by which the payment method's fee moves with the goods."""
        return self.after.fees - self.before.fees

    @property
    def spent(self) -> int:
        """What the pieces that go pay for; below 0 what goes back beside them."""
        return self.more + self.fee_by

    @property
    def grows(self) -> bool:
        return bool(self.up or self.items)


@dataclass(frozen=True, slots=True)
class Changed:
    """`by_hand`: a person has to make the same change on the mall's own page."""

    plan: Plan
    by_hand: bool = False


def why_closed(order: Order) -> str:
    """Why nothing of the lines may be changed now; empty while it may."""
    if order.stop_asked_at:
        return said("出荷停止を依頼中です。出荷元の返事を待ってください。")
    return edit.why_rest_closed(order)


def why_no_more(order: Order) -> str:
    """Why an order may not grow; empty where it may. A mall has taken the sum it told its buyer; of an order that left
    in part the money may be settled."""
    if order.fulfillment_state == FulfillmentState.PARTIALLY_SHIPPED:
        return said("一部を出荷した受注には、商品を増やせません。追加分は「複写」で新しい受注にしてください。")
    if is_internal(order) or order.shop.can("own_payments") or order.shop.capabilities.get("amount_change") == "both":
        return ""
    return said(
        "%(mall)sの注文は、あとから数量や商品を増やせません。追加分は「複写」で新しい受注にしてください。",
        mall=order.shop.channel_label,
    )


def plan_of(order: Order, wanted: Wanted) -> Plan:
    """What the change comes to. Raises TooLate where the order does not allow it. Changes nothing."""
    stored = {line.pk: line for line in order.lines.all()}
    asked = {id_: count for id_, count in wanted.quantities.items() if id_ in stored}
    down = {id_: stored[id_].quantity - count for id_, count in asked.items() if count < stored[id_].quantity}
    up = {id_: count - stored[id_].quantity for id_, count in asked.items() if count > stored[id_].quantity}
    if cause := why_closed(order) or _why_not(order, stored, down, grows=bool(up or wanted.items)):
        raise TooLate(cause)
    before = cut_lines.sums_of(order)
    cut = cut_lines.decide(order, down) if down else Cut([], before, 0, prices_by_rate(refunds.bill_of(order)))
    standing = [
        CutLine(line.pk, line.quantity, line.cancelled_quantity, line.amount, line.discount, line.tax_rate)
        for line in stored.values()
    ]
    prices = {line.pk: line.unit_price for line in stored.values()}
    grown = grow(standing, prices, cut.sums, up, wanted.items, rates=cut.rates)
    if grown.sums.goods > MOST_TOTAL:
        raise TooLate(said("合計が大きすぎます。数量と単価を確かめてください。"))
    moves = down or up or wanted.items
    after = fee_follows.follow(order, grown, keep=wanted.ask.keep_fee) if moves else grown.sums
    return Plan(down, up, wanted.items, before, after, [*cut.lines, *grown.lines], less=cut.value, more=-grown.value)


def _why_not(order: Order, stored: Mapping[int, OrderLine], down: Mapping[int, int], *, grows: bool) -> str:
    if grows and (cause := why_no_more(order)):
        return cause
    if any(count > stored[id_].quantity - stored[id_].shipped_quantity for id_, count in down.items()):
        return said("出荷した数より少なくはできません。出荷したものは返品として扱ってください。")
    nothing_left = sum(line.quantity for line in stored.values()) == sum(down.values())
    if down and nothing_left and not grows:
        return said("すべての商品をやめるときは、受注の「キャンセル」を使ってください。")
    return ""


@transaction.atomic
def change(order_id: int, wanted: Wanted, *, actor: Actor) -> Changed:
    """Write the change. Raises Moved when the order is another one by now, TooLate when it may not be changed,
    NeedsApproval when it gives back more than the actor may alone.

    Locks the order, then the stock, once. Sent twice the second one is Moved: the version has moved with the first.
    """
    order = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("shop").get(pk=order_id)
    if order.version != wanted.version:
        raise Moved
    plan = plan_of(order, wanted)
    if plan.is_empty:
        return Changed(plan)
    if not plan.grows:
        result = cancel.cancel_pieces(order_id, plan.down, ask=wanted.ask, actor=actor)
        if result.over:
            raise result.over[order_id]
        if result.refused:
            raise TooLate(result.refused[order_id])
        return Changed(plan, by_hand=bool(result.by_hand))
    names = _in_words(order, plan)
    by_hand = not is_internal(order)
    journal.write([Entry(order.pk, "lines_changed", names, _figures(order, plan))], actor=actor)
    cancelled = (
        cancel.record_pieces(order, plan.down, ask=wanted.ask, value=plan.less, spent=plan.spent, actor=actor)
        if plan.down
        else None
    )
    if not plan.down and plan.spent < 0:
        _give_back(order, -plan.spent, wanted.version, actor)
    new = _add_items(order, plan.items)
    taken = Cut(plan.lines, plan.after, plan.less - plan.spent)
    cut_lines.write(order, taken, actor=actor, aside=bool(cancelled and cancelled.keep_off_sale), new=new)
    if by_hand:
        _ask_person(order, names, wanted.version, actor)
    _follow_money(order, plan, wanted.version, actor)
    return Changed(plan, by_hand=by_hand)


def _add_items(order: Order, items: Sequence[Item]) -> list[cut_lines.NewLine]:
    """Write the new lines, without a promise yet; the order's own columns about its goods follow."""
    skus = Sku.objects.annotate(released_on=release_day()).in_bulk([item.sku_id for item in items])
    sku_of = {sku.code: Mapped(sku.pk, sku.code, 1, sku.released_on, sku.jan) for sku in skus.values()}
    ids = next_ids("orders_orderline", len(items))
    last = max(order.lines.values_list("position", flat=True), default=0)
    told = [
        ChannelLine(f"H{id_}", item.code, item.name, item.quantity, item.unit_price, item.amount, item.tax_rate)
        for id_, item in zip(ids, items, strict=True)
    ]
    rows = [(id_, order.pk, last + at, line) for at, (id_, line) in enumerate(zip(ids, told, strict=True), 1)]
    lines.insert(rows, sku_of, set())
    words = " ".join(f"{item.code} {skus[item.sku_id].jan} {item.name}" for item in items)
    facts.add_search_words({order.pk: search_text(words)} if items else {})
    may_ask = takes_stock_now(order)
    return [
        cut_lines.NewLine(item.quantity, _want(order, id_, item) if may_ask else None)
        for id_, item in zip(ids, items, strict=True)
    ]


def _want(order: Order, line_id: int, item: Item) -> stock.Want:
    return want_of(line_id, item.sku_id, item.quantity, order.ship_by, order.ordered_at, order.priority)


def refresh_summary(order_id: int) -> None:
    """The list's words about the goods, and their release, as the lines stand. The caller holds the order's lock."""
    standing = list(OrderLine.objects.filter(order=order_id, quantity__gt=0).order_by("position"))
    told = [ChannelLine(str(line.pk), "", line.name, line.quantity, 0, 0) for line in standing]
    release = max((line.release_date for line in standing if line.release_date), default=None)
    Order.objects.filter(pk=order_id).update(item_summary=item_summary(told), release_date=release)


def _give_back(order: Order, fell: int, version: int, actor: Actor) -> None:
    """More goods may cost the buyer less: a fee that a higher sum is free of. What was paid for it goes back.
    Raises NeedsApproval."""
    over = min(fell, max(0, refunds.money_left(order) - ((order.total or 0) - fell)))
    if over:
        wish = refunds.Wish(quantities={}, surplus=over)
        reason = said("商品の変更で手数料が下がったため")
        refunds.open_alone(order.pk, key=f"lines:{order.pk}:{version}", wish=wish, reason=reason, actor=actor)


def _follow_money(order: Order, plan: Plan, version: int, actor: Actor) -> None:
    """The ledger judges its own money; money that others took for us, a person asks for."""
    ledger.settle([order.pk], actor=actor)
    refresh_summary(order.pk)
    review.sync([order.pk])
    fee_follows.ask_people(order, plan.before, plan.after, key=f"lines:{version}", actor=actor)
    provider_tasks.total_moved(order, plan.before, plan.after, key=f"lines:{version}", actor=actor)
    fee_follows.stop_dearer(order, plan.before, plan.after, actor=actor)
    stages.recompute([order.pk], actor=actor)


def _ask_person(order: Order, names: str, version: int, actor: Actor) -> None:
    text = said(
        "%(no)s: %(mall)sの受注画面でも商品を変える（%(what)s）",
        no=order.channel_order_no,
        mall=order.shop.channel_label,
        what=names,
    )
    new = tasks.NewTask(f"lines:{order.pk}:{version}", order.pk, text, TaskKind.CHANGE, page_of(order))
    tasks.ask([new], actor=actor)


def _in_words(order: Order, plan: Plan) -> str:
    stored = {line.pk: line for line in order.lines.all()}
    moved = {**{id_: -count for id_, count in plan.down.items()}, **plan.up}
    parts = [f"{stored[id_].name} ×{stored[id_].quantity}→{stored[id_].quantity + by}" for id_, by in moved.items()]
    parts += [said("%(name)s ×%(count)d を追加", name=item.name, count=item.quantity) for item in plan.items]
    if fee := fee_follows.words(plan.before, plan.after):
        parts.append(fee)
    return together(parts)


def _figures(order: Order, plan: Plan) -> dict[str, tuple[str, str]]:
    pieces = order.quantity - sum(plan.down.values()) + sum(plan.up.values())
    pieces += sum(item.quantity for item in plan.items)
    return fee_follows.figures(plan.before, plan.after) | {
        "quantity": (str(order.quantity), str(pieces)),
        "goods": (yen(plan.before.goods), yen(plan.after.goods)),
        "total": (yen(plan.before.total or 0), yen(plan.after.total or 0)),
    }
