"""Mails about a member rather than an order: they go out by the shop of the newest order that may have free mail."""

from collections.abc import Mapping

from orders.models import Order
from orders.models.mail import MailEvent
from orders.services import payment_mail


def rank_up(raised: Mapping[int, str]) -> int:
    """Tell members (member → the rank's name) of their new rank, where a shop has the mail in use; advertising, so
    stops and relays are respected. Once for an order and rank. Returns how many will go out."""
    rows = Order.objects.filter(member__in=raised, cancelled_at=None, shop__capabilities__mail="free")
    newest = rows.exclude(buyer_email="").order_by("member_id", "-ordered_at", "-pk").distinct("member_id")
    return sum(
        payment_mail.send(
            [pk], MailEvent.RANK_UP, suffix=f":{raised[member]}"[:60], extra={"member.rank": raised[member]}
        )
        for pk, member in newest.values_list("pk", "member_id")
        if member is not None
    )
