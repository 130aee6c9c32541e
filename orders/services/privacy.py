"""個人情報の消去: personal data of ended orders goes after the shop's days; amounts, SKUs and dates stay.

Issued papers and entries of money stay too: tax law asks for them (`docs/privacy.md`). Upper apps erase what they keep
of an order with `register`. Everything may be killed at any line and run again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from customers.services import erase as members
from oms.kernel import clock
from oms.kernel.said import said
from oms.kernel.services import setting_versions
from oms.kernel.sql import update_rows
from oms.kernel.text import search_text
from orders.decide import returns as returning
from orders.decide.privacy import GONE, LEAST_DAYS, MOST_DAYS, PLAIN_EVENTS, days_of
from orders.models import (
    LegalHold,
    Mail,
    MoveIn,
    MoveInRow,
    Order,
    OrderAttachment,
    OrderEvent,
    OrderEventValue,
    OrderLine,
    OrderTalk,
    OrderText,
    PrivacyEvent,
    PurgedOrder,
    Recipient,
    Refund,
    RefundRequest,
    Retention,
    ReturnCase,
    ReturnEvent,
    ReviewDecision,
    ReviewReason,
    Shop,
    UnknownParcel,
)
from orders.models.moving_in import MoveInKind
from orders.models.order import Stage
from orders.services import attachments
from orders.services.intake_rows import SEARCHED_NAME
from orders.services.journal import Actor

BATCH = 200
MOST = 20_000  # orders of one run; the next goes on
Kind = PrivacyEvent.Kind


@dataclass(frozen=True, slots=True)
class Erased:
    """An order whose data goes, for upper apps: their rows are found by order, or by shop and number."""

    id: int
    shop_id: int
    number: str


Eraser = Callable[[Sequence[Erased]], None]
ERASERS: list[Eraser] = []


def register(erase: Eraser) -> None:
    """Have `erase` called with each batch, inside its transaction, under the orders' locks."""
    ERASERS.append(erase)


class Refused(Exception):
    """The setting is not possible; `cause` says why and what to do."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


# ---- what is set


@transaction.atomic
def set_days(shop_id: int, days: int | None, *, actor: Actor) -> bool:
    """Keep a shop's personal data so many days after an order's end; None for ever. False when it is so already."""
    if days is not None and not LEAST_DAYS <= days <= MOST_DAYS:
        raise Refused(
            said(
                "保存する日数は %(least)s 日から %(most)s 日までで入力してください。", least=LEAST_DAYS, most=MOST_DAYS
            )
        )
    with setting_versions.kept("retention", shop_id, by=actor.by):
        shop = Shop.objects.select_for_update(no_key=True).order_by("pk").get(pk=shop_id)
        row = Retention.objects.filter(shop=shop).first()
        if row is not None and row.days == days:
            return False
        before = kept_days()[shop_id]
        Retention.objects.update_or_create(shop=shop, defaults={"days": days})
        _note(Kind.DAYS, f"{_said(before)} → {_said(days)}", actor=actor, shop=shop_id)
        return True


def kept_days() -> dict[int, int | None]:
    """Shop → the days that hold for it."""
    own = dict(Retention.objects.values_list("shop", "days"))
    return {
        pk: days_of(channel, own=own.get(pk), has_own=pk in own)
        for pk, channel in Shop.objects.values_list("pk", "channel")
    }


@transaction.atomic
def hold(number: str, reason: str, *, actor: Actor) -> int:
    """Exempt the orders of this number from erasing. Returns how many are exempt now that were not."""
    if not reason.strip():
        raise Refused(said("消去しない理由を入力してください。"))
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).filter(channel_order_no=number.strip())
    orders = list(rows.order_by("pk").select_related("purged"))
    if not orders:
        raise Refused(said("受注番号「%(no)s」の受注が見つかりません。番号を確かめてください。", no=number.strip()))
    if all(hasattr(order, "purged") for order in orders):
        raise Refused(said("この受注の個人情報は、もう消去されています。"))
    fresh = [order for order in orders if not LegalHold.objects.filter(order=order).exists()]
    LegalHold.objects.bulk_create(
        [LegalHold(order=order, reason=reason.strip()[:200], at=clock.now(), by=actor.by) for order in fresh]
    )
    for order in fresh:
        _note(Kind.HELD, f"{order.channel_order_no}: {reason.strip()}"[:300], actor=actor, shop=order.shop_id, count=1)
    return len(fresh)


@transaction.atomic
def lift(order_id: int, *, actor: Actor) -> bool:
    """The order is exempt no longer. False when it was not."""
    order = Order.objects.select_for_update(no_key=True).order_by("pk").get(pk=order_id)
    if not LegalHold.objects.filter(order=order).delete()[0]:
        return False
    _note(Kind.LIFTED, order.channel_order_no, actor=actor, shop=order.shop_id, count=1)
    return True


def _said(days: int | None) -> str:
    return said("無期限") if days is None else said("%(n)s日間", n=days)


def _note(kind: str, text: str, *, actor: Actor, shop: int | None = None, count: int = 0) -> None:
    PrivacyEvent.objects.create(kind=kind, shop_id=shop, text=text, count=count, at=clock.now(), by=actor.by)


# ---- what is due


def due(days: Mapping[int, int | None]) -> QuerySet[Order]:
    """Orders that ended longer ago than their shop's days, that nobody works on and that are not exempt."""
    old = Q(pk__in=[])
    for shop_id, kept in days.items():
        if kept is not None:
            since = clock.now() - timedelta(days=kept)
            ended = Q(shipped_at__lt=since, cancelled_at=None) | Q(cancelled_at__lt=since)
            old |= Q(ended, shop=shop_id, imported_at__lt=since)
    own = {"order": OuterRef("pk")}
    return Order.objects.filter(
        old,
        ~Exists(PurgedOrder.objects.filter(**own, version=OuterRef("version"))),
        ~Exists(LegalHold.objects.filter(**own)),
        ~Exists(ReturnCase.objects.filter(**own, state__in=returning.OPEN)),
        ~Exists(Refund.objects.filter(**own, state=Refund.State.DUE)),
        ~Exists(RefundRequest.objects.filter(**own, state=RefundRequest.State.WAITING)),
        stage__in=[Stage.COMPLETED, Stage.CANCELLED],
    )


def due_counts(days: Mapping[int, int | None]) -> dict[int, int]:
    """Shop → orders whose data would go with the next run. One query."""
    rows = due(days).order_by().values_list("shop")
    return dict(rows.annotate(n=Count("pk")))


def erase_due(*, actor: Actor) -> int:
    """Erase what is due, batch by batch, then members of whom nothing is left. Returns how many orders."""
    total = 0
    for shop_id, days in sorted(kept_days().items()):
        while days is not None and total < MOST:
            ids = list(due({shop_id: days}).order_by("pk").values_list("pk", flat=True)[:BATCH])
            done = _erase_batch(shop_id, days, ids, actor) if ids else 0
            total += done
            if not done:
                break
    _erase_members(actor)
    _erase_files()
    return total


# ---- erasing

ORDER_GONE = {
    "buyer_name": GONE, "buyer_kana": "", "buyer_phone": "", "buyer_email": "", "buyer_postal_code": "",
    "buyer_city": "", "buyer_address": "", "buyer_company": "", "recipient_name": GONE, "remarks": "",
    "shop_memo": "", "internal_note": "", "packing_note": "", "message_card": "", "gift": "", "noshi": "",
    "hold_reason": "", "channel_extra": {},
}  # fmt: skip
RECIPIENT_GONE = {
    "name": GONE, "kana": "", "phone": "", "postal_code": "", "city": "", "address": "", "company": "", "sender": "",
    "gift": "", "noshi": "", "message_card": "",
}  # fmt: skip
MAIL_GONE = {"to": "", "subject": "", "body": "", "html": "", "extra": {}, "reason": "", "message_id": ""}
CASE_GONE = {"note": "", "answer": "", "settle_note": "", "tracking_no": ""}


@transaction.atomic
def _erase_batch(shop_id: int, days: int, order_ids: Sequence[int], actor: Actor) -> int:
    """Erase one batch; what came back to life since it was read is left alone. Locks the orders by pk."""
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=order_ids)
    locked = list(rows.order_by("pk").values_list("pk", flat=True))
    standing = due({shop_id: days}).filter(pk__in=locked).order_by("pk")
    orders = [Erased(*row) for row in standing.values_list("pk", "shop_id", "channel_order_no")]
    ids = [order.id for order in orders]
    if not ids:
        return 0
    _erase_rows(ids)
    _erase_journals(ids)
    for erase in ERASERS:
        erase(orders)
    Order.objects.filter(pk__in=ids).update(**ORDER_GONE, version=F("version") + 1)
    update_rows("orders_order", {"search": "text"}, sorted(_search_of(orders).items()))
    now = clock.now()
    PurgedOrder.objects.bulk_create(
        [
            PurgedOrder(order_id=pk, at=now, version=version)
            for pk, version in Order.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "version")
        ],
        update_conflicts=True,
        unique_fields=["order"],
        update_fields=["at", "version"],
    )
    _note(Kind.ERASED, said("終わって %(n)s日を過ぎた受注", n=days), actor=actor, shop=shop_id, count=len(ids))
    return len(ids)


def _erase_rows(ids: Sequence[int]) -> None:
    """What hangs on the orders and may be rewritten."""
    Recipient.with_former.filter(order__in=ids).update(**RECIPIENT_GONE)
    OrderLine.objects.filter(order__in=ids).update(options="", gift="")
    ReviewReason.objects.filter(order__in=ids).update(evidence="", note="", fingerprint="")
    ReviewDecision.objects.filter(order__in=ids).update(before={}, after={}, reasons=[])
    OrderText.objects.filter(order__in=ids).delete()
    OrderTalk.objects.filter(order__in=ids).update(text=GONE)
    Mail.objects.filter(order__in=ids).update(**MAIL_GONE)
    ReturnCase.objects.filter(order__in=ids).update(**CASE_GONE)
    RefundRequest.objects.filter(order__in=ids).update(payload={}, reason="", note="")
    UnknownParcel.objects.filter(case__order__in=ids).update(sender=GONE, phone="", contents="", tracking_no="")
    files = OrderAttachment.objects.filter(order__in=ids)
    places = list(files.filter(removed_at=None).values_list("place", flat=True))
    files.update(name=GONE, note="")
    files.filter(removed_at=None).update(removed_at=clock.now())
    for place in places:
        transaction.on_commit(partial(attachments.discard, place))


def _erase_journals(ids: Sequence[int]) -> None:
    """Journals keep that something happened, by whom and when; not the words about people."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('oms.privacy_purge', 'on', true)")
    OrderEventValue.objects.filter(event__order__in=ids).delete()
    OrderEvent.objects.filter(order__in=ids).exclude(kind__in=PLAIN_EVENTS).exclude(text="").update(text="")
    ReturnEvent.objects.filter(case__order__in=ids).exclude(text="").update(text="")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('oms.privacy_purge', 'off', true)")


def _search_of(orders: Sequence[Erased]) -> Mapping[int, str]:
    """What the orders are found by from now on: their numbers and their goods."""
    words: dict[int, list[str]] = {order.id: [order.number] for order in orders}
    lines = OrderLine.objects.filter(order__in=words).order_by("order", "position")
    for order_id, code, jan, channel_sku, name in lines.values_list(
        "order", "sku__code", "sku__jan", "channel_sku", "name"
    ):
        words[order_id] += [code or channel_sku, jan or "", name[:SEARCHED_NAME]]
    return {order_id: search_text(*own) for order_id, own in words.items()}


FILE_DAYS = 90  # how long the lines of a moved-in file of orders stay readable


@transaction.atomic
def _erase_files() -> None:
    """Files of orders and members from a system used before: what became of each line stays, its words go; what
    nobody took in goes whole."""
    before = clock.now() - timedelta(days=FILE_DAYS)
    old = MoveIn.objects.filter(kind=MoveInKind.ORDERS, touched_at__lt=before)
    state = MoveIn.State
    done = MoveInRow.objects.filter(move__in=old.filter(state__in=[state.APPLIED, state.UNDONE]))
    done.exclude(cells=[]).update(cells=[])
    MoveInRow.objects.filter(move__in=old.filter(state__in=[state.READ, state.CHECKED])).delete()
    lists = MoveInRow.objects.filter(move__kind=MoveInKind.MEMBERS, move__touched_at__lt=before).exclude(cells=[])
    lists.update(cells=[], key="", before=None)


LEFT_ALONE = """
SELECT m.id FROM customers_member m
 WHERE m.name <> %s AND EXISTS (SELECT FROM orders_order o WHERE o.member_id = m.id)
   AND NOT EXISTS (SELECT FROM orders_order o LEFT JOIN orders_purgedorder p ON p.order_id = o.id
                    WHERE o.member_id = m.id AND p.order_id IS NULL)
 ORDER BY m.id LIMIT %s
"""


@transaction.atomic
def _erase_members(actor: Actor) -> None:
    """Members of whose orders none keeps personal data: nobody can be found by them any more."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_ALONE, [GONE, MOST])
        ids = [row[0] for row in cursor.fetchall()]
    if ids and (count := members.forget(ids, name=GONE)):
        _note(Kind.MEMBERS, said("受注がすべて消去された会員"), actor=actor, count=count)
