"""帳票: the issued papers, one paper, and what people do with it."""

import csv
import io
import zipfile

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from oms.kernel import clock
from oms.kernel.keyset import keyset_page
from oms.kernel.said import said
from oms.kernel.typed import row_ids
from oms.kernel.web import render_page
from orders.models import DocumentKind, DocumentLink, IssuedDocument
from orders.paper_forms import CorrectionForm, ReasonForm
from orders.queries import documents as reading
from orders.queries.detail import PERSONAL
from orders.services import billing, document_files, document_links, personal_views
from orders.services import documents as issuing
from orders.services.documents import Refused
from orders.services.personal_views import Where
from orders.views.order import actor_of, user_of

ZIP_LIMIT = 300
BOM = "\ufeff"  # or a spreadsheet takes the list for another encoding
SEE = "orders.view_issueddocument"


@require_GET
@permission_required(SEE, raise_exception=True)
def paper_list(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    filters = reading.DocumentFilter(_query(request), queryset=reading.listed_documents())
    page = keyset_page(request, filters.qs, order=("-transacted_on", "-id"))
    context = {
        "filters": filters,
        "page": page,
        "rows": reading.document_rows(page.rows, personal=user.has_perm(PERSONAL)),
        "query": request.GET.urlencode(),
        "may_export": user.has_perms(["orders.export_document", PERSONAL]),
        "zip_limit": ZIP_LIMIT,
    }
    return render_page(request, "orders/papers.html", context, fragment="orders/_papers_table.html")


def _query(request: HttpRequest) -> QueryDict:
    """Who may not see names may not find by them either."""
    query = request.GET.copy()
    if not user_of(request).has_perm(PERSONAL):
        query.pop("q", None)
    return query


@require_GET
@permission_required(SEE, raise_exception=True)
def paper_detail(request: HttpRequest, pk: int) -> HttpResponse:
    document = get_object_or_404(IssuedDocument.objects.select_related("shop", "corrects", "order", "by"), pk=pk)
    return render_page(request, "orders/paper.html", reading.document_page(document, user_of(request)))


@require_GET
@permission_required([SEE, PERSONAL], raise_exception=True)
def paper_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The paper as it was issued; who opened it is on record."""
    document = get_object_or_404(IssuedDocument, pk=pk)
    if document.order_id:
        personal_views.saw_orders([document.order_id], Where.PAPER, by=user_of(request))
    try:
        return pdf_answer(document_files.open_file(document, by=user_of(request)), reading.file_name(document))
    except document_files.Altered:
        return _altered(request, document)


@require_POST
@permission_required([SEE, PERSONAL, "orders.issue_document"], raise_exception=True)
def paper_reissue(request: HttpRequest, pk: int) -> HttpResponse:
    """The same paper marked 再発行."""
    document = get_object_or_404(IssuedDocument, pk=pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("再発行の理由を入力してください。"))
        return redirect("orders:paper", pk)
    if not issuing.standing().filter(pk=pk).exists():
        messages.warning(request, _("この帳票はすでに訂正または取消されています。"))
        return redirect("orders:paper", pk)
    try:
        pdf = document_files.reissue(document, reason=form.cleaned_data["reason"], by=user_of(request))
    except document_files.Altered:
        return _altered(request, document)
    return pdf_answer(pdf, reading.file_name(document))


def _altered(request: HttpRequest, document: IssuedDocument) -> HttpResponse:
    messages.error(
        request,
        _("%(no)s の控えが発行時の内容と一致しません（直接の書き換えの疑い）。管理者へ連絡してください。")
        % {"no": document.number},
    )
    return redirect("orders:paper", document.pk)


@require_http_methods(["GET", "POST"])
@permission_required([SEE, PERSONAL, "orders.issue_document"], raise_exception=True)
def paper_correct(request: HttpRequest, pk: int) -> HttpResponse:
    document = get_object_or_404(IssuedDocument.objects.select_related("order"), pk=pk)
    if document.kind not in {DocumentKind.INVOICE, DocumentKind.RECEIPT}:
        raise Http404
    bill = issuing.bill_in(document)
    initial = {"name": bill.to.name if bill.to else "", "subject": bill.subject}
    form = CorrectionForm(request.POST or None, receipt=document.kind == DocumentKind.RECEIPT, initial=initial)
    if form.is_valid():
        try:
            new = issuing.correct(pk, form.wording, reason=form.cleaned_data["reason"], actor=actor_of(request))
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("訂正した帳票を発行しました。元の帳票はそのまま残ります。"))
            return redirect("orders:paper", new)
    text = _("受注の今の内容で新しい番号の帳票を発行し、元の番号を書き添えます。元の帳票は変わりません。")
    context = {"document": document, "form": form, "title": _("訂正"), "text": text, "verb": _("訂正して発行")}
    return render_page(request, "orders/paper_form.html", context)


@require_http_methods(["GET", "POST"])
@permission_required([SEE, "orders.issue_document"], raise_exception=True)
def paper_void(request: HttpRequest, pk: int) -> HttpResponse:
    document = get_object_or_404(IssuedDocument.objects.exclude(kind=DocumentKind.DELIVERY_NOTE), pk=pk)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            void = billing.void if document.kind == DocumentKind.MONTHLY else issuing.void
            void(pk, reason=form.cleaned_data["reason"], actor=actor_of(request))
        except Refused as refused:
            messages.warning(request, str(refused))
        else:
            messages.success(request, _("取り消しました。番号は欠番として残ります。"))
        return redirect("orders:paper", pk)
    text = _("購入者に渡した帳票は回収するか、取消を知らせてください。番号と控えは残ります。")
    context = {"document": document, "form": form, "title": _("取消"), "text": text, "verb": _("取り消す")}
    return render_page(request, "orders/paper_form.html", context)


# ---- links


@require_POST
@permission_required([SEE, PERSONAL, "orders.issue_document"], raise_exception=True)
def paper_link(request: HttpRequest, pk: int) -> HttpResponse:
    """A link to hand over, or with `send` one that goes to the buyer by mail."""
    document = get_object_or_404(IssuedDocument, pk=pk)
    send = bool(request.POST.get("send"))
    if send and not user_of(request).has_perm("orders.send_mail"):
        messages.warning(request, _("メールを送る権限がありません。"))
        return redirect("orders:paper", pk)
    try:
        site = request.build_absolute_uri("/").rstrip("/")
        link = document_links.make_link(document, site=site, actor=actor_of(request), send=send)
    except Refused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("リンクを作りました。") if not send else _told(link))
    return redirect("orders:paper", pk)


def _told(link: DocumentLink) -> str:
    if document_links.waits_for_approval(link):
        return _("リンクのメールを承認待ちに入れました。")
    return _("リンクをメールで送ります。")


@require_POST
@permission_required([SEE, "orders.issue_document"], raise_exception=True)
def paper_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    document = get_object_or_404(IssuedDocument, pk=pk)
    if document_links.revoke_links(document, actor=actor_of(request)):
        messages.success(request, _("リンクを無効にしました。"))
    return redirect("orders:paper", pk)


@login_not_required
def document_link(request: HttpRequest, token: str) -> HttpResponse:
    """For the buyer, without a login: the paper while the link is open, a plain sentence when it no longer is."""
    try:
        link = document_links.linked(token)
    except document_links.Gone:
        return _quiet(render_page(request, "orders/paper_gone.html", status=410))
    if link is None:
        raise Http404
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET"])
    pdf = document_files.copy_for_buyer(link.document)
    if request.method == "GET":
        document_links.record_download(link, request.META.get("REMOTE_ADDR", ""))
    return pdf_answer(pdf, f"{link.document.number}.pdf")


def pdf_answer(pdf: bytes, name: str) -> HttpResponse:
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(False, name) or "inline"
    return _quiet(response)


def _quiet(response: HttpResponse) -> HttpResponse:
    """Kept by no cache, listed by no search engine, told to no other site."""
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


# ---- lists to take away


class _Echo:
    """A file for `csv` that gives each line back."""

    def write(self, line: str) -> str:
        return line


@require_POST
@permission_required([SEE, PERSONAL, "orders.export_document"], raise_exception=True)
def papers_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Every paper of the search, as a list. Names the people on them: asks why, and it is on record."""
    why = _why(request)
    if not why:
        return redirect("orders:papers")
    issuing.record_export(_searched(request), why, by=user_of(request))
    rows = reading.csv_rows(_searched(request))
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    response = StreamingHttpResponse(
        ((BOM if place == 0 else "") + writer.writerow(row) for place, row in enumerate(rows)),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = f'attachment; filename="documents-{_stamp()}.csv"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@permission_required([SEE, PERSONAL], raise_exception=True)
def papers_zip(request: HttpRequest) -> HttpResponse:
    """The PDFs of the search (or of `ids`, right after issuing) with their list."""
    user = user_of(request)
    ids = row_ids(request.POST.getlist("ids"))
    if not user.has_perm("orders.issue_document" if ids else "orders.export_document"):
        messages.warning(request, _("発行済み帳票を書き出す権限がありません。"))
        return redirect("orders:papers")
    why = said("発行に続けてダウンロード") if ids else _why(request)
    if not why:
        return redirect("orders:papers")
    chosen = reading.listed_documents().filter(pk__in=ids).order_by("pk") if ids else _searched(request)
    found = list(chosen.values_list("pk", flat=True)[: ZIP_LIMIT + 1])
    if not found or len(found) > ZIP_LIMIT:
        text = _("1回にまとめられるのは%(n)s件までです。期間などで絞り込んでください。") % {"n": ZIP_LIMIT}
        messages.warning(request, text if found else _("条件に合う帳票がありません。"))
        return redirect("orders:papers")
    documents = reading.listed_documents().filter(pk__in=found).order_by("transacted_on", "pk")
    content = _zipped(documents)
    issuing.record_export(documents, why, by=user)
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="documents-{_stamp()}.zip"'
    response["Cache-Control"] = "no-store"
    return response


def _why(request: HttpRequest) -> str:
    """What the papers are taken out for; says so where nothing was typed."""
    why = " ".join(request.POST.get("reason", "").split())[:200]
    if not why:
        messages.warning(request, _("個人情報を含みます。何に使うかを書いてください。"))
    return why


def _searched(request: HttpRequest) -> QuerySet[IssuedDocument]:
    query = QueryDict(request.POST.get("query", ""))
    filters = reading.DocumentFilter(query, queryset=reading.listed_documents())
    return filters.qs.order_by("transacted_on", "pk")


def _zipped(documents: QuerySet[IssuedDocument]) -> bytes:
    buffer, table = io.BytesIO(), io.StringIO()
    csv.writer(table, lineterminator="\r\n").writerows(reading.csv_rows(documents))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # PDFs are packed already
        archive.writestr("索引.csv", BOM + table.getvalue())
        for document in documents.defer(None):
            archive.writestr(reading.file_name(document), document_files.file_of(document))
    return buffer.getvalue()


def _stamp() -> str:
    return clock.in_tokyo(clock.now()).strftime("%Y%m%d-%H%M")
