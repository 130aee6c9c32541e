"""What cancelling will do, line by line before it is done, and what became of each line afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from oms.kernel.links import url_if_served
from oms.kernel.models import Effect, User
from oms.kernel.money import yen
from orders.models import Cancellation, Mail, Order, OrderTask, Refund
from orders.models.mail import MailEvent
from orders.services import mail, refunds
from orders.services.after_cancel import is_only_held, refund_key, task_key
from orders.services.internal import is_internal

State = Cancellation.State


@dataclass(frozen=True, slots=True)
class Line:
    """One effect: what it concerns, what will be or what became of it, and its tone. `url`: where one sees to it."""

    label: str
    text: str
    tone: str = "neutral"
    url: str = ""


def before(order: Order) -> list[Line]:
    """What cancelling the whole order would do now."""
    return [
        Line(_("在庫"), _("確保していた数量を戻します。")),
        *_stop_before(order),
        _money_before(order),
        _channel_before(order),
        _mail_before(order),
    ]


def _mail_before(order: Order) -> Line:
    if not mail.is_on(order.shop, MailEvent.CANCELLED):
        return Line(_("メール"), _("キャンセルのメールを使わない設定のため、送りません。"))
    against = mail.reasons_against(order.shop, MailEvent.CANCELLED, [(order.pk, order.buyer_email)])[0]
    if against:
        return Line(_("メール"), _("送りません: %(why)s") % {"why": against})
    return Line(_("メール"), _("キャンセルのお知らせを送ります。"))


def _stop_before(order: Order) -> list[Line]:
    if order.fulfillment_state == "none" or order.fulfilled_by_channel:
        return []
    text = _("出荷元へ停止を依頼します。作業前なら自動で止まり、作業中なら返事を待ってからキャンセルします。")
    return [Line(_("出荷停止依頼"), text, "attention")]


def _money_before(order: Order) -> Line:
    try:
        plan = refunds.preview(order.pk, refunds.Wish())
    except refunds.NothingToRefund:
        return Line(_("返金"), _("受け取った代金がないため、返金はありません。"))
    if is_only_held(order) and plan.amount:
        text = _("まだ確定していない与信 %(amount)s を取り消します。") % {"amount": yen(plan.amount)}
        return Line(_("返金"), text, "attention")
    if not (plan.amount or plan.points_back or plan.coupon_back):
        return Line(_("返金"), _("受け取った代金がないため、返金はありません。"))
    parts = [_("返金 %(amount)s") % {"amount": yen(plan.amount)}] if plan.amount else []
    if plan.points_back:
        parts.append(_("ポイント %(amount)s を返還") % {"amount": yen(plan.points_back)})
    if plan.coupon_back:
        parts.append(_("クーポン %(amount)s を返還") % {"amount": yen(plan.coupon_back)})
    return Line(_("返金"), _("、").join(parts), "attention")


def _channel_before(order: Order) -> Line:
    if is_internal(order):
        return Line(_("モール"), _("モールにない受注のため、知らせません。"))
    whole, pieces = order.shop.can("cancel"), order.shop.can("partial_cancel")
    if whole and pieces:
        return Line(_("モール"), _("キャンセルを自動で知らせます。"))
    if whole:
        text = _("注文全体は自動で知らせます。一部だけのときは、モールの画面での手続きを作業として残します。")
        return Line(_("モール"), text)
    return Line(_("モール"), _("連携がないため、モールの画面での手続きを作業として残します。"), "attention")


@dataclass(frozen=True, slots=True)
class Done:
    """A decision with what became of each of its effects."""

    cancellation: Cancellation
    what: str
    tone: str
    lines: Sequence[Line]


TONES = {State.WAITING: "attention", State.DONE: "done", State.TOO_LATE: "danger", State.WITHDRAWN: "neutral"}


def afterwards(order: Order, user: User) -> list[Done]:
    """The decisions about an order, the newest first. A fixed number of queries for an order without any: one."""
    found = list(order.cancellations.select_related("by").prefetch_related("lines__line").order_by("-pk"))
    return [_done(order, one, user) for one in found]


def _done(order: Order, one: Cancellation, user: User) -> Done:
    what = _("注文全体")
    if not one.whole:
        what = _("、").join(f"{line.line.name} ×{line.quantity}" for line in one.lines.all())
    lines = [_stock(one)]
    if one.state == State.DONE:
        lines += [_money(one), _channel(order, one, user), *_mail(order, one)]
    return Done(one, what, TONES[State(one.state)], lines)


def _stock(one: Cancellation) -> Line:
    label = _("在庫")
    if one.state == State.WAITING:
        return Line(label, _("出荷元の返事を待っています。"), "attention")
    if one.state == State.TOO_LATE:
        return Line(label, _("出荷されたため戻りません。返品として受け付けました。"), "danger")
    if one.state == State.WITHDRAWN:
        return Line(label, _("そのままです。"))
    if one.keep_off_sale:
        return Line(label, _("引当を戻し、商品を「検品中」の拠点へ移しました。"), "done")
    return Line(label, _("引当を戻しました。"), "done")


def _money(one: Cancellation) -> Line:
    refund = Refund.objects.filter(key=refund_key(one)).first()
    if refund is None:
        return Line(_("返金"), _("ありません。") if one.refund else _("行わない指定です。"))
    tone = {Refund.State.DUE: "attention", Refund.State.DONE: "done"}.get(Refund.State(refund.state), "neutral")
    return Line(
        _("返金"),
        _("%(amount)s（%(way)s）: %(state)s")
        % {"amount": yen(refund.amount), "way": refund.get_way_display(), "state": refund.get_state_display()},
        tone,
    )


CHANNEL_KINDS = {True: ("channel_cancel", "channel_cancel_answer"), False: ("channel_cancel_lines",)}
EFFECT_TONES = {
    Effect.State.WAITING: "info",
    Effect.State.RUNNING: "info",
    Effect.State.DONE: "done",
    Effect.State.MANUAL_DONE: "done",
    Effect.State.FAILED: "danger",
}


def _channel(order: Order, one: Cancellation, user: User) -> Line:
    label = _("モール")
    if one.asked_by == Cancellation.AskedBy.CHANNEL:
        return Line(label, _("モール側のキャンセルのため、知らせは要りません。"), "done")
    if is_internal(order):
        return Line(label, _("モールにない受注のため、知らせません。"))
    task = OrderTask.objects.filter(key=task_key(one)).first()
    if task is not None:
        text = _("手続き済みです。") if task.done_at else _("モールの画面での手続きが残っています。")
        return Line(label, text, "done" if task.done_at else "attention", "" if task.done_at else task.link)
    effect = (
        Effect.objects.filter(
            subject=f"order:{order.pk}:channel", kind__in=CHANNEL_KINDS[one.whole], created_at__gte=one.asked_at
        )
        .order_by("pk")
        .first()
    )
    if effect is None:
        return Line(label, _("知らせる必要はありません。"))
    failed = effect.state == Effect.State.FAILED
    text = f"{effect.get_state_display()} {effect.last_error if failed else ''}".strip()
    url = f"{url_if_served('pages:outbox')}?order={order.pk}" if failed and user.has_perm("kernel.view_effect") else ""
    return Line(label, text, EFFECT_TONES.get(Effect.State(effect.state), "neutral"), url)


def _mail(order: Order, one: Cancellation) -> list[Line]:
    if not one.whole:
        return []
    told = order.mails.filter(event="cancelled").order_by("-pk").first()
    if told is None:
        return [Line(_("メール"), _("送らない指定です。"))]
    tone = {Mail.State.SENT: "done", Mail.State.FAILED: "danger"}.get(Mail.State(told.state), "info")
    return [Line(_("メール"), f"{told.get_state_display()} {told.reason}".strip(), tone)]
