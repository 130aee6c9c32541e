"""Effects that one call delivers: a crowd of one shop goes out at once, and each of them ends by itself."""

import pytest

from oms.kernel import clock
from oms.kernel.models import Effect
from oms.kernel.services import outbox
from oms.kernel.services.outbox import GiveUp, NewEffect, Retry, Together, put

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowds(monkeypatch):
    """The keys of each call; what a test puts under a key is raised for that effect, under "*" for the whole call."""
    calls, troubles = [], {}

    def together(effects):
        calls.append(sorted(effect.key for effect in effects))
        if "*" in troubles:
            raise troubles["*"]
        return {effect.pk: troubles[effect.key] for effect in effects if effect.key in troubles}

    def alone(effect):
        calls.append([effect.key])

    monkeypatch.setitem(
        outbox.KINDS, "crowd", outbox.Kind(alone, "試験", together=Together("shop", together, lambda _first: 3))
    )
    return calls, troubles


def wait_for(*keys, shop=1, **given):
    for key in keys:  # one by one: each is due a moment after the one before it
        put([NewEffect("crowd", key, given.get("subject", key), {"shop": shop})])


def states() -> dict[str, str]:
    return dict(Effect.objects.values_list("key", "state"))


def test_what_waits_for_one_shop_goes_out_in_one_call_of_the_allowed_size(crowds):
    wait_for("a", "b", "c", "d")
    wait_for("x", shop=2)
    assert outbox.deliver_due() == 5
    calls, _troubles = crowds
    assert sorted(calls, key=len, reverse=True)[0] == ["a", "b", "c"]
    assert sorted(key for call in calls for key in call) == ["a", "b", "c", "d", "x"]
    assert not any("x" in call and len(call) > 1 for call in calls)
    assert set(states().values()) == {"done"}


def test_each_effect_of_a_crowd_ends_by_its_own_outcome(crowds):
    _calls, troubles = crowds
    troubles |= {"b": Retry("あとで。", after_s=5), "c": GiveUp("できません。")}
    wait_for("a", "b", "c")
    outbox.deliver_due()
    assert states() == {"a": "done", "b": "waiting", "c": "failed"}
    assert dict(Effect.objects.values_list("key", "last_error")) == {"a": "", "b": "あとで。", "c": "できません。"}


def test_what_had_trouble_once_goes_alone_and_troubles_nobody(crowds):
    calls, troubles = crowds
    troubles["*"] = Retry("応答がありません。", after_s=5)
    wait_for("a", "b")
    outbox.deliver_due()
    assert set(states().values()) == {"waiting"}
    Effect.objects.update(next_try_at=clock.now())
    wait_for("c")
    outbox.deliver_due()
    assert calls[0] == ["a", "b"] and sorted(calls[1:]) == [["a"], ["b"], ["c"]]
    assert set(states().values()) == {"done"}


def test_a_bug_in_a_shared_call_fails_all_of_it_in_plain_words(crowds):
    _calls, troubles = crowds
    troubles["*"] = ZeroDivisionError()
    wait_for("a", "b")
    outbox.deliver_due()
    assert set(states().values()) == {"failed"}
    assert all("ZeroDivisionError" in text for text in Effect.objects.values_list("last_error", flat=True))


def test_two_effects_of_one_subject_never_share_a_call(crowds):
    calls, _troubles = crowds
    wait_for("a", "b", subject="one")
    outbox.deliver_due()
    assert calls == [["a"], ["b"]]


def test_the_limit_of_a_turn_counts_everyone_in_the_crowd(crowds):
    calls, _troubles = crowds
    wait_for("a", "b", "c")
    assert outbox.deliver_due(limit=2) == 2
    assert calls == [["a", "b"]] and states()["c"] == "waiting"
