from channels.decide.conflict import CANCEL, SWAP, TRANSFER, WAIT, Contender, Elsewhere, propose

EARLY, LATE = (1.0, 1.0), (2.0, 1.0)
STORE = [Elsewhere("銀座店", 2)]


def test_the_order_that_ships_first_gets_the_unit():
    assert propose(Contender(1, EARLY), Contender(2, LATE), 1, STORE, 9) == SWAP
    assert propose(Contender(1, LATE), Contender(2, EARLY), 1, STORE, 9) == TRANSFER


def test_an_order_under_way_keeps_its_unit():
    assert propose(Contender(1, EARLY), Contender(2, LATE, under_way=True), 1, [], 1) == WAIT


def test_a_store_with_too_few_does_not_help_and_then_only_cancelling_is_left():
    assert propose(Contender(1, LATE), None, 3, STORE, 3) == WAIT
    assert propose(Contender(1, LATE), None, 3, STORE, 2) == CANCEL
