"""One row that our program stumbles over keeps no other; a database that is away is no row's fault."""

import pytest
from django.db import OperationalError

from oms.kernel.halves import in_halves


def test_the_culprit_alone_is_left_out():
    calls = []

    def go(ids):
        calls.append(list(ids))
        if 7 in ids:
            raise KeyError(7)
        return sum(ids)

    assert sum(in_halves(go, list(range(1, 10)), "stumbled")) == 45 - 7
    assert [7] in calls and len(calls) < 10
    assert in_halves(go, [], "stumbled") == []


def test_a_database_that_is_away_is_asked_once():
    calls = []

    def go(ids):
        calls.append(ids)
        raise OperationalError("the connection is closed")

    with pytest.raises(OperationalError):
        in_halves(go, [1, 2, 3, 4], "stumbled")
    assert len(calls) == 1
