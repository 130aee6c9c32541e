"""The two review reasons that rules own: `rule_hold` from what rules raised, `rule_error` from rules that failed."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from oms.kernel import clock
from oms.kernel.said import together, told
from orders.models import ReviewReason, RuleMark
from orders.models.reason import Level

HOLD, ERROR = "rule_hold", "rule_error"
STRENGTH = [Level.INFO, Level.WARN, Level.BLOCK]
State = ReviewReason.State
RAISING = ("raise_reason", "add_fee", "add_discount")  # the latter where they may not touch a mall's sum


def refresh_raised(order_ids: Sequence[int]) -> set[int]:
    """Bring `rule_hold` of these orders to what the marks say; returns the orders where it changed."""
    raised: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    marks = RuleMark.objects.filter(order__in=order_ids, action__in=RAISING, state=RuleMark.State.APPLIED)
    for order_id, action, params, after in marks.order_by("pk").values_list("order", "action", "params", "after"):
        if action == "raise_reason":
            raised[order_id].append(params)
        elif after and "refused" in after:
            raised[order_id].append({"text": told(after["refused"]), "level": Level.BLOCK})
    wanted = {
        order_id: (together((one["text"] for one in own), "\n"), max((one["level"] for one in own), key=STRENGTH.index))
        for order_id, own in raised.items()
    }
    return _write(order_ids, HOLD, wanted)


def refresh_errors(failed: Mapping[int, str], order_ids: Sequence[int]) -> set[int]:
    """Open `rule_error` on the orders that `failed` names, close it on the others."""
    return _write(order_ids, ERROR, {order_id: (text, str(Level.BLOCK)) for order_id, text in failed.items()})


def _write(order_ids: Sequence[int], code: str, wanted: Mapping[int, tuple[str, str]]) -> set[int]:
    known = {row.order_id: row for row in ReviewReason.objects.filter(order__in=order_ids, code=code)}
    now, changed, fresh = clock.now(), set(), []
    for order_id, (evidence, level) in wanted.items():
        row = known.get(order_id)
        mark = _fingerprint(evidence)
        if row is None:
            fresh.append(
                ReviewReason(
                    order_id=order_id, code=code, level=level, evidence=evidence, fingerprint=mark, raised_at=now
                )
            )
            changed.add(order_id)
        elif row.fingerprint != mark or row.state == State.AUTO_RESOLVED:
            row.level, row.evidence, row.fingerprint, row.state = level, evidence, mark, State.OPEN
            row.raised_at, row.closed_at, row.closed_by = now, None, None
            row.save(update_fields=["level", "evidence", "fingerprint", "state", "raised_at", "closed_at", "closed_by"])
            changed.add(order_id)
    ReviewReason.objects.bulk_create(fresh)
    over = [row.pk for id_, row in known.items() if id_ not in wanted and row.state == State.OPEN]
    ReviewReason.objects.filter(pk__in=over).update(state=State.AUTO_RESOLVED, closed_at=now)
    return changed | {row.order_id for row in known.values() if row.pk in over}


def _fingerprint(evidence: str) -> str:
    return hashlib.sha1(evidence.encode(), usedforsecurity=False).hexdigest()
