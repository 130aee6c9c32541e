"""設定の変更: who set what to what, and going back to an earlier version of it."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from oms.kernel.keyset import keyset_page
from oms.kernel.models import SettingVersion
from oms.kernel.services import setting_versions
from oms.kernel.setting_kinds import KINDS, Kind, Refused, Who
from oms.kernel.web import answer, person_of, render_page
from oms.kernel.whence import address_of
from oms.pages.queries import setting_history as queries
from oms.pages.setting_forms import BackForm, ChangesForm


@require_GET
@permission_required("kernel.view_settingversion", raise_exception=True)
def changes(request: HttpRequest) -> HttpResponse:
    """Every change of a setting that this person could make as well."""
    kinds = queries.kinds_for(person_of(request))
    form = ChangesForm(request.GET, kinds=kinds)
    wanted = form.wanted
    page = keyset_page(request, queries.changes(wanted, kinds), order=("-at", "-id"))
    context = {"form": form, "wanted": wanted, "page": page, "rows": queries.told(page.rows)}
    return render_page(request, "pages/setting_changes.html", context)


@require_GET
def subject(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """変更の履歴 of one setting, for who may change it."""
    what = _kind(request, kind)
    rows = queries.versions(what, ref)
    page = keyset_page(request, rows, order=("-number",))
    if not page.rows and not _is_known(what, ref):
        raise Http404
    context = {
        "kind": what,
        "ref": ref,
        "title": page.rows[0].title if page.rows else what.name(ref),
        "edit_url": what.url(ref),
        "page": page,
        "shown": queries.shown(what, ref, page.rows, _who(request)),
    }
    return render_page(request, "pages/setting_subject.html", context)


@require_http_methods(["GET", "POST"])
def back(request: HttpRequest, pk: int) -> HttpResponse:
    """この版に戻す: shows what would change from now, then sets it through the setting's own form."""
    version = get_object_or_404(SettingVersion.objects.select_related("by"), pk=pk)
    what, who = _kind(request, version.kind), _who(request)
    to = reverse("pages:setting-subject", args=[version.kind, version.ref])
    if version.content is None and what.reset is None:
        raise Http404
    form = BackForm(request.POST if request.method == "POST" else None)
    causes: list[str] = []
    if form.is_bound and form.is_valid():
        try:
            changed = setting_versions.go_back(version, who=who, note=form.cleaned_data["note"])
        except Refused as refused:
            causes = list(refused.causes)
        else:
            if changed:
                messages.success(request, _("第%(n)s版の内容に戻しました。") % {"n": version.number})
            else:
                messages.info(request, _("今の設定は、第%(n)s版と同じです。") % {"n": version.number})
            return answer(request, to=to)
    now = what.read(version.ref)
    teller = what.teller(version.ref, who, [version.content, now])
    context = {
        "kind": what,
        "version": version,
        "form": form,
        "causes": causes,
        "differences": queries.differences(teller, now, version.content),
        "resets": version.content is None,
        "back_url": to,
    }
    return render_page(request, "pages/setting_back.html", context)


def _kind(request: HttpRequest, code: str) -> Kind:
    """The versions of a setting are for who may change it."""
    kind = KINDS.get(code)
    if kind is None:
        raise Http404
    if not request.user.has_perms(kind.rights):
        raise PermissionDenied
    return kind


def _is_known(kind: Kind, ref: str) -> bool:
    """Whether there is such a subject, though nobody has changed it yet, or set it: a standard can hold."""
    try:
        return (kind.exists(ref) or kind.reset is not None) and bool(kind.name(ref))
    except (LookupError, ValueError, ObjectDoesNotExist):
        return False


def _who(request: HttpRequest) -> Who:
    return Who(person_of(request), address_of(request), request.session.session_key)
