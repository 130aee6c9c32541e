"""What orders tell the floors above, sent inside the transaction. Receivers only write rows of their own."""

from django.dispatch import Signal

# Lines whose promises or places ended (`line_ids`): planned shipments must let go of them.
lines_released = Signal()
# Orders cancelled (`order_ids`, `by`): instructed shipments must stop.
orders_cancelled = Signal()
