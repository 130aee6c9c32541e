"""Invariants of channels, checked against the database as it stands."""

import json
from collections.abc import Mapping
from datetime import timedelta

from channels.connectors.contract import CredentialsRefused
from channels.models import Connection
from channels.services import credentials
from oms.kernel import audit, clock

JOURNALS = (
    "channels_credentialevent",
    "channels_listingevent",
    "channels_oversellevent",
    "channels_publishingevent",
)
FERNET_START = b"gAAAA"  # version byte 0x80 and the high bytes of the time, in base64

# A page is archived before it is taken in; whoever died in between comes back with the next poll.
SETTLED_AFTER = timedelta(minutes=15)

CHECKS: Mapping[str, str] = {
    "order {} of shop {} has no raw payload": """
        SELECT o.channel_order_no, o.shop_id FROM orders_order o
         WHERE NOT o.flags @> '{internal}'
           AND NOT EXISTS (SELECT FROM channels_raworder r
                            WHERE r.shop_id = o.shop_id AND r.channel_order_no = o.channel_order_no)""",
    "payload of order {} of shop {} became neither an order nor a quarantine case": """
        SELECT r.channel_order_no, r.shop_id FROM channels_raworder r
         WHERE r.is_current AND r.first_seen_at < %(settled)s
           AND NOT EXISTS (SELECT FROM orders_order o
                            WHERE o.shop_id = r.shop_id AND o.channel_order_no = r.channel_order_no)
           AND NOT EXISTS (SELECT FROM channels_quarantinedorder q
                            WHERE q.shop_id = r.shop_id AND q.channel_order_no = r.channel_order_no
                              AND q.resolved_at IS NULL)""",
    "order {} of shop {}, ordered at {}, is at the channel and not here": """
        SELECT m.channel_order_no, m.shop_id, m.ordered_at FROM channels_missedorder m
         WHERE m.resolved_at IS NULL
           AND NOT EXISTS (SELECT FROM orders_order o
                            WHERE o.shop_id = m.shop_id AND o.channel_order_no = m.channel_order_no)
           AND NOT EXISTS (SELECT FROM channels_quarantinedorder q
                            WHERE q.shop_id = m.shop_id AND q.channel_order_no = m.channel_order_no
                              AND q.resolved_at IS NULL)""",
    "order {} of shop {} has {} current payloads": """
        SELECT channel_order_no, shop_id, count(*) FROM channels_raworder WHERE is_current
         GROUP BY shop_id, channel_order_no HAVING count(*) > 1""",
    "new or old values of renewal {} are stored in the clear": """
        SELECT id FROM channels_renewal
         WHERE (length(fresh) > 0 AND substring(fresh FROM 1 FOR 5) <> %(fernet)s)
            OR (length(old) > 0 AND substring(old FROM 1 FOR 5) <> %(fernet)s)""",
    "payload {} is stored in the clear": """
        SELECT id FROM channels_raworder WHERE substring(payload FROM 1 FOR 5) <> %(fernet)s""",
}


def violations() -> list[str]:
    """What is broken, in words; empty when all is well."""
    parameters = {"settled": clock.now() - SETTLED_AFTER, "fernet": FERNET_START}
    return [*audit.broken(CHECKS, parameters), *_open_secrets(), *audit.unprotected_journals(JOURNALS)]


def _open_secrets() -> list[str]:
    """Credentials that anybody could read in the database, or that nobody can read any more."""
    found = []
    for connection in Connection.objects.select_related("shop").exclude(secrets=b"").order_by("pk"):
        if not bytes(connection.secrets).startswith(FERNET_START):
            found.append(f"credentials of shop {connection.shop.code} are stored in the clear")
            continue
        try:
            credentials.read(connection)
        except (CredentialsRefused, json.JSONDecodeError):
            found.append(f"credentials of shop {connection.shop.code} cannot be decrypted with the configured keys")
    return found
