"""Addresses of papers' links, and what mails may say of them."""

from django.core import signing
from django.urls import reverse

from oms.kernel import clock
from orders.models import DocumentLink

SALT = "orders.document-link"


def token_of(link: DocumentLink) -> str:
    """Signed, so that nobody can count through the links; nothing secret is stored."""
    return signing.Signer(salt=SALT).sign(str(link.pk)).replace(":", ".")


def link_id_in(token: str) -> int | None:
    """The inverse; None for a token that we never gave."""
    try:
        return int(signing.Signer(salt=SALT).unsign(token.replace(".", ":", 1)))
    except (signing.BadSignature, ValueError):
        return None


def address_of(link: DocumentLink) -> str:
    return link.site + reverse("orders:document-link", args=[token_of(link)])


def mail_values(link: DocumentLink) -> dict[str, str]:
    """What the mail about a link says of it."""
    return {
        "document.link": address_of(link),
        "document.kind": str(link.document.get_kind_display()),
        "document.expires": clock.in_tokyo(link.expires_at).strftime("%Y年%m月%d日"),
    }
