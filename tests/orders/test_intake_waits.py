"""An import that meets a long-held lock waits for it again instead of leaving its page to the next poll."""

import threading

import pytest
from django.db import connection, transaction

from inventory.models import Balance
from orders.models import Order
from orders.services.intake import take_in
from tests.orders.builders import make_channel_order, make_line, make_shop, make_sku, mapped

PATIENCE_MS = 400


@pytest.fixture
def impatient(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{PATIENCE_MS}ms"])
    yield
    connection.close()


def test_stock_that_somebody_holds_for_long_is_asked_for_again(impatient):
    shop, chair = make_shop(), make_sku(stock_units=5)
    held, enough = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(Balance.objects.select_for_update().filter(sku=chair))
                held.set()
                enough.wait(1.5 * PATIENCE_MS / 1000)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    try:
        outcome = take_in(shop, [make_channel_order(make_line("CHAIR", 2))], sku_of=mapped(chair))
    finally:
        enough.set()
        holder.join()
    assert outcome.created == [Order.objects.get().channel_order_no]
    assert Balance.objects.get(sku=chair, location=None, release="").reserved == 2
