"""Proposals for listings without SKU, found before anybody buys: computed anew for all, accepted one, many or all."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, Max, Min

from channels.decide import matching as decide
from channels.decide.matching import Match, Rule, Wanted
from channels.models import Listing, MatchRule, Proposal
from channels.services import mapping
from channels.services.mapping import Decision
from inventory.models import Sku
from oms.kernel import clock
from oms.kernel.models import User
from oms.kernel.services import setting_versions
from orders.services.journal import SYSTEM, Actor


@transaction.atomic
def propose(shop_id: int | None = None) -> int:
    """Work out what each listing without SKU (of one shop, or all) probably stands for; returns how many have a
    proposal now. A SKU that somebody rejected for a listing is not proposed for it again."""
    rows = Listing.objects.filter(sku__isnull=True)
    rows = rows if shop_id is None else rows.filter(shop=shop_id)
    listings = list(rows.order_by("pk").values_list("pk", "shop", "channel_sku", "name", "jan"))
    if not listings:
        return 0
    rules, learned = rules_by_shop(), _learned({code for _pk, _shop, code, *_rest in listings})
    goods = decide.goods_of(list(Sku.objects.active().values_list("pk", "code", "jan", "name", "variant")))
    rejected = set(Proposal.objects.filter(rejected_at__isnull=False, listing__in=rows).values_list("listing", "sku"))
    found: dict[int, Match] = {}
    for pk, shop, code, name, jan in listings:
        wanted = Wanted(pk, code, name, jan, decide.by_shop(rules, shop), learned.get(code))
        best = decide.match(wanted, goods)
        if best is not None and (pk, best.sku_id) not in rejected:
            found[pk] = best
    _write(found, [pk for pk, *_rest in listings])
    return len(found)


def _write(found: dict[int, Match], listing_ids: Sequence[int]) -> None:
    now = clock.now()
    Proposal.objects.filter(listing__in=listing_ids, rejected_at__isnull=True).exclude(listing__in=found).delete()
    Proposal.objects.bulk_create(
        [
            Proposal(listing_id=pk, sku_id=best.sku_id, units=best.units, reason=best.reason, score=best.score, at=now)
            for pk, best in sorted(found.items())
        ],
        update_conflicts=True,
        unique_fields=["listing"],
        update_fields=["sku", "units", "reason", "score", "rejected_at"],
    )


@transaction.atomic
def save_rule(rule: MatchRule, *, by: User | None) -> None:
    """Store a rule, new or changed; proposals follow with `propose`."""
    if rule.pk is not None:
        setting_versions.begin("match_rule", rule.pk)
    rule.save()
    setting_versions.keep("match_rule", rule.pk, by=by)


@transaction.atomic
def delete_rule(rule_id: int, *, by: User | None) -> bool:
    """False when it is gone already."""
    with setting_versions.kept("match_rule", rule_id, by=by):
        return bool(MatchRule.objects.filter(pk=rule_id).delete()[0])


def rules_by_shop() -> dict[int | None, list[Rule]]:
    found: dict[int | None, list[Rule]] = {}
    rows = MatchRule.objects.filter(active=True).order_by("position", "pk")
    for shop_id, kind, pattern, replacement in rows.values_list("shop", "kind", "pattern", "replacement"):
        found.setdefault(shop_id, []).append(Rule(kind, pattern, replacement))
    return found


def _learned(codes: set[str]) -> dict[str, tuple[int, int]]:
    """Codes that people or sure matches gave one and the same SKU in some shop."""
    rows = (
        Listing.objects.filter(channel_sku__in=codes, sku__isnull=False, sku__active=True)
        .order_by()
        .values("channel_sku")
        .annotate(kinds=Count("sku", distinct=True), only=Min("sku"), least=Min("units"), most=Max("units"))
    )
    return {
        row["channel_sku"]: (row["only"], row["least"])
        for row in rows
        if row["kinds"] == 1 and row["least"] == row["most"]
    }


def accept(proposal_ids: Sequence[int] | None = None, *, shop_id: int | None = None, actor: Actor = SYSTEM) -> int:
    """Accept these proposals, or without ids all sure ones (of a shop); returns how many listings were mapped."""
    rows = Proposal.objects.filter(rejected_at__isnull=True, listing__sku__isnull=True)
    if proposal_ids is not None:
        rows = rows.filter(pk__in=proposal_ids)
    else:
        rows = rows.filter(score__gte=decide.SURE)
        rows = rows if shop_id is None else rows.filter(listing__shop=shop_id)
    chosen = list(rows.order_by("pk").values_list("listing__shop", "listing__channel_sku", "sku", "units"))
    mapping.map_codes([Decision(*row) for row in chosen], actor=actor, how="proposal")
    return len(chosen)


def reject(proposal_ids: Sequence[int]) -> int:
    """Not this SKU; the listing waits for a person or for another proposal."""
    return Proposal.objects.filter(pk__in=proposal_ids, rejected_at__isnull=True).update(rejected_at=clock.now())
