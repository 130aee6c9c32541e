"""Telling people by mail that a shop stands still because its credentials are refused: once per stop and person."""

from django.utils.translation import gettext as _

from channels.models import Connection, Credential
from channels.services import expiry
from oms.kernel import clock
from oms.kernel.models import Effect, User
from oms.kernel.services import outbox
from oms.kernel.services.outbox import NewEffect

KIND = "shop_stopped"


def warn() -> int:
    """Write a mail for each shop that stopped, to the people named for its credentials, else to the administrators."""
    stopped = list(
        Connection.objects.filter(
            health=Connection.Health.STOPPED, stopped_since__isnull=False, shop__active=True
        ).defer("secrets")
    )
    return outbox.put([_effect(connection, person) for connection in stopped for person in people_of(connection)])


def people_of(connection: Connection) -> list[User]:
    owners = Credential.owners.through.objects.filter(credential__connection=connection).values("user")
    named = User.objects.filter(pk__in=owners, is_active=True).exclude(email="").order_by("pk")
    return list(named) or list(expiry.administrators())


def _effect(connection: Connection, person: User) -> NewEffect:
    assert connection.stopped_since is not None
    since = connection.stopped_since.isoformat()
    return NewEffect(
        kind=KIND,
        key=f"stopped:{connection.pk}:{since}:{person.pk}",
        subject=f"stopped:{connection.pk}:{person.pk}",
        payload={"connection": connection.pk, "person": person.pk, "since": since},
    )


def deliver(effect: Effect) -> None:
    """Handler: one mail to one person. A shop that runs again needs none."""
    rows = Connection.objects.select_related("shop").defer("secrets")
    connection = rows.filter(pk=effect.payload["connection"]).first()
    person = User.objects.filter(pk=effect.payload["person"], is_active=True).exclude(email="").first()
    if connection is None or person is None or connection.stopped_since is None:
        return
    if connection.stopped_since.isoformat() != effect.payload["since"]:
        return
    subject = _("%(shop)sの取込と在庫の連携が止まっています") % {"shop": connection.shop.name}
    since = f"{clock.in_tokyo(connection.stopped_since):%Y/%m/%d %H:%M}"
    body = "\n".join(
        [
            connection.health_cause,
            _("止まった日時：%(since)s") % {"since": since},
            _("店舗の画面の「認証情報の更新」で直すと、止まった所から続きを取り込みます。"),
        ]
    )
    expiry.send(effect, person, subject=subject, body=body)
