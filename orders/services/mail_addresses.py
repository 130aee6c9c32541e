"""Addresses that get no mail: bounced ones, and who opted out of advertising."""

from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from oms.kernel import clock
from oms.kernel.models import User
from orders.models import MailStop

SALT = "orders.mail.opt_out"
LASTING = "orders.mail-opt-out.lasting"  # the same address has one link, in a mail's text as in its header


def folded(address: str) -> str:
    return address.strip().lower()


def stops_of(addresses: Iterable[str]) -> dict[str, set[str]]:
    """Lower-case address → kinds of its stops. One query."""
    found: dict[str, set[str]] = defaultdict(set)
    wanted = {folded(address) for address in addresses}
    for address, kind in MailStop.objects.filter(address__in=wanted).values_list("address", "kind"):
        found[address].add(kind)
    return found


@transaction.atomic
def stop(address: str, kind: str, *, reason: str, by: User | None = None) -> bool:
    """False when it stands already."""
    _row, made = MailStop.objects.get_or_create(
        address=folded(address), kind=kind, defaults={"reason": reason[:200], "at": clock.now(), "by": by}
    )
    return made


@transaction.atomic
def lift(stop_id: int) -> bool:
    """Mails may go to this address again."""
    return bool(MailStop.objects.filter(pk=stop_id).delete()[0])


def opt_out_url(address: str) -> str:
    """Where the owner of the address ends advertising without logging in; empty where no public address is set."""
    if not settings.PUBLIC_URL:
        return ""
    token = signing.Signer(salt=LASTING).sign_object(folded(address))
    return f"{settings.PUBLIC_URL}{reverse('orders:mail-opt-out', args=[token])}"


def address_in(token: str) -> str | None:
    """The address that a link was made for; None for anything that we did not sign."""
    try:
        return str(signing.Signer(salt=LASTING).unsign_object(token))
    except signing.BadSignature:
        return _timed(token)


def _timed(token: str) -> str | None:
    """Mails sent earlier have links that hold their time."""
    try:
        return str(signing.loads(token, salt=SALT))
    except signing.BadSignature:
        return None
