"""Addresses of papers' links, and what mails may say of them."""

from django.core import signing
from django.urls import reverse

from oms.kernel import clock
from orders.models import DocumentLink, Order

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


def mail_values(order: Order) -> dict[str, str]:
    """Of the order's newest open link; nothing where there is none, so that no mail goes out with a hole."""
    links = DocumentLink.objects.select_related("document")
    link = links.filter(document__order=order, revoked_at=None, expires_at__gt=clock.now()).order_by("-pk").first()
    if link is None:
        return {}
    return {
        "document.link": address_of(link),
        "document.kind": str(link.document.get_kind_display()),
        "document.expires": clock.in_tokyo(link.expires_at).strftime("%Y年%m月%d日"),
    }
