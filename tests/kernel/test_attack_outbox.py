"""Two workers and one effect: the one that comes back too late must not undo what the other did."""

import pytest
from django.db import OperationalError

from oms.kernel.models import Effect
from oms.kernel.services import outbox
from oms.kernel.services.outbox import NewEffect, Retry, put

pytestmark = pytest.mark.django_db


def register(monkeypatch, handle, ended=None):
    monkeypatch.setitem(outbox.KINDS, "attack", outbox.Kind(handle, "試験", ended))
    put([NewEffect("attack", "attack:1", "attack:1")])


def test_a_worker_that_was_taken_for_dead_changes_nothing_when_it_comes_back(monkeypatch):
    told = []

    def slow(effect):
        """While this one waits for the other side, a second worker takes the effect over and is done."""
        told.append(effect.pk)
        if len(told) == 1:
            Effect.objects.filter(pk=effect.pk).update(claimed_at="2020-01-01T00:00:00Z")
            outbox.deliver_due()
            raise Retry("応答がありません。")

    register(monkeypatch, slow)
    outbox.deliver_due(limit=1)
    assert len(told) == 2
    assert Effect.objects.get().state == "done"


def test_an_effect_that_kills_its_workers_is_not_tried_for_ever(monkeypatch):
    told = []
    register(monkeypatch, told.append)
    Effect.objects.update(state="running", attempts=outbox.MAX_ATTEMPTS + 3, claimed_at="2020-01-01T00:00:00Z")
    outbox.deliver_due()
    effect = Effect.objects.get()
    assert not told and effect.state == "failed" and "途中で" in effect.last_error


def test_a_deadlock_is_tried_again_by_itself(monkeypatch):
    def deadlock(_effect):
        raise OperationalError("deadlock detected")

    register(monkeypatch, deadlock)
    outbox.deliver_due()
    effect = Effect.objects.get()
    assert effect.state == "waiting" and "再試行" in effect.last_error
