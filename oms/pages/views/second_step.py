"""二段階認証: one's own authenticator app and recovery codes."""

from cryptography.fernet import InvalidToken
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from oms.kernel.models import User
from oms.kernel.sealing import box
from oms.kernel.services import logins
from oms.kernel.services import second_step as steps
from oms.kernel.sign_in import before_second_step
from oms.kernel.web import person_of, render_page
from oms.kernel.whence import address_of
from oms.pages.sign_in_forms import CodeForm, SwitchOffForm
from oms.pages.views.account import sentence

SETTING_UP_S = 3600


@before_second_step
@never_cache
@sensitive_post_parameters("sealed", "code")
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """How it stands; where there is none, the picture for the app. A POST with its first code switches it on."""
    user = person_of(request)
    if user.second_step_on:
        return _state(request, user)
    secret = _unsealed(user, request.POST.get("sealed", ""))
    if request.method != "POST":
        return _setting_up(request, user, steps.new_secret())
    if secret is None:
        cause = _("時間が過ぎたため、新しいQRコードに替わりました。アプリでもう一度読み取ってください。")
        return _setting_up(request, user, steps.new_secret(), cause)
    codes = steps.set_up(
        user,
        secret,
        request.POST.get("code", ""),
        keep=request.session.session_key,
        address=address_of(request),
    )
    if codes is None:
        cause = _(
            "コードが合いません。アプリに今表示されている6桁の数字を入力してください。続くときは、スマートフォンの時刻が自動設定か確かめてください。"
        )
        return _setting_up(request, user, secret, cause)
    return _codes(request, codes, fresh=True)


@never_cache
@sensitive_post_parameters("code")
@require_POST
def codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes for old ones; asks for a code of the app."""
    user = person_of(request)
    if not user.second_step_on:
        return redirect("pages:second-step")
    form = CodeForm(request.POST)
    if not form.is_valid() or not _good(request, user, form):
        return _state(request, user, form)
    return _codes(request, steps.renew_codes(user, address=address_of(request)), fresh=False)


@before_second_step
@never_cache
@sensitive_post_parameters("codes")
@require_POST
def codes_file(request: HttpRequest) -> HttpResponse:
    """The codes that stand on the page, as a text file; only those that are really this person's."""
    user = person_of(request)
    own = steps.own_codes(user, request.POST.getlist("codes")[: steps.CODES])
    day = timezone.localdate().isoformat()
    head = _(
        "リカバリーコード（%(person)s、%(day)s）\n1つのコードは1回だけ使えます。ほかの人に見せないでください。"
    ) % {
        "person": user.username,
        "day": day,
    }
    response = HttpResponse("\n".join([head, "", *own, ""]), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    return response


@never_cache
@sensitive_post_parameters("current", "code")
@require_http_methods(["GET", "POST"])
def off(request: HttpRequest) -> HttpResponse:
    """Switch it off, or change to another app; asks for password and code."""
    user = person_of(request)
    if not user.second_step_on:
        return redirect("pages:second-step")
    form = SwitchOffForm(request.POST or None, user=user, address=address_of(request))
    if request.method == "POST" and form.is_valid() and _good(request, user, form):
        logins.note_success(user.username, address_of(request))
        steps.switch_off(user, address=address_of(request))
        messages.success(request, _("二段階認証を解除しました。"))
        return redirect("pages:second-step")
    return render_page(request, "pages/second_step_off.html", {"form": form})


def _good(request: HttpRequest, user: User, form: CodeForm | SwitchOffForm) -> bool:
    answer = steps.check(user, form.cleaned_data["code"], address=address_of(request))
    if not answer.good:
        form.add_error("code", sentence(answer))
    return answer.good


def _state(request: HttpRequest, user: User, form: CodeForm | None = None) -> HttpResponse:
    context = {
        "since": user.second_step.confirmed_at,
        "left": steps.codes_left(user),
        "most": steps.CODES,
        "form": form or CodeForm(),
    }
    return render_page(request, "pages/second_step.html", context)


def _setting_up(request: HttpRequest, user: User, secret: bytes, cause: str = "") -> HttpResponse:
    context = {
        "picture": mark_safe(steps.picture(steps.address_for_app(user, secret))),
        "typed": steps.typed_secret(secret),
        "sealed": box().encrypt(b"%d:" % user.pk + secret).decode(),
        "cause": cause,
        "due": user.second_step_due,
    }
    return render_page(request, "pages/second_step_set_up.html", context)


def _codes(request: HttpRequest, codes: list[str], *, fresh: bool) -> HttpResponse:
    return render_page(request, "pages/second_step_codes.html", {"codes": codes, "fresh": fresh})


def _unsealed(user: User, sealed: str) -> bytes | None:
    """The secret that the page carried along, for this person and within an hour; else None."""
    try:
        opened = box().decrypt(sealed.encode(), ttl=SETTING_UP_S)
    except InvalidToken:
        return None
    whose, _colon, secret = opened.partition(b":")
    return secret if whose == b"%d" % user.pk else None
