from copy import deepcopy

import pytest

from orders.models import Order
from tests.orders.desk_board import fill_board


@pytest.fixture(scope="module")
def made_board(module_rows: None) -> dict[str, Order]:
    """The desk's board, once for a module whose tests commit nothing."""
    return fill_board()


@pytest.fixture
def board(made_board: dict[str, Order], db: None) -> dict[str, Order]:
    """As it was made, whatever an earlier test did to it. Tests without it stand above the first one with it."""
    return deepcopy(made_board)
