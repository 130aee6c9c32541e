"""Warning people in time that a credential ends: one mail per step and person; the screens show it all the while."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.contrib.auth.models import Permission
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from channels.connectors.contract import CredentialsRefused
from channels.connectors.registry import connector_class
from channels.models import Connection, Credential
from channels.services import credentials, terms
from oms.kernel import clock
from oms.kernel.models import Effect, User
from oms.kernel.said import said
from oms.kernel.services import outbox
from oms.kernel.services.outbox import GiveUp, NewEffect, Retry

log = structlog.get_logger(__name__)

STEPS = (30, 14, 7, 3, 1)  # days before the end
LAST_WEEK = 7
KIND = "credential_expiry"


def warn() -> int:
    """Write a mail for each credential that came to a step, to each of its people; returns how many are new.

    Only the step of today is told, so that a beat that slept does not send five at once.
    """
    now = clock.now()
    soon = Credential.objects.filter(
        expires_at__lte=now + timedelta(days=STEPS[0]), connection__shop__active=True
    ).select_related("connection__shop")
    due = [
        (credential, step)
        for credential in soon.prefetch_related("owners").order_by("pk")
        if (step := step_of(credential.issued_at, credential.expires_at, now)) is not None
    ]
    others = administrators() if due else []
    return outbox.put(
        [
            _effect(credential, step, person)
            for credential, step in due
            for person in [one for one in credential.owners.all() if one.is_active] or others
            if person.email
        ]
    )


def step_of(issued_at: datetime | None, expires_at: datetime | None, now: datetime) -> int | None:
    """The warning step a credential stands at: 30, 14, 7, 3 or 1; 0 once it has ended; None before the first.

    A token of four weeks is not warned of on its first day: long steps count only within the credential's life.
    """
    if expires_at is None:
        return None
    left = (expires_at - now) / timedelta(days=1)
    life = (expires_at - issued_at) / timedelta(days=1) if issued_at else float("inf")
    if left <= 0:
        return 0
    return min((step for step in STEPS if left <= step and (step < life or step <= LAST_WEEK)), default=None)


def administrators() -> Sequence[User]:
    """Whom to tell about a credential that nobody is named for: everybody who may change credentials."""
    may = Q(codename="change_credential", content_type__app_label="channels")
    return list(
        User.objects.filter(is_active=True)
        .filter(Q(groups__permissions__in=_permissions(may)) | Q(user_permissions__in=_permissions(may)))
        .exclude(email="")
        .distinct()
        .order_by("pk")
    )


def _permissions(condition: Q) -> "QuerySet[Permission]":
    return Permission.objects.filter(condition)


def _effect(credential: Credential, step: int, person: User) -> NewEffect:
    ends = f"{credential.expires_at:%Y%m%d}"
    return NewEffect(
        kind=KIND,
        key=f"credential:{credential.pk}:{ends}:{step}:{person.pk}",
        subject=f"credential:{credential.pk}:{person.pk}",
        payload={"credential": credential.pk, "person": person.pk, "ends": ends},
    )


def deliver(effect: Effect) -> None:
    """Handler: one mail to one person. A credential that was renewed meanwhile needs none."""
    credential = Credential.objects.select_related("connection__shop").filter(pk=effect.payload["credential"]).first()
    person = User.objects.filter(pk=effect.payload["person"], is_active=True).exclude(email="").first()
    if credential is None or person is None or credential.expires_at is None:
        return
    if f"{credential.expires_at:%Y%m%d}" != effect.payload["ends"]:
        return
    send(effect, person, subject=subject_of(credential), body=body_of(credential))


def send(effect: Effect, person: User, *, subject: str, body: str) -> None:
    """One mail to one person of the company; its Message-ID is the effect's key. Raises GiveUp or Retry."""
    key = "".join(char if char.isalnum() else "." for char in effect.key)
    try:
        EmailMessage(subject=subject, body=body, to=[person.email], headers={"Message-ID": f"<{key}@desk>"}).send()
    except ValueError as error:
        raise GiveUp(said("メールアドレスの形が正しくありません。利用者の画面で直してください。")) from error
    except OSError as error:
        raise Retry(
            said("メールサーバーに送れません（%(error)s）。自動で再試行します。", error=type(error).__name__)
        ) from error


def subject_of(credential: Credential) -> str:
    values = {"shop": credential.connection.shop.name, "key": label_of(credential), "left": left_words(credential)}
    return _("%(shop)s：%(key)sは%(left)s") % values


def body_of(credential: Credential) -> str:
    shop = credential.connection.shop
    term = connector_class(shop.channel).credential_terms.get(credential.key)
    assert credential.expires_at is not None
    lines = [
        subject_of(credential),
        _("期限：%(day)s") % {"day": f"{clock.in_tokyo(credential.expires_at):%Y/%m/%d %H:%M}"},
        _(term.note) if term and term.note else "",
        _("期限が切れると、受注の取込と在庫の連携が止まります。"),
        _("店舗の画面の「認証情報の更新」から、新しい値を入力・テストして切り替えてください。"),
    ]
    return "\n".join(line for line in lines if line)


def left_words(credential: Credential) -> str:
    """ "あと3日で切れます", or that it has ended."""
    assert credential.expires_at is not None
    if credential.expires_at <= clock.now():
        return _("期限が切れました")
    days = days_left(credential.expires_at)
    return _("あと%(n)d日で切れます") % {"n": days} if days else _("今日切れます")


def days_left(expires_at: datetime) -> int:
    """As people count: from today's date in Tokyo to the last day it works; 0 is today, below 0 it has ended."""
    return (clock.in_tokyo(expires_at - timedelta(seconds=1)).date() - clock.today()).days


def label_of(credential: Credential) -> str:
    """The name people know of the key, short: without what stands in brackets."""
    fields = connector_class(credential.connection.shop.channel).credential_fields
    names = {key: _(label) for key, label, _secret in fields}
    return names.get(credential.key, credential.key).partition("（")[0].partition(" (")[0]


def ensure_all() -> None:
    """Every stored secret of every shop has a row with its dates."""
    for connection in Connection.objects.select_related("shop").exclude(secrets=b"").order_by("pk"):
        try:
            terms.ensure(connection, credentials.stored_secrets(connection))
        except CredentialsRefused as unreadable:  # its encryption key is missing: the shop says so itself
            log.warning("dates_not_kept", shop=connection.shop.code, cause=unreadable.cause)
