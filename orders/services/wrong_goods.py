"""Other goods in a parcel that came back than those of the order: the stock is theirs.

Where the shop had sent the wrong goods, the buyer has given back what they got, and somebody counts the shelves that
were mixed up. Where the buyer sent something else, what was ordered is still out: it did not arrive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory.models import Sku
from oms.kernel.said import said
from orders.decide.returns import Refused
from orders.models import Order, ReturnCase, ReturnGrade, ReturnLine
from orders.models.order import FulfillmentState
from orders.services import hold, set_parts, tasks
from orders.services.journal import Actor

FOREIGN = said("当店の商品でないもの")


@dataclass(frozen=True, slots=True)
class Instead:
    """So many units of `sku_id` (None: no goods of ours) came where `ordered_id` was to come. `by_shop`: they had been
    sent so."""

    ordered_id: int
    sku_id: int | None
    quantity: int
    grade: str
    by_shop: bool


@dataclass(frozen=True, slots=True)
class Told:
    """The same in words."""

    ordered: str
    came: str
    quantity: int
    grade: str

    @property
    def text(self) -> str:
        return said(
            "%(ordered)s のかわりに %(came)s × %(n)s（%(grade)s）",
            ordered=self.ordered, came=self.came, n=self.quantity, grade=self.grade,
        )  # fmt: skip


def check(instead: Sequence[Instead]) -> None:
    """Raises Refused."""
    if any(one.quantity < 1 or one.sku_id == one.ordered_id for one in instead):
        raise Refused(said("届いた商品には、注文と違う商品と1以上の数を入れてください。"))
    if Sku.objects.filter(pk__in=[one.sku_id for one in instead if one.sku_id], is_bundle=True).exists():
        raise Refused(said("セット商品は、構成品の SKU で入れてください。"))


def follow(case: ReturnCase, instead: Sequence[Instead], *, actor: Actor) -> list[str]:
    """What the mix-up means for the case, its exchange and the shelves; returns it in words for the journal. The caller
    holds the order's lock and moves the stock. Raises Refused."""
    told = _in_words(instead)
    theirs = [one for one in instead if not one.by_shop]
    if theirs:
        _still_out(case, theirs)
        _hold_exchange(case, actor)
    mixed_up = [words for one, words in zip(instead, told, strict=True) if one.by_shop]
    if mixed_up:
        pairs = [said("%(ordered)s と %(came)s", ordered=words.ordered, came=words.came) for words in mixed_up]
        text = said("取り違えて出荷したため、出荷元の棚の数を確かめて直す（%(goods)s）", goods=pairs)
        tasks.ask([tasks.NewTask(f"mixed_up:{case.pk}", case.order_id, text, team="warehouse")], actor=actor)
    return [words.text for words in told]


def _in_words(instead: Sequence[Instead]) -> list[Told]:
    codes = dict(
        Sku.objects.filter(pk__in={pk for one in instead for pk in (one.ordered_id, one.sku_id) if pk}).values_list(
            "pk", "code"
        )
    )
    return [
        Told(
            codes[one.ordered_id],
            codes[one.sku_id] if one.sku_id else FOREIGN,
            one.quantity,
            said(ReturnGrade.Grade(one.grade).label) if one.sku_id else said("在庫にしません"),
        )
        for one in instead
    ]


def _still_out(case: ReturnCase, theirs: Sequence[Instead]) -> None:
    """The pieces of which something else came did not arrive."""
    missing: dict[int, int] = {}
    for one in theirs:
        missing[one.ordered_id] = missing.get(one.ordered_id, 0) + one.quantity
    lines = list(case.lines.select_related("line", "component").filter(received__gt=0).order_by("pk"))
    whole = [(own.line_id, own.line.sku_id, own.line.units) for own in lines if own.line.sku_id]
    needs = set_parts.needs_of(whole)
    for own in lines:
        sku, each = _goods_of(own, needs)
        pieces = min(own.received, missing.get(sku, 0) // each) if sku else 0
        if pieces:
            missing[sku] -= pieces * each
            ReturnLine.objects.filter(pk=own.pk).update(received=own.received - pieces)
    if any(missing.values()):
        raise Refused(
            said("セットや入数のある商品の一部だけが違うときは、構成品ごとの返品として受け付け直してください。")
        )


def _goods_of(own: ReturnLine, needs: Mapping[int, Mapping[int, int]]) -> tuple[int, int]:
    """The one SKU of which a piece is so many units; (0, 1) of a set."""
    if own.component:
        return own.component.sku_id, 1
    parts = needs.get(own.line_id, {})
    return next(iter(parts.items())) if len(parts) == 1 else (0, 1)


def _hold_exchange(case: ReturnCase, actor: Actor) -> None:
    """What would be sent instead waits again, unless it was to go first or is under way."""
    sent = [case.exchange_order_id] if case.exchange_order_id else []
    waits = Order.objects.filter(pk__in=sent, fulfillment_state=FulfillmentState.NONE)
    if case.ship_first or not waits.exists():
        return
    reason = said("交換: 別の商品が戻ったため、注文の商品の到着待ち")
    hold.hold_orders(list(waits.values_list("pk", flat=True)), reason=reason, actor=actor)
