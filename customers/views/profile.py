"""What people write on a member's page: facts and tags, notes, promises ticked."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.forms import FactsForm, NoteForm
from customers.models import Member, MemberNote
from customers.queries import members
from customers.services import notes, profile
from customers.views.members import sees_personal_data
from oms.kernel.web import answer, person_of, render_page

FACTS = ("customers/_head.html", "customers/_facts.html")
NOTES = ("customers/_promises.html", "customers/_notes.html")


@require_http_methods(["GET", "POST"])
@permission_required(["customers.change_member", members.PERSONAL], raise_exception=True)
def facts(request: HttpRequest, pk: int) -> HttpResponse:
    member = _member(pk)
    status = 200
    if request.method == "POST":
        form = FactsForm(request.POST)
        if form.is_valid():
            asked = form.cleaned_data
            try:
                changed = profile.edit(pk, form.values, asked["tags"], shown=asked["seen"], by=person_of(request))
            except profile.NumberTaken:
                form.add_error("member_no", _("この会員番号は、ほかの会員が使っています。"))
            except profile.Moved:
                form, status = _again(member, request), 409
            else:
                said = _("会員情報を保存しました。") if changed else _("変わったところはありません。")
                messages.success(request, said)
                return _shown(request, pk, FACTS)
    else:
        form = FactsForm(initial=_initial(member))
    context = {"member_id": pk, "form": form, "title": _("会員情報を編集"), "action": _("保存する")}
    return render_page(request, "customers/form.html", context, fragment="customers/_form.html", status=status)


def _initial(member: Member) -> dict[str, Any]:
    tags = "、".join(profile.tags_of(member.pk))
    return {**profile.facts_of(member), "tags": tags, "seen": profile.seen(member)}


def _again(member: Member, request: HttpRequest) -> FactsForm:
    """What was typed stays; beside each field that somebody changed meanwhile stands what it holds now."""
    data, now = request.POST.copy(), _initial(member)
    data["seen"] = now["seen"]
    form = FactsForm(data)
    form.is_valid()
    for name, typed in form.values.items():
        have = now[name]
        if (typed.isoformat() if hasattr(typed, "isoformat") else typed or "") != (have or ""):
            shown = {True: _("はい"), False: _("いいえ"), "": _("（なし）")}.get(have, have)
            form.add_error(name, _("今の値は「%(value)s」です。") % {"value": shown})
    form.add_error(None, _("ほかの人が先に変更しました。今の値を確かめて、もう一度保存してください。"))
    return form


@require_POST
@permission_required("customers.add_membernote", raise_exception=True)
def note_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Faults come back as a message: the form is one line on the page."""
    _member(pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("メモを300字までで入力してください。"))
        return _shown(request, pk)
    asked = form.cleaned_data
    notes.write(pk, asked["text"], promise=asked["promise"], by=person_of(request), key=asked["key"])
    messages.success(request, _("約束を書きました。") if asked["promise"] else _("メモを書きました。"))
    return _shown(request, pk)


@require_POST
@permission_required("customers.add_membernote", raise_exception=True)
def promise(request: HttpRequest, pk: int, note: int) -> HttpResponse:
    """Tick a promise, or with `open` say that it is still to be done."""
    get_object_or_404(MemberNote, pk=note, member=pk, promise=True)
    if "open" in request.POST:
        if notes.untick([note], by=person_of(request)):
            messages.success(request, _("約束を未完了に戻しました。"))
    elif notes.tick([note], by=person_of(request)):
        messages.success(request, _("約束を済みにしました。"))
    else:
        messages.info(request, _("すでに済みになっています。"))
    return _shown(request, pk)


def _shown(request: HttpRequest, pk: int, parts: Sequence[str] = NOTES) -> HttpResponse:
    page = members.member_page(_member(pk), personal=sees_personal_data(request))
    context = {**page, "note_form": NoteForm()}
    return answer(request, to=reverse("customers:detail", args=[pk]), fragments=parts, context=context)


def _member(pk: int) -> Member:
    return get_object_or_404(Member.objects.select_related("rank").defer("search"), pk=pk)
