import random
from collections import Counter

import pytest

from channels.sandbox.plan import ALLOWED, CHANNEL_SHARES, JUDGEMENT, ROUTINE, TOGETHER, plan_day, quota


def counted(slots):
    return Counter(trait for slot in slots for trait in slot.traits)


@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_orders_have_the_exact_shares(seed):
    slots = plan_day(1000, random.Random(seed))
    traits = counted(slots)
    for trait, percent in {**JUDGEMENT, **ROUTINE}.items():
        assert traits[trait] == pytest.approx(percent * 10), trait
    assert sum(traits[trait] for trait in JUDGEMENT) == 30
    assert traits["fba"] == quota(250, 5.0)
    assert Counter(slot.channel for slot in slots) == {c: int(1000 * share) for c, share in CHANNEL_SHARES.items()}


def test_every_judgement_class_appears_in_five_hundred_orders():
    traits = counted(plan_day(500, random.Random(3)))
    assert all(traits[trait] >= 1 for trait in JUDGEMENT)
    assert sum(traits[trait] for trait in JUDGEMENT) == 16


def test_an_order_that_needs_a_person_has_that_one_trait_only():
    for slot in plan_day(1000, random.Random(1)):
        if slot.traits & JUDGEMENT.keys():
            assert len(slot.traits) == 1


def test_traits_meet_only_where_a_shop_needs_nobody_for_it():
    for slot in plan_day(1000, random.Random(2)):
        for trait in slot.traits:
            assert slot.channel in ALLOWED.get(trait, CHANNEL_SHARES)
            assert slot.traits - {trait} <= TOGETHER.get(trait, frozenset())


def test_partners_point_at_each_other_and_the_first_comes_first():
    slots = plan_day(1000, random.Random(4))
    paired = [slot for slot in slots if slot.partner is not None]
    assert Counter(trait for slot in paired for trait in slot.traits) == {
        "merge": 40,
        "short_first": 2,
        "stock_short": 2,
    }
    for slot in paired:
        other = slots[slot.partner]
        assert other.partner == slot.index
        if "merge" in slot.traits:
            assert other.channel == slot.channel
        elif "short_first" in slot.traits:
            assert other.index > slot.index and other.channel != slot.channel


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 60])
def test_small_days_have_as_many_orders_as_asked(count):
    assert len(plan_day(count, random.Random(1))) == count


@pytest.mark.parametrize(("count", "percent", "wanted"), [(500, 0.3, 2), (500, 0.1, 1), (100, 0.4, 0), (1000, 1.5, 15)])
def test_quotas_round_halves_up(count, percent, wanted):
    assert quota(count, percent) == wanted
    assert quota(300, 0.1, sure=True) == 1
