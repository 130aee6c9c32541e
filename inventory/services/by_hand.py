"""Stock changed by a form, once per showing of the form."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction

from inventory.models import HandMove
from inventory.services import stock
from oms.kernel import clock

REMEMBERED = timedelta(days=7)


@transaction.atomic
def once(key: str, write: Callable[[], stock.Outcome]) -> stock.Outcome | None:
    """Let `write` change the stock; None when the form with this key has done so already. Without a key it always does.

    Takes the key first, then what `write` locks.
    """
    now = clock.now()
    if key:
        _row, made = HandMove.objects.get_or_create(key=key, defaults={"at": now})
        if not made:
            return None
        HandMove.objects.filter(at__lt=now - REMEMBERED).delete()
    return write()
