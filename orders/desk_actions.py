"""What orders themselves offer the desk: closing reasons, holding, confirming at the channel, payments, cancelling."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import Count, F, Sum
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import pgettext_lazy

from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.typed import DayField, DayInput
from orders import desk_undo
from orders.actions import Action, ActionForm, Group, Outcome, Params, Plan
from orders.decide.reasons import CATALOGUE
from orders.forms import SNOOZED, after_today
from orders.models import Order, ReviewReason, Shop
from orders.models.order import PAYABLE, FulfillmentState, PaymentState, Phase
from orders.models.reason import Level
from orders.services import cancel, confirm, hold, payment, reason_settings, review
from orders.services.journal import Actor

Facts = Mapping[str, Any]
Judge = Callable[[Facts], str]  # why an order is left out; empty when it is not

ALREADY = lazy("状態が変わったため、対象外になりました。")


def split(order_ids: Sequence[int], columns: Sequence[str], why_not: Judge) -> tuple[list[int], dict[int, str]]:
    """(who changes, who does not and why), judged by `columns` of each order, in the order of the selection."""
    will, skipped = [], {}
    found = {facts["id"]: facts for facts in Order.objects.filter(pk__in=order_ids).values("id", *columns)}
    for order_id in order_ids:
        facts = found.get(order_id)
        if reason := why_not(facts) if facts else said("見つかりません。"):
            skipped[order_id] = reason
        else:
            will.append(order_id)
    return will, skipped


def outcome(order_ids: Sequence[int], done: Sequence[int], skipped: Mapping[int, str]) -> Outcome:
    """What a service did, with a reason for each of the others."""
    changed = set(done)
    return Outcome(list(done), {id_: skipped.get(id_) or str(ALREADY) for id_ in order_ids if id_ not in changed})


# ---- closing reasons


class AcceptForm(ActionForm):
    """The open reasons among the chosen orders that a person may close, all ticked."""

    codes = forms.MultipleChoiceField(label=lazy("確認済みにする理由"), widget=forms.CheckboxSelectMultiple)
    note = forms.CharField(label=lazy("メモ"), max_length=300, required=False)

    def __init__(self, data: Any = None, *, order_ids: Sequence[int] = ()) -> None:
        super().__init__(data, order_ids=order_ids)
        counts = open_reasons(order_ids)
        field = self.fields["codes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(code, said("%(label)s（%(n)s件）", label=label_of(code), n=f"{n:,}")) for code, n in counts]
        field.initial = [code for code, _n in counts]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        wanting = [code for code in cleaned.get("codes", ()) if code in reason_settings.wanting_a_note()]
        if wanting and not cleaned.get("note"):
            names = "、".join(label_of(code) for code in wanting)
            self.add_error("note", said("「%(names)s」を確認済みにするには、メモを入力してください。", names=names))
        return cleaned


def open_reasons(order_ids: Sequence[int]) -> list[tuple[str, int]]:
    """(code, orders) of reasons that a person may close, the most frequent first."""
    rows = ReviewReason.objects.filter(order__in=order_ids, state=ReviewReason.State.OPEN)
    counted = rows.values_list("code").annotate(n=Count("id")).order_by("-n", "code")
    return [(code, n) for code, n in counted if code not in CATALOGUE or CATALOGUE[code].clearable]


def label_of(code: str) -> str:
    return str(CATALOGUE[code].label) if code in CATALOGUE else code


def plan_accept(order_ids: Sequence[int], params: Params) -> Plan:
    concerned = ReviewReason.objects.filter(
        order__in=order_ids, state=ReviewReason.State.OPEN, code__in=params["codes"] or []
    )
    has = set(concerned.values_list("order", flat=True))
    will, skipped = split(order_ids, [], lambda o: "" if o["id"] in has else said("選んだ確認理由がありません。"))
    others = ReviewReason.objects.filter(order__in=will, state=ReviewReason.State.OPEN, level=Level.BLOCK)
    still = others.exclude(code__in=params["codes"] or []).values("order").distinct().count()
    effects = [said("止める理由がなくなった受注は、入金・引当・出荷指示へ進みます。")]
    if still:
        effects.append(said("別の理由が残るため、%(n)s件は確認待ちのままです。", n=f"{still:,}"))
    return Plan(will, skipped, effects)


def run_accept(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    done = review.accept(order_ids, codes=params["codes"], actor=actor, note=params.get("note", "")).orders
    return outcome(order_ids, done, dict.fromkeys(order_ids, said("選んだ確認理由がありません。")))


# ---- holding


class HoldForm(ActionForm):
    reason = forms.CharField(label=lazy("保留の理由"), max_length=200)
    until = DayField(
        label=lazy("この日まで（当日に自動で解除）"), required=False, widget=DayInput, validators=[after_today]
    )

    @property
    def params(self) -> dict[str, Any]:
        """The day as ISO text, which fits into JSON."""
        found = super().params
        return {"reason": found["reason"] or "", "until": found["until"].isoformat() if found["until"] else ""}


class SnoozeForm(HoldForm):
    """Later, on a day: a hold that ends by itself."""

    def __init__(self, data: Any = None, *, order_ids: Sequence[int] = ()) -> None:
        super().__init__(data, order_ids=order_ids)
        self.order_fields(["until", "reason"])
        self.fields["until"].required = True
        self.fields["until"].initial = clock.today() + timedelta(days=1)
        self.fields["reason"].initial = SNOOZED


def why_not_held(order: Facts) -> str:
    if order["cancelled_at"]:
        return said("キャンセル済みです。")
    if order["shipped_at"]:
        return said("出荷済みです。")
    return said("すでに保留中です。") if order["held_at"] else ""


HOLD_COLUMNS = ("cancelled_at", "shipped_at", "held_at")


def plan_hold(order_ids: Sequence[int], params: Params) -> Plan:
    day = _until(params)
    effects = [said("保留を解除するまで、出荷指示は出ません。在庫の引当はそのまま残ります。")]
    effects += [said("%(day)s に自動で解除されます。", day=f"{day:%Y/%m/%d}")] if day else []
    return Plan(*split(order_ids, HOLD_COLUMNS, why_not_held), effects)


def run_hold(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    _will, skipped = split(order_ids, HOLD_COLUMNS, why_not_held)
    held = hold.hold_orders(order_ids, reason=params["reason"], until=_until(params), actor=actor)
    return outcome(order_ids, held, skipped)


def _until(params: Params) -> date | None:
    return date.fromisoformat(params["until"]) if params.get("until") else None


def why_not_lifted(order: Facts) -> str:
    return "" if order["held_at"] else said("保留中ではありません。")


def plan_lift(order_ids: Sequence[int], _params: Params) -> Plan:
    return Plan(*split(order_ids, ["held_at"], why_not_lifted), [said("保留前の流れに戻ります。")])


def run_lift(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    _will, skipped = split(order_ids, ["held_at"], why_not_lifted)
    return outcome(order_ids, hold.lift_holds(order_ids, actor=actor), skipped)


# ---- confirming at the channel

CONFIRM_COLUMNS = (
    "shop__capabilities",
    "phase",
    "confirmed_at",
    "blocking_reasons",
    "held_at",
    "cancelled_at",
)


def why_not_confirmed(order: Facts) -> str:
    if not order["shop__capabilities"].get("confirm"):
        return said("注文確定の手続きがない店舗です。")
    if order["confirmed_at"] or order["phase"] in {Phase.OPEN, Phase.SHIPPED}:
        return said("モールで確定済みです。")
    if order["phase"] != Phase.TO_CONFIRM or order["cancelled_at"]:
        return said("モールが確定を待っていません。")
    if order["blocking_reasons"]:
        return said("確認理由が残っています。")
    return said("保留中です。") if order["held_at"] else ""


def plan_confirm(order_ids: Sequence[int], _params: Params) -> Plan:
    return Plan(*split(order_ids, CONFIRM_COLUMNS, why_not_confirmed), [said("モールへ注文の確定を送ります。")])


def run_confirm(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    _will, skipped = split(order_ids, CONFIRM_COLUMNS, why_not_confirmed)
    return outcome(order_ids, confirm.confirm_orders(order_ids, actor=actor), skipped)


# ---- payments


class PaymentForm(ActionForm):
    note = forms.CharField(label=lazy("入金メモ（振込名義など）"), max_length=200, required=False)


def why_not_paid(order: Facts) -> str:
    if order["cancelled_at"]:
        return said("キャンセル済みです。")
    unpaid = order["payment_state"] in PAYABLE
    return "" if unpaid else said("入金待ちではありません。")


PAYMENT_COLUMNS = ("cancelled_at", "payment_state", "total")


def plan_payment(order_ids: Sequence[int], _params: Params) -> Plan:
    will, skipped = split(order_ids, PAYMENT_COLUMNS, why_not_paid)
    amount = Order.objects.filter(pk__in=will).aggregate(sum=Sum(F("total") - F("paid_amount")))["sum"] or 0
    return Plan(will, skipped, [said("合計 ¥%(amount)s を入金済みにします。", amount=f"{amount:,}")])


def run_payment(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    _will, skipped = split(order_ids, PAYMENT_COLUMNS, why_not_paid)
    done = payment.record_payments(order_ids, actor=actor, note=params.get("note", ""))
    return outcome(order_ids, done, skipped)


# ---- cancelling


class CancelForm(ActionForm):
    REASONS = (
        ("顧客都合", lazy("顧客都合")),
        ("欠品", lazy("欠品")),
        ("未入金", lazy("未入金")),
        ("不正の疑い", lazy("不正の疑い")),
        ("二重注文", lazy("二重注文")),
        ("価格誤り", lazy("価格誤り")),
    )

    reason = forms.ChoiceField(label=lazy("キャンセル理由"), choices=REASONS)
    keep_off_sale = forms.BooleanField(label=lazy("商品を販売に戻さない（検品中の拠点へ移す）"), required=False)


def why_not_cancelled(order: Facts) -> str:
    if order["cancelled_at"]:
        return said("キャンセル済みです。")
    if order["stop_asked_at"]:
        return said("出荷停止を依頼中です。出荷元の返事を待ってください。")
    if order["fulfillment_state"] not in cancel.STOPPABLE:
        return said("出荷済みです。返品として扱ってください。")
    return (
        said("モールが出荷する注文です。モールの画面でキャンセルしてください。")
        if order["fulfilled_by_channel"]
        else ""
    )


CANCEL_COLUMNS = ("cancelled_at", "fulfillment_state", "fulfilled_by_channel", "stop_asked_at")
REASON_CODES = {
    "顧客都合": "customer",
    "欠品": "out_of_stock",
    "未入金": "unpaid",
    "不正の疑い": "fraud",
    "二重注文": "duplicate",
    "価格誤り": "wrong_price",
}


def plan_cancel(order_ids: Sequence[int], _params: Params) -> Plan:
    will, skipped = split(order_ids, CANCEL_COLUMNS, why_not_cancelled)
    chosen = Order.objects.filter(pk__in=will)
    by_hand = chosen.exclude(shop__in=[shop.pk for shop in Shop.objects.all() if shop.can("cancel")]).count()
    at_work = chosen.filter(fulfillment_state=FulfillmentState.INSTRUCTED).count()
    paid = chosen.filter(payment_state=PaymentState.PAID).count()
    effects = [said("在庫の引当を戻し、モールへキャンセルを送ります。"), said("購入者へキャンセルのメールを送ります。")]
    if by_hand:
        effects.append(said("%(n)s件はモールの画面でもキャンセルが必要です。", n=f"{by_hand:,}"))
    if at_work:
        effects.append(
            said(
                "%(n)s件は出荷指示済みです。出荷元に停止を依頼し、返事を待ってからキャンセルします。", n=f"{at_work:,}"
            )
        )
    if paid:
        effects.append(said("%(n)s件は入金済みです。返金の手続きを始めます。", n=f"{paid:,}"))
    return Plan(will, skipped, effects)


def run_cancel(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    _will, skipped = split(order_ids, CANCEL_COLUMNS, why_not_cancelled)
    reason = params["reason"]
    code = REASON_CODES.get(reason, "other")
    note = "" if reason in REASON_CODES else reason
    ask = cancel.Ask(reason=code, note=note, keep_off_sale=bool(params.get("keep_off_sale")))
    result = cancel.cancel_orders(order_ids, ask=ask, actor=actor)
    waiting = dict.fromkeys(result.waiting, said("出荷元に停止を依頼しました。返事のあとにキャンセルされます。"))
    return outcome(order_ids, result.orders, {**skipped, **result.refused, **waiting})


ACTIONS = (
    Action(
        "accept",
        lazy("確認済みにする"),
        lazy("%(n)s件を確認済みにしました。"),
        "check",
        "orders.review_order",
        plan_accept,
        run_accept,
        form=AcceptForm,
        key="c",
        rank=10,
        group=Group.BAR,
        memory=desk_undo.REASONS,
    ),
    Action(
        "hold",
        pgettext_lazy("verb", "保留"),
        lazy("%(n)s件を保留にしました。"),
        "hold",
        "orders.hold_order",
        plan_hold,
        run_hold,
        form=HoldForm,
        key="h",
        rank=40,
        group=Group.BAR,
        memory=desk_undo.HOLD,
    ),
    Action(
        "snooze",
        lazy("日付まで保留"),
        lazy("%(n)s件を日付まで保留にしました。"),
        "hold",
        "orders.hold_order",
        plan_hold,
        run_hold,
        form=SnoozeForm,
        key="z",
        rank=52,
        group=Group.FLOW,
        memory=desk_undo.HOLD,
    ),
    Action(
        "lift",
        lazy("保留解除"),
        lazy("%(n)s件の保留を解除しました。"),
        "undo",
        "orders.hold_order",
        plan_lift,
        run_lift,
        key="Shift+h",
        rank=50,
        group=Group.FLOW,
        memory=desk_undo.HOLD,
    ),
    Action(
        "confirm",
        lazy("モールへ注文確定"),
        lazy("%(n)s件の注文確定をモールへ送ります。"),
        "outbox",
        "orders.confirm_order",
        plan_confirm,
        run_confirm,
        rank=60,
        group=Group.CHANNEL,
    ),
    Action(
        "pay",
        lazy("入金登録"),
        lazy("%(n)s件を入金済みにしました。"),
        "check",
        "orders.record_payment",
        plan_payment,
        run_payment,
        form=PaymentForm,
        rank=70,
        group=Group.FLOW,
        memory=desk_undo.PAYMENT,
    ),
    Action(
        "cancel",
        pgettext_lazy("verb", "キャンセル"),
        lazy("%(n)s件をキャンセルしました。"),
        "close",
        "orders.cancel_order",
        plan_cancel,
        run_cancel,
        form=CancelForm,
        danger=True,
        rank=90,
        group=Group.CANCEL,
    ),
)
