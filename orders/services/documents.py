"""Issuing papers: numbered without gaps, written once, corrected by another paper, never changed.

Rows are written in one transaction; the PDF is made from them afterwards (`files`), at the latest when it is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy

from oms.kernel import clock
from oms.kernel.later import later
from oms.kernel.models import User
from oms.kernel.money import yen
from oms.kernel.said import said, together
from oms.kernel.said_field import choice
from oms.kernel.text import search_text
from orders.documents import rules
from orders.documents.bill import Bill, BillKind, Reference
from orders.documents.credit import SetItem, Wish, credit_lines
from orders.documents.figures import figures
from orders.documents.rules import Refusal
from orders.documents.split import split_receipt
from orders.documents.statement import Statement, statement_sums
from orders.documents.stored import digest, plain, restored
from orders.documents.values import DeliveryNote, Party
from orders.models import DocumentEvent, DocumentKind, IssuedDocument, LineComponent, MonthlyBillItem, Order, Shop
from orders.queries.papers import Billable, bill_of, billable, letterhead, party_named
from orders.services import journal
from orders.services.journal import Actor, Entry
from orders.services.set_parts import set_parts

ENDING = (DocumentEvent.Kind.CORRECTED, DocumentEvent.Kind.VOIDED)

REFUSALS = {
    Refusal.MALL_ISSUES: gettext_lazy(
        "この支払方法の請求書・領収書はモールが発行します。購入者にはモールの注文履歴をご案内ください。"
        "当店が発行する場合は帳票設定を変えてください。"
    ),
    Refusal.CANCELLED: gettext_lazy("キャンセル済みの受注には発行できません。"),
    Refusal.REFUNDED: gettext_lazy("返金済みの受注には領収書を発行できません。返還インボイスを発行してください。"),
    Refusal.NOT_PAID: gettext_lazy(
        "入金が確認できていないため、領収書を発行できません。"
        "入金を登録するか、モールが集金する受注は出荷したあとに発行してください。"
    ),
    Refusal.CARRIER_RECEIPT: gettext_lazy(
        "代金引換では配送会社の代金引換領収書が領収書です。二重発行になるため発行できません。請求書か納品書をお使いください。"
    ),
    Refusal.NOTHING_PAID: gettext_lazy("お支払いの金額が0円のため、領収書を発行できません。"),
    Refusal.NO_AMOUNT: gettext_lazy("合計金額がまだ届いていません。取り込みを待ってから発行してください。"),
    Refusal.AMOUNT_MISMATCH: gettext_lazy(
        "商品・送料・値引の合計が受注の合計金額と一致しません。受注の金額を確かめてから発行してください。"
    ),
    Refusal.ON_ACCOUNT: gettext_lazy("掛売の取引先の受注です。合計請求書でまとめて請求します。"),
    Refusal.PAID_ALREADY: gettext_lazy(
        "入金済みの受注の返還インボイスのため、次の請求から差し引けません。返金を登録してください。"
    ),
}


class Refused(Exception):
    """The paper was not issued; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What the buyer asked for. `on_paper`: it will be handed over printed, so a stamp may be needed."""

    name: str = ""
    subject: str = ""
    on_paper: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of a batch: order → its document now; those that were issued already are in `known` too."""

    documents: Mapping[int, int] = field(default_factory=dict)
    known: frozenset[int] = frozenset()
    refused: Mapping[int, str] = field(default_factory=dict)


def standing() -> QuerySet[IssuedDocument]:
    """Papers that still hold: neither corrected by another nor voided."""
    ended = DocumentEvent.objects.filter(document=OuterRef("pk"), kind__in=ENDING)
    return IssuedDocument.objects.filter(~Exists(ended))


@transaction.atomic
def issue(order_ids: Sequence[int], kind: BillKind, wording: Wording = Wording(), *, actor: Actor) -> Issued:
    """Issue an invoice or a receipt for each order that may have one and has none that holds.

    Takes the orders' locks, then the shops' series. An order that has one already keeps it.
    """
    _lock(order_ids)
    found = billable(order_ids)
    having = dict(standing().filter(order__in=found, kind=kind).order_by("pk").values_list("order", "pk"))
    refused = {pk: said(REFUSALS[no]) for pk, one in found.items() if pk not in having and (no := one.refusal(kind))}
    refused |= {pk: said("見つかりません。") for pk in order_ids if pk not in found}
    fresh = [one for pk, one in found.items() if pk not in having and pk not in refused]
    bills = [(one, _stamped(bill_of(one, kind, today=clock.today(), **_words(wording)), one, wording)) for one in fresh]
    written = _write(bills, actor=actor)
    return Issued({**having, **written}, frozenset(having), refused)


def _words(wording: Wording) -> dict[str, str]:
    return {"name": wording.name.strip(), "subject": wording.subject.strip()}


def _stamped(bill: Bill, one: Billable, wording: Wording) -> Bill:
    """A receipt that is handed over has the shop's paper, and a place for the stamp where one is due."""
    if bill.kind != BillKind.RECEIPT:
        return bill
    methods = tuple(one.papers.stamp_methods) or rules.STAMP_METHODS
    sums = figures(bill)
    needed = rules.needs_stamp(one.sale.method, sums.rates, sums.due, on_paper=wording.on_paper, methods=methods)
    return replace(bill, stamp_box=needed, paper=one.papers.receipt_paper if wording.on_paper else "")


@dataclass(frozen=True, slots=True)
class Share:
    """One of several receipts: to whom, for what, and how much of the payment."""

    wording: Wording
    amount: int


@transaction.atomic
def issue_split(order_id: int, shares: Sequence[Share], *, actor: Actor) -> list[IssuedDocument]:
    """Several receipts for one order's payment, all of it. Raises Refused, also while a receipt of the order holds."""
    _lock([order_id])
    one = billable([order_id])[order_id]
    if no := one.refusal(BillKind.RECEIPT):
        raise Refused(said(REFUSALS[no]))
    if standing().filter(order=order_id, kind=DocumentKind.RECEIPT).exists():
        raise Refused(said("領収書を発行済みです。分け直すときは、発行済みの領収書をすべて取り消してください。"))
    whole = bill_of(one, BillKind.RECEIPT, today=clock.today())
    try:
        parts = split_receipt(whole, [share.amount for share in shares])
    except ValueError as error:
        due = yen(figures(whole).due)
        raise Refused(said("金額の合計を、お支払い金額の %(due)s に合わせてください。", due=due)) from error
    papers = []
    for part, share in zip(parts, shares, strict=True):
        words = share.wording
        named = replace(part, to=part.to and party_named(part.to, words.name), subject=words.subject or part.subject)
        papers.append(Fresh(one.order.shop, _stamped(named, one, words), one.order))
    return put(papers, actor=actor)


@transaction.atomic
def correct(document_id: int, wording: Wording, *, reason: str, actor: Actor) -> int:
    """Replace a bill by a new one with the order's present content, which names the old one. Returns the new id.

    The old paper stays as it was issued. One of several receipts keeps its share. Raises Refused.
    """
    old = _held(document_id)
    kind = BillKind(old.kind)
    if kind == BillKind.CREDIT_NOTE:
        raise Refused(said("返還インボイスは訂正できません。取り消してから発行し直してください。"))
    one = billable([old.order_id or 0])[old.order_id or 0]
    if no := one.refusal(kind):
        raise Refused(said(REFUSALS[no]))
    words = _words(wording)
    before = bill_in(old)
    name = words["name"] or (before.to.name if before.to else "")
    bill = bill_of(one, kind, today=clock.today(), name="", subject=words["subject"] or before.subject)
    if before.part:  # one of several for this payment: it stays that share of it
        bill = replace(before, number="", issued_on=clock.today(), subject=bill.subject, to=bill.to)
    if bill.to and name and name != bill.to.name:
        bill = replace(bill, to=party_named(bill.to, name))
    told = Reference(number=old.number, day=before.issued_on)
    bill = replace(_stamped(bill, one, wording), corrects=told, reason=reason)
    written = _write([(one, bill)], actor=actor, corrects=old, reason=reason)
    _note(old, DocumentEvent.Kind.CORRECTED, reason, by=actor.by)
    return next(iter(written.values()))


@transaction.atomic
def void(document_id: int, *, reason: str, actor: Actor) -> None:
    """The paper holds no more; its number is not given again. Raises Refused."""
    old = _held(document_id)
    if MonthlyBillItem.objects.filter(credit=old, bill__voided_at=None).exists():
        raise Refused(said("合計請求書で差し引き済みです。先に合計請求書を取り消してください。"))
    _note(old, DocumentEvent.Kind.VOIDED, reason, by=actor.by)
    if old.order_id:
        entry = Entry(old.order_id, "document_voided", together([choice(old, "kind"), old.number, reason], " "))
        journal.write([entry], actor=actor)


@transaction.atomic
def issue_credit_note(
    order_id: int, wish: Wish, *, day: date, reason: str, even_if_exempt: bool = False, actor: Actor, key: str = ""
) -> int:
    """返還インボイス for what was given back of an order. Raises Refused, and TooMuch as `credit_lines` does.

    Repeating a `key` returns the paper of the first time.
    """
    _lock([order_id])
    if key and (again := IssuedDocument.objects.filter(key=f"credit_note:{order_id}:{key}").first()):
        return again.pk
    one = billable([order_id])[order_id]
    if one.sale.issuer == rules.MALL:
        raise Refused(str(REFUSALS[Refusal.MALL_ISSUES]))
    sold = invoiced(one)
    lines = credit_lines(sold, [bill_in(row) for row in _credit_notes(order_id)], wish, sets_of(order_id))
    total = sum(line.amount for line in lines)
    if not total:
        raise Refused(said("返品する数量か、返金・値引の金額を入力してください。"))
    if not rules.credit_note_is_required(total) and not even_if_exempt:
        raise Refused(
            said(
                "返金の合計が税込1万円未満のため、返還インボイスの交付義務はありません。それでも発行する場合は、その欄にチェックを入れてください。"
            )
        )
    bill = Bill(
        kind=BillKind.CREDIT_NOTE,
        shop=letterhead(one.order.shop, one.papers, day=sold.supplied_on),
        issued_on=clock.today(),
        supplied_on=day,
        sold_on=sold.supplied_on,
        to=sold.to,
        order_numbers=sold.order_numbers,
        lines=lines,
        invoice=Reference(number=sold.number, day=sold.issued_on) if sold.number else None,
        reason=reason,
    )
    [pk] = _write([(one, bill)], actor=actor, reason=reason, key=key).values()
    return pk


def invoiced(one: Billable) -> Bill:
    """What was sold, as the invoice that holds says; where there is none, as the order stands, with the number of the
    monthly bill on which it is, or without."""
    row = standing().filter(order=one.order, kind=DocumentKind.INVOICE).order_by("-pk").first()
    if row:
        return bill_in(row)
    sold = bill_of(one, BillKind.INVOICE, today=one.sale.shipped_on or clock.today())
    item = MonthlyBillItem.objects.filter(order=one.order, credit=None, bill__voided_at=None)
    monthly = item.values_list("bill__document__number", "bill__document__issued_at").first()
    return replace(sold, number=monthly[0], issued_on=clock.in_tokyo(monthly[1]).date()) if monthly else sold


def pieces_given(order_id: int) -> dict[str, int]:
    """Pieces that earlier credit notes gave back, by the line's ref."""
    given: dict[str, int] = {}
    for row in _credit_notes(order_id):
        for line in bill_in(row).lines:
            given[line.ref] = given.get(line.ref, 0) + line.quantity
    return given


def sets_of(order_id: int) -> dict[str, list[SetItem]]:
    """The order's sets as credit notes take them apart. One query."""
    found: dict[str, list[SetItem]] = {}
    rows = LineComponent.objects.filter(line__order=order_id).select_related("sku").order_by("line", "position")
    for part in rows:
        [own] = set_parts([part])
        found.setdefault(str(part.line_id), []).append(SetItem(own, part.sku.code, part.name))
    return found


def _credit_notes(order_id: int) -> QuerySet[IssuedDocument]:
    return standing().filter(order=order_id, kind=DocumentKind.CREDIT_NOTE).order_by("pk")


def bill_in(document: IssuedDocument) -> Bill:
    """The values of an issued bill."""
    bill: Bill = restored(Bill, document.content)
    return bill


# ---- writing


def _lock(order_ids: Sequence[int]) -> None:
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=order_ids).order_by("pk").values_list("pk"))


def _held(document_id: int) -> IssuedDocument:
    """The paper, its order locked, so that two people do not end it at once. Raises Refused when it holds no more."""
    document = IssuedDocument.objects.select_related("shop").get(pk=document_id)
    if document.order_id:
        _lock([document.order_id])
    if not standing().filter(pk=document_id).exists():
        raise Refused(said("この帳票はすでに訂正または取消されています。"))
    return document


@dataclass(frozen=True, slots=True)
class Fresh:
    """A paper to be numbered and written. `order` None: it speaks of none, or of many. Without a `key` it is new
    however often it is asked for."""

    shop: Shop
    bill: Bill | Statement
    order: Order | None = None
    corrects: IssuedDocument | None = None
    reason: str = ""
    key: str = ""


def put(papers: Sequence[Fresh], *, actor: Actor) -> list[IssuedDocument]:
    """Number papers and write them, their first event and the orders' journal. In the caller's transaction; the
    series' rows stay locked to its end."""
    now, year = clock.now(), clock.today().year
    numbers = _take_numbers([one.shop.pk for one in papers], year)
    rows = []
    for one in papers:
        serial = numbers[one.shop.pk].pop(0)
        numbered = replace(one.bill, number=f"{year}-{one.shop.code}-{serial:06d}")
        about = one.order.pk if one.order else "-"
        row = _row(numbered, one, key=f"{one.bill.kind}:{about}:{one.key or f'{year}.{one.shop.pk}.{serial}'}")
        row.year, row.serial, row.issued_at, row.by = year, serial, now, actor.by
        row.corrects, row.reason = one.corrects, one.reason
        rows.append(row)
    IssuedDocument.objects.bulk_create(rows)
    record(rows, DocumentEvent.Kind.ISSUED, by=actor.by)
    entries = [
        Entry(row.order_id, "document_issued", together([choice(row, "kind"), row.number], " "))
        for row in rows
        if row.order_id
    ]
    journal.write(entries, actor=actor)
    if rows:
        later("orders.tasks.make_document_files", [row.pk for row in rows])
    return rows


def _write(bills: Sequence[tuple[Billable, Bill]], *, actor: Actor, **more: Any) -> dict[int, int]:
    """Put the bills of orders; `more` as in `Fresh`. Returns order → document."""
    rows = put([Fresh(one.order.shop, bill, one.order, **more) for one, bill in bills], actor=actor)
    return {row.order_id: row.pk for row in rows if row.order_id}


def _take_numbers(shop_ids: Sequence[int], year: int) -> dict[int, list[int]]:
    """As many numbers as each shop needs. The series' row stays locked until the papers are committed or gone."""
    numbers = {}
    with connection.cursor() as cursor:
        for shop_id in sorted(set(shop_ids)):
            count = shop_ids.count(shop_id)
            cursor.execute(
                "INSERT INTO orders_documentseries AS s (shop_id, year, last) VALUES (%s, %s, %s) "
                "ON CONFLICT (shop_id, year) DO UPDATE SET last = s.last + EXCLUDED.last RETURNING last",
                [shop_id, year, count],
            )
            last = cursor.fetchone()[0]
            numbers[shop_id] = list(range(last - count + 1, last + 1))
    return numbers


def _row(bill: Bill | Statement, fresh: Fresh, *, key: str) -> IssuedDocument:
    sums = figures(bill) if isinstance(bill, Bill) else statement_sums(bill)
    content = plain(bill)
    return IssuedDocument(
        shop=fresh.shop,
        order=fresh.order,
        kind=bill.kind.value,
        number=bill.number,
        transacted_on=bill.supplied_on,
        partner=partner_of(bill.to),
        amount=sums.due if bill.kind == BillKind.RECEIPT else sums.total,
        rates=[[total.rate.percent, total.rate.reduced, total.amount, total.tax] for total in sums.rates],
        search=search_text(
            bill.to.name if bill.to else "", bill.to.company if bill.to else "", bill.number, *bill.order_numbers
        ),
        order_numbers=list(bill.order_numbers),
        content=content,
        content_sha256=digest(content),
        key=key,
    )


def partner_of(party: Party | None) -> str:
    """取引先 of a paper: the company, where there is one, with the person or department named there."""
    return " ".join(filter(None, (party.company, party.name)))[:250] if party else ""


@transaction.atomic
def keep_delivery_notes(notes: Sequence[tuple[DeliveryNote, int, int]], *, by: User | None) -> int:
    """Keep the notes that serve as invoices: (note, shop, order). A note printed again unchanged is kept once.

    Returns how many are new. The number is the parcel's; when its content changed, a further row stands beside the old.
    """
    rows = []
    for note, shop_id, order_id in notes:
        content = plain(replace(note, is_reprint=False, issued_on=note.shipped_on or note.issued_on))
        sums, sha256 = figures(note), digest(content)
        day = note.shipped_on or note.issued_on
        rows.append(
            IssuedDocument(
                shop_id=shop_id,
                order_id=order_id,
                kind=DocumentKind.DELIVERY_NOTE,
                number=note.number,
                year=day.year,
                issued_at=clock.now(),
                transacted_on=day,
                partner=partner_of(note.buyer),
                amount=sums.total,
                rates=[[total.rate.percent, total.rate.reduced, total.amount, total.tax] for total in sums.rates],
                search=search_text(note.buyer.name, note.buyer.company, note.number, *note.order_numbers),
                order_numbers=list(note.order_numbers),
                shipments=[note.number],
                content=content,
                content_sha256=sha256,
                key=f"delivery_note:{note.number}:{sha256[:32]}",
                by=by,
            )
        )
    known = set(IssuedDocument.objects.filter(key__in=[row.key for row in rows]).values_list("key", flat=True))
    fresh = [row for row in rows if row.key not in known]
    IssuedDocument.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=500)
    return len(fresh)


# ---- events


def record(documents: Sequence[IssuedDocument], kind: str, text: str = "", *, by: User | None = None) -> None:
    """What happened to papers, in the caller's transaction."""
    now = clock.now()
    DocumentEvent.objects.bulk_create(
        DocumentEvent(document=document, at=now, kind=kind, text=text[:300], by=by) for document in documents
    )


@transaction.atomic
def record_export(documents: "QuerySet[IssuedDocument]", why: str, *, by: User) -> int:
    """These papers were taken out, and why; how many."""
    ids = list(documents.order_by().values_list("pk", flat=True))
    now = clock.now()
    rows = (DocumentEvent(document_id=pk, at=now, kind=DocumentEvent.Kind.EXPORTED, text=why, by=by) for pk in ids)
    DocumentEvent.objects.bulk_create(rows, batch_size=2000)
    return len(ids)


def _note(document: IssuedDocument, kind: str, text: str, *, by: User | None) -> None:
    record([document], kind, text, by=by)
