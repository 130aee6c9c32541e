"""Forms of the roof: people, and closing an effect by hand."""

from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from inventory.models import Location
from oms.kernel.models import SignInRule, User
from oms.kernel.roles import ROLES
from oms.kernel.scope import Scope
from oms.kernel.whence import admits
from orders.models import Shop


class DoneByHandForm(forms.Form):
    note = forms.CharField(
        label=lazy("どう済ませましたか"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("例：モールの管理画面で出荷通知を登録した"),
    )


def role_choices() -> list[tuple[str, Any]]:
    """The presets, then the company's own roles."""
    presets = [(role.code, role.label) for role in ROLES]
    own = Group.objects.exclude(name__in=[code for code, _label in presets]).order_by("name")
    return [*presets, *((name, name) for name in own.values_list("name", flat=True))]


class PersonForm(forms.ModelForm):
    """A person, what they may do, and a new password. The password is asked for only where there is none yet."""

    roles = forms.MultipleChoiceField(
        label=lazy("役割"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=role_choices,
    )
    password = forms.CharField(
        label=lazy("パスワード"),
        required=False,
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    shops = forms.ModelMultipleChoiceField(
        label=lazy("担当する店舗"),
        queryset=Shop.objects.order_by("channel", "code"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=lazy("選ばなければ、すべての店舗です。選ぶと、ほかの店舗の受注・入金・帳票などは見えなくなります。"),
    )
    places = forms.ModelMultipleChoiceField(
        label=lazy("担当する拠点"),
        queryset=Location.objects.filter(active=True, kind__in=["warehouse", "store"]).order_by("priority", "pk"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=lazy("選ばなければ、すべての拠点です。選ぶと、ほかの拠点の出荷や在庫の変更はできません。"),
    )

    class Meta:
        model = User
        fields = ("username", "display_name", "email", "is_active")
        field_classes = {"username": UsernameField}
        labels = {
            "username": lazy("ユーザー名"),
            "email": lazy("メール"),
            "is_active": lazy("ログインできる"),
        }
        help_texts = {"username": lazy("英数字と @ . + - _ が使えます。"), "is_active": ""}

    def __init__(self, *args: Any, by: User, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by, self.address = by, address
        self.order_fields([*self.Meta.fields, "roles", "shops", "places", "password"])
        known = self.instance.pk is not None
        self.fields["password"].required = not known
        self.fields["password"].help_text = (
            _("10文字以上。変えるときだけ入力してください。") if known else _("10文字以上")
        )
        if known:
            held = set(self.instance.groups.values_list("name", flat=True))
            self.initial["roles"] = [name for name, _label in role_choices() if name in held]
            self.initial["shops"], self.initial["places"] = self.instance.shop_ids, self.instance.place_ids

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if password := data.get("password"):
            try:
                validate_password(password, self.instance)
            except ValidationError as error:
                self.add_error("password", error)
        if self.instance.pk == self.by.pk:
            self._keep_own_access(data)
        return data

    def _keep_own_access(self, data: dict[str, Any]) -> None:
        """Nobody locks the last door behind themselves."""
        for name in ("shops", "places"):
            if data.get(name):
                self.add_error(name, _("自分自身の担当を限ることはできません。ほかの管理者に頼んでください。"))
        if not data.get("is_active"):
            self.add_error("is_active", _("自分自身を停止することはできません。"))
        if "administrator" in self.initial.get("roles", []) and "administrator" not in data.get("roles", []):
            self.add_error("roles", _("自分自身の管理者の役割は外せません。"))
        new = set(data.get("roles", [])) - set(self.initial.get("roles", []))
        lists = SignInRule.objects.filter(group__name__in=new).values_list("networks", flat=True)
        if not admits(lists, self.address):
            self.add_error(
                "roles",
                _(
                    "選んだ役割は、あなたの今の接続元 %(address)s からは使えません。"
                    "保存するとあなた自身が使えなくなります。"
                )
                % {"address": self.address},
            )

    def scope(self) -> Scope:
        """What the person is limited to; nothing chosen limits nothing."""
        chosen = self.cleaned_data
        return Scope(tuple(row.pk for row in chosen["shops"]), tuple(row.pk for row in chosen["places"]))

    def groups(self) -> list[Group]:
        return [Group.objects.get_or_create(name=code)[0] for code in self.cleaned_data["roles"]]
