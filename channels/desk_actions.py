"""What channels offer the desk: sending a notice again, closing it as done by hand, fetching an order anew."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from channels.models import Connection
from channels.services import order_notices, reimport
from oms.kernel.models import Effect
from oms.kernel.said import said
from oms.kernel.services import outbox
from orders.actions import Action, ActionForm, Group, Offer, Outcome, Params, Plan
from orders.desk_actions import outcome, split
from orders.models import Order
from orders.services import journal
from orders.services.journal import Actor, Entry

NOTHING_FAILED = lazy("送れなかったモールへの通知はありません。")


def _what(failed: Mapping[int, Sequence[Effect]]) -> list[str]:
    """How many notices of which kind."""
    counted = Counter(one.kind for own in failed.values() for one in own)
    labels = {code: outbox.KINDS[code].label if code in outbox.KINDS else code for code in counted}
    return [said("%(what)s: %(n)s件", what=labels[code], n=f"{n:,}") for code, n in counted.most_common()]


def _plan(order_ids: Sequence[int], effects: Sequence[str]) -> Plan:
    failed = order_notices.failed(order_ids)
    will, skipped = split(order_ids, [], lambda order: "" if order["id"] in failed else str(NOTHING_FAILED))
    return Plan(will, skipped, [*_what(failed), *effects])


# ---- sending again


def plan_retry(order_ids: Sequence[int], _params: Params) -> Plan:
    return _plan(order_ids, [said("同じ内容をもう一度モールへ送ります。二重には登録されません。")])


def run_retry(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    done = order_notices.retry(order_ids, actor=actor)
    return outcome(order_ids, done, dict.fromkeys(order_ids, str(NOTHING_FAILED)))


# ---- done by hand at the channel


class DoneByHandForm(ActionForm):
    note = forms.CharField(
        label=lazy("どこで何をしたか"), max_length=200, help_text=lazy("例: モールの管理画面で出荷済みに変更した")
    )


def plan_by_hand(order_ids: Sequence[int], _params: Params) -> Plan:
    return _plan(
        order_ids,
        [
            said("モールへはもう送りません。モールの画面で処理したことを確かめてから実行してください。"),
            said("元に戻せません。"),
        ],
    )


def run_by_hand(order_ids: Sequence[int], params: Params, actor: Actor) -> Outcome:
    done = order_notices.close_by_hand(order_ids, note=params["note"], actor=actor)
    return outcome(order_ids, done, dict.fromkeys(order_ids, str(NOTHING_FAILED)))


# ---- fetching anew

COLUMNS = ("shop", "shop__active", "channel_order_no")


def _split_fetchable(order_ids: Sequence[int]) -> tuple[list[int], dict[int, str]]:
    connected = set(Connection.objects.values_list("shop", flat=True))

    def why_not(order: Mapping[str, Any]) -> str:
        if order["shop"] not in connected:
            return said("モールとつながっていない店舗の受注です。")
        return "" if order["shop__active"] else said("店舗が休止中です。再開してから取り込んでください。")

    return split(order_ids, COLUMNS, why_not)


def plan_refetch(order_ids: Sequence[int], _params: Params) -> Plan:
    will, skipped = _split_fetchable(order_ids)
    shops = Order.objects.filter(pk__in=will).values("shop").distinct().count()
    return Plan(
        will,
        skipped,
        [
            said("%(shops)s店舗へ1件ずつ問い合わせ、モールの今の内容を取り込みます。", shops=f"{shops:,}"),
            said("出荷指示の前の受注は、モールで変わったところが置き換わります。"),
        ],
    )


def run_refetch(order_ids: Sequence[int], _params: Params, actor: Actor) -> Outcome:
    """The wishes are written down, shop by shop; workers ask the channels afterwards."""
    will, skipped = _split_fetchable(order_ids)
    rows = list(Order.objects.filter(pk__in=will).order_by("pk").values_list("shop", "channel_order_no"))
    numbers: dict[int, list[str]] = defaultdict(list)
    for shop, no in rows:
        numbers[shop].append(no)
    offers = []
    for connection in Connection.objects.filter(shop__in=numbers).select_related("shop").order_by("pk"):
        own = numbers[connection.shop_id]
        for start in range(0, len(own), reimport.MOST):
            asked = reimport.ask(connection, own[start : start + reimport.MOST], by=actor.by)
            text = said("%(shop)s の取込結果を見る", shop=connection.shop.name)
            offers.append(Offer(text, reverse("channels:reimported", args=[asked.pk])))
    journal.write([Entry(pk, "refetched") for pk in will], actor=actor)
    done = outcome(order_ids, will, skipped)
    return Outcome(done.done, done.skipped, offers=offers)


ACTIONS = (
    Action("notice_retry", lazy("モールへ再送信"), lazy("%(n)s件をもう一度モールへ送ります。"), "refresh",
           "channels.retry_effect", plan_retry, run_retry, rank=61, group=Group.CHANNEL),
    Action("notice_by_hand", lazy("モールで処理済みにする"), lazy("%(n)s件をモールで処理済みにしました。"), "check",
           "channels.retry_effect", plan_by_hand, run_by_hand, form=DoneByHandForm, rank=62, group=Group.CHANNEL),
    Action("refetch", lazy("モールから再取得"), lazy("%(n)s件の再取得を始めました。"), "refresh",
           "orders.change_order", plan_refetch, run_refetch, rank=63, group=Group.CHANNEL),
)  # fmt: skip
