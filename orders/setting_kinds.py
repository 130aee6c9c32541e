"""Settings of the order desk with versions (`oms.kernel.setting_kinds`)."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from oms.kernel.models import User
from oms.kernel.said import said
from oms.kernel.setting_kinds import Kind, Refused, Who, register
from orders import layout_kinds
from orders.billing_forms import AccountForm
from orders.decide.catalogue import CATALOGUE
from orders.forms_manual_shop import PhoneShopForm
from orders.mail_forms import PolicyForm
from orders.models import BillingAccount, MailPolicy, PaymentGate, Rule, Shop
from orders.models.order import STANDARD_STAGES
from orders.paper_forms import PaperSettingsForm
from orders.payment_forms import FeeForm, TermsForm
from orders.personal_view_forms import MonthsForm
from orders.privacy_forms import DaysForm
from orders.queries import payment_terms as terms_queries
from orders.queries.papers import papers_of
from orders.reason_forms import ReasonForm, StageNamesForm
from orders.refund_limit_forms import LimitsForm
from orders.rule_form import OwnerForm
from orders.services import (
    billing,
    mail_policies,
    manual,
    names,
    paper_settings,
    payment_fees,
    payment_gates,
    personal_views,
    privacy,
    reason_settings,
    refund_limits,
)
from orders.services.journal import Actor
from orders.services.payment_gates import RefOfTerms
from orders.services.rules import publish


class PausedForm(forms.Form):
    paused = forms.BooleanField(label=lazy("停止中"), required=False)


def _shop(pk: str) -> Shop:
    return Shop.objects.get(pk=pk)


def _shop_name(pk: str) -> str:
    return Shop.objects.values_list("name", flat=True).get(pk=pk)


# ---- payment


def _terms_form(ref: str, data: Any, _who: Who | None) -> TermsForm:
    at = RefOfTerms.read(ref)
    return TermsForm(data, initial=terms_queries.starting_values(at.shop, method=at.method, code=at.code))


def _terms_row(ref: str) -> PaymentGate | None:
    return RefOfTerms.read(ref).row


def _terms_name(ref: str) -> str:
    at = RefOfTerms.read(ref)
    return f"{at.shop.name}・{at.code or terms_queries.METHODS.get(at.method, at.method)}"


def _terms_url(ref: str) -> str:
    at = RefOfTerms.read(ref)
    return f"{reverse('orders:payment-terms-edit', args=[at.shop.code])}?{at.query}"


def _forget_terms(ref: str, who: Who) -> None:
    if row := _terms_row(ref):
        payment_gates.forget_gate(row, by=who.by)


def _fee_place(ref: str) -> tuple[Shop, str]:
    shop_id, method = ref.split("/", 1)
    return _shop(shop_id), method


def _fee_form(ref: str, data: Any, _who: Who | None) -> FeeForm:
    return FeeForm(data, table=terms_queries.fee_table(*_fee_place(ref)))


def _fee_name(ref: str) -> str:
    shop, method = _fee_place(ref)
    return f"{shop.name}・{terms_queries.METHODS.get(method, method)}"


def _fee_url(ref: str) -> str:
    shop, method = _fee_place(ref)
    return reverse("orders:payment-fees", args=[shop.code, method])


PAYMENT = (
    Kind(
        code="payment_terms",
        label=lazy("支払条件"),
        rights=("orders.change_paymentgate",),
        name=_terms_name,
        url=_terms_url,
        form=_terms_form,
        save=lambda ref, form, who: payment_gates.save_gate(RefOfTerms.read(ref).shop, form.terms, by=who.by),
        exists=lambda ref: _terms_row(ref) is not None,
        reset=_forget_terms,
    ),
    Kind(
        code="payment_fees",
        label=lazy("手数料表"),
        rights=("orders.change_paymentgate",),
        name=_fee_name,
        url=_fee_url,
        form=_fee_form,
        save=lambda ref, form, who: payment_fees.save_table(*_fee_place(ref), form.table, by=who.by),
        exists=lambda ref: terms_queries.fee_table(*_fee_place(ref)) is not None,
        reset=lambda ref, who: payment_fees.forget_table(*_fee_place(ref), by=who.by),
    ),
    Kind(
        code="refund_limits",
        label=lazy("返金の上限"),
        rights=("orders.change_refundlimit",),
        name=lambda ref: said("返金の上限"),
        url=lambda ref: reverse("orders:refund-limits"),
        form=lambda ref, data, who: LimitsForm(data, limits=refund_limits.role_limits()),
        save=lambda ref, form, who: refund_limits.set_limits(form.wanted, by=who.by),
    ),
    Kind(
        code=billing.KIND,
        label=lazy("掛売の取引先"),
        rights=("orders.view_issueddocument", "orders.view_personal_data", "orders.change_paymentgate"),
        name=lambda ref: BillingAccount.objects.get(pk=ref).name,
        url=lambda ref: reverse("orders:billing-edit", args=[ref]),
        form=lambda ref, data, who: AccountForm(data, instance=BillingAccount.objects.filter(pk=ref).first()),
        save=lambda ref, form, who: billing.save_account(
            BillingAccount.objects.get(pk=ref), form.cleaned_data, by=who.by
        ),
        exists=lambda ref: BillingAccount.objects.filter(pk=ref).exists(),
    ),
)


# ---- reasons and stages


def _reason_form(ref: str, data: Any, _who: Who | None) -> ReasonForm:
    return ReasonForm(reason_settings.read().of(ref), data)


def _save_reason(_ref: str, form: ReasonForm, who: Who) -> None:
    try:
        reason_settings.save(form.wanted, by=who.by, seen=form.cleaned_data["version"])
    except reason_settings.StaleSetting as error:
        raise Refused([_("ほかの人が先に変更しました。今の値を確かめて、もう一度保存してください。")]) from error


REVIEW = (
    Kind(
        code="reason",
        label=lazy("確認理由の設定"),
        rights=("orders.manage_reasons",),
        name=lambda ref: str(CATALOGUE[ref].standard),
        url=lambda ref: reverse("orders:reason", args=[ref]),
        form=_reason_form,
        save=_save_reason,
    ),
    Kind(
        code="stage_names",
        label=lazy("ステータスの呼び名"),
        rights=("orders.manage_reasons",),
        name=lambda ref: said("ステータスの呼び名"),
        url=lambda ref: reverse("orders:stage-names"),
        form=lambda ref, data, who: StageNamesForm(names.stage_names(), data),
        save=lambda ref, form, who: names.rename_stages(
            {code: form.cleaned_data[code] for code in STANDARD_STAGES}, by=who.by
        ),
    ),
)


# ---- mails and papers


def _mail_form(ref: str, data: Any, _who: Who | None) -> PolicyForm:
    return PolicyForm(data, instance=MailPolicy.objects.filter(shop=int(ref)).first() or MailPolicy(shop_id=int(ref)))


WORDS = (
    Kind(
        code="phone_shop",
        label=lazy("電話注文の設定"),
        rights=("orders.change_papersettings",),
        name=lambda ref: said("電話注文の設定"),
        url=lambda ref: reverse("orders:manual-shop"),
        form=lambda ref, data, who: PhoneShopForm(data, instance=manual.known_phone_shop()),
        save=lambda ref, form, who: manual.change_phone_shop(form.cleaned_data, by=who.by),
        exists=lambda ref: manual.known_phone_shop() is not None,
    ),
    Kind(
        code="mail_policy",
        label=lazy("店舗ごとのメールの設定"),
        rights=("orders.change_mailtemplate",),
        name=_shop_name,
        url=lambda ref: reverse("orders:mail-policy", args=[_shop(ref).code]),
        form=_mail_form,
        save=lambda ref, form, who: mail_policies.save_policy(_shop(ref), form.cleaned_data, by=who.by),
    ),
    Kind(
        code="papers",
        label=lazy("帳票設定"),
        rights=("orders.view_issueddocument", "orders.change_papersettings"),
        name=_shop_name,
        url=lambda ref: reverse("orders:paper-settings", args=[ref]),
        form=lambda ref, data, who: PaperSettingsForm(data, instance=papers_of([int(ref)])[int(ref)]),
        save=lambda ref, form, who: paper_settings.save(form.save(), by=who.by),
        leave_out=("remove_logo",),
        hidden=("logo_sha",),
    ),
)


# ---- personal data


def _days_form(ref: str, data: Any, _who: Who | None) -> forms.Form:
    return DaysForm(data, initial={"days": privacy.kept_days()[int(ref)]})


def _save_days(ref: str, form: DaysForm, who: Who) -> None:
    try:
        privacy.set_days(int(ref), form.cleaned_data["days"], actor=Actor(by=who.by))
    except privacy.Refused as error:
        raise Refused([error.cause]) from error


PRIVACY = (
    Kind(
        code="retention",
        label=lazy("個人情報の保存期間"),
        rights=("orders.manage_privacy",),
        name=_shop_name,
        url=lambda ref: reverse("orders:privacy"),
        form=_days_form,
        save=_save_days,
    ),
    Kind(
        code="view_months",
        label=lazy("閲覧履歴の保存期間"),
        rights=("orders.manage_privacy",),
        name=lambda ref: said("閲覧履歴の保存期間"),
        url=lambda ref: reverse("orders:personal-views"),
        form=lambda ref, data, who: MonthsForm(data, initial={"months": personal_views.kept_months()}),
        save=lambda ref, form, who: personal_views.set_months(form.cleaned_data["months"], actor=Actor(by=who.by)),
    ),
)


def _owner_of(pk: str) -> User | None:
    found = Rule.objects.select_related("owner").filter(pk=pk).first()
    return found.owner if found else None


OWNERS = Kind(
    code="rule_owner",
    label=lazy("自動処理ルールの責任者"),
    rights=("orders.manage_rules",),
    name=lambda ref: Rule.objects.values_list("name", flat=True).get(pk=ref),
    url=lambda ref: reverse("orders:rule-owner", args=[ref]),
    form=lambda ref, data, who: OwnerForm(data, owner=_owner_of(ref)),
    save=lambda ref, form, who: publish.set_owner(int(ref), form.cleaned_data["owner"], by=who.by),
    exists=lambda ref: Rule.objects.filter(pk=ref).exists(),
)
RULES = Kind(  # what a rule does has versions of its own (`RuleVersion`)
    code="rule_paused",
    label=lazy("自動処理ルールの停止"),
    rights=("orders.manage_rules",),
    name=lambda ref: Rule.objects.values_list("name", flat=True).get(pk=ref),
    url=lambda ref: reverse("orders:rule", args=[ref]),
    form=lambda ref, data, who: PausedForm(data, initial={"paused": Rule.objects.get(pk=ref).paused}),
    save=lambda ref, form, who: publish.set_paused(int(ref), paused=form.cleaned_data["paused"], by=who.by),
)


def register_kinds() -> None:
    register(*PAYMENT, *REVIEW, *WORDS, *PRIVACY, RULES, OWNERS, *layout_kinds.KINDS)
