"""Open review reasons that a warehouse or store must read too: whether one is shown there is the reason's setting."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from oms.kernel import privacy
from orders.decide.reasons import CATALOGUE
from orders.models import ReviewReason
from orders.queries.order_reasons import PERSONAL_FIELDS
from orders.queries.tones import LEVEL_TONES
from orders.services import reason_settings


@dataclass(frozen=True, slots=True)
class Sign:
    """One reason as packers read it."""

    label: str
    evidence: str
    tone: str


def signs_of(order_ids: Iterable[int], *, personal: bool) -> Mapping[int, list[Sign]]:
    """Order → what packers should know of it, the gravest first. Two queries for any number of orders."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return {}
    rows = ReviewReason.objects.filter(
        order__in=wanted, state=ReviewReason.State.OPEN, code__in=reason_settings.shown_everywhere()
    )
    found: dict[int, list[Sign]] = {}
    for reason in sorted(rows.order_by("pk"), key=lambda reason: list(LEVEL_TONES).index(reason.level)):
        label = str(CATALOGUE[reason.code].label) if reason.code in CATALOGUE else reason.code
        found.setdefault(reason.order_id, []).append(
            Sign(label, _evidence(reason, personal), LEVEL_TONES.get(reason.level, "neutral"))
        )
    return found


def _evidence(reason: ReviewReason, personal: bool) -> str:
    if not personal and reason.field in PERSONAL_FIELDS:
        return _("（個人情報のため表示できません）")
    text = str(reason.evidence)
    return text if personal else privacy.mask_text(text)
