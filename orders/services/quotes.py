"""見積書: what an order taken by hand would cost, on paper, before it is one. Nothing is reserved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import override

from oms.kernel import clock
from oms.kernel.said import said
from orders.channel_order import Party as Buyer
from orders.decide.manual import Draft
from orders.decide.slots import slot_label
from orders.documents.bill import Bill, BillKind, Reference
from orders.documents.values import Deduction, Fee, Line, Party
from orders.models import DocumentEvent, Order, Quote, Shop
from orders.models.order import PaymentMethod
from orders.queries.papers import letterhead, papers_of, party_named, rate_known
from orders.services import documents
from orders.services.documents import Fresh
from orders.services.journal import Actor

KEPT_DAYS = 365  # what was typed, after a quote has run out


@dataclass(frozen=True, slots=True)
class Typed:
    """The form that a quote is made from: its own `key`, all that was typed, and what only a quote says.

    `valid_until` None: as many days as the shop's papers say.
    """

    key: str
    values: Mapping[str, str]
    valid_until: date | None = None
    remarks: str = ""
    replaces: int | None = None


def make(shop: Shop, draft: Draft, typed: Typed, *, actor: Actor) -> Quote:
    """Issue the quote. The same form again, or sent twice at once, is the same quote; where something else was typed
    since, or where it `replaces` another, it takes the old one's place, which holds no more. One that is an order by
    now stays as it is."""
    try:
        return _made(shop, draft, typed, actor)
    except IntegrityError:
        known = Quote.objects.filter(key=typed.key).first()
        if known is None:
            raise
        return known


@transaction.atomic
def _made(shop: Shop, draft: Draft, typed: Typed, actor: Actor) -> Quote:
    known = Quote.objects.select_related("document").filter(key=typed.key).first()
    if known is not None and known.values == dict(typed.values):
        return known
    old = _held(known.pk if known else typed.replaces)
    until = typed.valid_until or clock.today() + timedelta(days=papers_of([shop.pk])[shop.pk].quote_days)
    bill = _bill(shop, draft, typed.remarks, until)
    if old is not None:
        bill = replace(
            bill, corrects=Reference(number=old.document.number, day=documents.bill_in(old.document).issued_on)
        )
    paper = Fresh(shop, bill, corrects=old.document if old else None)
    [document] = documents.put([paper], actor=actor)
    if old is not None:
        documents.record([old.document], DocumentEvent.Kind.CORRECTED, document.number, by=actor.by)
    return Quote.objects.create(
        key=uuid4().hex if known else typed.key, document=document, values=dict(typed.values), valid_until=until
    )


def _held(pk: int | None) -> Quote | None:
    """A quote that still holds and is no order yet, its row locked."""
    rows = Quote.objects.select_for_update(no_key=True, of=("self",)).select_related("document").order_by("pk")
    quote = rows.filter(pk=pk, order=None).first() if pk else None
    return quote if quote and documents.standing().filter(pk=quote.document_id).exists() else None


def ordered(pk: int, order: Order) -> str:
    """The order that came of a quote. Returns what the order's history says of it, "" where there is nothing to say: an
    order came of it before. In the caller's transaction."""
    quote = _held(pk)
    if quote is None:
        return ""
    Quote.objects.filter(pk=pk).update(order=order, values={})
    return said("見積書 %(no)s", no=quote.document.number)


def forget_old() -> int:
    """Empty what was typed for quotes that ran out long ago; the papers stay. Returns how many."""
    until = clock.today() - timedelta(days=KEPT_DAYS)
    return Quote.objects.filter(valid_until__lt=until).exclude(values={}).update(values={})


# ---- the paper


def _bill(shop: Shop, draft: Draft, remarks: str, until: date) -> Bill:
    charges, today, papers = draft.charges, clock.today(), papers_of([shop.pk])[shop.pk]
    fees = (("送料", charges.shipping), ("手数料", charges.fee), ("ラッピング料", charges.gift_fee))
    with override(settings.LANGUAGE_CODE):  # paper is for the customer
        method = str(PaymentMethod(draft.method.value).label)
        wish = f"{draft.wish_date.month}月{draft.wish_date.day}日ご希望" if draft.wish_date else ""
        slot = slot_label(draft.wish_slot) if draft.wish_slot else ""
    return Bill(
        kind=BillKind.QUOTE,
        shop=letterhead(shop, papers, day=today),
        issued_on=today,
        supplied_on=today,
        to=_addressee(draft.buyer),
        lines=tuple(
            Line(
                code=item.code,
                name=item.name,
                quantity=item.quantity,
                unit_price=item.unit_price,
                amount=item.amount,
                rate=rate_known(item.tax_rate, None),
            )
            for item in draft.items
        ),
        fees=tuple(Fee(label=label, amount=amount) for label, amount in fees if amount),
        deductions=(Deduction(label="値引", amount=charges.discount),) if charges.discount else (),
        payment=method,
        valid_until=until,
        delivery="　".join(filter(None, (draft.delivery_method, wish, slot))),
        remarks=remarks,
    )


def _addressee(buyer: Buyer) -> Party:
    place = Party(
        name=buyer.name,
        company=buyer.company if buyer.name != buyer.company else "",
        postal_code=buyer.postal_code.replace("-", ""),
        address=f"{buyer.prefecture}{buyer.city}{buyer.address}",
    )
    return replace(party_named(place, buyer.name), company=place.company)
