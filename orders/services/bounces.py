"""Mails that come back: a mailbox read over IMAP, its reports understood (RFC 3464 and 5965), their mails marked.

A report is about one of our mails when it quotes its Message-ID. Only a final failure marks; a delay says nothing yet.
Messages are marked as seen after their work is committed, so a crash reads some twice, which changes nothing.
"""

import imaplib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from urllib.parse import unquote, urlsplit

import structlog
from django.conf import settings

from oms.kernel.said import said
from orders.models import Mail, MailStop
from orders.services import mail_addresses, mail_send

log = structlog.get_logger(__name__)

TIMEOUT_S = 20
MOST_AT_ONCE = 200
MESSAGE_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")
STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


@dataclass(frozen=True, slots=True)
class Report:
    """What a message in the mailbox says. `kind`: bounced, delayed, complaint, or other (a person's answer, say).

    `message_ids` are those it quotes, `recipient` and `status` (5.1.1 …) as the reporting server names them.
    """

    kind: str
    message_ids: tuple[str, ...] = ()
    recipient: str = ""
    status: str = ""
    text: str = ""


def read(raw: bytes) -> Report:
    """A pure reading of one message. Never raises for what a stranger may send."""
    message = message_from_bytes(raw, policy=policy.compat32)
    ids = tuple(dict.fromkeys(_quoted_ids(message)))
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            return _delivery_status(part, ids)
        if kind == "message/feedback-report":
            fields = _fields(part)
            return Report("complaint", ids, _address(fields.get("original-rcpt-to", "")))
    return Report("other", ids)


def _delivery_status(part: Message, ids: tuple[str, ...]) -> Report:
    """The worst action of the recipients it names."""
    delayed = None
    for fields in _blocks(part):
        action = fields.get("action", "").lower().split(" ")[0]
        recipient = _address(fields.get("final-recipient", "") or fields.get("original-recipient", ""))
        status, words = fields.get("status", ""), fields.get("diagnostic-code", "")[:150]
        if action == "failed":
            return Report("bounced", ids, recipient, status, words)
        if action == "delayed":
            delayed = Report("delayed", ids, recipient, status, words)
    return delayed or Report("other", ids)


def _blocks(part: Message) -> Iterator[dict[str, str]]:
    """The field groups of a delivery status; Python parses them as messages of their own."""
    inner = part.get_payload()
    for block in inner if isinstance(inner, list) else []:
        if isinstance(block, Message):
            yield {str(name).lower(): " ".join(str(value).split()) for name, value in block.items()}


def _fields(part: Message) -> dict[str, str]:
    inner = part.get_payload()
    if isinstance(inner, list):
        text = "\n".join(str(one) for one in inner)
    else:
        decoded = part.get_payload(decode=True)
        text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, _colon, value in pairs}


def _quoted_ids(message: Message) -> Iterator[str]:
    """Message-IDs of the mail that is reported: in the returned headers, and where servers refer to it."""
    for part in message.walk():
        if part is message:
            for name in ("In-Reply-To", "References"):
                yield from MESSAGE_ID.findall(str(part.get(name, "")))
        elif part.get_content_type() == "text/rfc822-headers":
            decoded = part.get_payload(decode=True)
            text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
            for line in re.findall(r"(?im)^message-id:\s*(\S+)", text):
                yield from MESSAGE_ID.findall(line)
        elif part.get("Message-ID"):
            yield from MESSAGE_ID.findall(str(part["Message-ID"]))


def _address(field: str) -> str:
    """`rfc822; taro@example.jp` → the address."""
    return field.rpartition(";")[2].strip().strip("<>")


def take(report: Report) -> str:
    """Do what a report asks for. Returns "bounced", "complaint", or "" when it changes nothing. Idempotent."""
    if report.kind not in {"bounced", "complaint"}:
        return ""
    mail = Mail.objects.filter(message_id__in=report.message_ids).order_by("pk").last() if report.message_ids else None
    if mail is None:
        return ""
    if report.kind == "complaint":
        mail_addresses.stop(mail.to, MailStop.Kind.OPT_OUT, reason=said("受信者が迷惑メールとして報告しました。"))
        return "complaint"
    if mail.state == Mail.State.BOUNCED:
        return ""
    mail_send.bounced(mail, why(report), for_good=is_about_address(report))
    return "bounced"


def is_about_address(report: Report) -> bool:
    """The box does not exist or is closed (5.1.x, 5.2.1); a full box or a refused text may be otherwise tomorrow."""
    found = STATUS.search(report.status)
    return found is not None and found[1] == "5" and (found[2] == "1" or (found[2], found[3]) == ("2", "1"))


def why(report: Report) -> str:
    """In words a person can act on."""
    found = STATUS.search(report.status)
    area = found[2] if found else ""
    words = {
        "1": said("宛先のメールアドレスが存在しません。"),
        "2": said("宛先の受信箱が一杯か、停止されています。"),
        "4": said("宛先のメールサーバーに接続できませんでした。"),
        "7": said("宛先のメールサーバーに受信を拒否されました。"),
    }
    text = words.get(area, said("宛先に届きませんでした。"))
    return said("%(text)s（%(code)s）", text=text, code=report.status) if report.status else text


# ---- the mailbox


def collect() -> dict[str, int]:
    """Read what is unseen in the mailbox, where one is configured; returns how many messages did what.

    A mailbox that does not answer is asked again next time.
    """
    done: dict[str, int] = {}
    if not settings.MAIL_BOUNCE_IMAP:
        return done
    try:
        _read_unseen(done)
    except (OSError, imaplib.IMAP4.error) as error:
        log.warning("bounces_not_read", error=str(error)[:200])
    log.info("bounces_read", **done)
    return done


def _read_unseen(done: dict[str, int]) -> None:
    with mailbox(settings.MAIL_BOUNCE_IMAP) as box:
        _ok, found = box.uid("search", "", "UNSEEN")
        for uid in (found[0] or b"").split()[:MOST_AT_ONCE]:
            raw = _fetched(box, uid.decode())
            outcome = take(read(raw)) or "other"
            done[outcome] = done.get(outcome, 0) + 1
            box.uid("store", uid.decode(), "+FLAGS", r"(\Seen)")


def _fetched(box: imaplib.IMAP4, uid: str) -> bytes:
    """The whole message, left unseen until its work is done."""
    _ok, parts = box.uid("fetch", uid, "(BODY.PEEK[])")
    return next((part[1] for part in parts if isinstance(part, tuple)), b"")


@contextmanager
def mailbox(url: str) -> Iterator[imaplib.IMAP4]:
    """`imaps://user:password@host:993/INBOX` (or `imap://`, without TLS), logged in, the folder open."""
    place = urlsplit(url)
    kind = imaplib.IMAP4_SSL if place.scheme == "imaps" else imaplib.IMAP4
    box = kind(place.hostname or "", place.port or (993 if place.scheme == "imaps" else 143), timeout=TIMEOUT_S)
    try:
        box.login(unquote(place.username or ""), unquote(place.password or ""))
        box.select(place.path.strip("/") or "INBOX")
        yield box
    finally:
        box.logout()
