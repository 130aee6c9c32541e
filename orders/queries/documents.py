"""Issued papers for screens: the search that the law asks for, one paper with its history, an order's papers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel import clock, privacy
from oms.kernel.csv_text import harmless_text
from oms.kernel.models import User
from oms.kernel.search import matching
from orders.documents import rules
from orders.documents.bill import BillKind
from orders.filters import DayInput
from orders.models import DocumentEvent, DocumentKind, DocumentLink, IssuedDocument, Quote
from orders.models.order import PaymentMethod
from orders.queries import visible
from orders.queries.billing import bill_of_order
from orders.queries.detail import PERSONAL
from orders.queries.document_links import address_of
from orders.queries.papers import billable, refunded_since
from orders.services.documents import REFUSALS

STATES = (("standing", lazy("有効")), ("ended", lazy("訂正・取消済み")))
ENDING = (DocumentEvent.Kind.CORRECTED, DocumentEvent.Kind.VOIDED)
NOTICES = {
    rules.Notice.SLIP_IS_RECEIPT: lazy(
        "コンビニ払い・後払いでは、払込票の受領証が通常の領収書です。二重発行にならないか確かめてください。"
    ),
    rules.Notice.CARD_PROOF: lazy("「クレジットカード利用」と印字します。金銭の受領ではなく、販売の証明です。"),
    rules.Notice.NO_REGISTRATION: lazy("登録番号がないため、適格請求書にはなりません。"),
}


class WholeNumberFilter(django_filters.NumberFilter):
    """Yen have no fractions."""

    field_class = forms.IntegerField


class DocumentFilter(django_filters.FilterSet):
    """By transaction date, amount and partner, each alone or together, dates and amounts as ranges."""

    since = django_filters.DateFilter("transacted_on", "gte", label=lazy("取引年月日（から）"), widget=DayInput)
    until = django_filters.DateFilter("transacted_on", "lte", label=lazy("取引年月日（まで）"), widget=DayInput)
    least = WholeNumberFilter("amount", "gte", label=lazy("金額（以上）"))
    most = WholeNumberFilter("amount", "lte", label=lazy("金額（以下）"))
    q = django_filters.CharFilter(label=lazy("取引先・番号"), method="search", widget=forms.SearchInput)
    kind = django_filters.ChoiceFilter(label=lazy("種類"), choices=DocumentKind.choices, empty_label=lazy("すべて"))
    shop = django_filters.ModelChoiceFilter(
        label=lazy("店舗"), queryset=visible.own_shops, to_field_name="code", empty_label=lazy("すべて")
    )
    state = django_filters.ChoiceFilter(
        label=lazy("状態"), choices=STATES, method="by_state", empty_label=lazy("すべて")
    )

    class Meta:
        model = IssuedDocument
        fields: Sequence[str] = []

    def search(self, rows: QuerySet[IssuedDocument], _name: str, typed: str) -> QuerySet[IssuedDocument]:
        return matching(rows, "search", typed)

    def by_state(self, rows: QuerySet[IssuedDocument], _name: str, state: str) -> QuerySet[IssuedDocument]:
        ended = Exists(DocumentEvent.objects.filter(document=OuterRef("pk"), kind__in=ENDING))
        return rows.filter(ended if state == "ended" else ~ended)


def listed_documents() -> QuerySet[IssuedDocument]:
    """Without their contents, each with how it ended (`end`), if it did."""
    ends = DocumentEvent.objects.filter(document=OuterRef("pk"), kind__in=ENDING).order_by("pk").values("kind")[:1]
    rows = visible.of_shops(IssuedDocument.objects.all(), "shop")
    return rows.select_related("shop").defer("content", "search").annotate(end=Subquery(ends))


@dataclass(frozen=True, slots=True)
class DocumentRow:
    document: IssuedDocument
    partner: str
    end: str

    @property
    def tone(self) -> str:
        return "neutral" if self.end else "done"


def document_rows(documents: Sequence[Any], *, personal: bool) -> list[DocumentRow]:
    return [
        DocumentRow(
            document,
            document.partner if personal else privacy.mask_name(document.partner),
            str(DocumentEvent.Kind(document.end).label) if document.end else "",
        )
        for document in documents
    ]


def document_page(document: IssuedDocument, user: User) -> dict[str, Any]:
    """One paper, how it stands, its links and all that happened to it."""
    events = list(document.events.select_related("by").order_by("-pk")[:200])
    end = next((event for event in events if event.kind in ENDING), None)
    successor = document.corrections.defer("content").first()
    links = document.links.order_by("-pk")[:20] if user.has_perm("orders.issue_document") else []
    personal = user.has_perm(PERSONAL)
    [row] = document_rows([_with_end(document, end)], personal=personal)
    return {
        "document": document,
        "row": row,
        "events": events,
        "successor": successor,
        "links": [_link(link) for link in links],
        "personal": personal,
        "may_issue": user.has_perm("orders.issue_document") and personal,
        "correctable": document.kind in {DocumentKind.INVOICE, DocumentKind.RECEIPT},
        "voidable": document.kind != DocumentKind.DELIVERY_NOTE,
        "quote": _quote(document),
        "refunded": None if end else refunded_since(document),
    }


def _quote(document: IssuedDocument) -> Quote | None:
    if document.kind != DocumentKind.QUOTE:
        return None
    return Quote.objects.select_related("order").filter(document=document).first()


def _with_end(document: Any, end: DocumentEvent | None) -> Any:
    document.end = end.kind if end else None
    return document


def _link(link: DocumentLink) -> tuple[DocumentLink, str, bool]:
    """(link, its address, still open)."""
    return link, address_of(link), link.revoked_at is None and link.expires_at > clock.now()


def order_papers(order_id: int, user: User) -> dict[str, Any]:
    """An order's papers, and which may be issued now, or why not."""
    rows = listed_documents().filter(order=order_id).order_by("-pk")
    documents = document_rows(list(rows[:30]), personal=user.has_perm(PERSONAL))
    standing = {row.document.kind for row in documents if not row.end}
    one = billable([order_id]).get(order_id)
    offers = []
    for kind in (BillKind.INVOICE, BillKind.RECEIPT) if one else ():
        refusal = one.refusal(kind) if one else None
        label = str(DocumentKind(kind.value).label)
        offers.append((kind.value, label, kind.value in standing, str(REFUSALS[refusal]) if refusal else ""))
    return {
        "order_id": order_id,
        "rows": documents,
        "offers": offers,
        "may_issue": user.has_perm("orders.issue_document") and user.has_perm(PERSONAL),
        "may_open": user.has_perm(PERSONAL),
        "mall_issues": one is not None and one.sale.issuer == rules.MALL,
        "can_split": any(kind == BillKind.RECEIPT and not (held or refusal) for kind, _label, held, refusal in offers),
        "monthly_bill": bill_of_order(order_id) if one and one.order.payment_method == PaymentMethod.ACCOUNT else None,
        "can_credit": one is not None and one.sale.issuer != rules.MALL and bool(one.lines),
    }


# ---- lists to take away

COLUMNS = (
    "種類", "番号", "取引年月日", "取引先", "取引金額", "10%対象", "うち消費税", "8%（軽減）対象", "うち消費税",
    "その他の税率の対象", "発行日時", "店舗", "受注番号", "出荷番号", "状態", "訂正元", "理由", "SHA-256", "ファイル名",
)  # fmt: skip


def csv_rows(documents: QuerySet[IssuedDocument]) -> Iterator[list[str]]:
    """The head, then a row per paper; nothing that a spreadsheet would take for a formula."""
    yield list(COLUMNS)
    origin = Prefetch("corrects", IssuedDocument.objects.only("number"))
    for document in documents.prefetch_related(origin).iterator(chunk_size=500):
        yield [harmless_text(text) for text in _csv_row(document)]


def _csv_row(document: Any) -> list[str]:
    by_rate = {(percent, reduced): (amount, tax) for percent, reduced, amount, tax in document.rates}
    standard, lowered = by_rate.pop((10, False), (0, 0)), by_rate.pop((8, True), (0, 0))
    end = str(DocumentEvent.Kind(document.end).label) if document.end else str(_("有効"))
    return [
        str(document.get_kind_display()), document.number, document.transacted_on.isoformat(), document.partner,
        str(document.amount), str(standard[0]), str(standard[1]), str(lowered[0]), str(lowered[1]),
        str(sum(amount for amount, _tax in by_rate.values())),
        clock.in_tokyo(document.issued_at).strftime("%Y-%m-%d %H:%M"), document.shop.name,
        " ".join(document.order_numbers), " ".join(document.shipments), end,
        document.corrects.number if document.corrects else "", document.reason, document.content_sha256,
        file_name(document),
    ]  # fmt: skip


def file_name(document: IssuedDocument) -> str:
    """20260703_取引先_8948_番号.pdf, as the tax office's own guide names files."""
    partner = "".join(char for char in document.partner if char.isprintable() and char not in '\\/:*?"<>|.')[:40]
    return f"{document.transacted_on:%Y%m%d}_{partner.strip() or '取引先'}_{document.amount}_{document.number}.pdf"
