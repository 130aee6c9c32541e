"""An order's history for people: what happened, by whom, and what a field was before and after."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oms.kernel.privacy import HIDDEN, mask_text
from orders.models import NoshiChoice, Order, OrderEvent, Recipient
from orders.models.order import Stage
from orders.services.edit import TEXT_FIELDS

LIMIT = 200
LABELS = {
    "imported": (gettext_lazy("取り込みました"), "info"),
    "entered": (gettext_lazy("受注を手で登録しました"), "info"),
    "copied": (gettext_lazy("受注を複写しました"), "info"),
    "channel_update": (gettext_lazy("モール側の変更を取り込みました"), "info"),
    "channel_told": (gettext_lazy("モールが変更を伝えました（まだ反映していません）"), "attention"),
    "stage": (gettext_lazy("ステータスが変わりました"), "neutral"),
    "reason_accepted": (gettext_lazy("確認済みにしました"), "done"),
    "reason_reopened": (gettext_lazy("確認理由をもう一度開きました"), "attention"),
    "reason_opened": (gettext_lazy("確認理由が生じました"), "attention"),
    "oversell": (gettext_lazy("売り越しへの対応"), "attention"),
    "edited": (gettext_lazy("編集しました"), "attention"),
    "release_moved": (gettext_lazy("予約商品の発売日が変わりました"), "attention"),
    "mapped": (gettext_lazy("商品コードをSKUに対応付けました"), "neutral"),
    "promised": (gettext_lazy("次の注文で知らせることを書きました"), "info"),
    "promise_ticked": (gettext_lazy("次の注文で知らせることを済みにしました"), "done"),
    "note": (gettext_lazy("社内メモを変えました"), "neutral"),
    "file_attached": (gettext_lazy("ファイルを添付しました"), "info"),
    "file_removed": (gettext_lazy("添付を削除しました"), "attention"),
    "asked_colleague": (gettext_lazy("社内にたずねました"), "attention"),
    "question_withdrawn": (gettext_lazy("社内への質問を取り下げました"), "neutral"),
    "talk": (gettext_lazy("応対メモを残しました"), "info"),
    "held": (gettext_lazy("保留にしました"), "attention"),
    "lifted": (gettext_lazy("保留を解除しました"), "neutral"),
    "confirm_asked": (gettext_lazy("モールへの注文確定を依頼しました"), "info"),
    "confirmed": (gettext_lazy("モールへ注文を確定しました"), "done"),
    "unpaid": (gettext_lazy("入金の登録を取り消しました"), "attention"),
    "paid": (gettext_lazy("入金を登録しました"), "done"),
    "payment_undone": (gettext_lazy("入金を取り消しました"), "attention"),
    "payment_waived": (gettext_lazy("入金の不足を当社負担にしました"), "attention"),
    "reminded": (gettext_lazy("入金の督促をしました"), "attention"),
    "refund_opened": (gettext_lazy("返金の手配を始めました"), "attention"),
    "refund_done": (gettext_lazy("返金しました"), "done"),
    "refund_withdrawn": (gettext_lazy("返金を取りやめました"), "neutral"),
    "approval_asked": (gettext_lazy("返金の承認を申請しました"), "attention"),
    "approval_given": (gettext_lazy("返金を承認しました"), "done"),
    "approval_refused": (gettext_lazy("返金の申請を却下しました"), "danger"),
    "approval_withdrawn": (gettext_lazy("返金の申請を取り下げました"), "neutral"),
    "task_asked": (gettext_lazy("作業を依頼しました"), "attention"),
    "memo_asked": (gettext_lazy("モールの店舗メモの更新を依頼しました"), "info"),
    "payment_told": (gettext_lazy("モールへの入金報告を依頼しました"), "info"),
    "lines_cancel_asked": (gettext_lazy("モールへ一部キャンセルを依頼しました"), "attention"),
    "cancel_accepted": (gettext_lazy("キャンセル申請の承諾をモールへ依頼しました"), "attention"),
    "cancel_declined": (gettext_lazy("キャンセル申請のお断りをモールへ依頼しました"), "attention"),
    "document_issued": (gettext_lazy("帳票を発行しました"), "info"),
    "document_voided": (gettext_lazy("帳票を取り消しました"), "warning"),
    "mail_sent": (gettext_lazy("メールを送りました"), "info"),
    "mail_approved": (gettext_lazy("メールを承認しました"), "info"),
    "mail_edited": (gettext_lazy("メールの文面を直しました"), "neutral"),
    "mail_again": (gettext_lazy("メールの送り直しを指示しました"), "info"),
    "mail_withdrawn": (gettext_lazy("メールの送信を取り消しました"), "neutral"),
    "mail_off": (gettext_lazy("この種類のメールを送らないことにしました"), "neutral"),
    "mail_on": (gettext_lazy("この種類のメールをまた送ることにしました"), "neutral"),
    "mail_failed": (gettext_lazy("メールを送れませんでした"), "danger"),
    "mail_bounced": (gettext_lazy("メールが届きませんでした"), "danger"),
    "instructed": (gettext_lazy("出荷を指示しました"), "ready"),
    "shipped": (gettext_lazy("出荷しました"), "done"),
    "cancelled": (gettext_lazy("キャンセルしました"), "danger"),
    "short_pick": (gettext_lazy("ピッキングで足りない商品がありました"), "danger"),
    "stop_asked": (gettext_lazy("出荷停止を依頼しました"), "attention"),
    "stopped": (gettext_lazy("出荷元が出荷を止めました"), "done"),
    "stop_too_late": (gettext_lazy("停止が間に合わず出荷されました"), "danger"),
    "cancel_too_late": (gettext_lazy("キャンセルが間に合いませんでした"), "danger"),
    "cancel_withdrawn": (gettext_lazy("キャンセルを取り下げました"), "neutral"),
    "pieces_cancelled": (gettext_lazy("一部の商品をキャンセルしました"), "danger"),
    "no_refund": (gettext_lazy("返金はありません"), "neutral"),
    "set_apart": (gettext_lazy("セットを構成品の明細に分けました"), "info"),
    "set_whole": (gettext_lazy("構成品の明細をセットに戻しました"), "neutral"),
    "lines_changed": (gettext_lazy("商品を変えました"), "attention"),
    "adjusted": (gettext_lazy("手数料・値引を足しました"), "attention"),
    "reopened": (gettext_lazy("出荷確定を取り消しました"), "attention"),
    "exchange_made": (gettext_lazy("交換の受注を作りました"), "info"),
    "exchange_for": (gettext_lazy("交換のための受注です"), "info"),
    "exchange_charged": (gettext_lazy("返品が戻らないため、代金を請求することにしました"), "attention"),
    "paid_at_the_door": (gettext_lazy("代引の代金を、配達時に受け取り済みとして記帳しました"), "done"),
    "owed_less": (gettext_lazy("返品のため、請求額を減らしました"), "info"),
    "return_requested": (gettext_lazy("返品を受け付けました"), "attention"),
    "return_approved": (gettext_lazy("返品を承認しました"), "info"),
    "return_rejected": (gettext_lazy("返品を断りました"), "danger"),
    "return_withdrawn": (gettext_lazy("返品を取り下げました"), "neutral"),
    "return_in_transit": (gettext_lazy("返品が発送されました"), "info"),
    "authorized_anew": (gettext_lazy("与信を取り直しました"), "done"),
    "return_pickup": (gettext_lazy("返品の集荷を手配しました"), "info"),
    "return_received": (gettext_lazy("返品が到着しました"), "info"),
    "return_parcel_found": (gettext_lazy("持ち主のわからない荷物がこの返品のものとわかりました"), "info"),
    "return_inspected": (gettext_lazy("返品を検品しました"), "info"),
    "return_settled": (gettext_lazy("返品を精算しました"), "done"),
    "return_closed": (gettext_lazy("返品を完了しました"), "done"),
    "rule": (gettext_lazy("ルールが処理しました"), "info"),
    "rule_undone": (gettext_lazy("ルールの処理を取り消しました"), "neutral"),
    "tagged": (gettext_lazy("タグを付けました"), "neutral"),
    "untagged": (gettext_lazy("タグを外しました"), "neutral"),
    "labelled": (gettext_lazy("担当・優先度・印を変えました"), "neutral"),
    "task_done": (gettext_lazy("作業を完了しました"), "done"),
    "task_put_off": (gettext_lazy("作業をあとにしました"), "neutral"),
    "merged": (gettext_lazy("同梱しました"), "info"),
    "unmerged": (gettext_lazy("同梱を解除しました"), "neutral"),
    "merge_declined": (gettext_lazy("同梱しないと決めました"), "neutral"),
    "merge_expired": (gettext_lazy("締め時刻が近いため、別々に出荷します"), "neutral"),
    "merge_asked": (gettext_lazy("同梱を購入者に確認します"), "attention"),
    "split": (gettext_lazy("出荷伝票を分けました"), "info"),
    "split_asked": (gettext_lazy("分割の送料をお客様にたずねます"), "attention"),
    "split_declined": (gettext_lazy("お客様が分割を望まれませんでした"), "neutral"),
    "split_ask_withdrawn": (gettext_lazy("分割の送料の質問を取り下げました"), "neutral"),
    "places_anew": (gettext_lazy("引当をやり直しました"), "neutral"),
    "notice_retried": (gettext_lazy("モールへの送信をやり直しました"), "info"),
    "notice_by_hand": (gettext_lazy("モールの画面で処理済みとしました"), "attention"),
    "refetched": (gettext_lazy("モールからの再取得を依頼しました"), "info"),
    "split_undone": (gettext_lazy("分割を取り消しました"), "neutral"),
    "decision_undone": (gettext_lazy("確認の判断を取り消しました"), "neutral"),
    "forced": (gettext_lazy("強制出荷しました"), "danger"),
    "forced_ready": (gettext_lazy("強制出荷可にしました"), "danger"),
}
# Fields whose values are no personal data.
OPEN_FIELDS = {
    "wish_date", "wish_slot", "prefecture", "important", "priority", "assignee", "planned_ship_date",
    "delivery_method", "carrier", "preferred_location", "payment_method", "quantity", "goods", "fees", "total",
    "release_date", "hold_until",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    title: str
    tone: str
    text: str
    who: str
    changes: list[Change]


def timeline(order_id: int, *, personal: bool) -> list[Happening]:
    """The newest events first, at most `LIMIT`; one typed in by hand was not imported. Two queries."""
    events = list(
        OrderEvent.objects.filter(order=order_id)
        .select_related("by")
        .prefetch_related("values")
        .order_by("-id")[:LIMIT]
    )
    by_hand = any(event.kind == "entered" for event in events)
    return [happening(event, personal) for event in events if not (by_hand and event.kind == "imported")]


def happening(event: OrderEvent, personal: bool) -> Happening:
    title, tone = LABELS.get(event.kind, (event.kind, "neutral"))
    return Happening(
        at=event.at,
        title=str(title),
        tone=tone,
        text=_text(event, personal),
        who=str(event.by) if event.by else _("自動"),
        changes=[_change(value.field, value.before, value.after, personal) for value in event.values.all()],
    )


def _text(event: OrderEvent, personal: bool) -> str:
    if event.kind == "stage":
        return _stages(event.text)
    if event.kind == "imported" and event.text:
        return _("モールの状態: %(state)s") % {"state": event.text}
    text = str(event.text)  # in the reader's language
    return text if personal else mask_text(text)


def _stages(text: str) -> str:
    """review → ready, in the words of the screens."""
    return " → ".join(str(Stage(code).label) if code in Stage.values else code for code in text.split(" → "))


def _change(name: str, before: str, after: str, personal: bool) -> Change:
    if not personal and name not in OPEN_FIELDS:
        before, after = (HIDDEN if value else "" for value in (before, after))
    before, after = str(before), str(after)
    return Change(field_label(name), before or _("（なし）"), after or _("（なし）"))


def field_label(name: str) -> str:
    """The name people know a field by."""
    if name == "attachment":
        return _("添付")
    if name == "promise":
        return _("約束")
    if name == "noshi_wanted":
        return _("のし")
    if reader := TEXT_FIELDS.get(name):
        return str(reader.label)
    for model in (Recipient, Order, NoshiChoice):
        known = {field.name: field.verbose_name for field in model._meta.concrete_fields}
        if name in known:
            return str(known[name])
    return name
