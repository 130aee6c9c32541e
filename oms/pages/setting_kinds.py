"""People and signing in, as settings with versions (`oms.kernel.setting_kinds`)."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.models import User
from oms.kernel.roles import label_of
from oms.kernel.said import said
from oms.kernel.services import devices, roles, sign_in_rules
from oms.kernel.services.people import save_person
from oms.kernel.setting_kinds import Kind, Refused, Who, register
from oms.pages.forms import PersonForm
from oms.pages.role_forms import RoleForm
from oms.pages.sign_in_forms import RuleForm, TrustForm, rule_initial


def _person(ref: str) -> User | None:
    return User.objects.filter(pk=ref).first()


def _person_form(ref: str, data: Any, who: Who | None) -> PersonForm:
    person = _person(ref) or User(is_active=True)
    return PersonForm(data, instance=person, by=who.by if who else person, address=who.address if who else "")


def _save_person(_ref: str, form: PersonForm, who: Who) -> None:
    save_person(
        form.instance, groups=form.groups(), password="", by=who.by, scope=form.scope(), address=who.address
    )  # fmt: skip


def _group(ref: str) -> Group:
    return Group.objects.select_related("sign_in_rule").get(pk=ref)


def _save_rule(ref: str, form: RuleForm, who: Who) -> None:
    said = form.cleaned_data
    try:
        sign_in_rules.save_rule(
            _group(ref), second_step=said["second_step"], networks=said["networks"], by=who.by, address=who.address
        )
    except sign_in_rules.LocksOut as error:
        raise Refused(
            [_("この一覧には、あなたが今使っている接続元 %(address)s が入っていません。") % {"address": who.address}]
        ) from error


def _role(ref: str) -> Group:
    return Group.objects.filter(pk=ref).first() or Group(pk=int(ref))


def _delete_role(ref: str, who: Who) -> None:
    try:
        roles.delete(int(ref), by=who.by)
    except roles.Held as held:
        text = _("この役割を持つ人がいるため、消せません: %(people)s")
        raise Refused([text % {"people": _("、").join(held.people)}]) from held


def _trust_form(_ref: str, data: Any, _who: Who | None) -> forms.Form:
    return TrustForm(data, initial={"may_trust": devices.may_trust()})


def register_kinds() -> None:
    register(
        Kind(
            code="person",
            label=lazy("利用者"),
            rights=("kernel.manage_users",),
            name=lambda ref: str(_person(ref) or ""),
            url=lambda ref: reverse("pages:person", args=[ref]),
            form=_person_form,
            save=_save_person,
            exists=lambda ref: _person(ref) is not None,
        ),
        Kind(
            code="own_role",
            label=lazy("自社の役割"),
            rights=("kernel.manage_users",),
            name=lambda ref: _role(ref).name,
            url=lambda ref: reverse("pages:role", args=[ref]),
            form=lambda ref, data, who: RoleForm(data, role=_role(ref)),
            save=lambda ref, form, who: roles.save(form.filled, form.rights, by=who.by),
            exists=lambda ref: Group.objects.filter(pk=ref).exists(),
            reset=_delete_role,
        ),
        Kind(
            code="sign_in_rule",
            label=lazy("ログインの決まり"),
            rights=("kernel.manage_sign_in",),
            name=lambda ref: label_of(_group(ref)),
            url=lambda ref: reverse("pages:sign-in-rule", args=[ref]),
            form=lambda ref, data, who: RuleForm(data, initial=rule_initial(_group(ref))),
            save=_save_rule,
        ),
        Kind(
            code="sign_in_trust",
            label=lazy("ログインの決まり"),
            rights=("kernel.manage_sign_in",),
            name=lambda ref: said("信頼した端末"),
            url=lambda ref: reverse("pages:sign-in-rules"),
            form=_trust_form,
            save=lambda ref, form, who: sign_in_rules.save_trust(
                form.cleaned_data["may_trust"], by=who.by, address=who.address
            ),
        ),
    )
