"""認証情報の期限: every secret of every shop with its dates, people and uses; in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from channels.connectors.contract import CredentialsRefused, CredentialTerm
from channels.connectors.registry import connector_class
from channels.models import ApiCall, Connection, Credential, CredentialUse
from channels.services import credentials
from channels.services.expiry import label_of, left_words, step_of
from oms.kernel import clock

TONES = {0: "danger", 1: "danger", 3: "danger", 7: "attention", 14: "attention", 30: "info"}


@dataclass(frozen=True, slots=True)
class Use:
    """One purpose that reads the credential."""

    label: str | Promise
    read_at: datetime
    succeeded_at: datetime | None
    host: str
    reads: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One credential as the calendar shows it; `tail` is all that is ever shown of its value."""

    credential: Credential
    connection: Connection
    label: str
    tail: str
    term: CredentialTerm | None
    uses: Sequence[Use]
    step: int | None

    @property
    def tone(self) -> str:
        return "neutral" if self.step is None else TONES[self.step]

    @property
    def words(self) -> str:
        if self.credential.expires_at is None:
            return _("期限なし")
        return left_words(self.credential)

    @property
    def last_success(self) -> datetime | None:
        return max((use.succeeded_at for use in self.uses if use.succeeded_at), default=None)


def calendar(shop_id: int | None = None) -> list[Entry]:
    """The next to end first, those without an end last. Needs three queries."""
    connections = Connection.objects.select_related("shop").exclude(secrets=b"").order_by("shop__code")
    if shop_id is not None:
        connections = connections.filter(shop=shop_id)
    rows = Credential.objects.select_related("changed_by").prefetch_related("owners")
    known = {(row.connection_id, row.key): row for row in rows}
    uses = _uses()
    now = clock.now()
    entries = [entry for connection in connections for entry in _entries(connection, known, uses, now)]
    return sorted(entries, key=lambda entry: (entry.credential.expires_at is None, entry.credential.expires_at or now))


def _uses() -> dict[tuple[int, str], list[Use]]:
    labels = dict(ApiCall.Purpose.choices)
    found: dict[tuple[int, str], list[Use]] = defaultdict(list)
    for row in CredentialUse.objects.order_by("-read_at"):
        use = Use(labels.get(row.purpose, row.purpose), row.read_at, row.succeeded_at, row.host, row.reads)
        found[row.connection_id, row.key].append(use)
    return found


def _entries(
    connection: Connection,
    known: dict[tuple[int, str], Credential],
    uses: dict[tuple[int, str], list[Use]],
    now: datetime,
) -> list[Entry]:
    try:
        tails = credentials.last_four(connection)
    except CredentialsRefused:  # the encryption key is missing; the shop's card says so
        return []
    kind = connector_class(connection.shop.channel)
    entries = []
    for key, _label, secret in kind.credential_fields:
        if not tails.get(key) or not (secret or key in kind.credential_terms):
            continue
        row = known.get((connection.pk, key)) or Credential(key=key, changed_at=connection.secrets_changed_at)
        row.connection = connection
        entries.append(
            Entry(
                credential=row,
                connection=connection,
                label=label_of(row),
                tail=tails[key],
                term=kind.credential_terms.get(key),
                uses=uses.get((connection.pk, key), []),
                step=step_of(row.issued_at, row.expires_at, now),
            )
        )
    return entries


def ending_soon() -> list[Credential]:
    """What stands at a warning step, of active shops; one query, nothing is decrypted."""
    now = clock.now()
    rows = (
        Credential.objects.select_related("connection__shop")
        .defer("connection__secrets")
        .filter(expires_at__isnull=False, connection__shop__active=True)
        .order_by("expires_at", "pk")
    )
    return [row for row in rows if step_of(row.issued_at, row.expires_at, now) is not None]
