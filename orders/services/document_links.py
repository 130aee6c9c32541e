"""Links under which a buyer fetches a paper: signed, dated, revocable; every fetch is on record."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from oms.kernel import clock
from orders.models import DocumentEvent, DocumentLink, IssuedDocument, Mail, Order
from orders.models.mail import MailEvent
from orders.queries.document_links import link_id_in, mail_values
from orders.queries.papers import papers_of
from orders.services import mail
from orders.services.documents import Refused, record, standing
from orders.services.journal import Actor


class Gone(Exception):
    """A link that was good once: expired, revoked, or of a paper that holds no more."""


@transaction.atomic
def make_link(document: IssuedDocument, *, site: str, actor: Actor, send: bool = False) -> DocumentLink:
    """A new link, valid for as many days as the shop says; `send`: with a mail to the buyer. Raises Refused."""
    if not standing().filter(pk=document.pk).exists():
        raise Refused(_("この帳票はすでに訂正または取消されています。"))
    now = clock.now()
    days = papers_of([document.shop_id])[document.shop_id].link_days
    link = DocumentLink.objects.create(
        document=document, site=site, created_at=now, expires_at=now + timedelta(days=days), by=actor.by
    )
    record([document], DocumentEvent.Kind.LINKED, clock.in_tokyo(link.expires_at).strftime("〜%Y-%m-%d"), by=actor.by)
    if send and document.order is not None:
        _tell(document.order, link, actor)
    return link


def _tell(order: Order, link: DocumentLink, actor: Actor) -> None:
    """Raises Refused where the mail would not go out, or not even wait for approval."""
    if why := mail.why_no_draft(order, MailEvent.DOCUMENT_LINK):
        raise Refused(_("メールを送れません。%(why)s") % {"why": why})
    with override(settings.LANGUAGE_CODE):  # the buyer's language
        values = mail_values(link)
    mail.schedule_for([order.pk], MailEvent.DOCUMENT_LINK, suffix=f":{link.pk}", extra=values, actor=actor)


def waits_for_approval(link: DocumentLink) -> bool:
    """Whether a person looks at the link's mail before it goes."""
    key = f"{MailEvent.DOCUMENT_LINK}:{link.document.order_id}:{link.pk}"
    return Mail.objects.filter(key=key, state=Mail.State.DRAFT).exists()


@transaction.atomic
def revoke_links(document: IssuedDocument, *, actor: Actor) -> int:
    """End every open link of a paper. Returns how many."""
    ended = document.links.filter(revoked_at=None).update(revoked_at=clock.now())
    if ended:
        record([document], DocumentEvent.Kind.REVOKED, by=actor.by)
    return ended


def linked(token: str) -> DocumentLink | None:
    """The link of a token; None for a token that was never given. Raises Gone."""
    pk = link_id_in(token)
    link = DocumentLink.objects.select_related("document__shop").filter(pk=pk).first() if pk else None
    if link is None:
        return None
    ended = link.revoked_at is not None or link.expires_at <= clock.now()
    if ended or not standing().filter(pk=link.document_id).exists():
        raise Gone
    return link


@transaction.atomic
def record_download(link: DocumentLink, address: str) -> None:
    """Who fetched it, as far as the network tells."""
    record([link.document], DocumentEvent.Kind.DOWNLOADED, address)
