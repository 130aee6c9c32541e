"""The people of an order, its buyer and every recipient, held against the blacklist."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from customers.services import blacklist
from customers.services.blacklist import Match, Where
from customers.services.identity import Person
from oms.kernel.said import said, together
from orders.channel_order import ChannelOrder, Party
from orders.decide.found import Listed
from orders.models import Order, Recipient
from orders.services.reason_settings import Settings

ITEMS = {
    blacklist.PHONE: _("電話番号"),
    blacklist.MAIL: _("メールアドレス"),
    blacklist.ADDRESS: _("住所"),
    blacklist.NAME: _("氏名"),
    blacklist.POSTAL_CODE: _("郵便番号"),
}


def told_of(order: ChannelOrder) -> list[Person]:
    """The people of an order as its channel tells it, the buyer first."""
    return [_person(party) for party in (order.buyer, *order.recipients)]


def _person(one: Party | Recipient) -> Person:
    return Person(
        one.name, phone=one.phone, email=getattr(one, "email", ""), postal_code=one.postal_code,
        prefecture=one.prefecture, address=one.city + one.address,
    )  # fmt: skip


def stored_of(order: Order) -> list[Person]:
    """The same of a stored order; costs no query where the recipients were read along."""
    buyer = Person(
        order.buyer_name, phone=order.buyer_phone, email=order.buyer_email, postal_code=order.buyer_postal_code,
        prefecture=order.buyer_prefecture, address=order.buyer_city + order.buyer_address,
    )  # fmt: skip
    return [buyer, *(_person(one) for one in order.recipients.all())]


def look(groups: Sequence[Sequence[Person]], wheres: Sequence[Where], settings: Settings) -> list[Listed | None]:
    """What of each order's people stands on the blacklist, for its shop and payment method. One query for the batch."""
    found = blacklist.matches(groups, wheres, loose_mail=looks_loosely(settings))
    return [_listed(match, len(group)) for group, match in zip(groups, found, strict=True)]


def looks_loosely(settings: Settings) -> bool:
    return bool(settings.tuned("blacklist_match", "loose_mail"))


def _listed(match: Match | None, people: int) -> Listed | None:
    if match is None:
        return None
    return Listed(
        match.score, evidence(match, people), _field(match), match.is_name_alone, at_most=match.entry.severity
    )


def where_of(order: Order) -> Where:
    return Where(order.shop.code, order.payment_method)


def _field(match: Match) -> str:
    return "recipient" if match.place else "buyer"


def whose(match: Match, people: int) -> str:
    """注文者, 届け先, or which of several 届け先."""
    if not match.place:
        return said("注文者")
    return said("届け先") if people == 2 else said("届け先%(n)s", n=match.place)


def evidence(match: Match, people: int) -> str:
    """What matched and why the entry is there; none of the person's own data."""
    return said(
        "%(whose)sの%(items)sが要注意リストと一致しました（%(reason)s）。",
        whose=whose(match, people),
        items=together((said(ITEMS[item]) for item in match.items), "・"),
        reason=match.entry.reason,
    )
