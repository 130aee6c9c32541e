"""Sending mail over SMTP with the one moment marked from which on only the server knows whether it took the mail.

A server takes a mail when it has got the line with the closing dot. Until it answers 354 to DATA nothing is taken, so
whoever wants to send a mail once writes down that it is going out exactly there: `deliver(…, last_word=…)`.
"""

import smtplib
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

START_INPUT = 354


class _Marking:
    """Mixed into smtplib's clients: calls `last_word` when the server has asked for the text."""

    last_word: Callable[[], None] | None = None

    def getreply(self) -> tuple[int, bytes]:
        code, text = super().getreply()  # type: ignore[misc]
        if code == START_INPUT and self.last_word is not None:
            try:
                self.last_word()
            except BaseException:
                self.close()  # type: ignore[attr-defined]  # a connection cut here takes nothing
                raise
        return code, text


class MarkingSMTP(_Marking, smtplib.SMTP):
    pass


class MarkingSMTPS(_Marking, smtplib.SMTP_SSL):
    pass


class Backend(EmailBackend):
    """Django's SMTP backend with the moment marked; without `last_word` it is Django's."""

    last_word: Callable[[], None] | None = None

    @property
    def connection_class(self) -> Any:
        return MarkingSMTPS if self.use_ssl else MarkingSMTP

    def open(self) -> Any:
        opened = super().open()
        if isinstance(self.connection, _Marking):
            self.connection.last_word = self.last_word
        return opened


def deliver(message: EmailMessage, *, last_word: Callable[[], None], relay: str = "") -> None:
    """Send one message. `last_word` is called once nothing but the text is left to hand over; if it raises, nothing is
    sent. Raises what smtplib raises.

    `relay`: `smtp://user:password@host:587` (STARTTLS) or `smtps://…` instead of the usual server.
    """
    backend = _relay(relay) if relay else get_connection()
    if isinstance(backend, Backend):
        backend.last_word = last_word
    else:  # the backends that keep mails in memory or nowhere
        last_word()
    message.connection = backend
    message.send()


def _relay(url: str) -> Backend:
    place = urlsplit(url)
    secure = place.scheme == "smtps"
    return Backend(
        host=place.hostname or "",
        port=place.port or (465 if secure else 587),
        username=unquote(place.username or ""),
        password=unquote(place.password or ""),
        use_ssl=secure,
        use_tls=place.scheme == "smtp",
    )
