"""The flash sale in small: the same buyers, several ways to tell the malls."""

import pytest

from bench.flash_world import Demand, FixedBuffer, Ours, draw, play


@pytest.fixture(scope="module")
def demand() -> Demand:
    return draw(5, skus=40)


def test_a_prepared_sale_oversells_next_to_nothing_and_sells_more_than_a_buffer_that_is_as_safe(demand):
    ours, safe = play(demand, Ours()), play(demand, FixedBuffer(14))
    assert ours.rate <= 0.003
    assert ours.lost * 2 < safe.lost


def test_polling_and_small_buffers_oversell_the_same_demand(demand):
    assert play(demand, FixedBuffer(0, every_s=300.0)).rate > 0.1
    assert play(demand, FixedBuffer(3)).rate > 0.02


def test_a_sale_is_the_same_for_the_same_seed(demand):
    assert play(demand, Ours()) == play(draw(5, skus=40), Ours())


def test_nobody_sells_what_is_not_there_without_its_being_counted(demand):
    for sync in (Ours(), Ours(mode="normal", hot_below=3), FixedBuffer(0)):
        result = play(demand, sync)
        assert result.sold <= sum(demand.stock.values()) and result.sold + result.oversold <= len(demand.buyers)
