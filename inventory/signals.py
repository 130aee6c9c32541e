"""What inventory tells the floors above, inside the transaction. A receiver writes a row of its own and returns.

Stock is locked when these are sent: a receiver must not lock or update orders or shipments, only insert.
"""

from django.dispatch import Signal

# A fact (count, damage, sale over the counter …) needed stock that was promised.
# `released`: refs that hold nothing any more, their lines wait again; `unplaced`: refs whose promise stands but which
# lost a place and must be placed anew; `kind`: the ledger kind of the fact; `by_id`: the person, or None.
promises_released = Signal()

# Balances were written, and marks with them. No arguments: whoever acts reads the marks. Sent after the write, by
# every caller of the door; a receiver only asks to be woken after the commit.
stock_moved = Signal()
