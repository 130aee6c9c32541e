"""Forms around signing in: one's own password, codes, the rules of a role, what the journal is searched for."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.days_form import HappenedForm
from oms.kernel.models import SignInEvent, User
from oms.kernel.services import logins
from oms.kernel.whence import UnreadableNetworks, networks_of
from oms.pages.queries.sign_in import Wanted


def password_field(label: Any, autocomplete: str, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=128,
        help_text=help_text,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


def code_field() -> forms.CharField:
    return forms.CharField(
        label=lazy("認証コード"),
        max_length=200,
        help_text=lazy("認証アプリの6桁の数字、または未使用のリカバリーコード"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "characters"}),
    )


class AskedForPassword(forms.Form):
    """Asks for the person's present password; wrong ones count like those at the login."""

    current = password_field(lazy("今のパスワード"), "current-password")

    def __init__(self, data: Mapping[str, Any] | None, *, user: User, address: str) -> None:
        super().__init__(data)
        self.user, self.address = user, address

    def clean_current(self) -> str:
        typed: str = self.cleaned_data["current"]
        if logins.is_blocked(self.user.username, self.address):
            raise ValidationError(
                _("パスワードの誤りが続いたため、しばらく受け付けません。%(minutes)s分ほど待ってください。")
                % {"minutes": logins.WINDOW_S // 60}
            )
        if not self.user.check_password(typed):
            logins.note_failure(self.user.username, self.address)
            raise ValidationError(_("今のパスワードが違います。大文字と小文字は区別されます。"))
        return typed


class OwnPasswordForm(AskedForPassword):
    new = password_field(lazy("新しいパスワード"), "new-password", lazy("10文字以上"))
    again = password_field(lazy("新しいパスワード（確認）"), "new-password")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "new" not in data or "again" not in data:
            return data
        if data["new"] != data["again"]:
            self.add_error("again", _("2つの新しいパスワードが違います。同じものを入力してください。"))
        try:
            validate_password(data["new"], self.user)
        except ValidationError as error:
            self.add_error("new", error)
        return data


class SwitchOffForm(AskedForPassword):
    """Password and code; the code is looked at last, by the view, since looking uses it up."""

    code = code_field()


class CodeForm(forms.Form):
    code = code_field()


class RuleForm(forms.Form):
    """What a role asks. The list comes out as canonical networks."""

    second_step = forms.BooleanField(
        label=lazy("二段階認証を必須にする"),
        required=False,
        help_text=lazy(
            "まだ設定していない人は、次の操作のときに設定の画面へ案内され、終わるまでほかの操作はできません。"
        ),
    )
    networks = forms.CharField(
        label=lazy("許可する接続元"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=lazy(
            "IPアドレスかネットワークを1行に1つ。例：203.0.113.7、203.0.113.0/24、2001:db8::/32。"
            "空にすると、どこからでも使えます。"
        ),
    )

    def clean_networks(self) -> list[str]:
        try:
            return networks_of(self.cleaned_data["networks"])
        except UnreadableNetworks as error:
            raise ValidationError(error.lines) from error


class TrustForm(forms.Form):
    may_trust = forms.BooleanField(label=lazy("信頼した端末でのコードの省略を許可する"), required=False)


class JournalForm(HappenedForm):
    words = forms.CharField(label=lazy("内容・接続元に含む言葉"), required=False, max_length=60)

    def __init__(self, data: Any) -> None:
        super().__init__(data, kinds=SignInEvent.Kind.choices)

    @property
    def wanted(self) -> Wanted:
        return Wanted(**self.asked)


def rule_initial(group: Group) -> dict[str, Any]:
    rule = getattr(group, "sign_in_rule", None)
    return {"second_step": rule.second_step, "networks": rule.networks} if rule else {}
