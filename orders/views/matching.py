"""入金消込: load what the bank says, accept what fits, search the rest, take back what was wrong."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from oms.kernel.typed import row_id, row_ids
from oms.kernel.web import answer, person_of, render_page
from orders.decide import bank_formats
from orders.decide.matching import shares
from orders.models import BankLine, BankMatch
from orders.payment_forms import ColumnsForm, LoadForm
from orders.queries import matching as queries
from orders.queries import payments
from orders.queries.detail import PERSONAL
from orders.services import bank_files, matching
from orders.views.order import actor_of

RIGHT = "orders.record_payment"
SHOWN_ROWS = 6
PAGE = "orders/payments/match.html"
FRAGMENT = "orders/payments/_match.html"


@require_GET
@permission_required(RIGHT, raise_exception=True)
def matching_page(request: HttpRequest) -> HttpResponse:
    return render_page(request, PAGE, _context(request), fragment=FRAGMENT)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def bank_load(request: HttpRequest) -> HttpResponse:
    """Load a file or a paste; a CSV whose columns nobody knows is shown first."""
    form = LoadForm(request.POST, request.FILES)
    if not form.is_valid():
        return render_page(request, PAGE, {**_context(request), "load_form": form})
    content, preset = form.content, form.cleaned_data["preset"]
    try:
        read = bank_files.read(
            content, columns=preset.columns if preset else None, skip=preset.skip_rows if preset else 0
        )
    except bank_formats.Unreadable as problem:
        return _ask_columns(request, form, content, str(problem))
    if not read.lines and read.layout == "csv":
        return _ask_columns(request, form, content, _("入金の行が見つかりません。列の読み方を確かめてください。"))
    return _load(request, read, name=form.name, account=form.cleaned_data["account"])


@require_POST
@permission_required(RIGHT, raise_exception=True)
def bank_columns(request: HttpRequest) -> HttpResponse:
    """The columns as a person chose them: shown once more, or loaded, and kept under a name."""
    try:
        rows = bank_formats.table_of(request.POST.get("text", ""))
    except bank_formats.Unreadable as problem:
        messages.error(request, str(problem))
        return answer(request, to=reverse("orders:matching"))
    form = ColumnsForm(request.POST, rows=rows)
    if form.is_valid():
        values = form.cleaned_data
        try:
            read = bank_files.read(values["text"].encode(), columns=form.columns, skip=values["skip"])
        except bank_formats.Unreadable as problem:
            form.add_error(None, str(problem))
        else:
            if "preview" in request.POST:
                return _columns_page(request, form, rows, preview=read.lines[:SHOWN_ROWS])
            if values["preset_name"].strip():
                bank_files.keep_preset(values["preset_name"], form.columns, values["skip"], by=person_of(request))
            return _load(request, read, name=values["name"], account=values["account"])
    return _columns_page(request, form, rows)


def _load(request: HttpRequest, read: bank_formats.Statement, *, name: str, account: str) -> HttpResponse:
    loaded = bank_files.load(
        read.lines, name=name, layout=read.layout, account=account or read.account, actor=actor_of(request)
    )
    text = _("%(fresh)s件の入金を取り込みました。%(known)s件は取込済みのため飛ばしました。")
    tell = messages.success if loaded.fresh else messages.warning
    tell(request, text % {"fresh": f"{loaded.fresh:,}", "known": f"{loaded.known:,}"})
    return answer(request, to=reverse("orders:matching"))


def _ask_columns(request: HttpRequest, form: LoadForm, content: bytes, problem: str) -> HttpResponse:
    """A table gets its columns chosen; anything else comes back with what is wrong with it."""
    try:
        text = bank_formats.decoded(content)
        rows = [] if bank_formats.is_zengin(content) else bank_formats.table_of(text)
    except bank_formats.Unreadable:
        rows = []
    if not rows or max(len(row) for row in rows) < 3:
        form.add_error(None, problem)
        return render_page(request, PAGE, {**_context(request), "load_form": form})
    columns, skip = bank_formats.guess_columns(rows)
    initial = {"text": text, "name": form.name, "account": form.cleaned_data["account"], "skip": skip or 1}
    initial |= {f"column_{field}": str(at) for field, at in columns.items()}
    return _columns_page(request, ColumnsForm(rows=rows, initial=initial), rows, problem=problem)


def _columns_page(request: HttpRequest, form: ColumnsForm, rows: list[list[str]], **more: Any) -> HttpResponse:
    context = {"form": form, "rows": rows[:SHOWN_ROWS], **more}
    return render_page(request, "orders/payments/columns.html", context)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def match_sure(request: HttpRequest) -> HttpResponse:
    """Accept the sure ones that the person saw; what is no longer sure stays."""
    ids = row_ids(request.POST.getlist("line"))
    actor, done = actor_of(request), 0
    for line, amounts in queries.sure_pairs(ids):
        try:
            matching.accept(line, amounts, actor=actor)
            done += 1
        except matching.CannotMatch as problem:
            messages.warning(request, str(problem))
    messages.success(request, _("%(n)s件を消し込みました。") % {"n": f"{done:,}"})
    return _changed(request)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def match_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Let one transfer pay the chosen orders, and what chosen accounts owe beside theirs.

    Amounts that are not typed are shared out by what each owes."""
    accounts = [-pk for pk in row_ids(request.POST.getlist("account"))]
    orders = list(dict.fromkeys([*accounts, *row_ids(request.POST.getlist("order"))]))
    try:
        matching.accept(pk, _amounts(request, pk, orders), actor=actor_of(request))
    except matching.CannotMatch as problem:
        messages.warning(request, str(problem))
    else:
        messages.success(request, _("消し込みました。"))
    return _changed(request)


def _amounts(request: HttpRequest, line_id: int, orders: list[int]) -> dict[int, int]:
    typed = {pk: request.POST.get(f"amount_{pk}", "").replace(",", "").strip() for pk in orders}
    if any(value and row_id(value) is None for value in typed.values()):
        raise matching.CannotMatch(_("金額は数字で入れてください。"))
    if orders and all(typed.values()):
        return {pk: int(value) for pk, value in typed.items()}
    line = get_object_or_404(BankLine, pk=line_id)
    return shares(matching.rest_of(line), queries.dues(orders))


@require_POST
@permission_required(RIGHT, raise_exception=True)
def match_undo(request: HttpRequest, pk: int) -> HttpResponse:
    match = get_object_or_404(BankMatch, pk=pk)
    try:
        if matching.undo([match.pk], actor=actor_of(request)):
            messages.success(request, _("消込を取り消しました。受注は入金前に戻りました。"))
        elif match.account_id:
            messages.success(request, _("消込を取り消しました。"))
    except matching.CannotMatch as problem:
        messages.warning(request, str(problem))
    return _changed(request)


@require_POST
@permission_required(RIGHT, raise_exception=True)
def line_set_aside(request: HttpRequest, pk: int) -> HttpResponse:
    """Park it, say that it is no order's money, or take it back."""
    state = request.POST.get("state", "")
    told = {
        "parked": _("保留にしました。"),
        "other": _("受注以外の入金にしました。"),
        "open": _("未消込に戻しました。"),
    }
    if state in told and matching.set_aside([pk], state, actor=actor_of(request), note=request.POST.get("note", "")):
        messages.success(request, told[state])
    else:
        messages.warning(request, _("この入金の扱いは変えられません。"))
    return _changed(request)


@require_GET
@permission_required(RIGHT, raise_exception=True)
def line_search(request: HttpRequest, pk: int) -> HttpResponse:
    """One transfer with a search for the orders that it pays."""
    line = get_object_or_404(BankLine, pk=pk)
    typed = request.GET.get("q", "")
    context = {
        "line": line,
        "rest": matching.rest_of(line),
        "typed": typed,
        "found": [
            *queries.search_accounts(typed, personal=_personal(request)),
            *queries.search_orders(typed, personal=_personal(request)),
        ],
    }
    return render_page(request, "orders/payments/line.html", context)


def _changed(request: HttpRequest) -> HttpResponse:
    return answer(request, to=reverse("orders:matching"), fragments=[FRAGMENT], context=_context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    return {**queries.matching_page(personal=_personal(request)), **payments.tab_counts(), "load_form": LoadForm()}


def _personal(request: HttpRequest) -> bool:
    return person_of(request).has_perm(PERSONAL)
