"""認証情報の更新: enter, test, switch, verify, and the way back."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from channels.connectors.contract import ChannelError
from channels.connectors.registry import connector_class
from channels.forms import RenewalForm
from channels.models import Connection, Renewal
from channels.queries import cards
from channels.services import credentials, renewal
from channels.services.patience import PATIENCE_S
from channels.views.shops import connection_of
from oms.kernel.models import User
from oms.kernel.web import person_of, render_page

State = Renewal.State


@require_GET
@permission_required("channels.change_credential", raise_exception=True)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    connection = connection_of(pk)
    return _page(request, connection, RenewalForm(connection=connection))


def _page(request: HttpRequest, connection: Connection, form: RenewalForm) -> HttpResponse:
    found = renewal.open_renewal(connection) or renewal.kept(connection)
    kind = connector_class(connection.shop.channel)
    context = {
        "connection": connection,
        "renewal": found,
        "form": form,
        "steps": steps_of(found),
        "stored": credentials.last_four(connection),
        "fresh": _tails(found),
        "hard": [term for term in kind.credential_terms.values() if not term.overlap],
        "terms": list(kind.credential_terms.values()),
        "consent": kind.consent,
        "journal": cards.journal(connection, 10),
        "page": "renewal",
    }
    return render_page(request, "channels/renewal.html", context)


def _tails(found: Renewal | None) -> list[tuple[str, str]]:
    """The new values as they may be shown."""
    values = credentials.unseal(bytes(found.fresh)) if found else {}
    return [(key, credentials.tail(value)) for key, value in values.items()]


def steps_of(found: Renewal | None) -> list[tuple[str, str]]:
    """(label, state of the step: done, now, later) for the line above the page."""
    order = [State.ENTERED, State.TESTED, State.SWITCHED, State.KEPT]
    labels = [_("新しい値を入力"), _("テスト"), _("切り替え"), _("確認と再開")]
    at = order.index(State(found.state)) + 1 if found and found.state in order else 0
    states = ["done" if number < at else "now" if number == at else "later" for number in range(len(order))]
    return list(zip(labels, states, strict=True))


@sensitive_post_parameters()
@require_POST
@permission_required("channels.change_credential", raise_exception=True)
def enter(request: HttpRequest, pk: int) -> HttpResponse:
    connection = connection_of(pk)
    form = RenewalForm(request.POST, connection=connection)
    if not form.is_valid():
        return _page(request, connection, form)
    try:
        renewal.enter(connection.pk, form.secrets(), by=person_of(request))
    except renewal.NotNow as no:
        form.add_error(None, str(no))
        return _page(request, connection, form)
    messages.success(request, _("新しい値を預かりました。まだ使っていません。次にテストしてください。"))
    return redirect("channels:renewal", pk)


@require_POST
@permission_required("channels.change_credential", raise_exception=True)
def step(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """One step of the renewal under way."""
    if verb not in STEPS:
        raise Http404
    connection = connection_of(pk)
    try:
        messages.success(request, STEPS[verb](connection, person_of(request)))
    except renewal.NotNow as no:
        messages.warning(request, str(no))
    except ChannelError as error:
        messages.error(request, _("接続できません。%(cause)s") % {"cause": error.cause})
    return redirect("channels:renewal", pk)


def _prepare(connection: Connection, by: User) -> str:
    renewal.prepare(connection.pk, by=by)
    return _("取込・在庫・通知を止めました。モールで新しいキーを発行して、入力してください。")


def _test(connection: Connection, by: User) -> str:
    seen = renewal.test(_open(connection).pk, by=by, limit_s=PATIENCE_S)
    return _("新しい値で接続できました。%(seen)s") % {"seen": seen}


def switch_and_verify(connection: Connection, by: User) -> str:
    """Two steps in one click; what dies between them is taken up by the sweep."""
    pk = _open(connection).pk
    renewal.switch(pk, by=by)
    renewal.verify(pk, by=by, limit_s=PATIENCE_S)
    return _("切り替えました。受注の取込は止まっていた所から続きます。")


def _verify(connection: Connection, by: User) -> str:
    seen = renewal.verify(_open(connection).pk, by=by, limit_s=PATIENCE_S)
    return _("切り替えを確認しました。%(seen)s") % {"seen": seen}


def _roll_back(connection: Connection, by: User) -> str:
    renewal.roll_back(_last(connection).pk, by=by)
    return _("以前の値に戻しました。接続テストで確かめてください。")


def _abandon(connection: Connection, by: User) -> str:
    renewal.abandon(_open(connection).pk, by=by)
    return _("更新を取りやめました。今までの値をそのまま使います。")


def _finish(connection: Connection, by: User) -> str:
    renewal.finish(_last(connection).pk, by=by)
    return _("以前の値を消しました。更新は完了です。")


STEPS: dict[str, Callable[[Connection, User], str]] = {
    "prepare": _prepare,
    "test": _test,
    "switch": switch_and_verify,
    "verify": _verify,
    "roll-back": _roll_back,
    "abandon": _abandon,
    "finish": _finish,
}


def _open(connection: Connection) -> Renewal:
    found = renewal.open_renewal(connection)
    if found is None:
        raise renewal.NotNow(_("進行中の更新がありません。新しい値を入力してください。"))
    return found


def _last(connection: Connection) -> Renewal:
    return renewal.kept(connection) or _open(connection)
